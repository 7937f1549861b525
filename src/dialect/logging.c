/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks are filled to the limit of one command, then applied. After the first answer that is not
 * OK nothing more is applied: the lease is over, say, and the other chunks would fare no better. */
#include "dialect/logging.h"

#include "base/assert.h"

enum { LINE_OVERHEAD_BYTES = 32 }; /* more than time, stream, level and size need */

struct logging logging_begin(struct session *session, struct lease_ref lease) {
    buf_reset(&session->host->reply);
    return (struct logging){
        .session = session,
        .lease = lease,
        .answer = {.code = ANSWER_OK},
    };
}

static void apply(struct logging *logging) {
    struct buf *entries = &logging->session->host->reply;
    if (entries->size == 0 || logging->answer.code != ANSWER_OK) return;
    hob_assert(entries->size <= LOG_CHUNK_BYTES_MAX);
    struct command command = {
        .type = COMMAND_LOG,
        .log = {.lease = logging->lease, .entries = buf_slice(entries)},
    };
    session_apply(logging->session, &command, &logging->answer);
    buf_reset(entries);
}

bool logging_add(struct logging *logging, const struct log_line *line) {
    if (logging->answer.code != ANSWER_OK) return false;
    size_t size = line->text.size + LINE_OVERHEAD_BYTES;
    if (size > LOG_CHUNK_BYTES_MAX) {
        logging->answer = (struct answer){
            .code = ANSWER_TOO_LARGE,
            .detail = "a line of a log has at most 65504 bytes",
        };
        return false;
    }
    struct buf *entries = &logging->session->host->reply;
    if (entries->size + size > LOG_CHUNK_BYTES_MAX) apply(logging);
    if (logging->answer.code != ANSWER_OK) return false;
    struct log_line timed = *line;
    if (timed.at_ns == 0) timed.at_ns = logging->session->host->now_ns;
    bool put = log_line_put(entries, &timed);
    hob_assert(put);
    return true;
}

void logging_end(struct logging *logging) {
    apply(logging);
}
