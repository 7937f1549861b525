/* SPDX-License-Identifier: Apache-2.0 */
/* A journal with faults, for the simulator: what is stored lies in a `fault_store` that outlives
 * every server object; a `struct journal` opened on it answers late, refuses, does not know, is
 * full for a while, fails for good, is fenced, or dies with its process, as a plan says.
 *
 *     store = fault_store_new(&options)
 *     fault_store_open(store, wake, &journal)      one life of a process; space_open() takes it
 *     fault_store_kill(store)                      it ends here: nothing more is stored
 *     space_close()                                frees what is left of that life
 *     fault_store_open(store, …)                   the next one
 *
 * Under it is the journal in memory, or the one in files over a disk that loses what was not
 * synced, tears writes, is full, and fails syncs (journal/rig_disk.h). Time is virtual: the owner
 * says what it is and is asked to come back. Without a plan it is a journal as any other, and
 * passes their suite. */
#ifndef HOB_TEST_FAULTS_FAULT_JOURNAL_H
#define HOB_TEST_FAULTS_FAULT_JOURNAL_H

#include "journal/journal.h"
#include "tests/sim/random.h"

enum fault {
    FAULT_NONE,
    FAULT_REFUSED,
    FAULT_UNKNOWN_APPLIED,
    FAULT_UNKNOWN_LOST,
    FAULT_UNKNOWN_LATER, /* applied at some later time, perhaps in the next life */
    FAULT_FULL,          /* the device gives no more for a while */
    FAULT_FAILED,        /* for good; the batch may be there or not */
    FAULT_FENCED,        /* another process writes first */
    FAULT_CRASH_BEFORE,
    FAULT_CRASH_AFTER, /* stored, and nobody has heard of it */
    FAULT_COUNT
};

/* How often, of a million appends or openings; 0: never. */
struct fault_plan {
    uint32_t odds[FAULT_COUNT];
    hob_ns delay_max_ns; /* of an answer */
    hob_ns full_max_ns;  /* how long the device is full */
    uint64_t crash_at;   /* this append crashes, counted over all lives; 0: none */
    enum fault crash_as; /* FAULT_CRASH_BEFORE, FAULT_CRASH_AFTER */
    /* Files only. */
    uint32_t disk_crash;    /* a life ends at a file operation, of a million lives */
    uint64_t disk_crash_at; /* at this one, counted over all lives; 0: none */
    uint32_t sync_fails;    /* of a million appends */
    uint32_t power_cut;     /* a death takes unsynced sectors along, of a million deaths */
    uint32_t flip;          /* a bit is flipped in a copy of the files, of a million deaths */
    bool choppy;            /* writes are short and interrupted */
};

struct fault_counts {
    uint64_t appends;
    uint64_t faults[FAULT_COUNT];
    uint64_t disk_crashes;
    uint64_t sync_failures;
    uint64_t power_cuts;
    uint64_t flips;
    uint64_t flips_refused; /* by the start */
    uint64_t disk_calls;
};

struct fault_options {
    uint64_t seed;
    uint64_t segment_bytes;
    bool in_files;
    void *context;
    hob_ns (*now)(void *context);
    /* Poll again at this time. */
    void (*wake_at)(void *context, hob_ns at_ns);
    /* Another process is to write into the store now; may be NULL. */
    void (*fence)(void *context);
};

struct fault_store;

/** An empty store; owned by the caller. */
struct fault_store *fault_store_new(const struct fault_options *options);

/** Free it and what lies on the disk. No journal may be open on it. NULL is fine. */
void fault_store_free(struct fault_store *store);

/** From here on these faults happen; NULL: none. */
void fault_store_plan(struct fault_store *store, const struct fault_plan *plan);

/** A new life. Fails when files cannot be opened: then the disk has crashed, and it may be tried
 * again, or they are damaged (HOB_CORRUPT). */
HOB_CHECK enum hob_status fault_store_open(
    struct fault_store *store,
    struct journal_wake wake,
    struct journal **ret_journal,
    struct hob_error *err
);

/** Another process opens it too, without faults; only in memory. It does not end the life that is:
 * that is what the chain is for. */
struct journal *fault_store_open_beside(struct fault_store *store);

/** This life is over: what is appended from now on is not stored. */
void fault_store_kill(struct fault_store *store);

/** After the journal of a killed life is closed: what its death does to the disk. */
void fault_store_bury(struct fault_store *store);

/** Has a fault ended this life? Then its owner sends nothing more, and closes. */
bool fault_store_is_dead(struct fault_store *store);

/** The device gives no more until the time is over that is drawn here. */
void fault_store_fill(struct fault_store *store);

/** What the store itself found to be wrong, NULL when nothing is. */
const char *fault_store_complaint(const struct fault_store *store);

/** What happened so far. */
struct fault_counts fault_store_counts(const struct fault_store *store);

/** The directory of the files, NULL when they are in memory. */
const char *fault_store_path(const struct fault_store *store);

#endif
