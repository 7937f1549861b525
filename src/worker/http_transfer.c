/* SPDX-License-Identifier: Apache-2.0 */
/* The request of a run on its way, by libcurl: to the addresses that were found and to no others,
 * and what comes back is judged. libcurl is kept from all that it would do by itself: redirects,
 * proxies, passwords of files, headers. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "os/clock.h"
#include "worker/http_run.h"

#define PAUSE_MAX_NS NS_PER_HOUR

void http_transfer_free(struct run *run) {
    if (run->easy != NULL) http_multi_give(run->http->multi, run->easy);
    run->easy = NULL;
    curl_slist_free_all(run->headers);
    curl_slist_free_all(run->resolve);
}

/* A socket that libcurl waits for must not be taken from it inside of its own callbacks; timers and
 * lookups are none of these. */
void http_transfer_end(struct run *run) {
    if (run->stage == TRANSFER) http_multi_remove(run->http->multi, run->easy);
}

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

const char *http_run_permit(const struct run *run) {
    return run->is_callback ? "`callbacks.allow` of the server" : "`allow` of the kind";
}

const char *http_run_refusal(const struct run *run, const struct guard_address *address) {
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
    run->refusal = known ? http_run_refusal(run, &address) : "has an address of an unknown kind";
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
    run->refusal = known ? http_run_refusal(run, &address) : "has an address of an unknown kind";
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
    SET(CURLOPT_CONNECTTIMEOUT_MS, http_ms_of(run->config->connect_timeout_ns));
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

void http_transfer_begin(struct run *run) {
    run->found_ns = clock_monotonic() - run->begun_ns;
    run->stage = TRANSFER;
    run->easy = http_multi_take(run->http->multi);
    set_connection(run);
    set_request(run);
    http_multi_add(run->http->multi, run->easy);
}

void http_transfer_done(CURL *easy, CURLcode code) {
    char *owner = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
    struct run *run = (struct run *)(void *)owner;
    hob_assert(run->stage == TRANSFER);
    hob_assert(run->easy == easy);
    struct http_end facts = {
        .response = &run->response,
        .url = &run->request.url,
        .rules = &run->config->rules,
        .permit = http_run_permit(run),
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
    http_run_say(run, &line);
    if (outcome.verdict == OUTCOME_FAIL && run->response.body.size > 0) {
        buf_reset(&line);
        (void)buf_put_str(&line, "body: ");
        response_put_excerpt(&run->response, &line, HTTP_EXCERPT_BYTES);
        http_run_say(run, &line);
    }
    long status = run->response.status;
    if (outcome.has_retry_in && (status == 429 || status == 503)) {
        hob_ns pause_ns = outcome.retry_in_ns < PAUSE_MAX_NS ? outcome.retry_in_ns : PAUSE_MAX_NS;
        host_pause(run->host, clock_monotonic(), pause_ns);
        outcome.pause_ns = pause_ns; /* and for workers that know nothing of this answer */
    }
    http_run_done(run, &outcome, end);
}
