/* SPDX-License-Identifier: Apache-2.0 */
/* Everything at once: what compare.c does for what a command has touched, for all that there is. */
#include "tests/sim/compare.h"

#define NUMBER(name, wanted, got) same = same_number(report, name, wanted, got) && same

static bool same_number(struct buf *report, const char *name, uint64_t wanted, uint64_t got) {
    if (wanted == got) return true;
    (void)buf_printf(
        report,
        "  %s: model %llu, engine %llu\n",
        name,
        (unsigned long long)wanted,
        (unsigned long long)got
    );
    return false;
}

static bool
same_counts(struct buf *report, const struct queue_view *wanted, const struct queue_view *got) {
    bool same = true;
    for (uint32_t i = 0; i < JOB_STATE_COUNT; i++) {
        NUMBER(job_state_word((enum job_state)i), wanted->counts[i], got->counts[i]);
    }
    NUMBER("pushed", wanted->pushed, got->pushed);
    NUMBER("completed since start", wanted->completed, got->completed);
    NUMBER("failed since start", wanted->failed, got->failed);
    NUMBER("discarded since start", wanted->discarded, got->discarded);
    return same;
}

/* oldest_ns may be any available job's: the engine does not search for the oldest. */
static bool
oldest_is_right(const struct model *model, const struct queue_view *queue, hob_ns oldest_ns) {
    if (queue->counts[JOB_AVAILABLE] == 0) return oldest_ns == 0;
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        bool is_here = job->state == JOB_AVAILABLE && slice_equal(job->queue, queue->name);
        if (is_here && job->created_ns == oldest_ns) return true;
    }
    return false;
}

static bool same_rate(const struct rate *a, const struct rate *b) {
    return a->count == b->count && a->burst == b->burst && a->period_ns == b->period_ns;
}

/* A debt that is paid back is none. */
static hob_ns owed(const struct model *model, hob_ns tat_ns) {
    return tat_ns > model->now_ns ? tat_ns : 0;
}

static bool same_valve(
    const struct model *model,
    struct buf *report,
    const struct valve_view *wanted,
    const struct valve_view *got
) {
    bool same = true;
    NUMBER("has weight", wanted->own.has_weight, got->own.has_weight);
    NUMBER("weight", wanted->own.weight, got->own.weight);
    NUMBER("has concurrency", wanted->own.has_concurrency, got->own.has_concurrency);
    NUMBER("own concurrency", wanted->own.concurrency, got->own.concurrency);
    NUMBER("has rate", wanted->own.has_rate, got->own.has_rate);
    NUMBER("own rate", same_rate(&wanted->own.rate, &got->own.rate), true);
    NUMBER("concurrency", wanted->concurrency, got->concurrency);
    NUMBER("rate", same_rate(&wanted->rate, &got->rate), true);
    NUMBER("tat_ns", owed(model, wanted->tat_ns), owed(model, got->tat_ns));
    NUMBER("paused", wanted->paused, got->paused);
    NUMBER("paused_until_ns", wanted->paused_until_ns, got->paused_until_ns);
    NUMBER("paused_by", slice_equal(wanted->paused_by, got->paused_by), true);
    NUMBER("paused_why", slice_equal(wanted->paused_why, got->paused_why), true);
    NUMBER("blocked_by", wanted->blocked_by, got->blocked_by);
    NUMBER("running", wanted->running, got->running);
    NUMBER("waiting", wanted->waiting, got->waiting);
    NUMBER("held", wanted->held, got->held);
    return same;
}

static bool
same_valves(const struct model *model, const struct engine *engine, struct buf *report) {
    bool same = true;
    struct valve_view wanted;
    for (uint32_t i = 0; model_valve_view(model, i, &wanted); i++) {
        struct valve_name name = {.sort = wanted.sort, .queue = wanted.queue, .name = wanted.name};
        struct valve_view got = {.sort = name.sort};
        if (!engine_valve(engine, &name, &got)) {
            /* Nobody uses it, so what its rule would be is nobody's concern. */
            wanted.concurrency = 0;
            wanted.rate = (struct rate){.count = 0};
        }
        if (same_valve(model, report, &wanted, &got)) continue;
        (void)buf_printf(
            report,
            "  in valve %d '%.*s' '%.*s'\n",
            (int)name.sort,
            SLICE_ARG(name.queue),
            SLICE_ARG(name.name)
        );
        same = false;
    }
    return same;
}

static bool same_queue(
    const struct model *model,
    struct buf *report,
    const struct queue_view *wanted,
    const struct queue_view *got
) {
    bool same = same_counts(report, wanted, got);
    NUMBER("order", wanted->order, got->order);
    NUMBER("paused", model_is_paused(model, wanted), model_is_paused(model, got));
    if (model_is_paused(model, wanted)) {
        NUMBER("paused_until_ns", wanted->paused_until_ns, got->paused_until_ns);
        NUMBER("paused_by", slice_equal(wanted->paused_by, got->paused_by), true);
        NUMBER("paused_why", slice_equal(wanted->paused_why, got->paused_why), true);
    }
    NUMBER("keep_completed_ns", wanted->keep_completed_ns, got->keep_completed_ns);
    NUMBER("keep_completed_count", wanted->keep_completed_count, got->keep_completed_count);
    NUMBER("keep_failed_ns", wanted->keep_failed_ns, got->keep_failed_ns);
    NUMBER("keep_failed_count", wanted->keep_failed_count, got->keep_failed_count);
    NUMBER("tier", wanted->tier, got->tier);
    NUMBER("weight", wanted->weight, got->weight);
    NUMBER("concurrency", wanted->concurrency, got->concurrency);
    NUMBER("length", wanted->length, got->length);
    NUMBER("on_full", wanted->on_full, got->on_full);
    NUMBER("aging_ns", wanted->aging_ns, got->aging_ns);
    NUMBER("group order", wanted->group_rule.order, got->group_rule.order);
    NUMBER("group concurrency", wanted->group_rule.concurrency, got->group_rule.concurrency);
    NUMBER("rate", same_rate(&wanted->rate, &got->rate), true);
    NUMBER("group rate", same_rate(&wanted->group_rule.rate, &got->group_rule.rate), true);
    NUMBER("tat_ns", owed(model, wanted->tat_ns), owed(model, got->tat_ns));
    NUMBER("oldest_ns is an available job's", true, oldest_is_right(model, wanted, got->oldest_ns));
    return same;
}

static bool
same_queues(const struct model *model, const struct engine *engine, struct buf *report) {
    bool same = true;
    for (uint32_t i = 0; i < model->queue_count; i++) {
        const struct queue_view *wanted = &model->queues[i].view;
        struct queue_view got;
        bool is_there = engine_queue(engine, wanted->name, &got);
        if (is_there && same_queue(model, report, wanted, &got)) continue;
        (void)buf_printf(
            report, "  in queue '%.*s'%s\n", SLICE_ARG(wanted->name), is_there ? "" : ": not there"
        );
        same = false;
    }
    struct queue_view got;
    for (uint32_t i = 0; engine_queue_at(engine, i, &got); i++) {
        if (model_queue(model, got.name) != NULL) continue;
        (void)buf_printf(report, "  queue '%.*s': engine only\n", SLICE_ARG(got.name));
        same = false;
    }
    return same;
}

static bool
same_workers(const struct model *model, const struct engine *engine, struct buf *report) {
    bool same = true;
    struct worker_view got;
    uint32_t count = 0;
    while (engine_worker_at(engine, count, &got)) {
        count++;
        const struct model_worker *worker = model_worker(model, got.name);
        bool same_worker = worker != NULL;
        if (worker != NULL) {
            const struct worker_view *wanted = &worker->view;
            NUMBER("slots", wanted->slots, got.slots);
            NUMBER("running", wanted->running, got.running);
            NUMBER("kind_count", wanted->kind_count, got.kind_count);
            NUMBER("labels", slice_equal(wanted->labels, got.labels), true);
            NUMBER("alive_until_ns", wanted->alive_until_ns, got.alive_until_ns);
            same_worker = same;
        }
        same = same && same_worker;
        if (same_worker) continue;
        (void)buf_printf(report, "  in worker '%.*s'\n", SLICE_ARG(got.name));
    }
    return same_number(report, "workers", model->worker_count, count) && same;
}

static bool
same_tokens(const struct model *model, const struct engine *engine, struct buf *report) {
    bool same = true;
    struct token_view got;
    uint32_t count = 0;
    while (engine_token_at(engine, count, &got)) {
        const struct token_view *wanted = NULL;
        count++;
        for (uint32_t i = 0; i < model->token_count; i++) {
            if (slice_equal(model->tokens[i].name, got.name)) wanted = &model->tokens[i];
        }
        NUMBER("a token is known", wanted != NULL, true);
        if (wanted == NULL) continue;
        NUMBER("hash", slice_equal(wanted->hash, got.hash), true);
        NUMBER("queues", slice_equal(wanted->queues, got.queues), true);
        NUMBER("by", slice_equal(wanted->by, got.by), true);
        NUMBER("scopes", wanted->scopes, got.scopes);
        NUMBER("created_ns", wanted->created_ns, got.created_ns);
        NUMBER("expires_ns", wanted->expires_ns, got.expires_ns);
        NUMBER("used_ns", wanted->used_ns, got.used_ns);
    }
    return same_number(report, "tokens", model->token_count, count) && same;
}

static uint64_t newest_with_ref(const struct model *model, struct slice ref) {
    uint64_t newest = 0;
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        if (slice_equal(job->ref, ref) && job->id > newest) newest = job->id;
    }
    return newest;
}

static bool same_refs(const struct model *model, const struct engine *engine, struct buf *report) {
    bool same = true;
    for (uint32_t i = 0; i < model->job_count; i++) {
        struct slice ref = model->jobs[i]->view.ref;
        if (ref.size == 0) continue;
        NUMBER("job of a ref", newest_with_ref(model, ref), engine_find_ref(engine, ref));
    }
    NUMBER("job of an unknown ref", 0, engine_find_ref(engine, SLICE("no such ref")));
    return same;
}

static bool same_stats(const struct model *model, const struct engine *engine, struct buf *report) {
    bool same = true;
    struct engine_stats got;
    engine_stats(engine, &got);
    uint64_t counts[JOB_STATE_COUNT] = {0};
    uint32_t waiting_fetches = 0;
    for (uint32_t i = 0; i < model->job_count; i++) counts[model->jobs[i]->view.state]++;
    for (uint32_t i = 0; i < model->wait_count; i++) {
        waiting_fetches += model->waits[i].queue_count > 0 ? 1 : 0;
    }
    for (uint32_t i = 0; i < JOB_STATE_COUNT; i++) {
        NUMBER(job_state_word((enum job_state)i), counts[i], got.counts[i]);
    }
    NUMBER("jobs", model->job_count, got.jobs);
    NUMBER("queues", model->queue_count, got.queues);
    NUMBER("workers", model->worker_count, got.workers);
    NUMBER("keys", model->key_count, got.keys);
    NUMBER("waiting_fetches", waiting_fetches, got.waiting_fetches);
    NUMBER("next_id", model->next_id, got.next_id);
    return same;
}

static bool has_tag(struct slice tags, struct slice tag) {
    size_t begin = 0;
    for (size_t i = 0; i <= tags.size; i++) {
        if (i < tags.size && tags.bytes[i] != ',') continue;
        if (slice_equal(slice_of(tags.bytes + begin, i - begin), tag)) return true;
        begin = i + 1;
    }
    return false;
}

static bool has_marks(const struct job_view *job, const struct job_marks *marks) {
    return (marks->tag.size == 0 || (job->tags.size > 0 && has_tag(job->tags, marks->tag))) &&
           (marks->key.size == 0 || slice_equal(job->key, marks->key)) &&
           (marks->ref.size == 0 || slice_equal(job->ref, marks->ref)) &&
           (marks->parent == 0 || job->parent == marks->parent) &&
           job->created_ns >= marks->since_ns &&
           (marks->until_ns == 0 || job->created_ns < marks->until_ns);
}

bool compare_list(
    const struct model *model,
    const struct engine *engine,
    const struct job_filter *filter,
    uint32_t page,
    struct buf *report
) {
    uint64_t ids[64];
    uint64_t before_id = 0;
    uint32_t count = 0;
    uint32_t at = 0;
    bool same = true;
    bool at_end = false;
    for (uint32_t i = model->job_count; i > 0; i--) {
        const struct job_view *job = &model->jobs[i - 1]->view;
        bool is_wanted = (filter->queue.size == 0 || slice_equal(filter->queue, job->queue)) &&
                         (filter->kind.size == 0 || slice_equal(filter->kind, job->kind)) &&
                         (filter->states == 0 || (filter->states & (1u << job->state)) != 0);
        is_wanted = is_wanted && has_marks(job, &filter->marks);
        if (!is_wanted) continue;
        while (at == count && !at_end) {
            before_id = engine_list(
                engine, filter, (struct page_limits){before_id, page * 2, page}, ids, &count
            );
            at_end = before_id == 0;
            at = 0;
        }
        NUMBER("listed job", job->id, at < count ? ids[at] : 0);
        at++;
        if (!same) return false;
    }
    while (at == count && !at_end) {
        before_id = engine_list(
            engine, filter, (struct page_limits){before_id, page * 2, page}, ids, &count
        );
        at_end = before_id == 0;
        at = 0;
    }
    NUMBER("listed job past the last", 0, at < count ? ids[at] : 0);
    return same;
}

bool compare_next(
    struct model *model, const struct engine *engine, uint32_t count, struct buf *report
) {
    uint64_t wanted[NEXT_COUNT_MAX];
    uint64_t got[NEXT_COUNT_MAX];
    bool same = true;
    for (uint32_t i = 0; i < model->queue_count && same; i++) {
        struct model_queue *queue = &model->queues[i];
        uint32_t wanted_count = model_next(model, queue, count, wanted);
        uint32_t got_count = engine_next(engine, queue->view.name, count, got);
        NUMBER("jobs that are next", wanted_count, got_count);
        for (uint32_t k = 0; k < wanted_count && same; k++) {
            NUMBER("the next job", wanted[k], got[k]);
        }
        if (same) continue;
        (void)buf_printf(report, "  in queue '%.*s'\n", SLICE_ARG(queue->view.name));
    }
    return same;
}

bool compare_all(const struct model *model, const struct engine *engine, struct buf *report) {
    bool same = same_stats(model, engine, report);
    same = same_queues(model, engine, report) && same;
    same = same_workers(model, engine, report) && same;
    same = same_tokens(model, engine, report) && same;
    same = same_valves(model, engine, report) && same;
    for (uint32_t i = 0; i < model->job_count; i++) {
        same = compare_job(model, engine, model->jobs[i]->view.id, report) && same;
    }
    return same_refs(model, engine, report) && same;
}
