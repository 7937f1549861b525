/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a fault store; only fault_*.c include this. */
#ifndef HOB_TEST_FAULTS_FAULT_STORE_H
#define HOB_TEST_FAULTS_FAULT_STORE_H

#include "journal/rig.h"
#include "journal/rig_disk.h"
#include "tests/faults/fault_journal.h"

struct fault_store {
    struct fault_options options;
    struct fault_plan plan;
    struct fault_counts counts;
    struct dice dice;
    struct journal *inner; /* in memory: for good; in files: as long as one is open */
    uint64_t life;
    uint32_t open_count;
    bool is_dead;
    bool has_failed;     /* an append of this life failed: so do all later ones */
    uint64_t room_bytes; /* while the device is full */
    hob_ns full_until_ns;
    bool disk_is_full; /* files: it is the disk that gives no more, not the journal around it */
    bool has_late;     /* a batch whose answer was UNKNOWN is still on its way */
    struct journal_batch late;
    char *late_bytes;
    uint64_t acked_seq; /* the last batch whose owner heard that it is durable */
    char complaint[240];
    struct rig_dir dir; /* files */
    struct rig_disk disk;
    bool has_disk;
    uint64_t disk_calls; /* of the disks before this one */
};

/** The fate of the next append; counted. */
enum fault store_draw(struct fault_store *store);

/** How long its answer takes. */
hob_ns store_delay(struct fault_store *store);

/** The virtual time. */
hob_ns store_now_ns(const struct fault_store *store);

/** What the device still takes; UINT64_MAX: it is not full. */
uint64_t store_room(const struct fault_store *store);

/** Has the disk ended this life? */
void store_look_at_disk(struct fault_store *store);

/** Open the inner journal, if it is not open. */
HOB_CHECK enum hob_status store_begin_life(struct fault_store *store, struct hob_error *err);

/** Flip a bit in a copy of the files; what is wrong then is the complaint. */
void store_flip(struct fault_store *store);

#endif
