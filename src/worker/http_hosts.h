/* SPDX-License-Identifier: Apache-2.0 */
/* What a process knows of the hosts that it talks to, for all kinds together: how many requests are
 * under way, who waits in line, until when a host wants to be left alone, how many requests in a
 * row have failed, and its addresses.
 *
 *     host_ask ──> HOST_GO     counted as under way; host_end() when it is over
 *              ──> HOST_WAIT   the limit is reached: stand in host->line
 *              ──> HOST_LATER  paused, broken, or the line is long: come back after a while
 *
 * The breaker of a host:
 *
 *     CLOSED ──failures in a row──> OPEN ──its pause is over──> one request goes ──well──> CLOSED
 *                                    ^                                 └──badly──┐
 *                                    └──────────── twice the pause, 5 min at most ┘
 *
 * Pure: time is an argument. */
#ifndef HOB_WORKER_HTTP_HOSTS_H
#define HOB_WORKER_HTTP_HOSTS_H

#include "base/index.h"
#include "base/siphash.h"
#include "base/time.h"
#include "net/list.h"
#include "worker/http_guard.h"

enum { HOSTS_MAX = 10000, HOST_ADDRESSES_MAX = 16, HOST_ERROR_BYTES_MAX = 100 };

#define HOST_BREAK_MAX_NS (5 * NS_PER_MINUTE)

struct host_limits {
    uint32_t at_once;          /* requests to one host; 0: any number */
    uint32_t breaker_failures; /* in a row; 0: no breaker */
    hob_ns breaker_pause_ns;
};

enum lookup_state { LOOKUP_NOT, LOOKUP_RUNS, LOOKUP_DONE, LOOKUP_FAILED };

struct http_host {
    char name[GUARD_HOST_BYTES_MAX + 1];
    uint16_t port;
    uint32_t under_way;
    uint32_t line_count;
    struct link line; /* who waits; the links are the caller's */
    hob_ns paused_until_ns;
    uint32_t failures;    /* in a row */
    hob_ns open_until_ns; /* of the breaker; 0: closed */
    hob_ns open_span_ns;
    /* The addresses of its name, kept by http_names.c. */
    enum lookup_state lookup;
    hob_ns looked_up_ns;
    uint32_t address_count;
    struct guard_address addresses[HOST_ADDRESSES_MAX];
    char lookup_error[HOST_ERROR_BYTES_MAX];
    struct link lookup_line; /* who waits for them */
};

struct http_hosts {
    struct mem mem;
    struct siphash_key key;
    struct index index;
    struct http_host **items;
    uint32_t count;
    uint32_t capacity;
};

enum host_answer { HOST_GO, HOST_WAIT, HOST_LATER };

/* How a request ended, as far as it tells of the host. */
enum host_end { HOST_WELL, HOST_BADLY, HOST_UNKNOWN };

/** An empty table; @key seeds its hash. */
void hosts_init(struct http_hosts *hosts, struct siphash_key key);
/** Free all; none is under way. */
void hosts_deinit(struct http_hosts *hosts);

/**
 * The host, made when it is new. Past HOSTS_MAX idle ones are forgotten; NULL when all are in use.
 */
struct http_host *
hosts_get(struct http_hosts *hosts, const char *name, uint16_t port, hob_ns now_ns);

/** May a request go? @ret_wait: after what time to come back, with HOST_LATER. */
enum host_answer
host_ask(struct http_host *host, const struct host_limits *limits, hob_ns now_ns, hob_ns *ret_wait);

/** Stand at the end of the line, or leave it from anywhere. */
void host_line_enter(struct http_host *host, struct link *link);
void host_line_leave(struct http_host *host, struct link *link);

/** A request is over that was allowed to go. */
void host_end(
    struct http_host *host, const struct host_limits *limits, enum host_end end, hob_ns now_ns
);

/** The host wants to be left alone for @wait_ns. */
void host_pause(struct http_host *host, hob_ns now_ns, hob_ns wait_ns);

#endif
