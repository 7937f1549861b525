/* SPDX-License-Identifier: Apache-2.0 */
/* Cleaning instead of snapshots. When the journal holds more than twice what is alive (and some
 * slack), its oldest segment is read through in slices: every object whose latest full record lies
 * there is written again in full at the tail, every body that is still referred to is copied; when
 * all of that is durable the segment goes. One slice a turn, so that nobody waits for it; more when
 * the journal grows faster.
 *
 *     idle ──too large──> reading the segment ──its end──> waiting for durability ──> trim ──>
 *     idle */
#include "space/private.h"

static uint64_t live_bytes(const struct space *space) {
    struct engine_stats stats;
    engine_stats(space->engine, &stats);
    return stats.live_bytes + space->bodies.bytes;
}

static void clean_fail(struct space *space, const struct hob_error *err) {
    if (space->failure.status == HOB_OK) space->failure = *err;
}

/* It begins before the bound is reached: while a segment is cleaned one more is written, and what
 * was trimmed first becomes a spare. */
static uint64_t clean_slack(const struct space *space, const struct journal_info *info) {
    uint64_t ahead = 2 * info->segment_bytes + info->segment_bytes / 2;
    return space->slack_bytes > ahead ? space->slack_bytes - ahead : space->slack_bytes / 2;
}

static void clean_start(struct space *space) {
    struct journal_info info;
    journal_info(space->journal, &info);
    if (info.first_segment >= info.last_segment) return;
    if (info.stored_bytes <= 2 * live_bytes(space) + clean_slack(space, &info)) return;
    struct hob_error err = {0};
    struct cleaning *cleaning = &space->cleaning;
    if (journal_read_open(space->journal, info.first_segment, &cleaning->cursor, &err) != HOB_OK) {
        clean_fail(space, &err);
        return;
    }
    cleaning->step = CLEAN_READING;
    cleaning->segment = info.first_segment;
    cleaning->entry.batch.bytes = SLICE_NONE;
    engine_restate_meta(space->engine);
}

/* A body that lies just here and is still referred to is written again. */
static bool clean_body(struct space *space, const struct effect *effect, size_t offset) {
    const struct body_place *place = bodies_find(&space->bodies, effect->body.id);
    if (place == NULL || place->pending || place->batch != space->cleaning.entry.address) {
        return false;
    }
    if (place->offset != offset) return false;
    batch_add(space, effect);
    return true;
}

/* Look at the next effect of the batch at hand. False on corruption. */
static bool clean_effect(struct space *space) {
    struct cleaning *cleaning = &space->cleaning;
    struct slice bytes = cleaning->entry.batch.bytes;
    struct slice rest = slice_of(bytes.bytes + cleaning->entry_at, bytes.size - cleaning->entry_at);
    struct effect effect;
    struct hob_error err = {0};
    size_t used = effect_decode(rest, &space->scratch, &effect, &err);
    if (used == 0) {
        clean_fail(space, &err);
        return false;
    }
    size_t before = space->filling->bytes.size;
    if (effect.type == EFFECT_BODY) {
        (void)clean_body(space, &effect, cleaning->entry_at);
    } else {
        (void)engine_restate(space->engine, &effect, (uint32_t)cleaning->entry.batch.seq);
    }
    space->stats.cleaned_bytes += space->filling->bytes.size - before;
    cleaning->entry_at += used;
    return true;
}

/* The next batch of the segment. False at its end, or on failure. */
static bool clean_next_batch(struct space *space) {
    struct cleaning *cleaning = &space->cleaning;
    struct hob_error err = {0};
    enum hob_status status =
        journal_read_next(space->journal, cleaning->cursor, &cleaning->entry, &err);
    cleaning->entry_at = 0;
    if (status == HOB_OK && cleaning->entry.segment == cleaning->segment) return true;
    cleaning->entry.batch.bytes = SLICE_NONE;
    if (status != HOB_OK && status != HOB_NOT_FOUND) {
        clean_fail(space, &err);
        return false;
    }
    journal_read_close(space->journal, cleaning->cursor);
    cleaning->cursor = NULL;
    cleaning->step = CLEAN_WAITING;
    cleaning->durable_at =
        space->filling->head.seq - (space->filling->head.effect_count == 0 ? 1 : 0);
    return false;
}

static void clean_read(struct space *space) {
    struct cleaning *cleaning = &space->cleaning;
    size_t start = space->filling->bytes.size;
    for (uint32_t i = 0; i < CLEAN_EFFECTS_MAX; i++) {
        if (cleaning->entry_at >= cleaning->entry.batch.bytes.size) {
            /* To read, check and write again a large batch are turns of their own. */
            if (!journal_read_warm(space->journal, cleaning->cursor, CLEAN_READ_BYTES)) return;
            if (!clean_next_batch(space)) return;
            if (cleaning->entry.batch.bytes.size > CLEAN_READ_BYTES) return;
        }
        if (!clean_effect(space)) return;
        if (space->filling->bytes.size >= BATCH_ROLL_BYTES) return;
        if (space->filling->bytes.size - start >= CLEAN_BYTES_MAX) return;
    }
}

static void clean_trim(struct space *space) {
    struct hob_error err = {0};
    if (journal_trim(space->journal, space->cleaning.segment + 1, &err) != HOB_OK) {
        clean_fail(space, &err);
        return;
    }
    space->cleaning.step = CLEAN_IDLE;
    space->stats.cleaned_segments++;
    space->digest_wanted = true;
}

void clean_slice(struct space *space) {
    if (space->failure.status != HOB_OK || space->filling->bytes.size >= BATCH_ROLL_BYTES) return;
    if (space->cleaning.step == CLEAN_IDLE) clean_start(space);
    if (space->cleaning.step == CLEAN_READING) clean_read(space);
    if (space->cleaning.step == CLEAN_WAITING && space->durable >= space->cleaning.durable_at) {
        clean_trim(space);
    }
}
