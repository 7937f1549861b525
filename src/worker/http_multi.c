/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl says which sockets to watch and when to be called; libuv watches and calls. A socket's
 * watch is a handle of the loop and outlives libcurl's interest in it until the loop has closed it.
 * Handles are used again, since a new one costs more than a small request. */
#include "worker/http_multi.h"

#include <stdlib.h>

#include "base/assert.h"

enum { SPARE_MAX = 256 };

struct http_multi {
    uv_loop_t *loop;
    CURLM *curl;
    uv_timer_t timer;
    size_t handles_open; /* of the loop */
    http_multi_done_fn *done;
    CURL *spare[SPARE_MAX];
    size_t spare_count;
};

struct watch {
    uv_poll_t poll;
    struct http_multi *multi;
    curl_socket_t socket;
};

static void multi_free_if_closed(struct http_multi *multi) {
    if (--multi->handles_open == 0) free(multi);
}

static void tell_done(struct http_multi *multi) {
    CURLMsg *message = NULL;
    int left = 0;
    while ((message = curl_multi_info_read(multi->curl, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        CURLMcode removed = curl_multi_remove_handle(multi->curl, easy);
        hob_assert(removed == CURLM_OK);
        multi->done(easy, code);
    }
}

static void act(struct http_multi *multi, curl_socket_t socket, int what) {
    int running = 0;
    (void)curl_multi_socket_action(multi->curl, socket, what, &running);
    tell_done(multi);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    const struct watch *watch = poll->data;
    /* libcurl finds out itself what is the matter, and says it better. */
    int what = status < 0 ? CURL_CSELECT_IN | CURL_CSELECT_OUT : 0;
    if ((events & UV_READABLE) != 0) what |= CURL_CSELECT_IN;
    if ((events & UV_WRITABLE) != 0) what |= CURL_CSELECT_OUT;
    act(watch->multi, watch->socket, what);
}

static void on_timer(uv_timer_t *timer) {
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* Called by libcurl, so it is not called back from here. */
static int on_timeout_wanted(CURLM *curl, long timeout_ms, void *context) {
    (void)curl;
    struct http_multi *multi = context;
    if (timeout_ms < 0) {
        (void)uv_timer_stop(&multi->timer);
    } else {
        (void)uv_timer_start(&multi->timer, on_timer, (uint64_t)timeout_ms, 0);
    }
    return 0;
}

static void on_watch_closed(uv_handle_t *handle) {
    struct watch *watch = handle->data;
    struct http_multi *multi = watch->multi;
    free(watch);
    multi_free_if_closed(multi);
}

static struct watch *watch_new(struct http_multi *multi, curl_socket_t socket) {
    struct watch *watch = calloc(1, sizeof *watch);
    hob_assert(watch != NULL);
    watch->multi = multi;
    watch->socket = socket;
    int code = uv_poll_init_socket(multi->loop, &watch->poll, socket);
    hob_assert(code == 0);
    watch->poll.data = watch;
    multi->handles_open++;
    return watch;
}

static int
on_socket_wanted(CURL *easy, curl_socket_t socket, int what, void *context, void *known) {
    (void)easy;
    struct http_multi *multi = context;
    struct watch *watch = known;
    if (what == CURL_POLL_REMOVE) {
        if (watch == NULL) return 0;
        (void)curl_multi_assign(multi->curl, socket, NULL);
        (void)uv_poll_stop(&watch->poll);
        uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        return 0;
    }
    if (watch == NULL) {
        watch = watch_new(multi, socket);
        CURLMcode code = curl_multi_assign(multi->curl, socket, watch);
        hob_assert(code == CURLM_OK);
    }
    int events = 0;
    if ((what & CURL_POLL_IN) != 0) events |= UV_READABLE;
    if ((what & CURL_POLL_OUT) != 0) events |= UV_WRITABLE;
    int code = uv_poll_start(&watch->poll, events, on_poll);
    hob_assert(code == 0);
    return 0;
}

struct http_multi *
http_multi_open(uv_loop_t *loop, size_t connections_max, http_multi_done_fn *done) {
    CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    hob_assert(ready == CURLE_OK);
    struct http_multi *multi = calloc(1, sizeof *multi);
    hob_assert(multi != NULL);
    multi->loop = loop;
    multi->done = done;
    multi->curl = curl_multi_init();
    hob_assert(multi->curl != NULL);
    int code = uv_timer_init(loop, &multi->timer);
    hob_assert(code == 0);
    multi->timer.data = multi;
    multi->handles_open = 1;
    (void)curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    (void)curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
    (void)curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
    (void)curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
    (void)curl_multi_setopt(multi->curl, CURLMOPT_MAXCONNECTS, (long)connections_max);
    return multi;
}

CURL *http_multi_take(struct http_multi *multi) {
    if (multi->spare_count > 0) return multi->spare[--multi->spare_count];
    CURL *easy = curl_easy_init();
    hob_assert(easy != NULL);
    return easy;
}

void http_multi_give(struct http_multi *multi, CURL *easy) {
    if (multi->spare_count == SPARE_MAX) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    multi->spare[multi->spare_count++] = easy;
}

void http_multi_add(struct http_multi *multi, CURL *easy) {
    CURLMcode code = curl_multi_add_handle(multi->curl, easy);
    hob_assert(code == CURLM_OK);
}

void http_multi_remove(struct http_multi *multi, CURL *easy) {
    CURLMcode code = curl_multi_remove_handle(multi->curl, easy);
    hob_assert(code == CURLM_OK);
}

static void on_timer_closed(uv_handle_t *handle) {
    multi_free_if_closed(handle->data);
}

void http_multi_close(struct http_multi *multi) {
    while (multi->spare_count > 0) curl_easy_cleanup(multi->spare[--multi->spare_count]);
    CURLMcode code = curl_multi_cleanup(multi->curl);
    hob_assert(code == CURLM_OK);
    uv_close((uv_handle_t *)&multi->timer, on_timer_closed);
}
