/* SPDX-License-Identifier: Apache-2.0 */
/* A list of pushes: what may be said of it as a whole, and the list that is pushed all or none. */
#ifndef HOB_DIALECT_BULK_H
#define HOB_DIALECT_BULK_H

#include "base/arena.h"
#include "dialect/option.h"
#include "dialect/session.h"

/* Target of bulk_options. */
struct bulk_request {
    bool atomic;      /* all are pushed, or none */
    hob_ns spread_ns; /* their times are spread evenly over so long, from now on; 0: not so */
};

extern const struct option_set bulk_options;

/** What a list may hold that is pushed all or none; false with the host's complaint. */
bool bulk_count_fits(struct host *host, uint64_t count);

/**
 * Give the job at place @at of @count, from 0, its time. Answers false with the host's complaint
 * when it says a time of its own.
 */
bool bulk_spread(
    struct host *host,
    const struct bulk_request *bulk,
    struct push_command *push,
    uint64_t at,
    uint64_t count
);

/* Pushes on their way to be pushed together. */
struct bulk {
    struct arena arena;
    struct push_command *pushes;
    uint32_t count;
    uint32_t capacity;
};

/** An empty list for @capacity pushes. */
struct bulk bulk_make(uint32_t capacity);
void bulk_deinit(struct bulk *bulk);
#define HOB_AUTO_BULK __attribute__((cleanup(bulk_deinit)))

/** Add one. What lies in rooms of the host, or in @request itself, is copied. */
void bulk_add(struct bulk *bulk, const struct push_request *request);

/** Push them: all of them, or none. */
void bulk_push(struct session *session, const struct bulk *bulk, struct answer *ret_answer);

/** Put before what is wrong with item @item, counted from 1, of such a list. */
void bulk_put_item(struct buf *to, uint32_t item);

#endif
