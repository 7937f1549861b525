// SPDX-License-Identifier: Apache-2.0
// openapi_lint.js FILE [RULE…]: lint an OpenAPI document by the recommended rules of Redocly, but for the RULEs named.
// One line per problem on stdout; ends with 1 when there is one, warnings included.
"use strict";

const { createConfig, lint } = require("@redocly/openapi-core");

async function main([file, ...off]) {
  if (file === undefined) throw new Error("usage: openapi_lint.js FILE [RULE…]");
  const rules = Object.fromEntries(off.map((rule) => [rule, "off"]));
  const config = await createConfig({ extends: ["recommended"], rules });
  const problems = await lint({ ref: file, config });
  for (const problem of problems) {
    const at = problem.location[0]?.pointer ?? "";
    console.log(`${problem.severity} ${problem.ruleId} ${at}: ${problem.message}`);
  }
  return problems.length === 0 ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error);
    process.exitCode = 2;
  },
);
