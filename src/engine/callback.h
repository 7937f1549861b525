/* SPDX-License-Identifier: Apache-2.0 */
/* What follows the end of a job: callbacks, each a template of a job that is pushed then. `on_done`
 * of a job is a list of them as bytes:
 *
 *     u8 when, u8 payload, varint delay in ns, then the template as a JOB_PUT effect
 *
 * A template may have callbacks of its own, inside of it; so all jobs that one push can lead to are
 * written in its on_done, and there are no more of them than fit there. */
#ifndef HOB_ENGINE_CALLBACK_H
#define HOB_ENGINE_CALLBACK_H

#include "base/buf.h"
#include "engine/command.h"

#define CALLBACK_QUEUE "hob.callbacks" /* where requests wait; the server runs it by itself */
#define CALLBACK_KIND  "hob.webhook"

/* Each end of a job is a success or a failure, and always the finish. */
enum callback_when {
    CALLBACK_SUCCESS,  /* completed */
    CALLBACK_FAILURE,  /* discarded or cancelled */
    CALLBACK_FINISHED, /* all three */
    CALLBACK_WHEN_COUNT
};

enum callback_payload {
    CALLBACK_OWN,     /* the template's */
    CALLBACK_EVENT,   /* the event document (engine/document.c) */
    CALLBACK_REQUEST, /* an HTTP request: the template's payload, cut before the value of its last
                         member `body`, which is the event document */
    CALLBACK_PAYLOAD_COUNT
};

struct callback {
    enum callback_when when;
    enum callback_payload payload;
    struct push_command push; /* slices point into on_done */
};

/** Append a callback. False when @out is full. */
bool callback_put(struct buf *out, const struct callback *callback);

/**
 * Take the first callback off @rest; false at the end, or (then *ret_bad is true) at bytes that are
 * none.
 */
bool callback_next(struct slice *rest, struct callback *ret_callback, bool *ret_bad);

/** The word for when a callback is made; and back. */
const char *callback_when_word(enum callback_when when);
bool callback_when_parse(struct slice word, enum callback_when *ret_when);

#endif
