/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes that arrive exactly once, whatever becomes of the connection. A push without an answer may
 * have been done or not; so each carries a key (`KEY`), and is sent again under it until the server
 * answers: with the id of the job that the first one made, if it did. Servers keep keys for 24 h.
 *
 *     courier_open(&options, &courier, &err)
 *     courier_push(courier, words, count, &reply, &err)
 *         HOB_OK, a reply    pushed
 *         HOB_OK, no reply   not now (courier_why() says why): kept in the spool, durably
 *         anything else      not pushed and not kept, but after HOB_UNREACHABLE it may have been
 *     courier_send(courier, &report, &err)        all that is in the spool
 *     courier_close(courier)
 *
 * What is in the spool goes before a new push of the same queue; a queue that is full holds up no
 * other one. A spooled push that the server refuses for good is put aside.
 * Blocks; for programs that do one thing after the other. */
#ifndef HOB_CLIENT_COURIER_H
#define HOB_CLIENT_COURIER_H

#include "client/session.h"

struct courier;

struct courier_options {
    struct address address;
    const char *spool;   /* a directory; NULL: none */
    bool spool_is_there; /* it is not made when it is missing */
    hob_ns patience_ns;  /* for the server to be there, at growing intervals; 0: one try */
};

struct courier_report {
    uint64_t sent;
    uint64_t refused;
    uint64_t waiting; /* their queues are full: courier_why() */
    bool locked;      /* another process is sending: nothing was done */
    char last[240];   /* why the last refused one was */
};

enum {
    COURIER_KEY_BYTES = 40,
    COURIER_ITEMS_MAX = 256,
    COURIER_ITEMS_BYTES_MAX = 12 * 1024 * 1024,
};

/** Write a key that nobody has, with its end. */
void courier_key(char to[COURIER_KEY_BYTES]);

/** Make one; connects when it is used. Fails HOB_DISK, HOB_NOT_FOUND: the spool */
HOB_CHECK enum hob_status courier_open(
    const struct courier_options *options, struct courier **ret_courier, struct hob_error *err
);

/** NULL is fine. */
void courier_close(struct courier *courier);

/** Why the last push was spooled, or spooled ones wait: "queue mail is full"; borrowed. */
const char *courier_why(const struct courier *courier);

/** Has a request been sent whose answer never came? Then its push may be done. */
bool courier_may_be_done(const struct courier *courier);

/**
 * Push.
 *
 * @words      PUSH and what belongs to it, a KEY among it; times should be points in time, for it
 *             may stay in the spool
 * @ret_reply  of the server, borrowed until the next call; NULL: spooled
 *
 * Fails  as session_call(); HOB_UNREACHABLE only without a spool, when patience is over
 */
HOB_CHECK enum hob_status courier_push(
    struct courier *courier,
    const struct slice *words,
    size_t count,
    const struct resp_node **ret_reply,
    struct hob_error *err
);

/* One of several pushes; as for courier_push(). */
struct courier_item {
    const struct slice *words;
    size_t count;
    const struct resp_node *reply; /* set: its answer, perhaps an error; NULL: spooled */
    bool is_held;                  /* private */
};

/**
 * Push several in one request (MPUSH), each for itself. With a spool, those that the server does
 * not take for now are spooled too; and when patience has ended once it is over for good.
 *
 * @items      1..COURIER_ITEMS_MAX, together at most COURIER_ITEMS_BYTES_MAX; replies are borrowed
 *             until the next call
 *
 * Fails  as courier_push(); after HOB_DISK some may be spooled
 */
HOB_CHECK enum hob_status courier_push_list(
    struct courier *courier, struct courier_item *items, size_t count, struct hob_error *err
);

/**
 * Send what is in the spool, oldest first; those of a full queue are left, and the others go on.
 *
 * Fails  HOB_UNREACHABLE, HOB_LATER: the rest stays for another time; HOB_DISK
 */
HOB_CHECK enum hob_status
courier_send(struct courier *courier, struct courier_report *ret_report, struct hob_error *err);

#endif
