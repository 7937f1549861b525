/* SPDX-License-Identifier: Apache-2.0 */
/* An engine in replay, the set of bodies that were seen, and the ids of jobs that were mentioned
 * before their full record was (the rule of engine/carry.c, kept here once more so that a tool can
 * name them). */
#include "space/replica.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "base/idmap.h"
#include "space/bodies.h"

/* How far the counters of a copy leap. */
#define LEAP_IDS    (UINT64_C(1) << 20)
#define LEAP_OTHERS (UINT64_C(1) << 32)

enum {
    LIST_PAGE = 16, /* a job in full is below a MiB: a page stays below the largest batch */
    MEND_BYTES = 512 * 1024,
};

struct replica {
    struct mem mem;
    struct engine *engine;
    struct bodies bodies;
    struct idmap unknown;
    struct effect_scratch scratch;
    struct meta_effect meta; /* the last that the engine told */
    struct replica_lost lost;
    uint64_t missing_body;
    uint64_t mended_to; /* jobs from here on were looked at; 0: none were */
    bool mended;
};

static void on_effect(void *context, const struct effect *effect) {
    struct replica *replica = context;
    if (effect->type == EFFECT_META) replica->meta = effect->meta;
}

static void on_answer(void *context, const struct answer *answer) {
    (void)context;
    (void)answer;
}

static void on_body_drop(void *context, uint64_t body_id) {
    struct replica *replica = context;
    bodies_remove(&replica->bodies, body_id);
}

struct replica *replica_new(void) {
    struct mem mem = {0};
    struct replica *replica = mem_zero_alloc(&mem, sizeof *replica);
    struct engine_options options = {
        .sink =
            {
                .context = replica,
                .effect = on_effect,
                .answer = on_answer,
                .body_drop = on_body_drop,
            },
        .keeps_digest = true,
    };
    replica->engine = engine_new(&options);
    idmap_init(&replica->unknown, &replica->mem);
    return replica;
}

void replica_free(struct replica *replica) {
    if (replica == NULL) return;
    engine_free(replica->engine);
    bodies_deinit(&replica->bodies);
    idmap_deinit(&replica->unknown);
    effect_scratch_deinit(&replica->scratch);
    struct mem mem = {.used_bytes = sizeof *replica};
    mem_free(&mem, replica, sizeof *replica);
}

/* Remember what is mentioned and not known. */
static void mention_note(struct replica *replica, const struct effect *effect) {
    uint64_t id = effect_job_id(effect);
    if (id == 0 || id > INT64_MAX) return;
    bool unknown = idmap_get(&replica->unknown, id) != 0;
    bool settles = effect->type == EFFECT_JOB_PUT || effect->type == EFFECT_JOB_DELETED;
    if (settles && unknown) idmap_remove(&replica->unknown, id);
    if (settles || unknown) return;
    struct job_view view;
    if (!engine_job(replica->engine, id, &view)) idmap_set(&replica->unknown, id, 1);
}

static enum hob_status
effect_carry(struct replica *replica, const struct effect *effect, struct hob_error *err) {
    if (effect->type == EFFECT_BODY) {
        struct slice bytes = effect->body.bytes;
        if (crc32c(0, bytes.bytes, bytes.size) != effect->body.crc) {
            return fail(
                err,
                HOB_CORRUPT,
                "body %llu is not what its checksum says",
                (unsigned long long)effect->body.id
            );
        }
    }
    if (effect->type == EFFECT_BODY && effect->body.id != 0) {
        bodies_put(&replica->bodies, (struct body_place){.id = effect->body.id});
    }
    enum hob_status status = engine_replay(replica->engine, effect, err);
    if (status == HOB_OK) mention_note(replica, effect);
    return status;
}

/* Carry out an effect of our own, and gather it. */
static void
effect_make(struct replica *replica, const struct effect *effect, struct replica_out *kept) {
    enum hob_status status = effect_carry(replica, effect, NULL);
    hob_assert(status == HOB_OK);
    bool fits = effect_encode(effect, &kept->bytes);
    hob_assert(fits);
    kept->count++;
}

void replica_skips(struct replica *replica) {
    replica->lost.unseen_more = true;
}

/* Ids are given out one by one, so the next push tells how many were before it. Where nothing was
 * read yet nothing can be told. */
static void unseen_count(struct replica *replica, const struct effect *effect) {
    if (!replica->lost.unseen_more || effect->type != EFFECT_JOB_PUT) return;
    struct engine_stats stats;
    engine_stats(replica->engine, &stats);
    uint64_t id = effect->job_put.job.id;
    if (id < stats.next_id) return; /* told again */
    if (stats.next_id > 1) replica->lost.unseen += id - stats.next_id;
    replica->lost.unseen_more = false;
}

enum hob_status replica_batch(
    struct replica *replica,
    const struct journal_batch *batch,
    struct replica_out *kept,
    struct digests *digests,
    struct hob_error *err
) {
    engine_home_set(replica->engine, (uint32_t)batch->seq);
    struct slice bytes = batch->bytes;
    uint32_t count = 0;
    size_t used = 0;
    for (size_t at = 0; at < bytes.size; at += used, count++) {
        struct effect effect;
        struct slice rest = slice_of(bytes.bytes + at, bytes.size - at);
        used = effect_decode(rest, &replica->scratch, &effect, err);
        /* The bytes are as they were written, so this is no damage but another version. */
        if (used == 0) return HOB_CORRUPT;
        if (effect.type == EFFECT_DIGEST) {
            enum hob_status status = digests_compare(digests, replica->engine, &effect.digest, err);
            if (status != HOB_OK) return status;
            continue;
        }
        unseen_count(replica, &effect);
        enum hob_status status = effect_carry(replica, &effect, err);
        if (status != HOB_OK && kept == NULL) return status;
        if (status != HOB_OK) {
            replica->lost.effects++;
        } else if (kept != NULL) {
            bool fits = buf_put(&kept->bytes, rest.bytes, used);
            hob_assert(fits);
            kept->count++;
        }
    }
    if (kept != NULL && kept->time_ns < batch->time_ns) kept->time_ns = batch->time_ns;
    if (count == batch->effect_count) return HOB_OK;
    return fail(
        err,
        HOB_CORRUPT,
        "batch %llu: %u effects were announced, %u found",
        (unsigned long long)batch->seq,
        batch->effect_count,
        count
    );
}

/* --- mending --- */

static bool is_missing(const struct replica *replica, const struct body_ref *body) {
    return body->id != 0 && bodies_find(&replica->bodies, body->id) == NULL;
}

static uint32_t piece_drop(const struct replica *replica, struct body_ref *body) {
    if (!is_missing(replica, body)) return 0;
    *body = (struct body_ref){0};
    return 1;
}

static void job_drop(
    struct replica *replica,
    uint64_t id,
    const char *why,
    struct replica_out *kept,
    const struct replica_tell *tell
) {
    struct effect effect = {.type = EFFECT_JOB_DELETED, .job_deleted = {.id = id}};
    effect_make(replica, &effect, kept);
    replica->lost.jobs++;
    tell->job(tell->context, id, true, why);
}

static void logs_reserve(struct replica *replica, uint32_t count) {
    struct effect_scratch *scratch = &replica->scratch;
    if (count <= scratch->log_capacity) return;
    scratch->logs = mem_resize(
        &scratch->mem,
        scratch->logs,
        scratch->log_capacity * sizeof *scratch->logs,
        count * sizeof *scratch->logs
    );
    scratch->log_capacity = count;
}

/* Forget what is missing of the job in @view; how many pieces. */
static uint32_t pieces_drop(struct replica *replica, struct job_view *view) {
    uint32_t dropped = piece_drop(replica, &view->result);
    dropped += piece_drop(replica, &view->checkpoint);
    for (uint32_t i = 0; i < view->error_count; i++) {
        dropped += piece_drop(replica, &view->errors[i].backtrace);
    }
    uint32_t logs_kept = 0;
    logs_reserve(replica, view->log_count);
    for (uint32_t i = 0; i < view->log_count; i++) {
        if (is_missing(replica, &view->logs[i])) {
            view->log_lost_bytes += view->logs[i].size;
            dropped++;
        } else {
            replica->scratch.logs[logs_kept++] = view->logs[i];
        }
    }
    view->logs = replica->scratch.logs;
    view->log_count = logs_kept;
    return dropped;
}

/* The record borrows from the job that it replaces: it takes the way through bytes. */
static void
job_put_again(struct replica *replica, const struct job_view *view, struct replica_out *kept) {
    struct effect effect = {.type = EFFECT_JOB_PUT, .job_put = {.job = *view}};
    size_t from = kept->bytes.size;
    bool fits = effect_encode(&effect, &kept->bytes);
    hob_assert(fits);
    kept->count++;
    struct slice bytes = slice_of(kept->bytes.bytes + from, kept->bytes.size - from);
    size_t used = effect_decode(bytes, &replica->scratch, &effect, NULL);
    hob_assert(used == bytes.size);
    enum hob_status status = effect_carry(replica, &effect, NULL);
    hob_assert(status == HOB_OK);
}

static void job_mend(
    struct replica *replica, uint64_t id, struct replica_out *kept, const struct replica_tell *tell
) {
    struct job_view view;
    bool there = engine_job(replica->engine, id, &view);
    hob_assert(there);
    if (is_missing(replica, &view.payload_body)) {
        job_drop(replica, id, "its payload is lost", kept, tell);
        return;
    }
    uint32_t dropped = pieces_drop(replica, &view);
    if (dropped == 0) return;
    replica->lost.pieces += dropped;
    job_put_again(replica, &view, kept);
    tell->job(tell->context, id, false, "parts of its result, log or errors are lost");
}

bool replica_mend(
    struct replica *replica, struct replica_out *kept, const struct replica_tell *tell
) {
    uint64_t id;
    while (idmap_next(&replica->unknown, 0, &id) != 0) {
        job_drop(replica, id, "its record is lost", kept, tell);
        if (kept->bytes.size >= MEND_BYTES) return true;
    }
    struct job_filter filter = {0};
    uint64_t ids[LIST_PAGE];
    while (!replica->mended) {
        uint32_t count = 0;
        struct page_limits limits = {replica->mended_to, LIST_PAGE, LIST_PAGE};
        replica->mended_to = engine_list(replica->engine, &filter, limits, ids, &count);
        replica->mended = replica->mended_to == 0;
        for (uint32_t i = 0; i < count; i++) job_mend(replica, ids[i], kept, tell);
        if (kept->bytes.size >= MEND_BYTES) return true;
    }
    return false;
}

void replica_leap(struct replica *replica, struct replica_out *kept) {
    engine_restate_meta(replica->engine);
    struct effect effect = {.type = EFFECT_META, .meta = replica->meta};
    effect.meta.next_id += LEAP_IDS;
    effect.meta.next_token += LEAP_OTHERS;
    effect.meta.next_body += LEAP_OTHERS;
    effect_make(replica, &effect, kept);
}

void replica_digest(struct replica *replica, struct replica_out *kept) {
    struct effect effect = digest_of(replica->engine, 1);
    effect_make(replica, &effect, kept);
}

/* --- the end --- */

struct replica_lost replica_lost(const struct replica *replica) {
    return replica->lost;
}

static void on_body(void *context, uint64_t id) {
    struct replica *replica = context;
    if (bodies_find(&replica->bodies, id) == NULL) replica->missing_body = id;
}

enum hob_status replica_end(struct replica *replica, struct hob_error *err) {
    replica->missing_body = 0;
    enum hob_status status = engine_replay_end(replica->engine, 0, 0, on_body, replica, err);
    if (status != HOB_OK || replica->missing_body == 0) return status;
    return fail(
        err,
        HOB_CORRUPT,
        "body %llu is referred to by a job and is nowhere in the journal",
        (unsigned long long)replica->missing_body
    );
}

const struct engine *replica_engine(const struct replica *replica) {
    return replica->engine;
}
