/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of many: jobs, queues, workers, figures. Pages are bounded. */
#include "dialect/resp/core.h"

enum { JOBS_DEFAULT = 100, ROWS_MAX = 10000 };

void resp_ls(struct resp_session *session, struct args args) {
    struct list_request request = {.count = JOBS_DEFAULT};
    if (!resp_options(session, list_options, args, 0, &request)) return;
    struct host_list list = {
        .queue = request.queue,
        .kind = request.kind,
        .states = request.states,
        .marks = request.marks,
        .before_id = request.before_id,
        .count_max = request.count,
    };
    uint64_t ids[LIST_IDS_MAX];
    uint32_t count = 0;
    uint64_t cursor = session_list(&session->base, &list, ids, &count);
    resp_put_array(resp_out(session), 2);
    resp_put_bulk_u64(resp_out(session), cursor);
    resp_put_array(resp_out(session), count);
    for (uint32_t i = 0; i < count; i++) {
        if (!resp_put_job(session, ids[i], JOB_SHORT)) return;
    }
}

enum { NEXT_DEFAULT = 10 };

void resp_next(struct resp_session *session, struct args args) {
    struct host *host = session->base.host;
    uint64_t wanted = NEXT_DEFAULT;
    if (args.count == 2 || (args.count == 3 && !slice_equal_nocase(args.at[1], SLICE("COUNT")))) {
        resp_error(session, "BADARG", SLICE("there is COUNT n"));
        return;
    }
    if (args.count == 3 && !resp_u64(session, "COUNT", args.at[2], NEXT_COUNT_MAX, &wanted)) return;
    struct queue_view queue;
    struct answer refused = {.code = ANSWER_NO_QUEUE};
    bool is_seen = session_sees(&session->base, args.at[0]);
    if (!is_seen) refused = session_denied_queue(&session->base);
    if (!is_seen || !host->ops->queue(host->context, args.at[0], &queue)) {
        resp_answer_error(session, &refused);
        return;
    }
    uint64_t ids[NEXT_COUNT_MAX];
    uint32_t count = host->ops->next(host->context, args.at[0], (uint32_t)wanted, ids);
    resp_put_array(resp_out(session), count);
    for (uint32_t i = 0; i < count; i++) {
        if (!resp_put_job(session, ids[i], JOB_SHORT)) return;
    }
}

/* FROM n, COUNT n: numbers of rows. */
struct rows {
    uint64_t from;
    uint64_t count;
};

static bool take_rows(struct resp_session *session, struct args args, struct rows *rows) {
    *rows = (struct rows){.from = 0, .count = ROWS_MAX};
    for (size_t at = 0; at < args.count; at += 2) {
        bool is_from = slice_equal_nocase(args.at[at], SLICE("FROM"));
        bool is_count = slice_equal_nocase(args.at[at], SLICE("COUNT"));
        if ((!is_from && !is_count) || at + 1 == args.count) {
            resp_error(session, "BADARG", SLICE("there are FROM n and COUNT n"));
            return false;
        }
        uint64_t max = is_from ? UINT32_MAX / 2 : ROWS_MAX;
        uint64_t *value = is_from ? &rows->from : &rows->count;
        if (!resp_u64(session, is_from ? "FROM" : "COUNT", args.at[at + 1], max, value)) {
            return false;
        }
    }
    return true;
}

/* The rows were written to the host's reply room while they were counted. */
static void put_rows(struct resp_session *session, struct buf *out, size_t count) {
    session->base.out = out;
    resp_put_array(out, count);
    (void)buf_put_slice(out, buf_slice(&session->base.host->reply));
}

void resp_queues(struct resp_session *session, struct args args) {
    struct rows rows;
    if (!take_rows(session, args, &rows)) return;
    struct host *host = session->base.host;
    struct buf *out = session->base.out;
    buf_reset(&host->reply);
    session->base.out = &host->reply;
    uint64_t seen = 0;
    uint32_t count = 0;
    uint32_t at = 0;
    struct queue_view queue;
    while (count < rows.count && session_queue_next(&session->base, &at, &queue)) {
        if (seen++ < rows.from) continue;
        HOB_AUTO_FIELDS struct fields fields = fields_make();
        fields_of_queue(&fields, &queue);
        (void)resp_put_fields(session, &fields);
        count++;
    }
    put_rows(session, out, count);
}

void resp_workers(struct resp_session *session, struct args args) {
    struct rows rows;
    if (!take_rows(session, args, &rows)) return;
    struct host *host = session->base.host;
    struct buf *out = session->base.out;
    buf_reset(&host->reply);
    session->base.out = &host->reply;
    uint32_t count = 0;
    struct worker_view worker;
    while (count < rows.count &&
           host->ops->worker_at(host->context, (uint32_t)rows.from + count, &worker)) {
        HOB_AUTO_FIELDS struct fields fields = fields_make();
        fields_of_worker(&fields, &worker);
        (void)resp_put_fields(session, &fields);
        count++;
    }
    put_rows(session, out, count);
}

/* Of the queues that the session sees. */
void resp_unserved(struct resp_session *session, struct args args) {
    (void)args;
    struct host *host = session->base.host;
    struct unserved_list list;
    host->ops->unserved(host->context, &list);
    uint32_t count = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        if (session_sees(&session->base, list.rows[i].queue)) list.rows[count++] = list.rows[i];
    }
    resp_put_array(resp_out(session), count);
    for (uint32_t i = 0; i < count; i++) {
        HOB_AUTO_FIELDS struct fields fields = fields_make();
        fields_of_unserved(&fields, &list.rows[i]);
        (void)resp_put_fields(session, &fields);
    }
}
