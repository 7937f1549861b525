// SPDX-License-Identifier: Apache-2.0
// Verify webhooks by the npm package `standardwebhooks`, which knows nothing of Hob. Reads lines of JSON
// {secret, headers, body} on stdin and prints a line for each: "ok", or why it is not genuine.
"use strict";
const { Webhook } = require("standardwebhooks");
const lines = require("fs").readFileSync(0, "utf8").split("\n").filter((line) => line !== "");
for (const line of lines) {
  const { secret, headers, body } = JSON.parse(line);
  try {
    new Webhook(secret).verify(body, headers);
    console.log("ok");
  } catch (error) {
    console.log(`${error.constructor.name}: ${error.message}`);
  }
}
