/* SPDX-License-Identifier: Apache-2.0 */
/* STATS: figures of the server, and what happened to the jobs of a queue, of a kind, of all. */
#include "dialect/resp/core.h"

static void server_stats(struct resp_session *session) {
    struct host *host = session->base.host;
    struct host_stats stats;
    host->ops->stats(host->context, &stats);
    struct unserved_list unserved;
    host->ops->unserved(host->context, &unserved);
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_stats(&fields, host, &stats, &unserved);
    (void)resp_put_fields(session, &fields);
}

/* The row of STATS asks for `read`; all but a queue asks for more. False: the error is the reply.
 */
static bool may_see(struct resp_session *session, const struct statistics_asked *asked) {
    if (asked->of != STATISTICS_QUEUE) return resp_begin(session, SCOPE_READ_ALL);
    if (session_sees(&session->base, asked->name)) return true;
    struct answer denied = session_denied_queue(&session->base);
    resp_answer_error(session, &denied);
    return false;
}

void resp_stats(struct resp_session *session, struct args args) {
    struct statistics_request request = {.series = false};
    if (args.count == 0) {
        if (resp_begin(session, SCOPE_READ_ALL)) server_stats(session);
        return;
    }
    if (!resp_options(session, statistics_options, args, 0, &request)) return;
    bool has_queue = request.queue.size > 0;
    bool has_kind = request.kind.size > 0;
    if ((uint32_t)has_queue + has_kind + request.all != 1) {
        resp_error(session, "BADARG", SLICE("one of QUEUE q, KIND k and ALL is wanted"));
        return;
    }
    struct statistics_asked asked = {
        .of = STATISTICS_ALL, .since_ns = request.since_ns, .series = request.series};
    if (has_queue) {
        asked.of = STATISTICS_QUEUE;
        asked.name = request.queue;
    } else if (has_kind) {
        asked.of = STATISTICS_KIND;
        asked.name = request.kind;
    }
    if (!may_see(session, &asked)) return;
    struct statistics_report report;
    struct answer answer = {.code = session_statistics(&session->base, &asked, &report)};
    if (answer.code != ANSWER_OK) {
        resp_answer_error(session, &answer);
        return;
    }
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_report(&fields, session->base.host, &report);
    (void)resp_put_fields(session, &fields);
}
