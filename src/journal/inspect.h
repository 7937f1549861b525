/* SPDX-License-Identifier: Apache-2.0 */
/* A journal's directory, looked at as it lies there: nothing of it is changed, not even a torn end,
 * and nothing of it has to be sound. For the tools (check, dump, salvage, backup, restore).
 *
 *     journal_inspect_open(path, &inspect, &err)
 *     while ((status = journal_inspect_next(inspect, &find, &err)) == HOB_OK) switch (find.type) …
 *     HOB_NOT_FOUND is the end
 *
 * Batches come in order, each checked as recovery checks it. What is damaged comes as a find of its
 * own, and the walk goes on behind it with the next frame that is whole. So damage is told by the
 * rules of recovery itself (file_recover.c), and a torn end is told apart from it.
 *
 * A server may be at work on the directory meanwhile: then the walk ends where the server's frames
 * ended when it came there, and segments that are cleaned away under it are told (INSPECT_RESTART):
 * what was read before may be dropped, since all that is alive of it comes again. */
#ifndef HOB_JOURNAL_INSPECT_H
#define HOB_JOURNAL_INSPECT_H

#include "journal/journal.h"

enum journal_find_type {
    INSPECT_SEGMENT, /* a segment begins */
    INSPECT_BATCH,
    INSPECT_DAMAGE,  /* bytes that are not what was written; the journal does not open */
    INSPECT_TORN,    /* the unfinished write of a crash: an open cuts it */
    INSPECT_RESTART, /* a server cleaned away what was read so far; the next segment is the first */
};

struct journal_find {
    enum journal_find_type type;
    uint32_t segment;
    uint64_t offset; /* in the file of the segment */
    uint64_t size;   /* of the frame; DAMAGE, TORN: bytes that are no frame */
    /* BATCH: bytes are borrowed until the next call. */
    struct journal_batch batch;
    uint64_t lost; /* DAMAGE: batches that are missing before the next one; UINT64_MAX: not known */
    const char *why;     /* DAMAGE, TORN; borrowed until the next call */
    uint64_t file_bytes; /* SEGMENT */
};

struct journal_inspect;

/** Is it the name of a file that a journal makes in its directory? Others may lie beside them. */
bool journal_inspect_owns(const char *name);

/**
 * Begin at the oldest segment.
 * Fails HOB_NOT_FOUND no such directory, or no journal in it; HOB_CONFIG of a newer format;
 * HOB_DISK
 */
HOB_CHECK enum hob_status
journal_inspect_open(const char *path, struct journal_inspect **ret_inspect, struct hob_error *err);

/** NULL is fine. */
void journal_inspect_close(struct journal_inspect *inspect);

/** The next find; HOB_NOT_FOUND at the end. */
HOB_CHECK enum hob_status journal_inspect_next(
    struct journal_inspect *inspect, struct journal_find *ret_find, struct hob_error *err
);

/** Random, the same as long as the journal lives; 0 or a part of it when no header is left. */
uint64_t journal_inspect_identity(const struct journal_inspect *inspect);

/** The process that has the journal open; 0: none. */
long journal_inspect_holder(const struct journal_inspect *inspect);

#endif
