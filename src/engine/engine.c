/* SPDX-License-Identifier: Apache-2.0 */
/* The engine as a whole: its making, the way of a command through it, replay and cleaning. */
#include "engine/engine.h"

#include "engine/demands.h"
#include "engine/valves.h"
#include "engine/watch.h"

static void pools_init(struct engine *engine) {
    pool_init(&engine->jobs, &engine->mem, sizeof(struct job));
    pool_init(&engine->sides, &engine->mem, sizeof(struct side));
    pool_init(&engine->runs, &engine->mem, sizeof(struct run));
    pool_init(&engine->kinds, &engine->mem, sizeof(struct kind));
    pool_init(&engine->queues, &engine->mem, sizeof(struct queue));
    pool_init(&engine->workers, &engine->mem, sizeof(struct worker));
    pool_init(&engine->keys, &engine->mem, sizeof(struct key));
    pool_init(&engine->lanes, &engine->mem, sizeof(struct lane));
    pool_init(&engine->branches, &engine->mem, sizeof(struct branch));
    pool_init(&engine->groups, &engine->mem, sizeof(struct group));
    pool_init(&engine->valves, &engine->mem, sizeof(struct valve));
    pool_init(&engine->limiters, &engine->mem, sizeof(struct limiter));
    pool_init(&engine->limits, &engine->mem, sizeof(struct limits));
    pool_init(&engine->demands, &engine->mem, sizeof(struct demand));
    pool_init(&engine->waiters, &engine->mem, sizeof(struct waiter));
    pool_init(&engine->skills, &engine->mem, sizeof(struct skill));
    pool_init(&engine->watches, &engine->mem, sizeof(struct watch));
    pool_init(&engine->spots, &engine->mem, sizeof(struct spot));
    idmap_init(&engine->job_ids, &engine->mem);
    idmap_init(&engine->unknown, &engine->mem);
}

struct engine *engine_new(const struct engine_options *options) {
    struct mem mem = {0};
    struct engine *engine = mem_zero_alloc(&mem, sizeof *engine);
    engine->sink = options->sink;
    engine->mem = mem;
    engine->hash_key = options->hash_key;
    engine->memory_max_bytes = options->memory_max_bytes;
    engine->next_id = 1;
    engine->next_token = 1;
    engine->next_body = 1;
    engine->next_seq = 1;
    digest_init(engine, options->keeps_digest);
    pools_init(engine);
    engine->picked = mem_alloc(&engine->mem, FETCH_COUNT_MAX * sizeof *engine->picked);
    return engine;
}

static void no_body_drop(void *context, uint64_t body_id) {
    (void)context;
    (void)body_id;
}

void engine_free(struct engine *engine) {
    if (engine == NULL) return;
    engine->sink.body_drop = no_body_drop;
    while (engine->deadlines.count > 0) waiter_free(engine, engine->deadlines.entries[0].item);
    watches_free(engine);
    uint64_t id = 0;
    while (engine->job_ids.count > 0) {
        job_unmake(engine, idmap_next(&engine->job_ids, 0, &id), false);
    }
    digest_free(engine);
    valves_free(engine);
    limiters_free(engine);
    demands_free(engine);
    names_free(engine);
    tokens_free(engine);
    heap_deinit(&engine->terms, &engine->mem);
    heap_deinit(&engine->over, &engine->mem);
    heap_deinit(&engine->key_due, &engine->mem);
    heap_deinit(&engine->hungry, &engine->mem);
    index_deinit(&engine->refs, &engine->mem);
    index_deinit(&engine->uniques, &engine->mem);
    index_deinit(&engine->blocked, &engine->mem);
    index_deinit(&engine->branch_keys, &engine->mem);
    index_deinit(&engine->lane_keys, &engine->mem);
    index_deinit(&engine->group_names, &engine->mem);
    idmap_deinit(&engine->job_ids);
    idmap_deinit(&engine->unknown);
    struct pool *pools[] = {
        &engine->jobs,
        &engine->sides,
        &engine->runs,
        &engine->kinds,
        &engine->queues,
        &engine->workers,
        &engine->keys,
        &engine->lanes,
        &engine->branches,
        &engine->groups,
        &engine->valves,
        &engine->limiters,
        &engine->limits,
        &engine->demands,
        &engine->waiters,
        &engine->skills,
        &engine->watches,
        &engine->spots,
    };
    for (size_t i = 0; i < hob_countof(pools); i++) pool_deinit(pools[i]);
    pushed_free(engine);
    mem_free(&engine->mem, engine->picked, FETCH_COUNT_MAX * sizeof *engine->picked);
    struct mem mem = engine->mem;
    hob_assert(mem.used_bytes == sizeof *engine); /* nothing leaks */
    mem_free(&mem, engine, sizeof *engine);
}

/* --- commands --- */

void answer_set(struct answer *answer, enum answer_code code, const char *detail) {
    answer->code = code;
    answer->detail = detail;
}

typedef void
apply_function(struct engine *engine, const struct command *command, struct answer *answer);

static apply_function *const apply_functions[] = {
#define X(NAME, member, text) [COMMAND_##NAME] = apply_##member,
    ENGINE_COMMANDS(X)
#undef X
};
_Static_assert(hob_countof(apply_functions) == COMMAND_TYPE_COUNT, "each command is applied");

void engine_apply(
    struct engine *engine, hob_ns now_ns, const struct command *command, struct answer *ret_answer
) {
    hob_assert(command->type < COMMAND_TYPE_COUNT);
    hob_assert(!engine->replaying);
    if (engine->now_ns < now_ns) engine->now_ns = now_ns;
    *ret_answer = (struct answer){.code = ANSWER_OK, .request = command->request};
    valves_open(engine);
    apply_functions[command->type](engine, command, ret_answer);
    /* A fetch's own answer borrows `picked`, so it is never followed by serving others: it feeds no
     * queue, and what time has opened is served with the next turn. */
    if (engine->hungry.count == 0 || command->type == COMMAND_FETCH) return;
    waiters_serve(engine);
}

/* --- replay --- */

enum hob_status
engine_replay(struct engine *engine, const struct effect *effect, struct hob_error *err) {
    engine->replaying = true;
    return carry(engine, effect, err);
}

static void job_bodies(
    const struct engine *engine,
    const struct job *job,
    void (*body)(void *context, uint64_t body_id),
    void *context
) {
    if (job->payload_size > PAYLOAD_INLINE_BYTES_MAX) body(context, job->payload.body_id);
    if (job->side == 0) return;
    const struct side *side = side_at(engine, job->side);
    if (side->result.id != 0) body(context, side->result.id);
    if (side->checkpoint.id != 0) body(context, side->checkpoint.id);
    for (uint32_t i = 0; i < side->error_count; i++) {
        if (side->errors[i].backtrace.id != 0) body(context, side->errors[i].backtrace.id);
    }
    for (uint32_t i = 0; i < side->log_count; i++) body(context, side->logs[i].id);
}

enum hob_status engine_replay_end(
    struct engine *engine,
    hob_ns now_ns,
    hob_ns grace_ns,
    void (*body)(void *context, uint64_t body_id),
    void *context,
    struct hob_error *err
) {
    uint64_t id = 0;
    if (engine->unknown.count > 0) {
        (void)idmap_next(&engine->unknown, 0, &id);
        return fail(
            err,
            HOB_CORRUPT,
            "job %llu is mentioned, but its full record is nowhere in the journal (%llu such jobs)",
            (unsigned long long)id,
            (unsigned long long)engine->unknown.count
        );
    }
    engine->replaying = true;
    if (engine->now_ns < now_ns) engine->now_ns = now_ns;
    for (uint32_t i = 0; i < engine->queue_count; i++) {
        struct queue *queue = queue_at(engine, engine->queue_list[i]);
        if (queue->unsorted) job_list_resort(engine, queue);
        queue->pushed = queue->completed_total = queue->failed_total = queue->discarded_total = 0;
        queue_touch(engine, engine->queue_list[i]);
    }
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        struct worker *worker = worker_at(engine, engine->worker_list[i]);
        hob_ns alive_ns = ns_add(engine->now_ns, grace_ns);
        if (worker->running > 0 && worker->alive_until_ns < alive_ns) {
            worker->alive_until_ns = alive_ns;
        }
    }
    if (grace_ns > 0) {
        engine->grace_token = engine->next_token;
        engine->grace_until_ns = ns_add(engine->now_ns, grace_ns);
    }
    valves_refresh_all(engine);
    uint32_t handle = 0;
    for (uint64_t from = 0; (handle = idmap_next(&engine->job_ids, from, &id)) != 0;
         from = id + 1) {
        if (body != NULL) job_bodies(engine, job_at(engine, handle), body, context);
    }
    length_replayed(engine);
    engine->replaying = false;
    return HOB_OK;
}

uint64_t engine_unknown_count(const struct engine *engine) {
    return engine->unknown.count;
}

void engine_home_set(struct engine *engine, uint32_t home) {
    engine->home = home;
}

/* --- cleaning: full records again --- */

static void emit_again(struct engine *engine, const struct effect *effect) {
    engine->sink.effect(engine->sink.context, effect);
}

static bool restate_job(struct engine *engine, uint64_t id, uint32_t home) {
    uint32_t handle = job_find(engine, id);
    if (handle == 0) return false;
    struct job *job = job_at(engine, handle);
    if (job->home != home) return false;
    struct effect effect = {.type = EFFECT_JOB_PUT};
    job_view_fill(engine, job, &effect.job_put.job);
    job->home = engine->home;
    emit_again(engine, &effect);
    return true;
}

static bool restate_queue(struct engine *engine, struct slice name, uint32_t home) {
    uint32_t handle = queue_find(engine, name);
    if (handle == 0) return false;
    struct queue *queue = queue_at(engine, handle);
    if (!queue->is_set || queue->home != home) return false;
    struct effect effect = {.type = EFFECT_QUEUE_PUT};
    queue_view_fill(engine, queue, &effect.queue_put.queue);
    queue->home = engine->home;
    emit_again(engine, &effect);
    return true;
}

static bool restate_key(struct engine *engine, struct key_name name, uint32_t home) {
    uint32_t handle = key_find(engine, name);
    if (handle == 0) return false;
    struct key *key = pool_at(&engine->keys, handle);
    if (key->home != home) return false;
    struct effect effect = {
        .type = EFFECT_KEY_PUT,
        .key_put = key_put_of(key),
    };
    key->home = engine->home;
    emit_again(engine, &effect);
    return true;
}

bool engine_restate(struct engine *engine, const struct effect *effect, uint32_t home) {
    if (effect->type == EFFECT_JOB_PUT) return restate_job(engine, effect->job_put.job.id, home);
    if (effect->type == EFFECT_QUEUE_PUT) {
        return restate_queue(engine, effect->queue_put.queue.name, home);
    }
    if (effect->type == EFFECT_KEY_PUT) {
        struct key_name name = {effect->key_put.key, effect->key_put.is_unique};
        return restate_key(engine, name, home);
    }
    if (effect->type == EFFECT_VALVE_PUT) return restate_valve(engine, &effect->valve_put, home);
    if (effect->type == EFFECT_TOKEN_PUT) {
        return restate_token(engine, effect->token_put.token.name, home);
    }
    return false;
}

void engine_restate_meta(struct engine *engine) {
    struct effect effect = {
        .type = EFFECT_META,
        .meta =
            {
                .next_id = engine->next_id,
                .next_token = engine->next_token,
                .next_body = engine->next_body,
                .now_ns = engine->now_ns,
            },
    };
    emit_again(engine, &effect);
}
