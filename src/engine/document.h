/* SPDX-License-Identifier: Apache-2.0 */
/* The event document of a job's end; see document.c. */
#ifndef HOB_ENGINE_DOCUMENT_H
#define HOB_ENGINE_DOCUMENT_H

#include "base/buf.h"
#include "engine/view.h"

enum {
    DOCUMENT_RESULT_BYTES_MAX =
        128 * 1024, /* a larger result is left out, and the document says so */
    DOCUMENT_LOG_LINES_MAX = 20,
    DOCUMENT_LOG_BYTES_MAX = 4096, /* of the text of all lines */
    /* Each byte of a result may become six, and of a line and an error too. */
    DOCUMENT_BYTES_MAX = 6 * DOCUMENT_RESULT_BYTES_MAX + 128 * 1024,
};

/* What the end knows that is not in the job's view. */
struct ending {
    struct slice result; /* completed */
    bool by_person;      /* cancelled or discarded by a person */
    struct slice log;    /* the last chunks of the log: lines as engine/logline.h has them */
};

/** Append the document of the end of @job, as it is after it. */
void document_put(struct buf *out, const struct job_view *job, const struct ending *ending);

#endif
