/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery: every batch from the oldest segment to the tail is read, its effects are carried out,
 * and the places of bodies are noted. At the end every job that was mentioned must be known, every
 * body that a job refers to must have a place, and bodies that nobody refers to (their job's
 * deletion was read before its full record) are forgotten. */
#include "space/private.h"

static enum hob_status recover_context(
    enum hob_status status, const struct journal_entry *entry, size_t at, struct hob_error *err
) {
    if (err == NULL) return status;
    struct hob_error inner = *err;
    return fail(
        err,
        status,
        "%020u.seg, byte %llu, batch %llu: %.110s. See `hob journal check`, then restore a backup "
        "or `hob journal salvage`",
        entry->segment,
        (unsigned long long)entry->offset + at,
        (unsigned long long)entry->batch.seq,
        inner.text
    );
}

static enum hob_status
recover_batch(struct space *space, const struct journal_entry *entry, struct hob_error *err) {
    struct slice bytes = entry->batch.bytes;
    engine_home_set(space->engine, (uint32_t)entry->batch.seq);
    uint32_t count = 0;
    for (size_t at = 0; at < bytes.size; count++) {
        struct effect effect;
        struct slice rest = slice_of(bytes.bytes + at, bytes.size - at);
        size_t used = effect_decode(rest, &space->scratch, &effect, err);
        if (used == 0) return recover_context(HOB_CORRUPT, entry, at, err);
        if (effect.type == EFFECT_BODY) {
            struct body_place place = {
                .id = effect.body.id,
                .batch = entry->address,
                .offset = (uint32_t)at,
                .size = (uint32_t)used & 0x3fffffff,
            };
            if (place.id != 0) bodies_put(&space->bodies, place);
        }
        enum hob_status status = engine_replay(space->engine, &effect, err);
        if (status == HOB_OK && effect.type == EFFECT_DIGEST) {
            status = digests_compare(&space->digests, space->engine, &effect.digest, err);
        }
        if (status != HOB_OK) return recover_context(status, entry, at, err);
        at += used;
    }
    if (count == entry->batch.effect_count) return HOB_OK;
    (void)fail(
        err, HOB_CORRUPT, "%u effects were announced, %u found", entry->batch.effect_count, count
    );
    return recover_context(HOB_CORRUPT, entry, bytes.size, err);
}

static enum hob_status
recover_read(struct space *space, struct space_recovery *ret, struct hob_error *err) {
    struct journal_cursor *cursor = NULL;
    enum hob_status status = journal_read_open(space->journal, 0, &cursor, err);
    if (status != HOB_OK) return status;
    struct journal_info info;
    journal_info(space->journal, &info);
    space->digests.oldest_segment = info.first_segment;
    hob_ns time_ns = 0;
    for (;;) {
        struct journal_entry entry;
        status = journal_read_next(space->journal, cursor, &entry, err);
        if (status != HOB_OK) break;
        status = recover_batch(space, &entry, err);
        if (status != HOB_OK) break;
        ret->batches++;
        ret->effects += entry.batch.effect_count;
        ret->bytes += entry.batch.bytes.size;
        if (time_ns < entry.batch.time_ns) time_ns = entry.batch.time_ns;
    }
    journal_read_close(space->journal, cursor);
    space->now_ns = time_ns;
    return status == HOB_NOT_FOUND ? HOB_OK : status;
}

struct marking {
    struct bodies *bodies;
    uint64_t missing;
};

static void mark_body(void *context, uint64_t id) {
    struct marking *marking = context;
    struct body_place *place = bodies_find(marking->bodies, id);
    if (place == NULL) {
        marking->missing = id;
    } else {
        place->mark = 1;
    }
}

enum hob_status space_recover(
    struct space *space, hob_ns now_ns, struct space_recovery *ret, struct hob_error *err
) {
    space->recovering = true;
    enum hob_status status = recover_read(space, ret, err);
    if (status != HOB_OK) return status;
    if (space->now_ns < now_ns) space->now_ns = now_ns;
    struct marking marking = {.bodies = &space->bodies};
    status =
        engine_replay_end(space->engine, space->now_ns, RESTART_GRACE_NS, mark_body, &marking, err);
    if (status != HOB_OK) return status;
    if (marking.missing != 0) {
        return fail(
            err,
            HOB_CORRUPT,
            "body %llu is referred to by a job and is nowhere in the journal",
            (unsigned long long)marking.missing
        );
    }
    (void)bodies_sweep(&space->bodies);
    space->recovering = false;
    struct journal_info info;
    journal_info(space->journal, &info);
    ret->digests = space->digests.seen;
    ret->compared = space->digests.compared;
    ret->cut_bytes = info.cut_bytes;
    memcpy(ret->cut_note, info.cut_note, sizeof ret->cut_note);
    struct engine_stats stats;
    engine_stats(space->engine, &stats);
    ret->jobs = stats.jobs;
    return HOB_OK;
}
