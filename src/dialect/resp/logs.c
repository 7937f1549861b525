/* SPDX-License-Identifier: Apache-2.0 */
/* LOGS, with which one reads and follows the log of a job, and SEARCH over those of many.
 *
 * A LOGS that waits is a wait for the end of the job in the engine, which keeps the time, and an
 * ear on its events: the first lines that come answer it (session_answered). */
#include "base/assert.h"
#include "dialect/resp/core.h"
#include "dialect/search.h"

/* unix-ms attempt stream level text seq */
static void put_line(struct buf *out, const struct logged_line *logged) {
    resp_put_array(out, 6);
    resp_put_i64(out, (int64_t)(logged->line.at_ns / NS_PER_MS));
    resp_put_i64(out, logged->attempt);
    resp_put_bulk(out, slice_str(log_stream_word(logged->line.stream)));
    resp_put_bulk(out, slice_str(log_level_word(logged->line.level)));
    resp_put_bulk(out, logged->line.text);
    resp_put_bulk_u64(out, logged->seq);
}

/* How many lines were written; -1: the error is the reply. */
static int64_t put_lines(struct resp_session *session, const struct job_view *job, bool even_none) {
    struct host *host = session->base.host;
    struct log_walk walk = log_walk_begin(&session->base, job, session->logs);
    struct logged_line logged;
    buf_reset(&host->reply);
    while (log_walk_next(&walk, &logged)) {
        put_line(&host->reply, &logged);
        if (host->reply.size <= REPLY_BYTES_MAX) continue;
        resp_error(
            session, "TOOLARGE", SLICE("the log is larger than a reply: read it in parts, by COUNT")
        );
        return -1;
    }
    if (walk.err.status != HOB_OK) {
        resp_error(session, "ERR", slice_str(walk.err.text));
        return -1;
    }
    if (walk.given == 0 && !even_none) return 0;
    resp_put_array(resp_out(session), walk.given);
    (void)buf_put_slice(resp_out(session), buf_slice(&host->reply));
    return walk.given;
}

void resp_logs(struct resp_session *session, struct args args) {
    struct logs_request wanted = {0};
    if (!resp_id(session, "id", args.at[0], &wanted.id)) return;
    if (!resp_options(session, logs_options, args, 1, &wanted)) return;
    struct job_view job;
    if (!session_job(&session->base, wanted.id, &job)) {
        struct answer none = {.code = ANSWER_NO_JOB};
        resp_answer_error(session, &none);
        return;
    }
    bool waits = wanted.wait_ns != 0 && !session->in_exec && !job_state_is_final(job.state);
    session->logs = wanted;
    if (put_lines(session, &job, !waits) != 0 || !waits) return;
    struct command command = {
        .type = COMMAND_WAIT,
        .wait = {.id = wanted.id, .wait_ns = wanted.wait_ns},
    };
    struct answer answer;
    session_apply(&session->base, &command, &answer);
    if (answer.code != ANSWER_WAITING) {
        resp_put_array(resp_out(session), 0);
        return;
    }
    session->awaited = RESP_AWAITED_LOGS;
    resp_listen(session);
}

void resp_logs_over(struct resp_session *session) {
    struct job_view job;
    resp_listen(session);
    if (!session_job(&session->base, session->logs.id, &job)) {
        resp_put_array(resp_out(session), 0);
    } else {
        (void)put_lines(session, &job, true);
    }
}

bool resp_follows(const struct resp_session *session) {
    return session->base.waiting != 0 && session->awaited == RESP_AWAITED_LOGS;
}

void resp_logs_event(struct resp_session *session, const struct event *event) {
    if (event->id != session->logs.id) return;
    if (session->logs.attempt != 0 && session->logs.attempt != event->attempt) return;
    struct job_view job;
    session->reply_at = session->base.out->size;
    if (!session_job(&session->base, event->id, &job) || put_lines(session, &job, false) == 0) {
        return; /* lines that were asked to be left out */
    }
    session_answered(&session->base);
    resp_listen(session);
}

/* --- SEARCH --- */

static void
put_text(struct resp_session *session, struct buf *out, const char *key, struct slice text) {
    (void)session;
    resp_put_bulk(out, slice_str(key));
    resp_put_bulk(out, text);
}

static void put_found(void *context, const struct found *found) {
    struct resp_session *session = context;
    struct buf *out = &session->base.host->reply;
    bool is_log = found->place == FOUND_LOG;
    resp_put_map(out, session->version, is_log ? 11 : 9);
    resp_put_bulk(out, SLICE("id"));
    resp_put_bulk_u64(out, found->job->id);
    put_text(session, out, "queue", found->job->queue);
    put_text(session, out, "kind", found->job->kind);
    put_text(session, out, "state", slice_str(job_state_word(found->job->state)));
    resp_put_bulk(out, SLICE("attempt"));
    resp_put_i64(out, found->attempt);
    resp_put_bulk(out, SLICE("at"));
    resp_put_i64(out, (int64_t)(found->at_ns / NS_PER_MS));
    put_text(session, out, "place", slice_str(found_place_word(found->place)));
    if (is_log) {
        put_text(session, out, "stream", slice_str(log_stream_word(found->stream)));
        resp_put_bulk(out, SLICE("seq"));
        resp_put_bulk_u64(out, found->seq);
    }
    put_text(session, out, "level", slice_str(log_level_word(found->level)));
    put_text(session, out, "text", found->text);
}

void resp_search(struct resp_session *session, struct args args) {
    struct search_request request = {.count = SEARCH_FOUND_DEFAULT};
    struct search_page page = {0};
    struct host *host = session->base.host;
    if (!resp_options(session, search_options, args, 0, &request)) return;
    buf_reset(&host->reply);
    if (!search_run(&session->base, &request, put_found, session, &page)) {
        resp_refuse(session);
        return;
    }
    struct buf *out = resp_out(session);
    resp_put_array(out, 4);
    resp_put_bulk(out, page.cursor.size == 0 ? SLICE("0") : buf_slice(&page.cursor));
    resp_put_array(out, page.found);
    (void)buf_put_slice(out, buf_slice(&host->reply));
    resp_put_u64(out, session->version, page.jobs);
    resp_put_u64(out, session->version, page.bytes);
    buf_deinit(&page.cursor);
}
