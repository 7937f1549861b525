/* SPDX-License-Identifier: Apache-2.0 */
/* An event of the engine as a JSON object of one line: what subscribers are told, whatever they
 * speak.
 *
 *     {"type":"state","id":"17","queue":"mail","kind":"welcome","from":"running",
 *      "state":"completed","attempt":1,"at":"2026-03-01T00:00:00.250Z","ran_ms":812}
 *
 * Absent values are left out. Payload, result and log lines are not in it: it says what happened,
 * whoever wants more reads the job. */
#ifndef HOB_DIALECT_EVENT_JSON_H
#define HOB_DIALECT_EVENT_JSON_H

#include "base/buf.h"
#include "engine/event.h"

/* More than any event needs: its texts are bounded, and each byte becomes six at most. */
enum { EVENT_JSON_BYTES_MAX = 64 * 1024 };

/** The same with the lines of a log: `lines`, an array of {"at", "stream", "level", "text"}. */
void event_json_put_lines(struct buf *out, const struct event *event);

/** Append the object, without a line end. */
void event_json_put(struct buf *out, const struct event *event);

#endif
