/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says of itself: figures, health, version. */
#include "base/assert.h"
#include "dialect/http/core.h"

void http_stats(struct http_session *session, const struct call *call) {
    (void)call;
    struct host *host = session->base.host;
    struct host_stats stats;
    host->ops->stats(host->context, &stats);
    struct unserved_list unserved;
    host->ops->unserved(host->context, &unserved);
    HOB_AUTO_FIELDS struct fields fields = fields_make();
    fields_of_stats(&fields, host, &stats, &unserved);
    struct json_put put = http_json(session);
    if (http_put_fields(session, &put, &fields)) http_reply_json(session, 200);
}

static void reply_text(struct http_session *session, unsigned status, const char *text) {
    buf_reset(&session->base.host->reply);
    (void)buf_put_str(&session->base.host->reply, text);
    http_reply(session, status, "text/plain; charset=utf-8");
}

/* --- health --- */

/* Probes that know other servers send `?verbose`: taken, and nothing more is told, since anybody
 * may ask. */
struct health {
    bool verbose;
};

static const struct option health_rows[] = {
    {NULL, "verbose", OPTION_FLAG, offsetof(struct health, verbose), OPTION_NO_HAS, 0, 0, NULL},
};
const struct option_set http_health_options = {health_rows, hob_countof(health_rows)};

static bool check(struct http_session *session, const struct call *call) {
    struct health health = {false};
    if (http_query(session, call, &health)) return true;
    http_refuse(session);
    return false;
}

void http_livez(struct http_session *session, const struct call *call) {
    if (check(session, call)) reply_text(session, 200, "ok\n");
}

/* Not ready: who balances load sends new jobs elsewhere; what is here goes on. */
static void ready(struct http_session *session) {
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

void http_readyz(struct http_session *session, const struct call *call) {
    if (check(session, call)) ready(session);
}

/* The name that older tools ask for. */
void http_healthz(struct http_session *session, const struct call *call) {
    if (check(session, call)) ready(session);
}

/* --- figures for Prometheus --- */

void http_metrics(struct http_session *session, const struct call *call) {
    (void)call;
    struct host *host = session->base.host;
    buf_reset(&host->reply);
    host->ops->metrics(host->context, &host->reply);
    http_reply(session, 200, "text/plain; version=0.0.4; charset=utf-8");
}

/* --- about --- */

void http_version(struct http_session *session, const struct call *call) {
    (void)call;
    struct json_put put = http_json(session);
    json_put_object(&put);
    json_put_key(&put, "name");
    json_put_str(&put, "hob");
    json_put_key(&put, "version");
    json_put_str(&put, session->base.host->version);
    json_put_key(&put, "api");
    json_put_str(&put, "v1");
    json_put_object_end(&put);
    http_reply_json(session, 200);
}

/* Nothing here is for search engines. */
void http_robots(struct http_session *session, const struct call *call) {
    (void)call;
    reply_text(session, 200, "User-agent: *\nDisallow: /\n");
}
