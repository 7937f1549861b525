/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of one job: its map, its bytes. */
#include "dialect/gates.h"
#include "dialect/resp/core.h"

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

void resp_explain(struct resp_session *session, struct args args) {
    uint64_t id = 0;
    if (!resp_id(session, "id", args.at[0], &id)) return;
    struct explanation explanation;
    if (!session_explain(&session->base, id, &explanation)) {
        resp_null(session);
        return;
    }
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_explanation(&fields, &explanation);
    (void)resp_put_fields(session, &fields);
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
