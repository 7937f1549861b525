/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the executor `http`, for the two files that move it: http.c has its stages and its
 * end, http_transfer.c its request on the way. */
#ifndef HOB_WORKER_HTTP_RUN_H
#define HOB_WORKER_HTTP_RUN_H

#include "worker/executor.h"
#include "worker/http_config.h"
#include "worker/http_end.h"
#include "worker/http_multi.h"
#include "worker/http_names.h"
#include "worker/http_request.h"
#include "worker/http_response.h"

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

/** In whole milliseconds, never shorter. */
static inline long http_ms_of(hob_ns span) {
    return (long)((span + NS_PER_MS - 1) / NS_PER_MS);
}

/* --- http.c --- */

/** A line of the job's log. */
void http_run_say(struct run *run, struct buf *line);

/** The last thing that a run does; @end is what it tells of its host. */
void http_run_done(struct run *run, const struct outcome *outcome, enum host_end end);

/* --- http_transfer.c --- */

/** Why the target may not be asked at this address; NULL: it may. */
const char *http_run_refusal(const struct run *run, const struct guard_address *address);

/** The setting that says which targets are allowed. */
const char *http_run_permit(const struct run *run);

/** Send the request; its addresses are known, and may be asked. */
void http_transfer_begin(struct run *run);

/** Stop it, if it is under way. */
void http_transfer_end(struct run *run);

/** Free what it holds; not inside of a call of libcurl's. */
void http_transfer_free(struct run *run);

/** For http_multi_open(): a transfer is over, well or badly. */
void http_transfer_done(CURL *easy, CURLcode code);

#endif
