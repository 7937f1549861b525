/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of the durable state: the sum of the hashes of all full records, so that neither the
 * order of a walk nor that of effects matters.
 *
 * Two ways to it, which must agree. engine_digest walks everything. An engine made with
 * `keeps_digest` also carries the sum along: an effect takes out the hash of the object that it
 * touches before it is carried out, and puts in the new one after.
 *
 * A new effect names its object in touched_by; the compiler asks for it (the switch has no
 * default). A new sort of object gets a word in enum touched, its hash in touched_hash, and a loop
 * in engine_digest. An effect that touches more than it names, and state that changes without an
 * effect, are found by engine_check, which compares the two ways. */
#include "engine/jobhash.h"
#include "engine/valves.h"

enum touched {
    TOUCHED_NOTHING,
    TOUCHED_JOB,
    TOUCHED_QUEUE,
    TOUCHED_KEY,
    TOUCHED_GATE,
    TOUCHED_TOKEN,
    TOUCHED_RUNNING /* all jobs that run */
};

/* The counters (META) are added when the digest is read, and a body is a job's affair. */
static enum touched touched_by(enum effect_type type) {
    switch (type) {
    case EFFECT_META:
    case EFFECT_BODY:
    case EFFECT_DIGEST:
        return TOUCHED_NOTHING;
    case EFFECT_JOB_PUT:
    case EFFECT_JOB_RUN:
    case EFFECT_JOB_LEASE:
    case EFFECT_JOB_DONE:
    case EFFECT_JOB_FAILED:
    case EFFECT_JOB_RELEASED:
    case EFFECT_JOB_STAGED:
    case EFFECT_JOB_ENDED:
    case EFFECT_JOB_RETRIED:
    case EFFECT_JOB_DELETED:
    case EFFECT_JOB_LOGGED:
    case EFFECT_JOB_PROGRESS:
    case EFFECT_JOB_CHECKPOINT:
        return TOUCHED_JOB;
    case EFFECT_QUEUE_PUT:
        return TOUCHED_QUEUE;
    case EFFECT_KEY_PUT:
    case EFFECT_KEY_DROP:
        return TOUCHED_KEY;
    case EFFECT_VALVE_PUT:
    case EFFECT_VALVE_DROP:
    case EFFECT_VALVE_TAKEN:
        return TOUCHED_GATE;
    case EFFECT_TOKEN_PUT:
    case EFFECT_TOKEN_DROP:
        return TOUCHED_TOKEN;
    case EFFECT_CLOCK_JUMPED:
        return TOUCHED_RUNNING;
    case EFFECT_NONE:
        break;
    }
    hob_assert(false && "an effect that names no object");
    return TOUCHED_NOTHING;
}

/* The parts of a job that an effect may change. */
static unsigned parts_by(enum effect_type type) {
    if (type == EFFECT_JOB_PUT || type == EFFECT_JOB_DELETED) return JOB_PARTS;
    return type == EFFECT_JOB_LOGGED ? JOB_PART_HOT | JOB_PART_LOGS : JOB_PART_HOT;
}

/* --- the hash of an object: that of its full record; of a job, see jobhash.c --- */

static uint64_t effect_hash(const struct effect *effect, struct buf *scratch) {
    static const struct siphash_key key = {{0x686f62, 0x646967657374}};
    buf_reset(scratch);
    bool fits = effect_encode(effect, scratch);
    hob_assert(fits);
    return siphash(key, buf_slice(scratch));
}

/* A queue without settings of its own is not durable. */
static uint64_t queue_hash(const struct engine *engine, uint32_t handle, struct buf *scratch) {
    const struct queue *queue = queue_at(engine, handle);
    if (!queue->is_set) return 0;
    struct effect effect = {.type = EFFECT_QUEUE_PUT};
    queue_view_fill(engine, queue, &effect.queue_put.queue);
    return effect_hash(&effect, scratch);
}

static uint64_t key_hash(const struct engine *engine, uint32_t handle, struct buf *scratch) {
    const struct key *key = pool_at(&engine->keys, handle);
    struct effect effect = {
        .type = EFFECT_KEY_PUT,
        .key_put = key_put_of(key),
    };
    return effect_hash(&effect, scratch);
}

/* A valve that is held only by a rule, and the rate of a queue, which is the queue's, are not. */
static uint64_t valve_hash(const struct engine *engine, uint32_t handle, struct buf *scratch) {
    const struct valve *valve = valve_at(engine, handle);
    if (!valve->is_kept) return 0;
    struct effect effect = {.type = EFFECT_VALVE_PUT};
    valve_view_fill(engine, valve, &effect.valve_put.valve);
    return effect_hash(&effect, scratch);
}

static uint64_t token_hash(const struct token *token, struct buf *scratch) {
    struct effect effect = {.type = EFFECT_TOKEN_PUT};
    token_view_fill(token, &effect.token_put.token);
    return effect_hash(&effect, scratch);
}

static uint64_t counters_hash(const struct engine *engine) {
    return index_hash_pair(engine->next_id, engine->next_token) +
           index_hash_pair(engine->next_body, 3);
}

/* --- by walking --- */

enum { SCRATCH_BYTES_MAX = 64 * 1024 * 1024 };

uint64_t engine_digest(const struct engine *engine) {
    HOB_AUTO_BUF struct buf scratch = buf_make(SCRATCH_BYTES_MAX);
    uint64_t digest = counters_hash(engine);
    uint64_t id = 0;
    uint32_t handle = 0;
    for (uint64_t from = 0; (handle = idmap_next(&engine->job_ids, from, &id)) != 0;
         from = id + 1) {
        digest += job_hash(engine, job_at(engine, handle), JOB_PARTS);
    }
    for (uint32_t i = 0; i < engine->queue_count; i++) {
        digest += queue_hash(engine, engine->queue_list[i], &scratch);
    }
    for (uint32_t i = 0; i < engine->key_due.count; i++) {
        digest += key_hash(engine, engine->key_due.entries[i].item, &scratch);
    }
    for (uint32_t at = engine->kept_first; at != 0; at = valve_at(engine, at)->kept_next) {
        digest += valve_hash(engine, at, &scratch);
    }
    for (uint32_t i = 0; i < engine->token_count; i++) {
        digest += token_hash(&engine->tokens[i], &scratch);
    }
    return digest;
}

/* --- by carrying it along --- */

static struct key_name key_name(const struct effect *effect) {
    if (effect->type == EFFECT_KEY_PUT) {
        return (struct key_name){effect->key_put.key, effect->key_put.is_unique};
    }
    return (struct key_name){effect->key_drop.key, effect->key_drop.is_unique};
}

static struct valve_name effect_valve_name(const struct effect *effect) {
    if (effect->type == EFFECT_VALVE_DROP) return effect->valve_drop.valve;
    if (effect->type == EFFECT_VALVE_TAKEN) return effect->valve_taken.valve;
    const struct valve_view *valve = &effect->valve_put.valve;
    return (struct valve_name){.sort = valve->sort, .queue = valve->queue, .name = valve->name};
}

static struct slice token_name(const struct effect *effect) {
    return effect->type == EFFECT_TOKEN_PUT ? effect->token_put.token.name
                                            : effect->token_drop.name;
}

static uint64_t token_hash_by_name(struct engine *engine, struct slice name) {
    for (uint32_t i = 0; i < engine->token_count; i++) {
        const struct token *token = &engine->tokens[i];
        if (slice_equal(text_slice(token->name), name)) {
            return token_hash(token, &engine->digest_scratch);
        }
    }
    return 0;
}

static uint64_t valve_hash_by_name(struct engine *engine, const struct effect *effect) {
    struct valve_name name = effect_valve_name(effect);
    if (name.sort == VALVE_QUEUE) {
        uint32_t queue = queue_find(engine, name.name);
        return queue == 0 ? 0 : queue_hash(engine, queue, &engine->digest_scratch);
    }
    uint32_t valve = valve_find(engine, &name);
    return valve == 0 ? 0 : valve_hash(engine, valve, &engine->digest_scratch);
}

/* The hash of the object as it is now; 0 while there is none. */
static uint64_t touched_hash(struct engine *engine, const struct effect *effect) {
    struct buf *scratch = &engine->digest_scratch;
    uint32_t handle = 0;
    switch (touched_by(effect->type)) {
    case TOUCHED_NOTHING:
        return 0;
    case TOUCHED_JOB:
        handle = job_find(engine, effect_job_id(effect));
        if (handle == 0) return 0;
        return job_hash(engine, job_at(engine, handle), parts_by(effect->type));
    case TOUCHED_QUEUE:
        handle = queue_find(engine, effect->queue_put.queue.name);
        return handle == 0 ? 0 : queue_hash(engine, handle, scratch);
    case TOUCHED_KEY:
        handle = key_find(engine, key_name(effect));
        return handle == 0 ? 0 : key_hash(engine, handle, scratch);
    case TOUCHED_GATE:
        return valve_hash_by_name(engine, effect);
    case TOUCHED_TOKEN:
        return token_hash_by_name(engine, token_name(effect));
    case TOUCHED_RUNNING:
        return running_hash(engine);
    }
    return 0;
}

void digest_before(struct engine *engine, const struct effect *effect) {
    if (engine->keeps_digest) engine->digest -= touched_hash(engine, effect);
}

void digest_after(struct engine *engine, const struct effect *effect) {
    if (!engine->keeps_digest) return;
    /* The name in such an effect may have been the object's own, and is gone with it. */
    if (effect->type == EFFECT_KEY_DROP || effect->type == EFFECT_TOKEN_DROP) return;
    if (effect->type == EFFECT_VALVE_DROP) return;
    engine->digest += touched_hash(engine, effect);
}

void digest_init(struct engine *engine, bool keeps) {
    engine->keeps_digest = keeps;
    engine->digest_scratch = buf_make(SCRATCH_BYTES_MAX);
}

void digest_free(struct engine *engine) {
    buf_deinit(&engine->digest_scratch);
}

uint64_t engine_digest_kept(const struct engine *engine) {
    hob_assert(engine->keeps_digest);
    return counters_hash(engine) + engine->digest;
}
