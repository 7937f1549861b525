/* SPDX-License-Identifier: Apache-2.0 */
/* What outlives a process: batches, the device under them, and the chances of the next fault. */
#include "tests/faults/fault_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

enum {
    MILLION = 1000000,
    ROOM_BYTES_MAX = 20 * 1024 * 1024,
    DISK_ROOM_BYTES_MAX = 512 * 1024,
    DISK_CALLS_MAX = 400
};

struct fault_store *fault_store_new(const struct fault_options *options) {
    struct fault_store *store = calloc(1, sizeof *store);
    hob_assert(store != NULL);
    store->options = *options;
    store->dice = dice_of(options->seed ^ UINT64_C(0xfa17));
    if (options->in_files) {
        store->dir = rig_dir_make();
    } else {
        struct journal_wake none = {0};
        enum hob_status status =
            journal_memory_open(options->segment_bytes, none, &store->inner, NULL);
        hob_assert(status == HOB_OK);
    }
    return store;
}

void fault_store_free(struct fault_store *store) {
    if (store == NULL) return;
    hob_assert(store->open_count == 0);
    if (store->options.in_files) {
        if (store->has_disk) rig_disk_settle(&store->disk);
        rig_dir_remove(&store->dir);
    } else {
        journal_close(store->inner);
    }
    free(store->late_bytes);
    free(store);
}

struct fault_counts fault_store_counts(const struct fault_store *store) {
    struct fault_counts counts = store->counts;
    counts.disk_calls = store->disk_calls + store->disk.calls;
    return counts;
}

const char *fault_store_path(const struct fault_store *store) {
    return store->options.in_files ? store->dir.path : NULL;
}

bool fault_store_is_dead(struct fault_store *store) {
    store_look_at_disk(store);
    return store->is_dead;
}

static bool happens(struct fault_store *store, uint32_t odds) {
    return odds > 0 && dice_below(&store->dice, MILLION) < odds;
}

hob_ns store_now_ns(const struct fault_store *store) {
    return store->options.now == NULL ? 0 : store->options.now(store->options.context);
}

hob_ns store_delay(struct fault_store *store) {
    return store->plan.delay_max_ns == 0 ? 0
                                         : dice_small(&store->dice, store->plan.delay_max_ns + 1);
}

uint64_t store_room(const struct fault_store *store) {
    if (store->disk_is_full) return UINT64_MAX; /* the inner journal finds out */
    return store_now_ns(store) < store->full_until_ns ? store->room_bytes : UINT64_MAX;
}

static void disk_gives_again(struct fault_store *store) {
    if (!store->disk_is_full || store_now_ns(store) < store->full_until_ns) return;
    store->disk_is_full = false;
    if (store->has_disk) rig_disk_space(&store->disk, UINT64_MAX);
}

void fault_store_fill(struct fault_store *store) {
    hob_ns now_ns = store_now_ns(store);
    if (store->plan.full_max_ns == 0 || now_ns < store->full_until_ns) return;
    disk_gives_again(store);
    store->full_until_ns = now_ns + 1 + dice_below(&store->dice, store->plan.full_max_ns);
    /* Half of the time there is nothing at all, else a reserve that pushes must leave. */
    bool none = dice_once_in(&store->dice, 2);
    store->room_bytes = none ? 0 : dice_small(&store->dice, ROOM_BYTES_MAX);
    store->disk_is_full = store->has_disk && dice_once_in(&store->dice, 2);
    if (!store->disk_is_full) return;
    rig_disk_space(&store->disk, none ? 0 : dice_small(&store->dice, DISK_ROOM_BYTES_MAX));
}

/* The file operation that the plan wants to be the last of its life. */
static void disk_crash_set(struct fault_store *store) {
    uint64_t at = store->plan.disk_crash_at;
    if (!store->has_disk || at <= store->disk_calls + store->disk.calls) return;
    store->disk.crash_at = at - store->disk_calls;
}

void fault_store_plan(struct fault_store *store, const struct fault_plan *plan) {
    store->plan = plan == NULL ? (struct fault_plan){0} : *plan;
    if (plan == NULL) {
        store->full_until_ns = 0;
        disk_gives_again(store);
        store->disk.crash_at = 0;
        store->disk.sync_fails = false;
        store->disk.choppy = false;
    }
    disk_crash_set(store);
}

enum fault store_draw(struct fault_store *store) {
    const struct fault_plan *plan = &store->plan;
    store->counts.appends++;
    disk_gives_again(store);
    enum fault fate = FAULT_NONE;
    uint64_t drawn = dice_below(&store->dice, MILLION);
    for (uint32_t i = FAULT_NONE + 1; i < FAULT_COUNT && fate == FAULT_NONE; i++) {
        if (drawn < plan->odds[i]) fate = (enum fault)i;
        drawn -= drawn < plan->odds[i] ? 0 : plan->odds[i];
    }
    if (store->options.in_files) {
        if (fate == FAULT_FENCED) fate = FAULT_NONE; /* the directory is locked */
        if (happens(store, plan->sync_fails)) {
            store->counts.sync_failures++;
            rig_disk_fail_sync(&store->disk);
        }
    }
    if (plan->crash_at != 0) {
        fate = store->counts.appends == plan->crash_at ? plan->crash_as : FAULT_NONE;
    }
    store->counts.faults[fate]++;
    return fate;
}

void store_look_at_disk(struct fault_store *store) {
    if (!store->options.in_files || store->is_dead) return;
    if (store->disk.crash_at == 0 || store->disk.calls < store->disk.crash_at) return;
    store->counts.disk_crashes++;
    store->is_dead = true;
}

/* --- lives of files --- */

static void disk_begin(struct fault_store *store) {
    const struct fault_plan *plan = &store->plan;
    if (!store->has_disk) {
        rig_disk_init(&store->disk, dice_u64(&store->dice));
        store->disk.forgets = true;
        store->has_disk = true;
    }
    store->disk.choppy = plan->choppy;
    store->disk.sync_fails = false;
    store->disk.crash_at = 0;
    if (happens(store, plan->disk_crash)) {
        store->disk.crash_at = store->disk.calls + 1 + dice_small(&store->dice, DISK_CALLS_MAX);
    }
    disk_crash_set(store);
}

enum hob_status store_begin_life(struct fault_store *store, struct hob_error *err) {
    store->life++;
    store->is_dead = false;
    store->has_failed = false;
    if (!store->options.in_files) return HOB_OK;
    hob_assert(store->inner == NULL);
    disk_begin(store);
    disk_gives_again(store);
    struct journal_file_options options = {
        .path = store->dir.path,
        .segment_bytes = store->options.segment_bytes,
        .io = &store->disk.io,
        .by_steps = true,
    };
    enum hob_status status =
        journal_file_open(&options, (struct journal_wake){0}, &store->inner, err);
    store_look_at_disk(store);
    if (status == HOB_OK) return HOB_OK;
    store->inner = NULL;
    store->is_dead = true;
    return status;
}

void fault_store_kill(struct fault_store *store) {
    store->is_dead = true;
    if (store->options.in_files && store->disk.crash_at == 0) {
        store->disk.crash_at = store->disk.calls + 1;
    }
}

void fault_store_bury(struct fault_store *store) {
    hob_assert(store->is_dead);
    if (!store->options.in_files) return;
    hob_assert(store->inner == NULL);
    store->disk.crash_at = 0;
    if (happens(store, store->plan.power_cut)) { /* else the system lives on, and its memory */
        store->counts.power_cuts++;
        store->disk_calls += store->disk.calls;
        rig_disk_power_cut(&store->disk);
        store->has_disk = false;
        store->disk_is_full = false;
    }
    if (happens(store, store->plan.flip)) store_flip(store);
}

const char *fault_store_complaint(const struct fault_store *store) {
    return store->complaint[0] == '\0' ? NULL : store->complaint;
}
