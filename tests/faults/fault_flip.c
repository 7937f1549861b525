/* SPDX-License-Identifier: Apache-2.0 */
/* A bit rots while nobody looks: after a death one is flipped in a copy of the files, anywhere in
 * any segment. The copy must be refused, or hold exactly what the files hold: all of it, or less
 * only of the end, where a batch that rotted cannot be told from one that was never finished. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "tests/faults/fault_store.h"

struct chains {
    uint64_t first; /* sequence of the first */
    uint64_t count;
    uint64_t capacity;
    uint64_t *all;
};

static void chains_add(struct chains *chains, const struct journal_batch *batch) {
    if (chains->count == chains->capacity) {
        chains->capacity = chains->capacity == 0 ? 64 : chains->capacity * 2;
        chains->all = reallocarray(chains->all, chains->capacity, sizeof *chains->all);
        hob_assert(chains->all != NULL);
    }
    if (chains->count == 0) chains->first = batch->seq;
    chains->all[chains->count++] = batch->chain;
}

/* The chains of what is read there, in order; HOB_CORRUPT when it is refused, at the latest by the
 * reader. */
static enum hob_status
chains_read(struct fault_store *store, const struct rig_dir *dir, struct chains *ret_chains) {
    struct journal_file_options options = {
        .path = dir->path, .segment_bytes = store->options.segment_bytes, .by_steps = true};
    struct journal *journal = NULL;
    *ret_chains = (struct chains){0};
    struct journal_wake none = {0};
    enum hob_status status = journal_file_open(&options, none, &journal, NULL);
    if (status != HOB_OK) return status;
    struct journal_cursor *cursor = NULL;
    status = journal_read_open(journal, 0, &cursor, NULL);
    while (status == HOB_OK) {
        struct journal_entry entry;
        status = journal_read_next(journal, cursor, &entry, NULL);
        if (status != HOB_OK) break;
        if (entry.batch.chain != journal_chain(&entry.batch)) status = HOB_FAILED;
        chains_add(ret_chains, &entry.batch);
    }
    journal_read_close(journal, cursor);
    journal_close(journal);
    return status == HOB_NOT_FOUND ? HOB_OK : status;
}

/* Flip one bit of a segment that is there. */
static void
flip(struct fault_store *store, const struct rig_dir *dir, char *ret_where, size_t size) {
    struct rig_dir files[64];
    uint32_t count = 0;
    for (uint32_t segment = 1; segment < 100000 && count < 64; segment++) {
        struct rig_dir file = rig_segment(dir, segment);
        FILE *there = fopen(file.path, "rb");
        if (there == NULL && count > 0) break;
        if (there == NULL) continue;
        (void)fclose(there);
        files[count++] = file;
    }
    hob_assert(count > 0);
    const struct rig_dir *file = &files[dice_below(&store->dice, count)];
    size_t file_bytes;
    char *bytes = rig_file_read(file->path, &file_bytes);
    /* Most of a segment is zeros behind its end: half of the flips are near its beginning. */
    uint64_t limit = file_bytes;
    if (dice_once_in(&store->dice, 2) && limit > 12000) limit = 12000;
    uint64_t at = file_bytes == 0 ? 0 : dice_below(&store->dice, limit);
    uint64_t bit = dice_below(&store->dice, 8);
    if (file_bytes > 0) bytes[at] = (char)(bytes[at] ^ (char)(1u << bit));
    rig_file_write(file->path, bytes, file_bytes);
    free(bytes);
    (void)snprintf(ret_where, size, "bit %" PRIu64 " of byte %" PRIu64, bit, at);
}

static void judge(
    struct fault_store *store,
    const struct chains *whole,
    const struct chains *found,
    const char *where
) {
    const char *wrong = NULL;
    uint64_t last = found->count == 0 ? 0 : found->first + found->count - 1;
    if (found->count > 0 && found->first != whole->first) wrong = "it begins elsewhere";
    if (found->count > whole->count) wrong = "it holds more";
    for (uint64_t i = 0; wrong == NULL && i < found->count; i++) {
        if (found->all[i] != whole->all[i]) wrong = "it holds something else";
    }
    if (wrong == NULL && last + 1 < store->acked_seq) wrong = "what was answered is gone";
    if (wrong == NULL) return;
    (void)snprintf(
        store->complaint,
        sizeof store->complaint,
        "%s is flipped and the journal opens: %s; batches to %" PRIu64 ", answered to %" PRIu64,
        where,
        wrong,
        last,
        store->acked_seq
    );
}

void store_flip(struct fault_store *store) {
    struct rig_dir copy = rig_dir_make();
    struct rig_dir rotten = rig_dir_make();
    rig_dir_copy(&store->dir, &copy);
    rig_dir_copy(&store->dir, &rotten);
    struct chains whole;
    struct chains found = {0};
    char where[64];
    store->counts.flips++;
    if (chains_read(store, &copy, &whole) == HOB_OK && whole.count > 0) {
        flip(store, &rotten, where, sizeof where);
        enum hob_status status = chains_read(store, &rotten, &found);
        if (status == HOB_OK) judge(store, &whole, &found, where);
        if (status == HOB_CORRUPT) store->counts.flips_refused++;
        if (status != HOB_OK && status != HOB_CORRUPT) {
            (void)snprintf(
                store->complaint,
                sizeof store->complaint,
                "%s is flipped: %s",
                where,
                status_text(status)
            );
        }
    }
    free(whole.all);
    free(found.all);
    rig_dir_remove(&copy);
    rig_dir_remove(&rotten);
}
