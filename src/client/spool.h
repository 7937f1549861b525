/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of requests that wait for their server: a file each, durable before spool_put()
 * answers, taken in the order in which they were put. Several processes may put; the one that holds
 * the lock sends.
 *
 *     DIR/LOCK                          held by who sends
 *     DIR/00001764170000000000-….push   a request as it goes over the wire, and nothing else
 *     DIR/….push.refused                one that the server did not take
 *     DIR/….new                         not whole: of a process that died; never sent */
#ifndef HOB_CLIENT_SPOOL_H
#define HOB_CLIENT_SPOOL_H

#include "base/buf.h"
#include "base/status.h"

struct spool;

enum { SPOOL_NAME_BYTES_MAX = 64, SPOOL_WORDS_MAX = 128 };

/**
 * Open @path.
 *
 * @make  make it when it is missing
 *
 * Fails  HOB_DISK; HOB_NOT_FOUND: there is none, and none was to be made
 */
HOB_CHECK enum hob_status
spool_open(const char *path, bool make, struct spool **ret_spool, struct hob_error *err);

/** Close it; NULL is fine. Ends the lock. */
void spool_close(struct spool *spool);

/** Keep a request. Fails HOB_DISK: it is not kept */
HOB_CHECK enum hob_status
spool_put(struct spool *spool, const struct slice *words, size_t count, struct hob_error *err);

/** Become the one who sends. False: another process is. */
bool spool_lock(struct spool *spool);

/** Begin again with the oldest request. */
void spool_begin(struct spool *spool);

/**
 * The next request, oldest first.
 *
 * @ret_name   its file; empty when there are no more
 * @bytes      gets the request
 * @ret_words  room for SPOOL_WORDS_MAX; in @bytes
 *
 * Fails  HOB_DISK; HOB_CORRUPT: it is none, *ret_name says which
 */
HOB_CHECK enum hob_status spool_next(
    struct spool *spool,
    char ret_name[SPOOL_NAME_BYTES_MAX],
    struct buf *bytes,
    struct slice *ret_words,
    size_t *ret_count,
    struct hob_error *err
);

/** Forget a request that was done, or put it aside as refused. Fails HOB_DISK */
HOB_CHECK enum hob_status
spool_done(struct spool *spool, const char *name, bool refused, struct hob_error *err);

#endif
