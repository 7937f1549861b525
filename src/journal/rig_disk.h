/* SPDX-License-Identifier: Apache-2.0 */
/* A disk for tests: it loses what was never synced when the power fails, is full when told so, and
 * refuses syncs.
 *
 * The files are real; every write since the last sync of its file is remembered with what it
 * replaced, every rename and unlink since the last sync of the directory too. rig_disk_power_cut
 * puts a part of that back, sector by sector: any disk that the system may leave behind. Nothing is
 * really synced, so thousands of crashes take seconds. */
#ifndef HOB_JOURNAL_RIG_DISK_H
#define HOB_JOURNAL_RIG_DISK_H

#include <pthread.h>

#include "os/file.h"

struct rig_write {
    int fd; /* a duplicate: the file may be renamed or removed meanwhile */
    uint64_t inode;
    uint64_t offset;
    size_t size;
    size_t old_size; /* so much of it was in the file before */
    char *old;
    bool forgotten; /* its sync failed: later ones do nothing for it */
    bool stays;     /* the sync at hand does not reach it */
};

struct rig_change {
    int dir; /* a duplicate */
    char from[64];
    char to[64]; /* an unlink renames to a hidden name */
};

struct rig_disk {
    struct file_io io;
    pthread_mutex_t lock;
    uint64_t calls;    /* so far */
    uint64_t crash_at; /* this call and all later ones fail (a write is torn); 0: never */
    bool sync_fails;   /* the next one does */
    bool forgets;      /* a failed sync leaves pages that are taken for clean, as Linux does it */
    uint64_t syncs;    /* so far */
    uint64_t space_bytes; /* files may grow by so much before ENOSPC */
    bool choppy;          /* writes are short and interrupted */
    bool tears;           /* the next frame is written up to tear_at, then the disk is full, once */
    bool torn;            /* the next write finds no space */
    size_t tear_at;
    uint64_t random;
    struct rig_write *writes;
    size_t write_count;
    struct rig_change *changes;
    size_t change_count;
};

/** A disk without faults; set the fields before its first use. It must stay where it is. */
void rig_disk_init(struct rig_disk *disk, uint64_t seed);

/* While a journal is open its threads use the disk: these take the lock. */

/** Files may grow by @bytes from now on. */
void rig_disk_space(struct rig_disk *disk, uint64_t bytes);

/** The next sync fails, and the ones behind it succeed, as Linux does it. */
void rig_disk_fail_sync(struct rig_disk *disk);

/** Writes are short and interrupted from now on. */
void rig_disk_chop(struct rig_disk *disk);

/**
 * The next frame (a write of several parts) finds the disk full after @bytes, in space that was
 * there before: as on file systems that never write in place. Later writes succeed.
 */
void rig_disk_tear(struct rig_disk *disk, size_t bytes);

/** Calls and syncs so far. */
uint64_t rig_disk_calls(struct rig_disk *disk);
uint64_t rig_disk_syncs(struct rig_disk *disk);

/** Forget what is not synced, as it is: the process ended, the system did not. Frees all. */
void rig_disk_settle(struct rig_disk *disk);

/**
 * The power fails: of what is not synced a part is kept, drawn from the seed. As rig_disk_settle
 * otherwise.
 */
void rig_disk_power_cut(struct rig_disk *disk);

#endif
