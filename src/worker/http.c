/* SPDX-License-Identifier: Apache-2.0 */
/* The executor `http`: one request for each job, all on the worker's loop. The stages of a run, and
 * what its one timer means in each:
 *
 *        start ──> BEGIN ──request made, host asked──> LOOKUP ──addresses──> TRANSFER ──> done
 *                   │  ^                                 each checked
 *                   v  │ its turn
 *                   LINE   the host has as many requests as it may have at once
 *
 *     stage     BEGIN, LATER, STOPPED   LINE                    LOOKUP, TRANSFER
 *     timer     go on, from the loop    give the job back       the request took too long
 *
 * The guard (worker/http_guard.h) is asked three times: for each address of the name before
 * anything is sent; for the address of a socket when libcurl opens it; and for that of the
 * connection, which may be one that was kept from another kind's request, before the request goes
 * into it.
 *
 * A job whose host is paused, broken or busy is released with a delay: it holds no slot meanwhile,
 * and the attempt does not count. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "worker/http_run.h"

enum { CONNECTIONS_KEPT_MAX = 1000, LINE_MS_MAX = 10000 };

#define LINE_LATER_NS NS_PER_SECOND
#define LATER_MIN_NS  (100 * NS_PER_MS)
#define LATER_SPREAD  8 /* of the wait, this part more at random */

/* --- the end --- */

static void on_run_closed(uv_handle_t *handle) {
    struct run *run = handle->data;
    free(run);
}

static void timer_set(struct run *run, uint64_t ms);

/* Whoever is first in line goes, as many as may. */
static void line_move(struct http_host *host) {
    hob_ns now_ns = clock_monotonic();
    while (link_is_listed(&host->line)) {
        struct run *next = LINKED(host->line.next, struct run, line);
        hob_ns wait_ns = 0;
        enum host_answer answer = host_ask(host, &next->config->limits, now_ns, &wait_ns);
        if (answer == HOST_WAIT) return;
        host_line_leave(host, &next->line);
        next->is_under_way = answer == HOST_GO;
        next->stage = answer == HOST_GO ? BEGIN : LATER;
        next->later_ns = wait_ns;
        timer_set(next, 0);
    }
}

/* The last thing that a run does. */
void http_run_done(struct run *run, const struct outcome *outcome, enum host_end end) {
    struct http_host *host = run->host;
    if (run->stage == LINE) host_line_leave(host, &run->line);
    if (run->stage == LOOKUP) names_leave(&run->ask);
    if (run->is_under_way) {
        host_end(host, &run->config->limits, end, clock_monotonic());
        line_move(host);
    }
    run->events.done(run->events.context, outcome);
    http_transfer_free(run);
    response_deinit(&run->response);
    if (run->is_made) http_request_deinit(&run->request);
    uv_close((uv_handle_t *)&run->timer, on_run_closed);
}

void http_run_say(struct run *run, struct buf *line) {
    run->events.line(run->events.context, RUN_SYSTEM, buf_slice(line));
}

static void run_fail(struct run *run, const char *what, bool permanent, const char *text) {
    struct outcome outcome = {
        .verdict = OUTCOME_FAIL, .cause = "failed", .what = what, .permanent = permanent};
    (void)snprintf(outcome.text, sizeof outcome.text, "%s", text);
    http_run_done(run, &outcome, HOST_UNKNOWN);
}

/* Not all at the same moment: they would be sent away together again. */
static void run_later(struct run *run, hob_ns wait_ns) {
    if (wait_ns < LATER_MIN_NS) wait_ns = LATER_MIN_NS;
    hob_ns spread_ns = wait_ns / LATER_SPREAD + NS_PER_SECOND;
    struct outcome outcome = {
        .verdict = OUTCOME_RELEASE, .delay_ns = ns_add(wait_ns, entropy_u64() % spread_ns)};
    http_run_done(run, &outcome, HOST_UNKNOWN);
}

static void run_stopped(struct run *run) {
    struct outcome outcome = {.verdict = OUTCOME_RELEASE};
    if (run->stopped == STOP_LOST) outcome.verdict = OUTCOME_DROP;
    http_run_done(run, &outcome, HOST_UNKNOWN);
}

static void run_timed_out(struct run *run) {
    struct http_end facts = {.response = &run->response, .url = &run->request.url};
    struct outcome outcome;
    HOB_AUTO_BUF struct buf line = buf_make(1024);
    http_transfer_end(run);
    http_end_timeout(&facts, run->timeout_ns, run->stage == LOOKUP, &outcome);
    (void)buf_put_str(&line, outcome.text);
    http_run_say(run, &line);
    http_run_done(run, &outcome, HOST_BADLY);
}

/* --- the way there --- */

/* One address that may not be asked refuses them all: it is there by a mistake or a trick. */
static void addresses_check(struct run *run) {
    const struct http_url *url = &run->request.url;
    const struct http_host *host = run->host;
    uint32_t count = url->has_address ? 1 : host->address_count;
    const struct guard_address *addresses = url->has_address ? &url->address : host->addresses;
    for (uint32_t i = 0; i < count; i++) {
        const char *refusal = http_run_refusal(run, &addresses[i]);
        if (refusal == NULL) continue;
        char text[REQUEST_WHY_BYTES_MAX + 400];
        HOB_AUTO_BUF struct buf line = buf_make(sizeof text);
        http_end_put_refusal(&line, url, &addresses[i], refusal, http_run_permit(run));
        (void)snprintf(text, sizeof text, "%.*s", SLICE_ARG(buf_slice(&line)));
        http_run_say(run, &line);
        run_fail(run, HTTP_WHAT_REFUSED, true, text);
        return;
    }
    http_transfer_begin(run);
}

static void lookup_failed(struct run *run) {
    char text[GUARD_HOST_BYTES_MAX + HOST_ERROR_BYTES_MAX + 40];
    (void)snprintf(
        text,
        sizeof text,
        "cannot look up the host %s: %s",
        run->host->name,
        run->host->lookup_error
    );
    HOB_AUTO_BUF struct buf line = buf_make(sizeof text);
    (void)buf_put_str(&line, text);
    http_run_say(run, &line);
    run_fail(run, HTTP_WHAT_LOOKUP, false, text);
}

static void on_found(struct names_ask *ask) {
    struct run *run = LINKED(ask, struct run, ask);
    if (run->stage != LOOKUP) return; /* stopped in this very moment */
    if (run->host->lookup == LOOKUP_FAILED) {
        lookup_failed(run);
    } else {
        addresses_check(run);
    }
}

static void say_request(struct run *run) {
    const struct http_request *request = &run->request;
    HOB_AUTO_BUF struct buf line = buf_make(URL_BYTES_MAX + 200);
    (void)buf_printf(&line, "%s ", request->method);
    http_url_put_shown(&line, &request->url);
    if (request->has_body) (void)buf_printf(&line, ", body of %zu bytes", request->body.size);
    if (request->is_signed) (void)buf_put_str(&line, ", signed");
    http_run_say(run, &line);
}

static void run_go(struct run *run) {
    struct http *http = run->http;
    run->stage = LOOKUP;
    run->begun_ns = clock_monotonic();
    hob_ns timeout_ns = run->request.timeout_ns;
    if (timeout_ns > run->job_timeout_ns) timeout_ns = run->job_timeout_ns;
    run->timeout_ns = timeout_ns;
    timer_set(run, (uint64_t)http_ms_of(timeout_ns));
    say_request(run);
    if (run->request.url.has_address) {
        addresses_check(run);
        return;
    }
    run->ask.found = on_found;
    if (names_ask(http->loop, run->host, run->begun_ns, &http->lookups, &run->ask)) {
        on_found(&run->ask);
    }
}

static void run_begin(struct run *run) {
    const struct http_url *url = &run->request.url;
    if (!run->is_made) {
        HOB_AUTO_BUF struct buf line = buf_make(sizeof run->why);
        (void)buf_put_str(&line, run->why);
        http_run_say(run, &line);
        run_fail(run, HTTP_WHAT_REQUEST, true, run->why);
        return;
    }
    if (run->is_under_way) {
        run_go(run);
        return;
    }
    hob_ns now_ns = clock_monotonic();
    hob_ns wait_ns = LINE_LATER_NS;
    run->host = hosts_get(&run->http->hosts, url->host, url->port, now_ns);
    enum host_answer answer = HOST_LATER;
    if (run->host != NULL) answer = host_ask(run->host, &run->config->limits, now_ns, &wait_ns);
    switch (answer) {
    case HOST_GO:
        run->is_under_way = true;
        run_go(run);
        break;
    case HOST_WAIT:
        run->stage = LINE;
        host_line_enter(run->host, &run->line);
        timer_set(run, LINE_MS_MAX);
        break;
    case HOST_LATER:
        run_later(run, wait_ns);
        break;
    }
}

static void on_timer(uv_timer_t *timer) {
    struct run *run = timer->data;
    switch (run->stage) {
    case BEGIN:
        run_begin(run);
        break;
    case LATER:
        run_later(run, run->later_ns);
        break;
    case STOPPED:
        run_stopped(run);
        break;
    case LINE:
        run_later(run, LINE_LATER_NS);
        break;
    case LOOKUP:
    case TRANSFER:
        run_timed_out(run);
        break;
    }
}

static void timer_set(struct run *run, uint64_t ms) {
    uv_update_time(run->timer.loop);
    (void)uv_timer_start(&run->timer, on_timer, ms, 0);
}

/* --- the executor --- */

static bool secret_find(const void *context, struct slice name, struct slice *ret_text) {
    *ret_text = config_secret(context, name);
    return ret_text->size > 0;
}

static struct run *http_start(
    void *shared, uv_loop_t *loop, const struct run_job *job, const struct run_events *events
) {
    hob_assert(job->timeout_ns > 0);
    struct http *http = shared;
    struct run *run = calloc(1, sizeof *run);
    hob_assert(run != NULL);
    run->http = http;
    run->events = *events;
    run->config = job->config->settings;
    run->is_callback = job->is_callback;
    run->job_timeout_ns = job->timeout_ns;
    link_init(&run->line);
    link_init(&run->ask.link);
    response_init(&run->response, run->config->response_bytes_max);
    struct http_source source = {
        .values =
            {
                .payload = job->payload,
                .id = job->id,
                .queue = job->queue,
                .kind = job->kind,
                .attempt = job->attempt,
                .attempt_max = job->attempt_max,
                .secrets = job->whole,
                .secret = secret_find,
            },
        .created_ms = job->created_ms,
        .deadline_ms = job->deadline_ms,
        .now_ns = clock_wall(),
        .job_headers = job->headers,
        .version = http->version,
        .is_callback = job->is_callback,
    };
    run->is_made = http_request_make(run->config, &source, &run->request, run->why);
    int code = uv_timer_init(loop, &run->timer);
    hob_assert(code == 0);
    run->timer.data = run;
    timer_set(run, 0);
    return run;
}

static void http_stop(struct run *run, enum stop_why why, hob_ns grace_ns) {
    (void)grace_ns; /* a request that is cut short is as good as one that waits for it */
    if (run->stopped == STOP_NOT || why == STOP_LOST) run->stopped = why;
    if (run->stage == STOPPED) return;
    http_transfer_end(run);
    if (run->stage == LINE) host_line_leave(run->host, &run->line);
    if (run->stage == LOOKUP) names_leave(&run->ask);
    run->stage = STOPPED;
    timer_set(run, 0);
}

static void *http_open(uv_loop_t *loop, const char *version) {
    struct http *http = calloc(1, sizeof *http);
    hob_assert(http != NULL);
    http->loop = loop;
    http->multi = http_multi_open(loop, CONNECTIONS_KEPT_MAX, http_transfer_done);
    (void)snprintf(http->version, sizeof http->version, "%s", version);
    struct siphash_key key = {.words = {entropy_u64(), entropy_u64()}};
    hosts_init(&http->hosts, key);
    return http;
}

static void on_http_closed(uv_handle_t *handle) {
    struct http *http = handle->data;
    hosts_deinit(&http->hosts);
    free(http);
}

/* Lookups that run still refer to their hosts; the loop goes on until they are over. */
static void on_closing(uv_prepare_t *closing) {
    const struct http *http = closing->data;
    if (http->lookups == 0) uv_close((uv_handle_t *)closing, on_http_closed);
}

static void http_close(void *shared) {
    struct http *http = shared;
    http_multi_close(http->multi);
    int code = uv_prepare_init(http->loop, &http->closing);
    hob_assert(code == 0);
    http->closing.data = http;
    (void)uv_prepare_start(&http->closing, on_closing);
}

const struct executor executor_http = {
    .name = "http",
    .open = http_open,
    .close = http_close,
    .start = http_start,
    .stop = http_stop,
};
