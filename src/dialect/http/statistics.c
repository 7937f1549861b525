/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to jobs: of a queue, of a kind, of all. */
#include "dialect/http/core.h"

static void reply(struct http_session *session, const struct call *call, enum statistics_of of) {
    struct host *host = session->base.host;
    struct statistics_request request = {.series = false};
    if (!http_query(session, call, &request)) {
        http_refuse(session);
        return;
    }
    const struct statistics_asked asked = {
        .of = of, .name = call->name, .since_ns = request.since_ns, .series = request.series};
    struct statistics_report report;
    struct answer answer = {.code = session_statistics(&session->base, &asked, &report)};
    if (answer.code != ANSWER_OK) {
        http_answer_problem(session, &answer);
        return;
    }
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_report(&fields, host, &report);
    struct json_put put = http_json(session);
    if (http_put_fields(session, &put, &fields)) http_reply_json(session, 200);
}

void http_all_stats(struct http_session *session, const struct call *call) {
    reply(session, call, STATISTICS_ALL);
}

void http_queue_stats(struct http_session *session, const struct call *call) {
    if (!http_queue_name(session, call)) {
        http_refuse(session);
    } else if (!session_sees(&session->base, call->name)) {
        struct answer denied = session_denied_queue(&session->base);
        http_answer_problem(session, &denied);
    } else {
        reply(session, call, STATISTICS_QUEUE);
    }
}

void http_kind_stats(struct http_session *session, const struct call *call) {
    if (option_name("kind", call->name, &session->base.host->complaint)) {
        reply(session, call, STATISTICS_KIND);
    } else {
        http_refuse(session);
    }
}
