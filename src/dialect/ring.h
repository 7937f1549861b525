/* SPDX-License-Identifier: Apache-2.0 */
/* The recent events, as JSON: made once for all who look on, and kept for a while for those who
 * come back. Bounded in number and bytes; the oldest go first. Empty, and without memory, until
 * somebody looks on.
 *
 * Every event of a host has a number, also while nothing is kept; so a reader who names the last
 * one that it has seen is told honestly whether it has missed any. */
#ifndef HOB_DIALECT_RING_H
#define HOB_DIALECT_RING_H

#include "base/buf.h"
#include "base/mem.h"
#include "engine/event.h"

enum {
    RING_EVENTS_MAX = 8192,
    RING_BYTES_MAX = 4 * 1024 * 1024,
    RING_TEXT_BYTES_MAX = 1024 * 1024, /* of one event; a longer one is told without its lines */
};

struct ring_entry {
    uint64_t number;
    uint64_t id; /* of the job */
    enum event_type type;
    enum job_state state;
    uint64_t at; /* of its bytes: queue, kind, text */
    uint32_t queue_size;
    uint32_t kind_size;
    uint32_t text_size;
};

struct ring {
    struct mem *mem;
    uint64_t number;            /* of the latest event */
    struct ring_entry *entries; /* by number; NULL: nothing is kept */
    uint64_t first;             /* number of the oldest that is kept; above `number`: none */
    char *bytes;
    uint64_t end; /* where the next bytes go; grows for ever, modulo RING_BYTES_MAX */
    struct buf text;
};

/* An event as it is kept; borrowed until the next one comes. */
struct ring_event {
    uint64_t number;
    uint64_t id;
    enum event_type type;
    enum job_state state;
    struct slice queue;
    struct slice kind;
    struct slice text; /* a JSON object */
};

/** An empty ring that keeps nothing. */
struct ring ring_make(struct mem *mem);
void ring_deinit(struct ring *ring);

/** Keep events from now on; forget all and keep no more. */
void ring_open(struct ring *ring);
void ring_close(struct ring *ring);
static inline bool ring_is_open(const struct ring *ring) {
    return ring->entries != NULL;
}

/** An event happened: it gets the next number, and is kept if the ring is open. */
void ring_put(struct ring *ring, const struct event *event);

/** The event with this number; false when it is not kept (any more). */
bool ring_at(const struct ring *ring, uint64_t number, struct ring_event *ret_event);

#endif
