/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of one job: its map, its bytes, its log. */
#include "dialect/resp/core.h"
#include "engine/logline.h"

static void wait_for(struct resp_session *session, uint64_t id, hob_ns wait) {
    if (session->in_exec) wait = 0;
    struct command command = {.type = COMMAND_WAIT, .wait = {.id = id, .wait_ns = wait}};
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code == ANSWER_WAITING) {
        session->awaited = RESP_AWAITED_JOB;
        session->awaited_id = id;
        return;
    }
    (void)resp_put_job(session, id, JOB_WHOLE);
}

void resp_get(struct resp_session *session, struct args args) {
    uint64_t id = 0;
    if (!resp_id(session, "id", args.at[0], &id)) return;
    if (args.count == 1) {
        (void)resp_put_job(session, id, JOB_WHOLE);
        return;
    }
    if (args.count != 3 || !slice_equal_nocase(args.at[1], SLICE("WAIT"))) {
        resp_error(session, "BADARG", SLICE("GET takes WAIT ms, and nothing else"));
        return;
    }
    hob_ns wait = 0;
    if (resp_span(session, "WAIT", args.at[2], RESULT_WAIT_MAX_NS, &wait)) {
        wait_for(session, id, wait);
    }
}

void resp_wait(struct resp_session *session, struct args args) {
    uint64_t id = 0;
    hob_ns wait = 0;
    if (!resp_id(session, "id", args.at[0], &id)) return;
    if (resp_span(session, "ms", args.at[1], RESULT_WAIT_MAX_NS, &wait)) {
        wait_for(session, id, wait);
    }
}

void resp_find(struct resp_session *session, struct args args) {
    struct host *host = session->base.host;
    uint64_t id = host->ops->find_ref(host->context, args.at[0]);
    struct job_view job;
    if (id == 0 || !session_job(&session->base, id, &job)) {
        resp_null(session);
    } else {
        resp_put_u64(resp_out(session), session->version, id);
    }
}

void resp_result(struct resp_session *session, struct args args) {
    uint64_t id = 0;
    if (!resp_id(session, "id", args.at[0], &id)) return;
    struct job_view job;
    if (!session_job(&session->base, id, &job) || job.result.id == 0) {
        resp_null(session);
        return;
    }
    (void)resp_put_body(session, job.result);
}

void resp_payload(struct resp_session *session, struct args args) {
    uint64_t id = 0;
    if (!resp_id(session, "id", args.at[0], &id)) return;
    struct job_view job;
    if (!session_job(&session->base, id, &job)) {
        resp_null(session);
    } else if (job.payload_body.id != 0) {
        (void)resp_put_body(session, job.payload_body);
    } else {
        resp_put_bulk(resp_out(session), job.payload);
    }
}

/* --- LOGS --- */

/* unix-ms attempt stream level text */
static void put_line(struct buf *out, uint32_t attempt, const struct log_line *line) {
    resp_put_array(out, 5);
    resp_put_i64(out, (int64_t)(line->at_ns / NS_PER_MS));
    resp_put_i64(out, attempt);
    resp_put_bulk(out, slice_str(log_stream_word(line->stream)));
    resp_put_bulk(out, slice_str(log_level_word(line->level)));
    resp_put_bulk(out, line->text);
}

/* Append the lines of one chunk to the host's reply room and count them. */
static bool put_chunk(struct resp_session *session, struct body_ref chunk, size_t *lines) {
    struct host *host = session->base.host;
    struct hob_error err = {0};
    buf_reset(&host->scratch);
    if (host->ops->body(host->context, chunk.id, &host->scratch, &err) != HOB_OK) {
        resp_error(session, "ERR", slice_str(err.text));
        return false;
    }
    struct slice entries = buf_slice(&host->scratch);
    struct log_line line;
    bool bad = false;
    while (log_line_next(&entries, &line, &bad)) {
        put_line(&host->reply, chunk.attempt, &line);
        ++*lines;
    }
    if (host->reply.size <= REPLY_BYTES_MAX) return true;
    resp_error(session, "TOOLARGE", SLICE("the log is larger than a reply: ask for one ATTEMPT"));
    return false;
}

void resp_logs(struct resp_session *session, struct args args) {
    uint64_t id = 0;
    uint64_t attempt = 0;
    if (!resp_id(session, "id", args.at[0], &id)) return;
    if (args.count > 1) {
        if (args.count != 3 || !slice_equal_nocase(args.at[1], SLICE("ATTEMPT"))) {
            resp_error(session, "BADARG", SLICE("LOGS takes ATTEMPT n, and nothing else"));
            return;
        }
        if (!resp_u64(session, "ATTEMPT", args.at[2], ATTEMPT_MAX_MAX, &attempt)) return;
    }
    struct job_view job;
    if (!session_job(&session->base, id, &job)) {
        struct answer none = {.code = ANSWER_NO_JOB};
        resp_answer_error(session, &none);
        return;
    }
    struct host *host = session->base.host;
    buf_reset(&host->reply);
    size_t lines = 0;
    for (uint32_t i = 0; i < job.log_count; i++) {
        if (attempt != 0 && job.logs[i].attempt != attempt) continue;
        if (!put_chunk(session, job.logs[i], &lines)) return;
    }
    resp_put_array(resp_out(session), lines);
    (void)buf_put_slice(resp_out(session), buf_slice(&host->reply));
}
