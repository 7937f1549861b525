/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's multi handle on a libuv loop: any number of transfers in one thread, each told when it
 * is over. */
#ifndef HOB_WORKER_HTTP_MULTI_H
#define HOB_WORKER_HTTP_MULTI_H

#include <curl/curl.h>
#include <uv.h>

struct http_multi;

/** @easy is over and no longer added; its CURLOPT_PRIVATE tells whose it is. */
typedef void http_multi_done_fn(CURL *easy, CURLcode code);

/** @connections_max: idle ones that are kept. */
struct http_multi *
http_multi_open(uv_loop_t *loop, size_t connections_max, http_multi_done_fn *done);

/** A handle without any option set. */
CURL *http_multi_take(struct http_multi *multi);

/** Give a handle back, which is not added. */
void http_multi_give(struct http_multi *multi, CURL *easy);

/** Begin a transfer; done() comes later. */
void http_multi_add(struct http_multi *multi, CURL *easy);

/**
 * End a transfer before it is over; done() does not come. Not from inside a callback of libcurl.
 */
void http_multi_remove(struct http_multi *multi, CURL *easy);

/** Close all connections; none is added. The loop frees it. */
void http_multi_close(struct http_multi *multi);

#endif
