/* SPDX-License-Identifier: Apache-2.0 */
/* All disks that a power cut may leave: the calls of a run are recorded, and for a cut behind any
 * of them the legal states of the disk are made, one after the other.
 *
 *     rig_trace_init(&trace, &dir)       give trace.io to the journal; note what was answered
 *     rig_states_begin(&states, &trace, cut)      the disk after the first `cut` calls
 *     while (rig_states_next(&states, &into)) …   `into` is one of the disks
 *
 * What a cut may leave (as ext4 and XFS do it):
 *   of a file          each sector as it was at its last sync or after any later write to it, each
 *                      sector for itself; its length as at its last sync, or as it is now
 *   of the directory   its creates, renames and unlinks since its last sync up to any of them
 * When these are more than `exhaustive_max` together, so many are drawn instead, with the two
 * extremes: nothing of what was not synced, and all of it. */
#ifndef HOB_JOURNAL_RIG_TRACE_H
#define HOB_JOURNAL_RIG_TRACE_H

#include <pthread.h>
#include <sys/types.h>

#include "journal/rig.h"
#include "os/file.h"

enum {
    TRACE_FILES_MAX = 64,
    TRACE_NAME_BYTES = 48,
    TRACE_SECTOR_BYTES = 512,
    TRACE_FILE_BYTES_MAX = 256 * 1024,
};

enum trace_type {
    TRACE_CREATE,
    TRACE_WRITE,
    TRACE_SYNC,
    TRACE_RENAME,
    TRACE_UNLINK,
    TRACE_SYNC_DIR,
    TRACE_NOTE, /* no call: what the run knows from here on */
};

/* What the owner of the journal knows at a point of the run. */
struct trace_note {
    uint64_t attempted; /* the last batch that was given to the journal */
    uint64_t answered;  /* the last batch that was answered */
    uint64_t first_max; /* the first batch that is kept, when all trims so far are done */
};

struct trace_op {
    enum trace_type type;
    uint32_t file; /* CREATE, WRITE, SYNC */
    uint64_t offset;
    size_t size;
    char *bytes;
    char from[TRACE_NAME_BYTES]; /* CREATE: the name */
    char to[TRACE_NAME_BYTES];
    struct trace_note note;
};

struct rig_trace {
    struct file_io io;
    pthread_mutex_t lock;
    struct trace_op *ops;
    size_t op_count;
    size_t op_capacity;
    ino_t inodes[TRACE_FILES_MAX];
    uint32_t file_count;
    uint64_t hidden; /* files that are unlinked live on under other names */
    /* One frame in so many is written in part, then the disk is full, once; 0: none. Frames are the
     * writes of several parts. Set it while the journal is idle. */
    uint64_t full_each;
    uint64_t frames;
    bool is_full;                                        /* the next write finds no space */
    char start_names[TRACE_FILES_MAX][TRACE_NAME_BYTES]; /* what lay there before the run */
    char *start_bytes[TRACE_FILES_MAX];
    size_t start_size[TRACE_FILES_MAX];
    uint32_t start_count;
};

/** Begin with what lies in @dir, all of it synced. The trace must stay where it is. */
void rig_trace_init(struct rig_trace *trace, const struct rig_dir *dir);

/** Free all. */
void rig_trace_deinit(struct rig_trace *trace);

/** From here on the run knows this. */
void rig_trace_note(struct rig_trace *trace, struct trace_note note);

struct rig_states;

/**
 * The disks that a cut behind the first @cut calls may leave. Owned by the caller.
 *
 * @exhaustive_max  more states than this are drawn, @drawn of them, by @seed
 */
struct rig_states *rig_states_new(
    const struct rig_trace *trace,
    size_t cut,
    uint64_t exhaustive_max,
    uint64_t drawn,
    uint64_t seed
);

/** Free them; the directory that they were made in stays. */
void rig_states_free(struct rig_states *states);

/** Make the next one in @into, whose files are replaced; false: that was the last one. */
bool rig_states_next(struct rig_states *states, const struct rig_dir *into);

/** Are all states made, or only some? */
bool rig_states_exhaustive(const struct rig_states *states);

/** What was known at the cut. */
struct trace_note rig_states_note(const struct rig_states *states);

#endif
