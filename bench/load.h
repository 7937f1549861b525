/* SPDX-License-Identifier: Apache-2.0 */
/* The load generator's parts: one epoll loop over many connections (load.c), and what it says on
 * them (load_resp.c, load_beanstalkd.c). A protocol writes requests and reads replies; the loop
 * decides how many may be under way, takes the time, and counts.
 *
 *     producer    push, push, …        at most --inflight without a reply
 *     consumer    fetch -> jobs -> finish + fetch, in one write; at most --inflight jobs at once */
#ifndef HOB_BENCH_LOAD_H
#define HOB_BENCH_LOAD_H

#include "base/buf.h"
#include "base/time.h"

enum load_mode { LOAD_PUSH, LOAD_WORK, LOAD_LIFE };

enum request_type { REQUEST_SETUP, REQUEST_PUSH, REQUEST_FETCH, REQUEST_FINISH };

/* A request without its reply; replies come in order. */
struct request {
    enum request_type type;
    uint32_t count; /* jobs that it finishes */
    hob_ns sent_ns;
};

struct connection {
    int fd;
    uint32_t number;
    bool is_producer;
    bool wants_write; /* the socket was full */
    struct buf in;
    struct buf out;
    size_t out_at;            /* of out, sent already */
    struct request *requests; /* a ring */
    uint32_t request_first;
    uint32_t request_count;
    uint32_t request_capacity; /* a power of two */
    uint32_t open_count;       /* pushes, or fetches with what follows them, under way */
};

/* Times in buckets of 1/32 of their magnitude: quantiles within 3 %. */
enum { HISTOGRAM_STEPS = 32, HISTOGRAM_BUCKETS = 60 * HISTOGRAM_STEPS };

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

struct load_options {
    enum load_mode mode;
    uint32_t port;
    uint32_t connections; /* producers in life mode */
    uint32_t workers;     /* life mode */
    uint32_t inflight;
    uint64_t jobs;
    uint32_t size;    /* of a payload */
    uint64_t backlog; /* life mode: jobs that may be pushed and not finished */
    uint64_t rate;    /* life mode: pushes a second; 0: as many as go */
    uint32_t timeout_s;
    bool verify;
    const char *queue;
};

struct load;

struct load_protocol {
    const char *name;
    /* One FETCH for up to --inflight jobs. Without it there are --inflight fetches for one job
     * each; in life mode one, for a fetch that waits holds up what comes after it on its
     * connection. */
    bool fetches_many;
    void (*setup)(struct load *load, struct connection *connection);
    void (*push)(struct load *load, struct connection *connection, struct slice payload);
    void (*fetch)(struct load *load, struct connection *connection);
    /* Take one reply off connection->in: its size; 0: not all of it is there. */
    size_t (*reply)(struct load *load, struct connection *connection);
};

extern const struct load_protocol load_resp;
extern const struct load_protocol load_beanstalkd;

struct load {
    struct load_options options;
    const struct load_protocol *protocol;
    int poll_fd;
    struct connection *connections;
    uint32_t connection_count;
    char *payload;
    uint8_t *seen;     /* --verify: a bit for each job */
    uint64_t pushed;   /* asked for */
    uint64_t accepted; /* answered */
    uint64_t fetching; /* asked for and not answered */
    uint64_t fetched;
    uint64_t finished;
    uint64_t errors;
    uint64_t duplicates;
    hob_ns start_ns;
    hob_ns end_ns;
    struct histogram latency;
};

/** The monotonic clock. */
hob_ns load_now(void);

/** Remember a request that was just written to connection->out. */
void load_asked(
    struct load *load, struct connection *connection, enum request_type type, uint32_t count
);

/** The oldest request without a reply, taken off the ring: the reply is here. */
struct request load_replied(struct load *load, struct connection *connection);

/** Fetch again? Not for more jobs than there are. */
bool load_wants_fetch(const struct load *load, const struct connection *connection);

/** A push was accepted. */
void load_accepted(struct load *load, const struct request *request);

/** A job came: its payload is read and, with --verify, marked as seen. */
void load_fetched(struct load *load, struct slice payload);

/** @count jobs are finished, and with them what @request began. */
void load_finished(struct load *load, const struct request *request, uint32_t count);

/** A reply that nobody expected: told once or twice, counted always. */
void load_error(struct load *load, struct slice reply);

#endif
