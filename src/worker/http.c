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
#include <sys/socket.h>

#include "base/assert.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "worker/executor.h"
#include "worker/http_config.h"
#include "worker/http_end.h"
#include "worker/http_multi.h"
#include "worker/http_names.h"
#include "worker/http_request.h"
#include "worker/http_response.h"

enum { CONNECTIONS_KEPT_MAX = 1000, LINE_MS_MAX = 10000 };

#define LINE_LATER_NS NS_PER_SECOND
#define PAUSE_MAX_NS  NS_PER_HOUR
#define LATER_MIN_NS  (100 * NS_PER_MS)
#define LATER_SPREAD  8 /* of the wait, this part more at random */

struct http {
    uv_loop_t *loop;
    struct http_multi *multi;
    struct http_hosts hosts;
    size_t lookups; /* under way */
    uv_prepare_t closing;
    char version[32];
};

enum stage { BEGIN, LATER, STOPPED, LINE, LOOKUP, TRANSFER };

struct run {
    struct http *http;
    struct run_events events;
    uv_timer_t timer;
    enum stage stage;
    enum stop_why stopped;
    const struct http_config *config;
    hob_ns job_timeout_ns;
    hob_ns timeout_ns; /* of the request */
    hob_ns later_ns;
    bool is_callback;
    bool is_made; /* request is */
    struct http_request request;
    struct http_host *host;
    bool is_under_way;    /* counted at the host */
    struct link line;     /* LINE */
    struct names_ask ask; /* LOOKUP */
    hob_ns begun_ns;      /* monotonic: of LOOKUP */
    hob_ns found_ns;      /* how long that took */
    CURL *easy;           /* TRANSFER */
    struct curl_slist *headers;
    struct curl_slist *resolve;
    const char *refusal; /* of the guard, while the transfer ran */
    struct http_response response;
    char error[CURL_ERROR_SIZE];
    char why[REQUEST_WHY_BYTES_MAX]; /* no request could be made */
};

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

static void transfer_free(struct run *run) {
    if (run->easy != NULL) http_multi_give(run->http->multi, run->easy);
    run->easy = NULL;
    curl_slist_free_all(run->headers);
    curl_slist_free_all(run->resolve);
}

/* The last thing that a run does. */
static void run_done(struct run *run, const struct outcome *outcome, enum host_end end) {
    struct http_host *host = run->host;
    if (run->stage == LINE) host_line_leave(host, &run->line);
    if (run->stage == LOOKUP) names_leave(&run->ask);
    if (run->is_under_way) {
        host_end(host, &run->config->limits, end, clock_monotonic());
        line_move(host);
    }
    run->events.done(run->events.context, outcome);
    transfer_free(run);
    response_deinit(&run->response);
    if (run->is_made) http_request_deinit(&run->request);
    uv_close((uv_handle_t *)&run->timer, on_run_closed);
}

static void say(struct run *run, struct buf *line) {
    run->events.line(run->events.context, RUN_SYSTEM, buf_slice(line));
}

static void run_fail(struct run *run, const char *what, bool permanent, const char *text) {
    struct outcome outcome = {
        .verdict = OUTCOME_FAIL, .cause = "failed", .what = what, .permanent = permanent};
    (void)snprintf(outcome.text, sizeof outcome.text, "%s", text);
    run_done(run, &outcome, HOST_UNKNOWN);
}

/* Not all at the same moment: they would be sent away together again. */
static void run_later(struct run *run, hob_ns wait_ns) {
    if (wait_ns < LATER_MIN_NS) wait_ns = LATER_MIN_NS;
    hob_ns spread_ns = wait_ns / LATER_SPREAD + NS_PER_SECOND;
    struct outcome outcome = {
        .verdict = OUTCOME_RELEASE, .delay_ns = ns_add(wait_ns, entropy_u64() % spread_ns)};
    run_done(run, &outcome, HOST_UNKNOWN);
}

static void run_stopped(struct run *run) {
    struct outcome outcome = {.verdict = OUTCOME_RELEASE};
    if (run->stopped == STOP_LOST) outcome.verdict = OUTCOME_DROP;
    run_done(run, &outcome, HOST_UNKNOWN);
}

/* A socket that libcurl waits for must not be taken from it inside of its own callbacks; timers and
 * lookups are none of these. */
static void transfer_end(struct run *run) {
    if (run->stage == TRANSFER) http_multi_remove(run->http->multi, run->easy);
}

static void run_timed_out(struct run *run) {
    struct http_end facts = {.response = &run->response, .url = &run->request.url};
    struct outcome outcome;
    HOB_AUTO_BUF struct buf line = buf_make(1024);
    transfer_end(run);
    http_end_timeout(&facts, run->timeout_ns, run->stage == LOOKUP, &outcome);
    (void)buf_put_str(&line, outcome.text);
    say(run, &line);
    run_done(run, &outcome, HOST_BADLY);
}

/* --- the transfer --- */

static bool address_of(const struct sockaddr *socket, struct guard_address *ret_address) {
    char text[64];
    int failed = UV_EINVAL;
    if (socket->sa_family == AF_INET) {
        failed = uv_ip4_name((const struct sockaddr_in *)(const void *)socket, text, sizeof text);
    } else if (socket->sa_family == AF_INET6) {
        failed = uv_ip6_name((const struct sockaddr_in6 *)(const void *)socket, text, sizeof text);
    }
    return failed == 0 && guard_address_parse(slice_str(text), ret_address);
}

/* The setting that says which targets are allowed. */
static const char *run_permit(const struct run *run) {
    return run->is_callback ? "`callbacks.allow` of the server" : "`allow` of the kind";
}

static const char *run_refusal(const struct run *run, const struct guard_address *address) {
    struct guard_target target = {
        .https = run->request.url.https,
        .host = slice_str(run->request.url.host),
        .port = run->request.url.port,
    };
    return guard_refusal(&run->config->guard, &target, address);
}

static curl_socket_t
on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *socket_address) {
    struct run *run = context;
    struct guard_address address;
    bool known = purpose == CURLSOCKTYPE_IPCXN && address_of(&socket_address->addr, &address);
    run->refusal = known ? run_refusal(run, &address) : "has an address of an unknown kind";
    if (run->refusal != NULL) return CURL_SOCKET_BAD;
    int type = socket_address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK;
    return socket(socket_address->family, type, socket_address->protocol);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static int on_connected(void *context, char *ip, char *local_ip, int port, int local_port) {
    (void)local_ip;
    (void)local_port;
    struct run *run = context;
    struct guard_address address;
    bool known = port == run->request.url.port && guard_address_parse(slice_str(ip), &address);
    run->refusal = known ? run_refusal(run, &address) : "has an address of an unknown kind";
    return run->refusal == NULL ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static size_t on_head(char *bytes, size_t one, size_t size, void *context) {
    (void)one;
    struct run *run = context;
    return response_head_line(&run->response, slice_of(bytes, size)) ? size : 0;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context) {
    (void)one;
    struct run *run = context;
    return response_body(&run->response, slice_of(bytes, size)) ? size : 0;
}

static long ms_of(hob_ns span) {
    return (long)((span + NS_PER_MS - 1) / NS_PER_MS);
}

/* "name: value", and "name;" for an empty one, as libcurl wants it. */
static struct curl_slist *headers_list(const struct http_request *request) {
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        HOB_AUTO_BUF struct buf line = buf_make(HTTP_HEADER_BYTES_MAX + 16);
        (void)buf_put_slice(&line, header->name);
        (void)buf_put_str(&line, header->value.size == 0 ? ";" : ": ");
        (void)buf_put_slice(&line, header->value);
        (void)buf_put_char(&line, '\0');
        list = curl_slist_append(list, line.bytes);
        hob_assert(list != NULL);
    }
    /* What libcurl would add by itself. */
    static const char *const without[] = {"Expect:", "Accept:"};
    for (size_t i = 0; i < hob_countof(without); i++) {
        list = curl_slist_append(list, without[i]);
        hob_assert(list != NULL);
    }
    return list;
}

/* "+host:port:address,…": these and no others, for as long as libcurl keeps names. */
static struct curl_slist *resolve_list(const struct run *run) {
    const struct http_url *url = &run->request.url;
    if (url->has_address) return NULL;
    HOB_AUTO_BUF struct buf line = buf_make(2048);
    (void)buf_printf(&line, "+%s:%u:", url->host, url->port);
    for (uint32_t i = 0; i < run->host->address_count; i++) {
        char text[GUARD_TEXT_BYTES_MAX];
        guard_address_put(&run->host->addresses[i], text);
        (void)buf_printf(&line, i == 0 ? "%s" : ",%s", text);
    }
    (void)buf_put_char(&line, '\0');
    struct curl_slist *list = curl_slist_append(NULL, line.bytes);
    hob_assert(list != NULL);
    return list;
}

#define SET(option, value)                                              \
    do {                                                                \
        CURLcode set_code = curl_easy_setopt(run->easy, option, value); \
        hob_assert(set_code == CURLE_OK);                               \
    } while (0)

static void set_connection(struct run *run) {
    SET(CURLOPT_CURLU, run->request.url.parts);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_PROXY, ""); /* and none of the environment */
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (run->config->ca_file != NULL) SET(CURLOPT_CAINFO, run->config->ca_file);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, ms_of(run->config->connect_timeout_ns));
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(CURLOPT_OPENSOCKETDATA, run);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_PREREQDATA, run);
    run->resolve = resolve_list(run);
    if (run->resolve != NULL) SET(CURLOPT_RESOLVE, run->resolve);
}

static void set_request(struct run *run) {
    const struct http_request *request = &run->request;
    run->headers = headers_list(request);
    SET(CURLOPT_PRIVATE, run);
    SET(CURLOPT_ERRORBUFFER, run->error);
    SET(CURLOPT_HTTPHEADER, run->headers);
    SET(CURLOPT_HEADERFUNCTION, on_head);
    SET(CURLOPT_HEADERDATA, run);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, run);
    if (strcmp(request->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
        return;
    }
    if (request->has_body) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        SET(CURLOPT_POSTFIELDS, request->body.bytes);
    }
    SET(CURLOPT_CUSTOMREQUEST, request->method);
}

static void say_request(struct run *run) {
    const struct http_request *request = &run->request;
    HOB_AUTO_BUF struct buf line = buf_make(URL_BYTES_MAX + 200);
    (void)buf_printf(&line, "%s ", request->method);
    http_url_put_shown(&line, &request->url);
    if (request->has_body) (void)buf_printf(&line, ", body of %zu bytes", request->body.size);
    if (request->is_signed) (void)buf_put_str(&line, ", signed");
    say(run, &line);
}

static void transfer_begin(struct run *run) {
    run->found_ns = clock_monotonic() - run->begun_ns;
    run->stage = TRANSFER;
    run->easy = http_multi_take(run->http->multi);
    set_connection(run);
    set_request(run);
    http_multi_add(run->http->multi, run->easy);
}

static void on_transfer_done(CURL *easy, CURLcode code) {
    char *owner = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
    struct run *run = (struct run *)(void *)owner;
    hob_assert(run->stage == TRANSFER);
    hob_assert(run->easy == easy);
    struct http_end facts = {
        .response = &run->response,
        .url = &run->request.url,
        .rules = &run->config->rules,
        .permit = run_permit(run),
        .refusal = run->refusal,
        .code = code,
        .error = run->error,
        .easy = easy,
        .found_ns = run->found_ns,
        .now_ns = clock_wall(),
    };
    struct outcome outcome;
    HOB_AUTO_BUF struct buf result = buf_make(RESULT_BYTES_MAX);
    HOB_AUTO_BUF struct buf line = buf_make(2048);
    enum host_end end = http_end_judge(&facts, &outcome, &result);
    http_end_put_line(&facts, &line);
    say(run, &line);
    if (outcome.verdict == OUTCOME_FAIL && run->response.body.size > 0) {
        buf_reset(&line);
        (void)buf_put_str(&line, "body: ");
        response_put_excerpt(&run->response, &line, HTTP_EXCERPT_BYTES);
        say(run, &line);
    }
    long status = run->response.status;
    if (outcome.has_retry_in && (status == 429 || status == 503)) {
        hob_ns pause_ns = outcome.retry_in_ns < PAUSE_MAX_NS ? outcome.retry_in_ns : PAUSE_MAX_NS;
        host_pause(run->host, clock_monotonic(), pause_ns);
        outcome.pause_ns = pause_ns; /* and for workers that know nothing of this answer */
    }
    run_done(run, &outcome, end);
}

/* --- the way there --- */

/* One address that may not be asked refuses them all: it is there by a mistake or a trick. */
static void addresses_check(struct run *run) {
    const struct http_url *url = &run->request.url;
    const struct http_host *host = run->host;
    uint32_t count = url->has_address ? 1 : host->address_count;
    const struct guard_address *addresses = url->has_address ? &url->address : host->addresses;
    for (uint32_t i = 0; i < count; i++) {
        const char *refusal = run_refusal(run, &addresses[i]);
        if (refusal == NULL) continue;
        char text[REQUEST_WHY_BYTES_MAX + 400];
        HOB_AUTO_BUF struct buf line = buf_make(sizeof text);
        http_end_put_refusal(&line, url, &addresses[i], refusal, run_permit(run));
        (void)snprintf(text, sizeof text, "%.*s", SLICE_ARG(buf_slice(&line)));
        say(run, &line);
        run_fail(run, HTTP_WHAT_REFUSED, true, text);
        return;
    }
    transfer_begin(run);
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
    say(run, &line);
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

static void run_go(struct run *run) {
    struct http *http = run->http;
    run->stage = LOOKUP;
    run->begun_ns = clock_monotonic();
    hob_ns timeout_ns = run->request.timeout_ns;
    if (timeout_ns > run->job_timeout_ns) timeout_ns = run->job_timeout_ns;
    run->timeout_ns = timeout_ns;
    timer_set(run, (uint64_t)ms_of(timeout_ns));
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
        say(run, &line);
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
    transfer_end(run);
    if (run->stage == LINE) host_line_leave(run->host, &run->line);
    if (run->stage == LOOKUP) names_leave(&run->ask);
    run->stage = STOPPED;
    timer_set(run, 0);
}

static void *http_open(uv_loop_t *loop, const char *version) {
    struct http *http = calloc(1, sizeof *http);
    hob_assert(http != NULL);
    http->loop = loop;
    http->multi = http_multi_open(loop, CONNECTIONS_KEPT_MAX, on_transfer_done);
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
