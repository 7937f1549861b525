/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of the configuration with fields of the job in them:
 *
 *     https://api.example.com/users/{{user.id}}/mails
 *     {"to": "{{to}}", "lines": {{items}}, "try": {{job.attempt}}}
 *     Bearer {{secret.api}}
 *
 *     {{name}} {{a.b.0}}                             of the payload, which is JSON then
 *     {{payload}} {{payload.job}}                    the payload, or a field whose name is taken
 *                                                    here
 *     {{job.id}} .attempt .attempt_max .queue .kind  of the job
 *     {{secret.NAME}}                                a secret of the configuration; only in headers
 *
 * What comes from a job is data wherever it lands: it is escaped for the place where it stands, so
 * it never ends a string, a path segment or a header. Where text stands only text, numbers, true
 * and false can; where JSON has a value, any JSON can. A URL may begin with a field, which is then
 * taken as it is; no field may be in the host of one. */
#ifndef HOB_WORKER_HTTP_TEMPLATE_H
#define HOB_WORKER_HTTP_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/slice.h"

enum { TEMPLATE_FIELDS_MAX = 200, TEMPLATE_WHY_BYTES_MAX = 200 };

/* What kind of text it is. */
enum template_place {
    TEMPLATE_URL,
    TEMPLATE_HEADER, /* its value */
    TEMPLATE_JSON,
    TEMPLATE_FORM, /* application/x-www-form-urlencoded */
    TEMPLATE_XML,
    TEMPLATE_TEXT, /* fields are not escaped */
};

struct template_part;

/* Zero is the empty text. */
struct template {
    const struct template_part *parts;
    size_t count;
    bool has_fields;
};

/* What the fields refer to. */
struct template_values {
    struct slice payload;
    struct slice id;
    struct slice queue;
    struct slice kind;
    uint32_t attempt;
    uint32_t attempt_max;
    const void *secrets;
    /* False: there is no such secret, or it is none that a header can hold. */
    bool (*secret)(const void *secrets, struct slice name, struct slice *ret_text);
};

/**
 * Read a text.
 *
 * @arena    holds what the template refers to, the text too
 * @ret_why  when it is false: what is wrong, and where
 */
bool template_parse(
    struct slice text,
    enum template_place place,
    struct arena *arena,
    struct template *ret_template,
    char ret_why[TEMPLATE_WHY_BYTES_MAX]
);

/** Does the text begin with a field? */
bool template_begins_with_field(const struct template *template);

/** Give each secret that a field names to @each, until that answers false; false then. */
bool template_secrets(
    const struct template *template, bool (*each)(void *context, struct slice name), void *context
);

/** Would a JSON text be JSON, whatever stands in its fields? */
bool template_is_json(const struct template *template);

/**
 * Append the text with its fields filled in.
 *
 * @ret_why  when it is false: which field is missing or does not fit; the job can never succeed
 */
bool template_put(
    const struct template *template,
    const struct template_values *values,
    struct buf *out,
    char ret_why[TEMPLATE_WHY_BYTES_MAX]
);

#endif
