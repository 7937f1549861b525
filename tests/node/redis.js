// SPDX-License-Identifier: Apache-2.0
// redis.js PORT RESP: what npm redis (node-redis) does against a Hob server, in RESP 2 or 3.
"use strict";

const assert = require("node:assert/strict");
const { createClient } = require("redis");

async function main() {
  const [port, version] = process.argv.slice(2).map(Number);
  const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP: version, name: "node-redis-test" });
  client.on("error", (error) => {
    throw error;
  });
  await client.connect();
  assert.equal(await client.ping(), "PONG");
  const id = await client.sendCommand(["PUSH", "work", "greet", "1"]);
  const job = await client.sendCommand(["GET", String(id)]);
  const flat = Array.isArray(job) ? job : Object.entries(job).flat();
  assert.equal(flat[flat.indexOf("state") + 1], "available");
  const several = await client.multi().addCommand(["PUSH", "work", "greet", "2"]).ping().exec();
  assert.deepEqual(several, [2, "PONG"]);

  const ear = client.duplicate();
  await ear.connect();
  const heard = new Promise((resolve) => ear.subscribe("hob:finished", resolve));
  await ear.pSubscribe("hob:kind:*", () => {});
  await client.sendCommand(["CANCEL", String(id)]);
  assert.equal(JSON.parse(await heard).state, "cancelled");
  await ear.close();
  await client.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
