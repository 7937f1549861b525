/* SPDX-License-Identifier: Apache-2.0 */
/* What each route takes and answers, beside its row in routes.h. */
#include "base/assert.h"
#include "dialect/http/core.h"

#define JSON          "application/json"
#define JSON_OR_LINES "application/json application/x-ndjson"
#define TEXT          "text/plain"
#define STREAM        "text/event-stream"

/* clang-format off */
static const struct http_shape shapes[] = {
    [HTTP_OP_http_push] = {.members = &push_options, .extra = "payload", .offers = JSON_OR_LINES,
        .headers = "Prefer Idempotency-Key traceparent tracestate",
        .gives = "Location Retry-After Preference-Applied",
        .answers = {{202, "PushedOrJob"}, {200, "PushedOrJob"}}},
    [HTTP_OP_http_jobs] = {.params = &list_options, .gives = "Link", .offers = JSON_OR_LINES,
        .answers = {{200, "JobPage"}}},
    [HTTP_OP_http_ack_many] = {.extra = "id! token! result", .offers = "application/x-ndjson",
        .answers = {{200, "JobStateLine"}}},
    [HTTP_OP_http_fail_many] = {.members = &fail_options, .extra = "id! token!",
        .offers = "application/x-ndjson", .answers = {{200, "JobStateLine"}}},
    [HTTP_OP_http_cancel_many] = {.members = &http_many_options, .extra = "ids filter",
        .offers = JSON, .answers = {{200, "Many"}}},
    [HTTP_OP_http_discard_many] = {.members = &http_many_options, .extra = "ids filter",
        .offers = JSON, .answers = {{200, "Many"}}},
    [HTTP_OP_http_retry_many] = {.members = &http_many_options, .extra = "ids filter",
        .offers = JSON, .answers = {{200, "Many"}}},
    [HTTP_OP_http_delete_many] = {.members = &http_many_options, .extra = "ids filter",
        .offers = JSON, .answers = {{200, "Many"}}},
    [HTTP_OP_http_job] = {.params = &http_wait_options, .headers = "Prefer If-None-Match",
        .gives = "ETag Retry-After Preference-Applied", .offers = JSON,
        .answers = {{200, "Job"}, {304, NULL}}},
    [HTTP_OP_http_update] = {.members = &update_options, .extra = "payload", .offers = JSON,
        .headers = "If-Match", .gives = "ETag Retry-After",
        .answers = {{200, "Job"}}},
    [HTTP_OP_http_delete] = {.answers = {{204, NULL}}},
    [HTTP_OP_http_result] = {.answers = {{200, NULL}}},
    [HTTP_OP_http_payload] = {.answers = {{200, NULL}}},
    [HTTP_OP_http_search] = {.params = &search_options, .offers = JSON,
        .answers = {{200, "LogPage"}}},
    [HTTP_OP_http_logs] = {.params = &logs_options, .offers = JSON_OR_LINES " " TEXT,
        .answers = {{200, "Log"}}},
    [HTTP_OP_http_ack] = {.extra = "token! result", .offers = JSON, .answers = {{200, "State"}}},
    [HTTP_OP_http_fail] = {.members = &fail_options, .extra = "token!", .offers = JSON,
        .answers = {{200, "State"}}},
    [HTTP_OP_http_release] = {.members = &http_release_options, .extra = "token!", .offers = JSON,
        .answers = {{200, "State"}}},
    [HTTP_OP_http_extend] = {.members = &http_extend_options, .extra = "token!", .offers = JSON,
        .answers = {{200, "Lease"}}},
    [HTTP_OP_http_checkpoint] = {.extra = "token! checkpoint", .offers = JSON,
        .answers = {{200, "Done"}}},
    [HTTP_OP_http_progress] = {.members = &http_progress_options, .extra = "token!", .offers = JSON,
        .answers = {{200, "Done"}}},
    [HTTP_OP_http_log] = {.extra = "token! lines!", .offers = JSON, .answers = {{200, "Done"}}},
    [HTTP_OP_http_cancel] = {.members = &control_options, .offers = JSON,
        .answers = {{200, "State"}}},
    [HTTP_OP_http_discard] = {.members = &control_options, .offers = JSON,
        .answers = {{200, "State"}}},
    [HTTP_OP_http_retry] = {.members = &control_options, .offers = JSON,
        .answers = {{200, "State"}}},
    [HTTP_OP_http_fetch] = {.members = &fetch_options, .extra = "queues!", .offers = JSON,
        .answers = {{200, "Leased"}}},
    [HTTP_OP_http_queues] = {.params = &http_rows_options, .gives = "Link", .offers = JSON_OR_LINES,
        .answers = {{200, "QueuePage"}}},
    [HTTP_OP_http_queue] = {.headers = "If-None-Match", .gives = "ETag", .offers = JSON,
        .answers = {{200, "Queue"}, {304, NULL}}},
    [HTTP_OP_http_queue_set] = {.members = &queue_options, .offers = JSON,
        .answers = {{200, "Queue"}}},
    [HTTP_OP_http_pause] = {.members = &pause_options, .offers = JSON,
        .answers = {{200, "Queue"}}},
    [HTTP_OP_http_resume] = {.offers = JSON, .answers = {{200, "Queue"}}},
    [HTTP_OP_http_workers] = {.params = &http_rows_options, .gives = "Link",
        .offers = JSON_OR_LINES,
        .answers = {{200, "WorkerPage"}}},
    [HTTP_OP_http_worker] = {.offers = JSON, .answers = {{200, "Worker"}}},
    [HTTP_OP_http_worker_set] = {.members = &http_worker_options, .extra = "kinds", .offers = JSON,
        .answers = {{200, "Worker"}}},
    [HTTP_OP_http_worker_beat] = {.members = &http_beat_options, .offers = JSON,
        .answers = {{200, "Worker"}}},
    [HTTP_OP_http_job_events] = {.headers = "Last-Event-ID", .params = &http_job_events_options,
        .offers = STREAM,
        .answers = {{200, NULL}, {204, NULL}}},
    [HTTP_OP_http_events] = {.headers = "Last-Event-ID", .params = &http_events_options,
        .offers = STREAM,
        .answers = {{200, NULL}}},
    [HTTP_OP_http_stats] = {.offers = JSON, .answers = {{200, "Stats"}}},
    [HTTP_OP_http_tokens] = {.offers = JSON, .answers = {{200, "Tokens"}}},
    [HTTP_OP_http_token_create] = {.members = &http_token_options, .extra = "scopes! globs",
        .gives = "Location", .offers = JSON, .answers = {{201, "NewToken"}}},
    [HTTP_OP_http_token] = {.offers = JSON, .answers = {{200, "Token"}}},
    [HTTP_OP_http_token_revoke] = {.params = &http_revoke_options, .answers = {{204, NULL}}},
    [HTTP_OP_http_audit] = {.params = &http_audit_options, .offers = JSON_OR_LINES,
        .answers = {{200, "Audit"}}},
    [HTTP_OP_http_livez] = {.params = &http_health_options, .offers = TEXT,
        .answers = {{200, NULL}}},
    [HTTP_OP_http_readyz] = {.params = &http_health_options, .offers = TEXT,
        .answers = {{200, NULL}, {503, NULL}}},
    [HTTP_OP_http_healthz] = {.params = &http_health_options, .offers = TEXT,
        .answers = {{200, NULL}, {503, NULL}}},
    [HTTP_OP_http_metrics] = {.offers = TEXT, .answers = {{200, NULL}}},
    [HTTP_OP_http_version] = {.offers = JSON, .answers = {{200, "Version"}}},
    [HTTP_OP_http_openapi] = {.headers = "If-None-Match", .gives = "ETag", .offers = JSON,
        .answers = {{200, "Document"}, {304, NULL}}},
    [HTTP_OP_http_robots] = {.offers = TEXT, .answers = {{200, NULL}}},
    [HTTP_OP_http_problem_list] = {.offers = JSON, .answers = {{200, "ProblemPages"}}},
    [HTTP_OP_http_problem_page] = {.offers = JSON, .answers = {{200, "ProblemPage"}}},
};
/* clang-format on */
_Static_assert(hob_countof(shapes) == HTTP_OP_COUNT, "each route has a shape");

const struct http_shape *http_shape_of(const struct http_route *route) {
    hob_assert(route >= http_routes);
    hob_assert(route < http_routes + http_route_count);
    const struct http_shape *shape = &shapes[route - http_routes];
    hob_assert(shape->answers[0].status != 0); /* a row was forgotten */
    return shape;
}
