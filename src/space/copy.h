/* SPDX-License-Identifier: Apache-2.0 */
/* A journal copied into a new one: what backup, restore and salvage are.
 *
 * The copy has an identity of its own, a chain of its own, and counters that leap over what the
 * original may still give out: original and copy can live side by side, and no token or id of one
 * is ever taken for one of the other. The original is only read; a server may be at work on it.
 * When all is written the copy is read back, and must tell the very same state. */
#ifndef HOB_SPACE_COPY_H
#define HOB_SPACE_COPY_H

#include "journal/inspect.h"
#include "space/replica.h"

/* A file in a backup: a server does not start there, for it would change the backup. */
#define COPY_BACKUP_MARK "BACKUP"

struct copy_options {
    const char *from;
    const char *to; /* a directory that is not there or empty */
    bool is_backup; /* mark it as one */
    bool salvages;  /* damage is told and left out; else it is refused */
    void *context;  /* for both: */
    void (*damage)(void *context, const struct journal_find *find);       /* DAMAGE and TORN */
    void (*job)(void *context, uint64_t id, bool whole, const char *why); /* see replica_tell */
    /* Salvage: behind this batch the state is not what the server had. It is kept as it is read. */
    void (*differs)(void *context, const struct journal_find *find, const char *why);
};

struct copy_report {
    uint64_t batches; /* read */
    uint64_t bytes;   /* of them */
    uint64_t jobs;
    uint64_t damages;
    uint64_t batches_lost; /* as far as it is known */
    bool more_may_be_lost; /* how much some damage took is not known */
    uint64_t torn_bytes;
    struct replica_lost lost;
    uint64_t digest;   /* of the state: equal states have equal digests */
    uint64_t digests;  /* of states on the way that the journal holds */
    uint64_t compared; /* of them: those that could be compared, and were the same */
    bool differs;      /* salvage: one was not; it is the last that was compared */
};

/**
 * Copy. A directory @to is removed again when it fails.
 * Fails HOB_CORRUPT (unless it salvages), HOB_CONFLICT @to is not empty or (salvage) the journal is
 * open, and as reading and writing do.
 */
HOB_CHECK enum hob_status journal_copy(
    const struct copy_options *options, struct copy_report *ret_report, struct hob_error *err
);

/**
 * Read a journal through to its end, its records too, and change nothing. HOB_CORRUPT when there is
 * damage (ret_report->damages; each was told), or its records contradict each other or a digest of
 * the state that they tell.
 *
 * @options     only context and damage are used
 * @ret_report  filled as far as it came
 * @ret_replica may be NULL; the state, to be freed; only set with HOB_OK
 */
HOB_CHECK enum hob_status journal_check(
    const char *path,
    const struct copy_options *options,
    struct copy_report *ret_report,
    struct replica **ret_replica,
    struct hob_error *err
);

#endif
