// SPDX-License-Identifier: Apache-2.0
// openapi_validate.js FILE <CASES: hold live answers to the schemas of an OpenAPI document, by ajv. CASES is a JSON
// array of {"what", "schema", "value"}; schema is a JSON pointer into the document. One line a fault on stdout.
"use strict";

const fs = require("node:fs");
const Ajv2020 = require("ajv/dist/2020").default;
const addFormats = require("ajv-formats").default;

const document = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const ajv = new Ajv2020({ allErrors: true, strict: false });
addFormats(ajv);
ajv.addSchema({ ...document, $id: "https://hob.test/openapi.json" });

let faults = 0;
for (const { what, schema, value } of JSON.parse(fs.readFileSync(0, "utf8"))) {
  const validate = ajv.compile({ $ref: `https://hob.test/openapi.json#${schema}` });
  if (validate(value)) continue;
  faults++;
  console.log(`${what}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(value).slice(0, 300)}`);
}
process.exitCode = faults === 0 ? 0 : 1;
