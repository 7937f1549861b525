// SPDX-License-Identifier: Apache-2.0
// ioredis.js PORT SCENARIO: what npm ioredis does against a Hob server. Ends with 0 when all of it held.
"use strict";

const assert = require("node:assert/strict");
const Redis = require("ioredis");

const connect = (port, options) =>
  new Redis({ host: "127.0.0.1", port, connectionName: "the-test", retryStrategy: () => 20, ...options });
// SUBSCRIBE may go out before the INFO of the ready check, which ioredis then refuses by itself, and waits without end.
const listener = (port) => connect(port, { enableReadyCheck: false });
const state = (job) => job[job.indexOf("state") + 1];

const scenarios = {
  // The ready check (INFO), the names that a client gives itself, a push and what it became.
  async connect(redis) {
    assert.equal(await redis.ping(), "PONG");
    const id = await redis.call("PUSH", "work", "greet", '"you"', "PRIORITY", 7);
    assert.ok(Number.isInteger(id));
    assert.equal(state(await redis.call("GET", id)), "available");
    assert.match(await redis.client("INFO"), /name=the-test .*lib-name=ioredis/);
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

  // MULTI and EXEC around a pipeline: one block, each with its own answer.
  async multi(redis) {
    const answers = await redis.multi().call("PUSH", "work", "greet", "1").call("GET", 1).exec();
    assert.deepEqual(answers[0], [null, 1]);
    assert.equal(state(answers[1][1]), "available");
    await assert.rejects(redis.multi().call("PUSH", "work").exec(), /EXECABORT/);
  },

  // Calls made in one turn of the event loop share a write.
  async autopipelining(_, port) {
    const redis = connect(port, { enableAutoPipelining: true });
    const ids = await Promise.all(Array.from({ length: 200 }, (_, i) => redis.call("PUSH", "work", "greet", String(i))));
    assert.equal(new Set(ids).size, 200);
    await redis.quit();
  },

  // Several connections at once, as a pool has them; no job is fetched twice.
  async pool(redis, port) {
    const pool = Array.from({ length: 5 }, () => connect(port));
    for (let i = 0; i < 100; i++) await redis.call("PUSH", "work", "greet", String(i));
    const fetched = await Promise.all(
      pool.map((one, i) => one.call("FETCH", `w${i}`, "COUNT", 20, "WAIT", 5000, "QUEUES", "work")),
    );
    const ids = fetched.flat().map((job) => job[0]);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(ids.length, 100);
    await Promise.all(fetched.flat().map(([id, token], i) => pool[i % 5].call("ACK", id, token, "done")));
    await Promise.all(pool.map((one) => one.quit()));
  },

  // A subscriber hears of the end of a job, by channel and by pattern; progress of the one it follows.
  async subscribe(redis, port) {
    const ear = listener(port);
    const heard = [];
    let done;
    const all = new Promise((resolve) => (done = resolve));
    const add = (channel, text) => {
      heard.push([channel, JSON.parse(text)]);
      if (heard.length === 7) done();
    };
    ear.on("message", add);
    ear.on("pmessage", (pattern, channel, text) => add(`${pattern} ${channel}`, text));
    const id = await redis.call("PUSH", "work", "greet", "1");
    assert.equal(await ear.subscribe("hob:queue:work", `hob:job:${id}`), 2);
    assert.equal(await ear.psubscribe("hob:kind:*"), 3);
    const [[, token]] = await redis.call("FETCH", "w", "QUEUES", "work");
    await redis.call("PROGRESS", id, token, 50, "half");
    await redis.call("ACK", id, token, "done");
    await ear.subscribe("hob:finished");
    const second = await redis.call("PUSH", "other", "thing", "2");
    await redis.call("CANCEL", second, "WHY", "not wanted");
    await Promise.race([all, new Promise((_, no) => setTimeout(no, 30000, new Error("too few")))]);
    const short = heard.map(([channel, { type, state: now, percent }]) => [channel, type, now, percent]);
    assert.deepEqual(short, [
      [`hob:job:${id}`, "state", "running", undefined],
      [`hob:job:${id}`, "progress", "running", 50],
      ["hob:queue:work", "state", "completed", undefined],
      [`hob:job:${id}`, "state", "completed", undefined],
      ["hob:kind:* hob:kind:greet", "state", "completed", undefined],
      ["hob:kind:* hob:kind:thing", "state", "cancelled", undefined],
      ["hob:finished", "state", "cancelled", undefined],
    ]);
    await assert.rejects(ear.subscribe("hob:jbo:1"), /there is no channel/);
    await ear.punsubscribe("hob:kind:*");
    await ear.unsubscribe();
    assert.equal(await ear.ping(), "PONG");
    await ear.quit();
  },

  // The server goes away and comes back: the client connects again, subscriptions too. The lines on stdin
  // are the driver's cues.
  async reconnect(redis, port) {
    const ear = listener(port);
    await ear.subscribe("hob:queue:work");
    const cues = require("node:readline").createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const happens = (what) => new Promise((resolve) => ear.once(what, resolve));
    const again = happens("close").then(() => happens("ready"));
    ear.on("error", () => {});
    console.log("connected");
    await cues.next(); // the server is back
    await again;
    // ioredis subscribes again by itself once it is ready; PING is answered behind that.
    await ear.ping();
    const heard = new Promise((resolve) => ear.once("message", (_, text) => resolve(text)));
    const id = await redis.call("PUSH", "work", "greet", "1");
    await redis.call("CANCEL", id);
    assert.equal(JSON.parse(await heard).id, String(id));
    await ear.quit();
  },
};

async function main() {
  const [port, name] = process.argv.slice(2);
  const redis = connect(Number(port));
  redis.on("error", () => {}); // it says so on each lost connection, and connects again
  await scenarios[name](redis, Number(port));
  await redis.quit();
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
