/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of a host, looked up by libuv's threads, of which there are few, and not by
 * libcurl, which starts a thread for each lookup and waits for it when a transfer is ended. All who
 * ask for a host at the same time share one lookup, and its answer holds for a short while. */
#ifndef HOB_WORKER_HTTP_NAMES_H
#define HOB_WORKER_HTTP_NAMES_H

#include <uv.h>

#include "worker/http_hosts.h"

#define NAMES_KEEP_NS      (30 * NS_PER_SECOND)
#define NAMES_KEEP_FAIL_NS (2 * NS_PER_SECOND)

/* What names_ask() needs; lives with the one who asks until found() or names_leave(). */
struct names_ask {
    struct link link; /* in the host's lookup_line */
    /* host->lookup is LOOKUP_DONE or LOOKUP_FAILED. From the loop, never from names_ask(). */
    void (*found)(struct names_ask *ask);
};

/** True: host->lookup tells all already. False: ask->found() will come. */
bool names_ask(
    uv_loop_t *loop, struct http_host *host, hob_ns now_ns, size_t *lookups, struct names_ask *ask
);

/** Do not wait any more. */
void names_leave(struct names_ask *ask);

#endif
