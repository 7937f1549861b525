/* SPDX-License-Identifier: Apache-2.0 */
/* The engine alone, with its twin and its tape; and the face that picks between this setting and
 * the space (space_side.c). */
#include "tests/sim/target.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "tests/sim/space_side.h"
#include "tests/sim/tape.h"

struct held_body {
    uint64_t hash;
    size_t size;
    bool held;
};

struct target {
    struct target_options options;
    struct dice dice;
    struct space_side *side; /* NULL: alone, and all that follows is used */
    struct engine *live;
    bool is_replaying; /* live is being made again: what it drops was dropped before */
    struct engine *twin;
    struct tape tape;
    struct buf encoded;
    struct effect_scratch scratch;
    struct held_body *bodies; /* by id - 1 */
    uint64_t body_count;
    uint64_t body_capacity;
    uint64_t held_count;
    uint64_t twin_drop_count;
    uint64_t live_drop_count;
};

/* One effect with the largest body in it. */
enum { ENCODED_BYTES_MAX = PAYLOAD_BYTES_MAX + 1024 * 1024 };

__attribute__((format(printf, 2, 3))) static void
broken(struct target *target, const char *format, ...) {
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    target->options.broken(target->options.context, text);
    abort();
}

static void body_came(struct target *target, const struct body_effect *body) {
    if (body->id != target->body_count + 1) {
        broken(
            target,
            "body id %llu follows %llu",
            (unsigned long long)body->id,
            (unsigned long long)target->body_count
        );
    }
    if (crc32c(0, body->bytes.bytes, body->bytes.size) != body->crc) {
        broken(target, "body %llu: wrong crc", (unsigned long long)body->id);
    }
    if (target->body_count == target->body_capacity) {
        target->body_capacity = target->body_capacity == 0 ? 256 : target->body_capacity * 2;
        size_t bytes = target->body_capacity * sizeof(struct held_body);
        target->bodies = realloc(target->bodies, bytes);
        hob_assert(target->bodies != NULL);
    }
    target->bodies[target->body_count++] = (struct held_body){
        .hash = bytes_hash(body->bytes.bytes, body->bytes.size),
        .size = body->bytes.size,
        .held = true,
    };
    target->held_count++;
}

/* The live engine has decided something: to the tape, and through the codec to the twin. */
static void on_effect(void *context, const struct effect *effect) {
    struct target *target = context;
    buf_reset(&target->encoded);
    if (!effect_encode(effect, &target->encoded)) broken(target, "an effect did not encode");
    tape_append(&target->tape, buf_slice(&target->encoded));
    struct effect decoded;
    struct hob_error err = {.status = HOB_OK};
    struct slice bytes = buf_slice(&target->encoded);
    size_t used = effect_decode(bytes, &target->scratch, &decoded, &err);
    if (used != bytes.size) {
        broken(target, "decode used %zu of %zu: %s", used, bytes.size, err.text);
    }
    if (decoded.type != effect->type) broken(target, "decode gave another type");
    if (effect->type == EFFECT_BODY) body_came(target, &effect->body);
    if (engine_replay(target->twin, &decoded, &err) != HOB_OK) {
        broken(target, "replay refused effect type %d: %s", (int)effect->type, err.text);
    }
}

static void on_answer(void *context, const struct answer *answer) {
    struct target *target = context;
    target->options.answer(target->options.context, answer);
}

static void on_notice(void *context, const struct notice *notice) {
    struct target *target = context;
    target->options.notice(target->options.context, notice);
}

static void on_body_drop(void *context, uint64_t body_id) {
    struct target *target = context;
    if (target->is_replaying) return;
    bool is_known = body_id > 0 && body_id <= target->body_count;
    if (!is_known || !target->bodies[body_id - 1].held) {
        broken(target, "body %llu dropped, but is not held", (unsigned long long)body_id);
    }
    target->bodies[body_id - 1].held = false;
    target->held_count--;
    target->live_drop_count++;
}

static void on_twin_effect(void *context, const struct effect *effect) {
    (void)effect;
    broken(context, "replay emitted an effect");
}

static void on_twin_answer(void *context, const struct answer *answer) {
    (void)answer;
    broken(context, "replay answered");
}

static void on_twin_body_drop(void *context, uint64_t body_id) {
    struct target *target = context;
    (void)body_id;
    target->twin_drop_count++;
}

static void on_nothing(void *context, uint64_t body_id) {
    (void)context;
    (void)body_id;
}

static struct siphash_key any_key(struct target *target) {
    uint64_t low = dice_u64(&target->dice);
    return (struct siphash_key){.words = {low, dice_u64(&target->dice)}};
}

static struct engine_options replay_options(struct target *target) {
    return (struct engine_options){
        .sink =
            {
                .context = target,
                .effect = on_twin_effect,
                .answer = on_twin_answer,
                .body_drop = on_nothing,
            },
        .hash_key = any_key(target),
        .keeps_digest = true,
    };
}

static struct engine_options live_options(struct target *target) {
    return (struct engine_options){
        .sink =
            {
                .context = target,
                .effect = on_effect,
                .answer = on_answer,
                .notice = on_notice,
                .body_drop = on_body_drop,
            },
        .hash_key = any_key(target),
        .memory_max_bytes = target->options.memory_max_bytes,
        .keeps_digest = true,
    };
}

struct target *target_new(const struct target_options *options) {
    struct target *target = calloc(1, sizeof(*target));
    hob_assert(target != NULL);
    target->options = *options;
    target->dice = dice_of(options->seed ^ UINT64_C(0x7a7a));
    if (options->setting != TARGET_ALONE) {
        target->side = space_side_new(options);
        return target;
    }
    target->encoded = buf_make(ENCODED_BYTES_MAX);
    struct engine_options live = live_options(target);
    struct engine_options twin = replay_options(target);
    twin.sink.body_drop = on_twin_body_drop;
    target->live = engine_new(&live);
    target->twin = engine_new(&twin);
    engine_home_set(target->live, tape_next_batch(&target->tape));
    return target;
}

void target_free(struct target *target) {
    if (target == NULL) return;
    space_side_free(target->side);
    engine_free(target->live);
    engine_free(target->twin);
    tape_deinit(&target->tape);
    buf_deinit(&target->encoded);
    effect_scratch_deinit(&target->scratch);
    free(target->bodies);
    free(target);
}

/* Clean the oldest batch of the tape: see space_clean in src/space, which does it in slices. */
static void clean_oldest(struct target *target) {
    const struct tape_batch *batch = target->tape.batches[0];
    struct effect_scratch scratch = {.logs = NULL};
    struct effect effect;
    size_t at = 0;
    size_t before = 0;
    while (tape_next(batch, &at, &scratch, &effect)) {
        if (effect.type == EFFECT_BODY) {
            struct slice bytes = slice_of(batch->bytes.bytes + before, at - before);
            if (target->bodies[effect.body.id - 1].held) tape_append(&target->tape, bytes);
        } else {
            (void)engine_restate(target->live, &effect, batch->home);
        }
        before = at;
    }
    effect_scratch_deinit(&scratch);
    engine_restate_meta(target->live);
    tape_drop_oldest(&target->tape);
}

/* Batches end at random places; a long tape is cleaned from its end. */
static void tape_turns(struct target *target) {
    if (!dice_once_in(&target->dice, 3)) return;
    uint32_t home = tape_next_batch(&target->tape);
    engine_home_set(target->live, home);
    if (target->tape.batch_count > 3 && dice_once_in(&target->dice, 3)) {
        uint64_t count = dice_small(&target->dice, target->tape.batch_count - 1);
        for (uint64_t i = 0; i < count; i++) clean_oldest(target);
    }
}

void target_apply(
    struct target *target, hob_ns now_ns, const struct command *command, struct answer *ret_answer
) {
    if (target->side != NULL) {
        space_side_apply(target->side, now_ns, command, ret_answer);
        return;
    }
    tape_turns(target);
    engine_apply(target->live, now_ns, command, ret_answer);
}

void target_turn(struct target *target, hob_ns now_ns, uint32_t budget) {
    if (target->side != NULL) {
        space_side_turn(target->side, now_ns);
        return;
    }
    hob_ns due_ns = 0;
    for (uint32_t i = 0; i < 100000 && due_ns <= now_ns; i++) {
        due_ns = engine_turn(target->live, now_ns, budget);
    }
    if (due_ns <= now_ns) broken(target, "turn after turn at the same time, and still work to do");
    if (due_ns != engine_due(target->live)) {
        broken(target, "engine_turn does not answer engine_due");
    }
}

const struct engine *target_engine(const struct target *target) {
    return target->side != NULL ? space_side_engine(target->side) : target->live;
}

hob_ns target_due(const struct target *target) {
    return target->side != NULL ? space_side_due(target->side) : engine_due(target->live);
}

bool target_may_restart(const struct target *target) {
    return target->options.setting != TARGET_SPACE_MEMORY;
}

void target_restart(struct target *target, hob_ns now_ns) {
    hob_assert(target_may_restart(target));
    if (target->side != NULL) {
        space_side_restart(target->side, now_ns);
        return;
    }
    uint64_t digest = engine_digest(target->live);
    struct engine_options options = live_options(target);
    struct hob_error err = {.status = HOB_OK};
    engine_free(target->live);
    target->is_replaying = true;
    target->live = tape_replay(&target->tape, &options, now_ns, LEASE_DEFAULT_NS, &err);
    target->is_replaying = false;
    if (target->live == NULL) broken(target, "restart from the tape: %s", err.text);
    if (engine_digest(target->live) != digest) broken(target, "another digest after a restart");
    engine_home_set(target->live, tape_next_batch(&target->tape));
}

void target_check(struct target *target) {
    engine_check(target_engine(target));
    if (target->side != NULL) return;
    engine_check(target->twin);
    /* engine_check has found each kept digest equal to that of a walk. */
    uint64_t digest = engine_digest_kept(target->live);
    if (engine_digest_kept(target->twin) != digest) {
        broken(target, "the digest of the twin differs");
    }
    if (target->twin_drop_count != target->live_drop_count) {
        broken(target, "the twin dropped other bodies");
    }
    struct engine_options options = replay_options(target);
    struct hob_error err = {.status = HOB_OK};
    struct engine *again = tape_replay(&target->tape, &options, 0, 0, &err);
    if (again == NULL) broken(target, "replay of the tape: %s", err.text);
    engine_check(again);
    if (engine_digest_kept(again) != digest) {
        broken(target, "the digest of the replayed tape differs");
    }
    target->options.replayed(target->options.context, again);
    engine_free(again);
}

void target_compare_twin(struct target *target) {
    if (target->side != NULL) return;
    if (engine_digest_kept(target->live) == engine_digest_kept(target->twin)) return;
    broken(target, "the digest that the twin keeps differs");
}

bool target_has_body(struct target *target, uint64_t body_id, size_t size, uint64_t hash) {
    if (target->side != NULL) return space_side_has_body(target->side, body_id, size, hash);
    if (body_id == 0 || body_id > target->body_count) return false;
    const struct held_body *body = &target->bodies[body_id - 1];
    return body->held && body->size == size && body->hash == hash;
}

uint64_t target_body_count(const struct target *target) {
    return target->side != NULL ? space_side_body_count(target->side) : target->held_count;
}
