/* SPDX-License-Identifier: Apache-2.0 */
/* Cleaning instead of snapshots. When the journal holds more than twice what is alive (and some
 * slack), its oldest segment is read through in slices: every object whose latest full record lies
 * there is written again in full at the tail, every body that is still referred to is copied; when
 * all of that is durable the segment goes.
 *
 *     reading ──its end──> left: waits for durability ──> trim
 *        ^                  │
 *        └──still too large─┘
 *
 * One slice a turn, so that nobody waits for it. A slice is in proportion to what the turn has
 * written, or else a load of large turns would outrun it; then it may go through several segments,
 * so reading does not wait until those before are durable. */
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
 * was trimmed first becomes a spare. And all that is alive may lie at the beginning and have to be
 * passed before the first garbage is: an eighth of it is written meanwhile. */
static uint64_t kept_bytes(const struct space *space, const struct journal_info *info) {
    uint64_t live = live_bytes(space);
    uint64_t ahead = 2 * info->segment_bytes + info->segment_bytes / 2;
    uint64_t slack =
        space->slack_bytes > ahead ? space->slack_bytes - ahead : space->slack_bytes / 2;
    return 2 * live - live / 8 + slack;
}

/* Those that are left will go: they count no more. */
static bool clean_is_wanted(const struct space *space, struct journal_info *ret_info) {
    const struct cleaning *cleaning = &space->cleaning;
    journal_info(space->journal, ret_info);
    if (cleaning->left_count == CLEAN_LEFT_MAX) return false;
    if (ret_info->first_segment + cleaning->left_count >= ret_info->last_segment) return false;
    uint64_t kept = kept_bytes(space, ret_info);
    return ret_info->stored_bytes > kept + cleaning->left_count * ret_info->segment_bytes;
}

/* Begin with the oldest segment that was not read yet, when there is too much; false: no. */
static bool clean_start(struct space *space) {
    struct journal_info info;
    if (!clean_is_wanted(space, &info)) return false;
    struct hob_error err = {0};
    struct cleaning *cleaning = &space->cleaning;
    uint32_t segment = info.first_segment + cleaning->left_count;
    if (journal_read_open(space->journal, segment, &cleaning->cursor, &err) != HOB_OK) {
        clean_fail(space, &err);
        return false;
    }
    cleaning->segment = segment;
    cleaning->entry.batch.bytes = SLICE_NONE;
    cleaning->entry_at = 0;
    engine_restate_meta(space->engine);
    return true;
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
    cleaning->left_durable_at[cleaning->left_count++] =
        space->filling->head.seq - (space->filling->head.effect_count == 0 ? 1 : 0);
    return false;
}

/* What may be done in one slice. */
struct slice_budget {
    uint64_t effects;
    uint64_t read_bytes;
    uint64_t written_bytes;
};

static uint64_t at_least(uint64_t value, uint64_t least) {
    return value < least ? least : value;
}

/* A turn that wrote much has a larger slice: what is read keeps ahead of what is written, so far
 * that all that is alive could be passed before what is left below the bound is written. */
static struct slice_budget clean_budget(const struct space *space) {
    const struct cleaning *cleaning = &space->cleaning;
    struct journal_info info;
    journal_info(space->journal, &info);
    uint64_t live = live_bytes(space);
    uint64_t bound = 2 * live + space->slack_bytes;
    uint64_t left = bound > info.stored_bytes ? bound - info.stored_bytes : 0;
    /* Two of the first that go stay as spares, and one is under way. */
    uint64_t taken = 3 * info.segment_bytes;
    uint64_t free_bytes = at_least(left > taken ? left - taken : 0, info.segment_bytes / 4);
    hob_assert(free_bytes > 0);
    uint64_t pace = CLEAN_PACE + live / free_bytes;
    if (pace > CLEAN_PACE_MAX || left < info.segment_bytes) pace = CLEAN_PACE_MAX;
    uint64_t bytes = pace * (space->bytes - cleaning->bytes_before);
    /* A batch that is large beside a segment leaves the rest of one empty. */
    uint64_t most = info.segment_bytes / 8;
    uint64_t written_bytes = at_least(bytes, CLEAN_BYTES_MAX);
    return (struct slice_budget){
        .effects = at_least(pace * (space->effects - cleaning->effects_before), CLEAN_EFFECTS_MAX),
        .read_bytes = at_least(bytes, CLEAN_READ_BYTES),
        .written_bytes = written_bytes < most ? written_bytes : most,
    };
}

static void spend(uint64_t *budget, uint64_t value) {
    *budget = *budget > value ? *budget - value : 0;
}

static bool is_spent(const struct slice_budget *budget) {
    return budget->effects == 0 || budget->read_bytes == 0 || budget->written_bytes == 0;
}

/* Make the next batch ready; false: not in this slice, or the segment ends. */
static bool clean_batch(struct space *space, struct slice_budget *budget) {
    struct cleaning *cleaning = &space->cleaning;
    while (!journal_read_warm(space->journal, cleaning->cursor, CLEAN_READ_BYTES)) {
        spend(&budget->read_bytes, CLEAN_READ_BYTES);
        if (budget->read_bytes == 0) return false;
    }
    if (!clean_next_batch(space)) return false;
    /* To read and check a large batch is a turn of its own, unless there is no time. */
    if (cleaning->entry.batch.bytes.size < CLEAN_READ_BYTES) return true;
    return budget->read_bytes > CLEAN_READ_BYTES;
}

/* Read on in the segment; false: not in this slice. */
static bool clean_read(struct space *space, struct slice_budget *budget) {
    struct cleaning *cleaning = &space->cleaning;
    while (!is_spent(budget)) {
        if (cleaning->entry_at >= cleaning->entry.batch.bytes.size) {
            if (!clean_batch(space, budget)) return cleaning->cursor == NULL;
        }
        size_t at = cleaning->entry_at;
        uint64_t written = space->bytes;
        if (!clean_effect(space)) return false;
        spend(&budget->effects, 1);
        spend(&budget->read_bytes, cleaning->entry_at - at);
        spend(&budget->written_bytes, space->bytes - written);
        if (space->filling->bytes.size < BATCH_ROLL_BYTES) continue;
        if (space_is_congested(space)) return false;
        batch_roll(space);
    }
    return false;
}

static void clean_trim(struct space *space) {
    struct cleaning *cleaning = &space->cleaning;
    struct journal_info info;
    journal_info(space->journal, &info);
    struct hob_error err = {0};
    if (journal_trim(space->journal, info.first_segment + 1, &err) != HOB_OK) {
        clean_fail(space, &err);
        return;
    }
    cleaning->left_count--;
    for (uint32_t i = 0; i < cleaning->left_count; i++) {
        cleaning->left_durable_at[i] = cleaning->left_durable_at[i + 1];
    }
    space->stats.cleaned_segments++;
    space->digest_wanted = true;
}

bool clean_is_due(const struct space *space) {
    const struct cleaning *cleaning = &space->cleaning;
    if (cleaning->cursor != NULL) return true;
    return cleaning->left_count > 0 && space->durable >= cleaning->left_durable_at[0];
}

void clean_slice(struct space *space) {
    struct cleaning *cleaning = &space->cleaning;
    if (space->filling->bytes.size >= BATCH_ROLL_BYTES) return;
    while (space->failure.status == HOB_OK && cleaning->left_count > 0 &&
           space->durable >= cleaning->left_durable_at[0]) {
        clean_trim(space);
    }
    struct slice_budget budget = clean_budget(space);
    while (space->failure.status == HOB_OK && !is_spent(&budget)) {
        if (cleaning->cursor == NULL && !clean_start(space)) break;
        if (!clean_read(space, &budget)) break;
    }
    cleaning->effects_before = space->effects;
    cleaning->bytes_before = space->bytes;
}
