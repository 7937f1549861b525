/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of many: jobs, queues, workers, figures, health. Pages are bounded. */
#include "base/assert.h"
#include "dialect/http/core.h"

enum { JOBS_DEFAULT = 100, ROWS_MAX = 10000 };

void http_jobs(struct http_session *session, const struct call *call) {
    struct list_request request = {.count = JOBS_DEFAULT};
    if (!http_params(session, list_options, call->request, &request)) {
        http_refuse(session);
        return;
    }
    struct host_list list = {
        .queue = request.queue,
        .kind = request.kind,
        .states = request.states,
        .before_id = request.before_id,
        .count_max = request.count,
    };
    uint64_t ids[LIST_IDS_MAX];
    uint32_t count = 0;
    uint64_t cursor = session_list(&session->base, &list, ids, &count);
    struct json_put put = http_json(session);
    json_put_object(&put);
    json_put_key(&put, "jobs");
    json_put_array(&put);
    for (uint32_t i = 0; i < count; i++) {
        struct job_view job;
        if (!session_job(&session->base, ids[i], &job)) continue;
        if (!http_put_job(session, &put, &job, JOB_SHORT)) return;
    }
    json_put_array_end(&put);
    json_put_key(&put, "next");
    if (cursor == 0) {
        json_put_null(&put);
    } else {
        json_put_id(&put, cursor);
    }
    json_put_object_end(&put);
    http_reply_json(session, 200);
}

/* from, limit: numbers of rows. */
struct rows {
    uint32_t from;
    uint32_t limit;
};

static const struct option row_options[] = {
    {NULL, "from", OPTION_U32, offsetof(struct rows, from), OPTION_NO_HAS, 0, INT32_MAX, NULL},
    {NULL, "limit", OPTION_U32, offsetof(struct rows, limit), OPTION_NO_HAS, 1, ROWS_MAX, NULL},
};
static const struct option_set row_set = {row_options, hob_countof(row_options)};

static bool begin_rows(
    struct http_session *session,
    const struct call *call,
    const char *name,
    struct rows *rows,
    struct json_put *put
) {
    *rows = (struct rows){.from = 0, .limit = ROWS_MAX};
    if (!http_params(session, row_set, call->request, rows)) {
        http_refuse(session);
        return false;
    }
    *put = http_json(session);
    json_put_object(put);
    json_put_key(put, name);
    json_put_array(put);
    return true;
}

static void end_rows(struct http_session *session, struct json_put *put) {
    json_put_array_end(put);
    json_put_object_end(put);
    http_reply_json(session, 200);
}

void http_queues(struct http_session *session, const struct call *call) {
    struct rows rows;
    struct json_put put;
    if (!begin_rows(session, call, "queues", &rows, &put)) return;
    struct queue_view queue;
    uint32_t at = 0;
    for (uint32_t i = 0; i < rows.from + rows.limit; i++) {
        if (!session_queue_next(&session->base, &at, &queue)) break;
        if (i < rows.from) continue;
        HOB_AUTO_FIELDS struct fields fields = fields_make();
        fields_of_queue(&fields, &queue);
        (void)http_put_fields(session, &put, &fields);
    }
    end_rows(session, &put);
}

void http_workers(struct http_session *session, const struct call *call) {
    struct rows rows;
    struct json_put put;
    if (!begin_rows(session, call, "workers", &rows, &put)) return;
    struct host *host = session->base.host;
    struct worker_view worker;
    for (uint32_t i = 0; i < rows.limit; i++) {
        if (!host->ops->worker_at(host->context, rows.from + i, &worker)) break;
        HOB_AUTO_FIELDS struct fields fields = fields_make();
        fields_of_worker(&fields, &worker);
        (void)http_put_fields(session, &put, &fields);
    }
    end_rows(session, &put);
}

void http_stats(struct http_session *session, const struct call *call) {
    (void)call;
    struct host *host = session->base.host;
    struct host_stats stats;
    host->ops->stats(host->context, &stats);
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_stats(&fields, host, &stats);
    struct json_put put = http_json(session);
    if (http_put_fields(session, &put, &fields)) http_reply_json(session, 200);
}

/* --- health --- */

static void reply_text(struct http_session *session, unsigned status, const char *text) {
    buf_reset(&session->base.host->reply);
    (void)buf_put_str(&session->base.host->reply, text);
    http_reply(session, status, "text/plain; charset=utf-8");
}

void http_livez(struct http_session *session, const struct call *call) {
    (void)call;
    reply_text(session, 200, "ok\n");
}

/* Not ready: who balances load sends new jobs elsewhere; what is here goes on. */
void http_readyz(struct http_session *session, const struct call *call) {
    (void)call;
    struct host *host = session->base.host;
    struct host_stats stats;
    host->ops->stats(host->context, &stats);
    uint64_t max = stats.engine.memory_max_bytes;
    if (host->is_stopping) {
        reply_text(session, 503, "stopping\n");
    } else if (stats.full) {
        reply_text(session, 503, "the disk is full: pushes are refused\n");
    } else if (max != 0 && stats.engine.memory_bytes >= max / 5 * 4) {
        reply_text(session, 503, "memory is nearly used up: pushes are refused\n");
    } else {
        reply_text(session, 200, "ok\n");
    }
}
