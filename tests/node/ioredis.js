// SPDX-License-Identifier: Apache-2.0
// ioredis.js PORT SCENARIO: what npm ioredis does against a Hob server. Ends with 0 when all of it held.
"use strict";

const assert = require("node:assert/strict");
const Redis = require("ioredis");

const scenarios = {
  // The ready check (INFO), the names that a client gives itself, a push and what it became.
  async connect(redis) {
    assert.equal(await redis.ping(), "PONG");
    const id = await redis.call("PUSH", "work", "greet", '"you"', "PRIORITY", 7);
    assert.ok(Number.isInteger(id));
    const job = await redis.call("GET", id);
    assert.equal(job[job.indexOf("state") + 1], "available");
  },
  // A pipeline is one write; its answers come in order, errors in their place.
  async pipeline(redis) {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 500; i++) pipeline.call("PUSH", "work", "greet", String(i));
    pipeline.call("PUSH", "work");
    const answers = await pipeline.exec();
    assert.equal(answers.length, 501);
    assert.ok(answers.slice(0, 500).every(([error, id], i) => error === null && id === i + 1));
    assert.match(answers[500][0].message, /wrong number of arguments/);
  },
};

async function main() {
  const [port, name] = process.argv.slice(2);
  const redis = new Redis({ host: "127.0.0.1", port: Number(port), connectionName: "the-test" });
  await scenarios[name](redis, Number(port));
  await redis.quit();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
