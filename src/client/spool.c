/* SPDX-License-Identifier: Apache-2.0 */
/* Names begin with the wall time, so that their order is that of the puts (of one process for
 * certain: a put is never older than the one before), and end with a random number, so that no two
 * are equal. A file gets its name when it is on the disk. */
#include "client/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "os/file.h"
#include "wire/resp.h"
#include "wire/resp_reply.h"

enum { READ_BYTES = 65536 };

struct spool {
    int dir;
    int lock;
    hob_ns last; /* put */
    char path[512];
    char (*names)[SPOOL_NAME_BYTES_MAX]; /* of requests, in order, as they were when it was read */
    size_t count;
    size_t capacity;
    size_t at;                        /* the next one of them */
    char taken[SPOOL_NAME_BYTES_MAX]; /* the last one that was given */
};

#define SPOOL_SUFFIX ".push"

static enum hob_status spool_fail(
    const struct spool *spool, int failed, const char *what, const char *name, struct hob_error *err
) {
    return fail_errno(err, HOB_DISK, failed, "cannot %s %s/%s", what, spool->path, name);
}

enum hob_status
spool_open(const char *path, bool make, struct spool **ret_spool, struct hob_error *err) {
    int dir = -1;
    int failed = dir_open(path, make, &dir);
    if (failed == ENOENT && !make) return fail(err, HOB_NOT_FOUND, "there is no spool %s", path);
    if (failed != 0) return fail_errno(err, HOB_DISK, failed, "cannot open the spool %s", path);
    struct spool *spool = calloc(1, sizeof *spool);
    hob_assert(spool != NULL);
    spool->dir = dir;
    spool->lock = -1;
    (void)snprintf(spool->path, sizeof spool->path, "%s", path);
    *ret_spool = spool;
    return HOB_OK;
}

void spool_close(struct spool *spool) {
    if (spool == NULL) return;
    file_close(&spool->lock);
    file_close(&spool->dir);
    free(spool->names);
    free(spool);
}

/* Written, synced, named, and the name synced. */
static int
put_bytes(const struct spool *spool, struct slice bytes, const char *from, const char *to) {
    const struct file_io *io = &file_io_system;
    int fd = -1;
    int failed = file_open(io, spool->dir, from, O_WRONLY | O_CREAT | O_EXCL, &fd);
    if (failed != 0) return failed;
    struct iovec part = file_part(bytes.bytes, bytes.size);
    uint64_t written;
    failed = file_write(io, fd, &part, 1, 0, &written);
    if (failed == 0) failed = file_sync(io, fd);
    file_close(&fd);
    if (failed == 0) failed = file_rename(io, spool->dir, from, to);
    if (failed == 0) failed = dir_sync(io, spool->dir);
    return failed;
}

enum hob_status
spool_put(struct spool *spool, const struct slice *words, size_t count, struct hob_error *err) {
    HOB_AUTO_BUF struct buf bytes = buf_make(64 * 1024 * 1024);
    hob_assert(count <= SPOOL_WORDS_MAX);
    resp_put_request(&bytes, words, count);
    if (bytes.overflowed) return fail(err, HOB_FAILED, "the push is too large for a spool");
    hob_ns now = clock_wall();
    spool->last = now > spool->last ? now : spool->last + 1;
    uint32_t random = (uint32_t)entropy_u64();
    char from[SPOOL_NAME_BYTES_MAX];
    char to[SPOOL_NAME_BYTES_MAX];
    (void)snprintf(to, sizeof to, "%020" PRIu64 "-%08" PRIx32 SPOOL_SUFFIX, spool->last, random);
    (void)snprintf(from, sizeof from, "%020" PRIu64 "-%08" PRIx32 ".new", spool->last, random);
    int failed = put_bytes(spool, buf_slice(&bytes), from, to);
    if (failed == 0) return HOB_OK;
    int removed = file_unlink(&file_io_system, spool->dir, from);
    (void)removed; /* what is left of it is never sent */
    return spool_fail(spool, failed, "write", to, err);
}

bool spool_lock(struct spool *spool) {
    if (spool->lock >= 0) return true;
    long holder;
    return lock_take(spool->dir, "LOCK", &spool->lock, &holder) == 0;
}

static bool see_name(void *context, const char *name) {
    struct spool *spool = context;
    size_t size = strlen(name);
    size_t suffix = sizeof SPOOL_SUFFIX - 1;
    if (size <= suffix || size >= SPOOL_NAME_BYTES_MAX) return true;
    if (strcmp(name + size - suffix, SPOOL_SUFFIX) != 0) return true;
    if (strcmp(name, spool->taken) <= 0) return true;
    if (spool->count == spool->capacity) {
        spool->capacity = spool->capacity == 0 ? 64 : spool->capacity * 2;
        spool->names = reallocarray(spool->names, spool->capacity, sizeof *spool->names);
        hob_assert(spool->names != NULL);
    }
    memcpy(spool->names[spool->count++], name, size + 1);
    return true;
}

static int names_compare(const void *a, const void *b) {
    return strcmp(a, b);
}

/* All that came behind the last one that was given. A directory is read once for many requests:
 * it may hold some hundred thousand. */
static int names_read(struct spool *spool) {
    spool->count = 0;
    spool->at = 0;
    int failed = dir_list(spool->dir, see_name, spool);
    if (spool->count > 0) qsort(spool->names, spool->count, sizeof *spool->names, names_compare);
    return failed;
}

void spool_begin(struct spool *spool) {
    spool->count = 0;
    spool->at = 0;
    spool->taken[0] = '\0';
}

static int read_whole(const struct spool *spool, const char *name, struct buf *bytes) {
    int fd = -1;
    int failed = file_open(&file_io_system, spool->dir, name, O_RDONLY, &fd);
    if (failed != 0) return failed;
    size_t size = 1;
    while (failed == 0 && size > 0) {
        char *room = buf_reserve(bytes, READ_BYTES);
        if (room == NULL) failed = EFBIG;
        if (room != NULL) failed = file_read(fd, bytes->size, room, READ_BYTES, &size);
        if (failed == 0) bytes->size += size;
    }
    file_close(&fd);
    return failed;
}

/* A request is an array of strings, as a reply could be. */
static bool words_read(struct slice bytes, struct slice *ret_words, size_t *ret_count) {
    struct mem mem = {0};
    struct resp_reply_parser parser;
    struct resp_reply reply;
    resp_reply_parser_init(&parser, &mem, RESP_REPLY_LIMITS_DEFAULT);
    bool whole = resp_reply_parse(&parser, bytes, &reply) == RESP_REPLY_READY &&
                 reply.size_bytes == bytes.size && reply.nodes[0].type == RESP_ARRAY &&
                 reply.nodes[0].children_count > 0 &&
                 reply.nodes[0].children_count <= SPOOL_WORDS_MAX;
    size_t count = whole ? reply.nodes[0].children_count : 0;
    for (size_t i = 0; i < count; i++) ret_words[i] = reply.nodes[i + 1].text;
    resp_reply_parser_deinit(&parser);
    *ret_count = count;
    return whole;
}

enum hob_status spool_next(
    struct spool *spool,
    char ret_name[SPOOL_NAME_BYTES_MAX],
    struct buf *bytes,
    struct slice *ret_words,
    size_t *ret_count,
    struct hob_error *err
) {
    int failed = spool->at == spool->count ? names_read(spool) : 0;
    if (failed != 0) return spool_fail(spool, failed, "list", "", err);
    ret_name[0] = '\0';
    *ret_count = 0;
    if (spool->at == spool->count) return HOB_OK;
    memcpy(spool->taken, spool->names[spool->at++], sizeof spool->taken);
    memcpy(ret_name, spool->taken, sizeof spool->taken);
    buf_reset(bytes);
    failed = read_whole(spool, ret_name, bytes);
    if (failed != 0) return spool_fail(spool, failed, "read", ret_name, err);
    if (words_read(buf_slice(bytes), ret_words, ret_count)) return HOB_OK;
    return fail(err, HOB_CORRUPT, "%s/%s is no request", spool->path, ret_name);
}

enum hob_status
spool_done(struct spool *spool, const char *name, bool refused, struct hob_error *err) {
    char aside[SPOOL_NAME_BYTES_MAX + 16];
    (void)snprintf(aside, sizeof aside, "%s.refused", name);
    const struct file_io *io = &file_io_system;
    int failed =
        refused ? file_rename(io, spool->dir, name, aside) : file_unlink(io, spool->dir, name);
    if (failed == 0) failed = dir_sync(io, spool->dir);
    return failed == 0 ? HOB_OK : spool_fail(spool, failed, "remove", name, err);
}
