/* SPDX-License-Identifier: Apache-2.0 */
/* How many jobs may wait in a queue. What waits is whatever is neither running nor final. A queue
 * at its length refuses a push, or takes it and then drops its oldest or its newest waiting job, as
 * it is set; a dropped job is discarded with an error of its own (cause dropped), and its callbacks
 * are made.
 *
 * Only a push is refused. What is here already may come back at any time: a retry, a release, the
 * end of a pause, a callback, a move by an update; refusing these would lose what was accepted.
 *
 * Dropping is done by the turn, when nothing else is due: a job may carry callbacks, and a turn can
 * put those of many jobs into several batches, which a push could not. So a job that a worker waits
 * for is never dropped for want of room, and a length that is narrowed trims the queue bit by bit.
 *
 *     over    a heap of the engine: queues above their length that drop, by name
 *     line    a heap of such a queue: its waiting jobs by id, the one to drop first. Nobody leaves
 *             it: an entry whose job does not wait here any more is passed over when it comes up,
 *             and the heap is made anew when most of its entries are like that
 *
 * Both follow from the durable state, so a restart finds the same job to drop. A queue that has no
 * length, or refuses, has no line: it costs two comparisons a move. */
#include "engine/length.h"

#include "engine/core.h"

static bool waits(enum job_state state) {
    return state != JOB_RUNNING && !job_state_is_final(state);
}

uint64_t queue_waiting(const struct queue *queue) {
    uint64_t waiting = 0;
    for (uint32_t state = 0; state < JOB_STATE_COUNT; state++) {
        if (waits((enum job_state)state)) waiting += queue->counts[state];
    }
    return waiting;
}

static bool drops(const struct queue *queue) {
    return queue->length > 0 && queue->on_full != FULL_REJECT;
}

static bool is_over(const struct queue *queue) {
    return drops(queue) && queue_waiting(queue) > queue->length;
}

bool length_refuses(const struct engine *engine, struct slice name, uint32_t promised) {
    uint32_t handle = queue_find(engine, name);
    if (handle == 0) return false;
    const struct queue *queue = queue_at(engine, handle);
    if (queue->length == 0 || queue->on_full != FULL_REJECT) return false;
    return queue_waiting(queue) + promised >= queue->length;
}

/* --- queues that are over --- */

static void over_moved(void *context, uint32_t item, uint32_t at) {
    queue_at(context, item)->over_at = at;
}

static bool over_before(void *context, uint32_t a, uint32_t b) {
    struct slice name_a = text_slice(queue_at(context, a)->name);
    struct slice name_b = text_slice(queue_at(context, b)->name);
    return slice_before(name_a, name_b);
}

static const struct heap_rules over_rules = {.before = over_before, .moved = over_moved};

void length_touch(struct engine *engine, uint32_t handle) {
    struct queue *queue = queue_at(engine, handle);
    bool is_listed = queue->over_at != HEAP_NOWHERE;
    if (is_over(queue) == is_listed) return;
    if (is_listed) {
        heap_remove(&engine->over, &engine->mem, &over_rules, engine, queue->over_at);
    } else {
        heap_push(&engine->over, &engine->mem, &over_rules, engine, 0, handle);
    }
}

/* --- the line of one --- */

/* Entries do not know where they stand, and those of one job are alike. */
static void line_moved(void *context, uint32_t item, uint32_t at) {
    (void)context;
    (void)item;
    (void)at;
}

static bool line_before(void *context, uint32_t a, uint32_t b) {
    (void)context;
    return a < b;
}

static const struct heap_rules line_rules = {.before = line_before, .moved = line_moved};

static uint64_t line_key(const struct queue *queue, uint64_t id) {
    return queue->on_full == FULL_DROP_NEWEST ? ~id : id;
}

static void line_push(struct engine *engine, struct heap *line, uint64_t key, uint32_t job) {
    heap_push(line, &engine->mem, &line_rules, engine, key, job);
}

static void line_pop(struct engine *engine, struct heap *line) {
    heap_remove(line, &engine->mem, &line_rules, engine, 0);
}

/* The job of the first entry, when it still waits here; else 0. */
static uint32_t line_first(const struct engine *engine, uint32_t handle) {
    const struct queue *queue = queue_at(engine, handle);
    uint32_t job = job_find(engine, line_key(queue, queue->line.entries[0].key));
    if (job == 0 || job_at(engine, job)->queue != handle) return 0;
    return waits((enum job_state)job_at(engine, job)->state) ? job : 0;
}

/* Keep one entry of each job that waits. */
static void line_renew(struct engine *engine, uint32_t handle) {
    struct queue *queue = queue_at(engine, handle);
    struct heap kept = {0};
    uint64_t latest = 0;
    while (queue->line.count > 0) {
        uint64_t key = queue->line.entries[0].key;
        uint32_t job = line_first(engine, handle);
        if (job != 0 && (kept.count == 0 || key != latest)) {
            line_push(engine, &kept, key, job);
            latest = key;
        }
        line_pop(engine, &queue->line);
    }
    heap_deinit(&queue->line, &engine->mem);
    queue->line = kept;
}

void length_enter(struct engine *engine, uint32_t handle) {
    enum { LINE_SPARE = 64 };
    const struct job *job = job_at(engine, handle);
    struct queue *queue = queue_at(engine, job->queue);
    length_touch(engine, job->queue);
    if (!queue->has_line || !waits((enum job_state)job->state)) return;
    /* In a queue that runs in order what has left is what would come up next. */
    for (int i = 0; i < 2 && queue->line.count > 0; i++) {
        if (line_first(engine, job->queue) == 0) line_pop(engine, &queue->line);
    }
    line_push(engine, &queue->line, line_key(queue, job->id), handle);
    if (queue->line.count > 2 * queue_waiting(queue) + LINE_SPARE) line_renew(engine, job->queue);
}

static void line_forget(struct engine *engine, struct queue *queue) {
    heap_deinit(&queue->line, &engine->mem);
    queue->line = (struct heap){0};
    queue->has_line = false;
}

/* All jobs are looked at, once for all queues that want a line. */
static void lines_make(struct engine *engine) {
    uint64_t id = 0;
    uint32_t handle = 0;
    for (uint64_t from = 0; (handle = idmap_next(&engine->job_ids, from, &id)) != 0;
         from = id + 1) {
        const struct job *job = job_at(engine, handle);
        struct queue *queue = queue_at(engine, job->queue);
        if (!drops(queue) || queue->has_line || !waits((enum job_state)job->state)) continue;
        line_push(engine, &queue->line, line_key(queue, id), handle);
    }
    for (uint32_t i = 0; i < engine->queue_count; i++) {
        struct queue *queue = queue_at(engine, engine->queue_list[i]);
        queue->has_line = drops(queue);
    }
}

void length_set(struct engine *engine, uint32_t handle, uint32_t length, enum on_full on_full) {
    struct queue *queue = queue_at(engine, handle);
    bool is_other_end = queue->on_full != on_full;
    queue->length = length;
    queue->on_full = on_full;
    length_touch(engine, handle);
    if (!drops(queue) || is_other_end) line_forget(engine, queue);
    if (drops(queue) && !queue->has_line && !engine->replaying) lines_make(engine);
}

void length_replayed(struct engine *engine) {
    for (uint32_t i = 0; i < engine->queue_count; i++) {
        const struct queue *queue = queue_at(engine, engine->queue_list[i]);
        if (!drops(queue) || queue->has_line) continue;
        lines_make(engine);
        return;
    }
}

/* --- dropping --- */

bool length_is_due(const struct engine *engine) {
    return engine->over.count > 0;
}

void length_drop(struct engine *engine) {
    uint32_t handle = engine->over.entries[0].item;
    struct queue *queue = queue_at(engine, handle);
    hob_assert(queue->has_line);
    uint32_t job_handle = 0;
    while ((job_handle = line_first(engine, handle)) == 0) line_pop(engine, &queue->line);
    const struct job *job = job_at(engine, job_handle);
    uint64_t id = job->id;
    struct effect ended = {
        .type = EFFECT_JOB_ENDED,
        .job_ended =
            {
                .id = id,
                .at_ns = engine->now_ns,
                .state = JOB_DISCARDED,
                .has_error = true,
                .error =
                    {
                        .attempt = job->attempt,
                        .cause = CAUSE_DROPPED,
                        .at_ns = engine->now_ns,
                        .text = SLICE("more jobs waited in its queue than its length allows"),
                    },
            },
    };
    emit(engine, &ended);
    job_ended(engine, id, (struct ending){.by_person = false});
}

void length_free(struct engine *engine, struct queue *queue) {
    line_forget(engine, queue);
}

/* --- for engine_check --- */

void length_check(const struct engine *engine, uint32_t handle) {
    const struct queue *queue = queue_at(engine, handle);
    hob_assert(is_over(queue) == (queue->over_at != HEAP_NOWHERE));
    if (queue->over_at != HEAP_NOWHERE) {
        hob_assert(queue->over_at < engine->over.count);
        hob_assert(engine->over.entries[queue->over_at].item == handle);
    }
    hob_assert(!queue->has_line || drops(queue));
    hob_assert(queue->has_line || queue->line.count == 0);
    hob_assert(!queue->has_line || queue->line.count >= queue_waiting(queue));
}
