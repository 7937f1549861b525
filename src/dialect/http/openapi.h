/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the OpenAPI document; for openapi.c only. */
#ifndef HOB_DIALECT_HTTP_OPENAPI_H
#define HOB_DIALECT_HTTP_OPENAPI_H

#include "dialect/http/core.h"

/* A reference to a schema, for openapi_text. */
#define OPENAPI_REF(name) "{'$ref':'#/components/schemas/" name "'}"

/** A member of the components: "schemas": {…}. */
void openapi_schemas(struct json_put *put, const struct host *host);

/** The schema of an option, as a value. */
void openapi_option(struct json_put *put, const struct option *option);

/**
 * The members of a body: those of @set, and @extra by their names. An object schema, as a value.
 */
void openapi_body(struct json_put *put, const struct option_set *set, const char *extra);

/** {"$ref": "#/components/SECTION/NAME"} */
void openapi_ref(struct json_put *put, const char *section, struct slice name);

/** JSON that is written with ' for ", as a value. */
void openapi_text(struct json_put *put, const char *json);

#endif
