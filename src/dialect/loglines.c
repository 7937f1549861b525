/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks are in order of time, and their ids grow; one that lies wholly before what is wanted is
 * not read. */
#include "dialect/loglines.h"

#include "base/assert.h"

_Static_assert(
    LOG_CHUNK_BYTES_MAX / 4 <= 1 << LOG_SEQ_LINE_BITS, "each line of a body has a number"
);

struct log_walk
log_walk_begin(struct session *session, const struct job_view *job, struct logs_request wanted) {
    return (struct log_walk){.host = session->host, .job = job, .wanted = wanted};
}

static bool chunk_is_wanted(const struct log_walk *walk, const struct body_ref *chunk) {
    if (walk->wanted.attempt != 0 && chunk->attempt != walk->wanted.attempt) return false;
    return chunk->id >= walk->wanted.after >> LOG_SEQ_LINE_BITS;
}

static bool open_chunk(struct log_walk *walk) {
    while (walk->chunk < walk->job->log_count) {
        const struct body_ref *chunk = &walk->job->logs[walk->chunk++];
        if (!chunk_is_wanted(walk, chunk)) continue;
        struct host *host = walk->host;
        buf_reset(&host->scratch);
        enum hob_status status =
            host->ops->body(host->context, chunk->id, &host->scratch, &walk->err);
        if (status != HOB_OK) return false;
        walk->open = *chunk;
        walk->entries = buf_slice(&host->scratch);
        walk->line = 0;
        return true;
    }
    return false;
}

bool log_walk_next(struct log_walk *walk, struct logged_line *ret_line) {
    if (walk->wanted.count != 0 && walk->given == walk->wanted.count) return false;
    for (;;) {
        bool bad = false;
        while (log_line_next(&walk->entries, &ret_line->line, &bad)) {
            ret_line->seq = log_seq(walk->open.id, walk->line++);
            if (ret_line->seq <= walk->wanted.after) continue;
            ret_line->attempt = walk->open.attempt;
            walk->given++;
            return true;
        }
        hob_assert(!bad); /* the engine took only sound entries */
        if (!open_chunk(walk)) return false;
    }
}
