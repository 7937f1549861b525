/* SPDX-License-Identifier: Apache-2.0 */
/* What follows the end of a job, as people write it, and back:
 *
 *     {"success": {"url": "https://…", "secret": "NAME", "headers": {"x-tenant": "42"}},
 *      "failure": [{"url": "https://…"}, {"push": {"queue": "mail", "kind": "apologize"}}],
 *      "finished": {"push": {"queue": "…", "kind": "…", "on_done": {…}}}}
 *
 * A `url` becomes a job of the queue hob.callbacks that sends the event document there; a `push` is
 * a job as for POST /v1/jobs, whose payload is the event document unless it has one. */
#ifndef HOB_DIALECT_ONDONE_H
#define HOB_DIALECT_ONDONE_H

#include "base/json_put.h"
#include "dialect/host.h"

enum { CALLBACK_URL_BYTES_MAX = 2048, CALLBACK_SECRET_BYTES_MAX = 64 };

/**
 * @json into the form that a push takes; it lies in the host's room for it until the next call.
 * Decoded strings go to the scratch room, in which twice the size of @json must be reserved.
 *
 * Answers  false with the host's complaint when it is not valid; how the templates' fields fit
 *          their limits is the engine's to say
 */
bool on_done_parse(struct host *host, struct slice json, struct slice *ret_on_done);

/** The same back: an object. */
void on_done_put(struct json_put *put, struct slice on_done);

#endif
