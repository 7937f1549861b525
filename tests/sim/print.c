/* SPDX-License-Identifier: Apache-2.0 */
/* What a mismatch is told with: enough of a command to understand it, the rest by running the seed
 * again under a debugger. */
#include "tests/sim/print.h"

static const char *const command_words[] = {
#define X(NAME, member, text) #NAME,
    ENGINE_COMMANDS(X)
#undef X
};

static void put_name(struct buf *out, const char *title, struct slice name) {
    size_t size = name.size < 12 ? name.size : 12;
    const char *bytes = name.size == 0 ? "" : name.bytes;
    (void)buf_printf(out, " %s '%.*s'", title, (int)size, bytes);
    if (name.size > size) (void)buf_printf(out, "...%zu", name.size);
}

static void put_number(struct buf *out, const char *title, uint64_t number) {
    (void)buf_printf(out, " %s %llu", title, (unsigned long long)number);
}

static void put_span(struct buf *out, const char *title, hob_ns span_ns) {
    if (span_ns != 0) (void)buf_printf(out, " %s %.9fs", title, (double)span_ns / 1e9);
}

static void print_push(const struct push_command *push, struct buf *out) {
    put_name(out, "queue", push->queue);
    put_name(out, "kind", push->kind);
    put_number(out, "payload", push->payload.size);
    if (push->key.size > 0) put_name(out, "key", push->key);
    if (push->ref.size > 0) put_name(out, "ref", push->ref);
    if (push->group.size > 0) put_name(out, "group", push->group);
    if (push->front) put_number(out, "front", 1);
    if (push->unique.size > 0) {
        put_name(out, "unique", push->unique);
        put_number(out, "scope", push->unique_scope);
        put_number(out, "on_conflict", push->on_conflict);
        put_span(out, "unique_for", push->unique_for_ns);
        put_span(out, "debounce", push->debounce_ns);
        put_span(out, "max_wait", push->max_wait_ns);
        if (push->merge != MERGE_NONE) {
            put_number(out, "merge", push->merge);
            put_number(out, "merge_max", push->merge_max);
        }
    }
    if (push->has_priority) put_number(out, "priority", push->priority);
    if (push->run_at_ns > 0) put_number(out, "run_at_ns", push->run_at_ns);
    put_span(out, "delay", push->delay_ns);
    put_number(out, "attempt_max", push->attempt_max);
    put_span(out, "timeout", push->timeout_ns);
    if (push->has_keep) put_number(out, "keep_ns", push->keep_ns);
    if (push->expires_ns > 0) put_number(out, "expires_ns", push->expires_ns);
    put_span(out, "expires_in", push->expires_in_ns);
    if (push->deadline_ns > 0) put_number(out, "deadline_ns", push->deadline_ns);
    put_span(out, "deadline_in", push->deadline_in_ns);
    put_span(out, "margin", push->margin_ns);
    if (push->needs.size > 0) put_name(out, "needs", push->needs);
    if (push->cost != 0) put_number(out, "cost", push->cost);
    if (push->parent != 0) put_number(out, "parent", push->parent);
    if (push->has_backoff) put_number(out, "backoff", push->backoff.type);
}

static void print_list(const struct push_all_command *all, struct buf *out) {
    for (uint32_t i = 0; i < all->count; i++) {
        (void)buf_put_str(out, i == 0 ? " (" : ") (");
        print_push(&all->pushes[i], out);
    }
    (void)buf_put_str(out, ")");
}

static void print_fetch(const struct fetch_command *fetch, struct buf *out) {
    static const char *const modes[] = {"weighted", "listed", "merged", "?"};
    put_name(out, "worker", fetch->worker);
    put_number(out, "count", fetch->count);
    (void)buf_printf(out, " %s", modes[fetch->mode < 3 ? fetch->mode : 3]);
    if (fetch->same == FETCH_SAME_KIND) (void)buf_printf(out, " same kind");
    if (fetch->same == FETCH_SAME_GROUP) (void)buf_printf(out, " same group");
    if (fetch->only.size > 0) put_name(out, "only", fetch->only);
    put_span(out, "wait", fetch->wait_ns);
    put_span(out, "lease", fetch->lease_ns);
    for (uint32_t i = 0; i < fetch->queue_count && i < 16; i++) {
        put_name(out, i == 0 ? "queues" : "", fetch->queues[i]);
    }
    if (fetch->queue_count > 16) put_number(out, "... of", fetch->queue_count);
}

static void print_leased(const struct command *command, struct buf *out) {
    put_number(out, "id", command->ack.lease.id);
    put_number(out, "token", command->ack.lease.token);
    if (command->type == COMMAND_ACK) {
        put_number(out, "result", command->ack.result.size);
    } else if (command->type == COMMAND_FAIL) {
        put_number(out, "permanent", command->fail.permanent);
        if (command->fail.has_retry_in) put_number(out, "retry_in_ns", command->fail.retry_in_ns);
        put_number(out, "what", command->fail.what.size);
        put_number(out, "text", command->fail.text.size);
        put_number(out, "backtrace", command->fail.backtrace.size);
        put_number(out, "cause", command->fail.cause);
    } else if (command->type == COMMAND_RELEASE) {
        put_span(out, "delay", command->release.delay_ns);
    } else if (command->type == COMMAND_EXTEND) {
        put_span(out, "lease", command->extend.lease_ns);
    } else if (command->type == COMMAND_CHECKPOINT) {
        put_number(out, "bytes", command->checkpoint.bytes.size);
    } else if (command->type == COMMAND_LOG) {
        put_number(out, "entries", command->log.entries.size);
    } else {
        put_number(out, "percent", command->progress.percent);
        put_number(out, "text", command->progress.text.size);
    }
}

static void print_rate(const char *what, const struct rate_set *set, struct buf *out) {
    if (set->has_rate) {
        put_number(out, what, set->count);
        put_span(out, "in", set->period_ns);
    }
    if (set->has_burst) put_number(out, "burst", set->burst);
}

static void print_valve(const struct valve_name *valve, struct buf *out) {
    static const char *const words[] = {"queue", "kind", "group", "limiter"};
    if (valve->queue.size > 0) put_name(out, "queue", valve->queue);
    if (valve->sort < VALVE_SORT_COUNT) put_name(out, words[valve->sort], valve->name);
}

static void print_valve_command(const struct command *command, struct buf *out) {
    const struct valve_set_command *set = &command->valve_set;
    print_valve(&set->valve, out); /* first in each of them */
    if (command->type == COMMAND_VALVE_PAUSE) {
        put_number(out, "until_ns", command->valve_pause.until_ns);
    }
    if (command->type != COMMAND_VALVE_SET) return;
    if (set->reset) put_number(out, "reset", 1);
    if (set->has_weight) put_number(out, "weight", set->weight);
    if (set->has_concurrency) put_number(out, "concurrency", set->concurrency);
    print_rate("rate", &set->rate, out);
}

static void print_queue_set(const struct queue_set_command *set, struct buf *out) {
    put_name(out, "queue", set->queue);
    if (set->has_order) put_number(out, "order", set->order);
    if (set->has_tier) put_number(out, "tier", set->tier);
    if (set->has_weight) put_number(out, "weight", set->weight);
    if (set->has_concurrency) put_number(out, "concurrency", set->concurrency);
    if (set->has_length) put_number(out, "length", set->length);
    if (set->has_on_full) put_number(out, "on_full", set->on_full);
    if (set->has_aging) put_span(out, "aging", set->aging_ns);
    print_rate("rate", &set->rate, out);
    if (set->has_group_concurrency) put_number(out, "group_concurrency", set->group_concurrency);
    print_rate("group_rate", &set->group_rate, out);
    if (set->has_group_order) put_number(out, "group_order", (uint64_t)set->group_order);
    if (set->has_keep_completed) {
        put_span(out, "keep_completed", set->keep_completed_ns);
        put_number(out, "count", set->keep_completed_count);
    }
    if (set->has_keep_failed) {
        put_span(out, "keep_failed", set->keep_failed_ns);
        put_number(out, "count", set->keep_failed_count);
    }
}

static void print_worker_set(const struct worker_set_command *set, struct buf *out) {
    put_name(out, "worker", set->worker);
    put_number(out, "slots", set->slots);
    put_number(out, "fresh", set->fresh ? 1 : 0);
    if (set->labels.size > 0) put_name(out, "labels", set->labels);
    for (uint32_t i = 0; i < set->kind_count && i < 8; i++) put_name(out, "kind", set->kinds[i]);
}

static void print_holds(const struct worker_beat_command *beat, struct buf *out) {
    if (!beat->has_holds) return;
    put_span(out, "young", beat->young_ns);
    if (beat->only.size > 0) put_name(out, "only", beat->only);
    put_number(out, "holds", beat->hold_count);
    for (uint32_t i = 0; i < beat->hold_count; i++) put_number(out, "token", beat->holds[i].token);
}

static void print_token_command(const struct command *command, struct buf *out) {
    if (command->type == COMMAND_TOKEN_PUT) {
        put_name(out, "name", command->token_put.name);
        put_number(out, "scopes", command->token_put.scopes);
        put_name(out, "queues", command->token_put.queues);
        put_number(out, "expires_ns", command->token_put.expires_ns);
    } else if (command->type == COMMAND_TOKEN_DROP) {
        put_name(out, "name", command->token_drop.name);
        put_number(out, "force", command->token_drop.force ? 1 : 0);
    } else {
        put_name(out, "name", command->token_use.name);
    }
}

static void print_pause(const struct pause_command *pause, struct buf *out) {
    put_name(out, "queue", pause->queue);
    put_number(out, "until_ns", pause->until_ns);
}

static void print_update(const struct update_command *update, struct buf *out) {
    put_number(out, "id", update->id);
    put_number(out, "has_version", update->has_version ? 1 : 0);
    put_number(out, "version", update->version);
}

void print_command(const struct command *command, struct buf *out) {
    (void)buf_printf(out, "%s", command_words[command->type]);
    switch (command->type) {
    case COMMAND_PUSH_ALL:
        print_list(&command->push_all, out);
        break;
    case COMMAND_PUSH:
        print_push(&command->push, out);
        break;
    case COMMAND_FETCH:
        print_fetch(&command->fetch, out);
        break;
    case COMMAND_ACK:
    case COMMAND_FAIL:
    case COMMAND_RELEASE:
    case COMMAND_EXTEND:
    case COMMAND_CHECKPOINT:
    case COMMAND_LOG:
    case COMMAND_PROGRESS:
        print_leased(command, out);
        break;
    case COMMAND_CANCEL:
    case COMMAND_DISCARD:
    case COMMAND_RETRY:
    case COMMAND_DELETE:
        put_number(out, "id", command->cancel.id);
        break;
    case COMMAND_UPDATE:
        print_update(&command->update, out);
        break;
    case COMMAND_PAUSE:
        print_pause(&command->pause, out);
        break;
    case COMMAND_RESUME:
        put_name(out, "queue", command->resume.queue);
        break;
    case COMMAND_QUEUE_SET:
        print_queue_set(&command->queue_set, out);
        break;
    case COMMAND_VALVE_SET:
    case COMMAND_VALVE_PAUSE:
    case COMMAND_VALVE_RESUME:
    case COMMAND_GROUP_SKIP:
        print_valve_command(command, out);
        break;
    case COMMAND_WORKER_SET:
        print_worker_set(&command->worker_set, out);
        break;
    case COMMAND_WORKER_BEAT:
        put_name(out, "worker", command->worker_beat.worker);
        put_span(out, "alive", command->worker_beat.alive_ns);
        print_holds(&command->worker_beat, out);
        break;
    case COMMAND_WAIT:
        put_number(out, "id", command->wait.id);
        put_span(out, "wait", command->wait.wait_ns);
        break;
    case COMMAND_TOKEN_PUT:
    case COMMAND_TOKEN_DROP:
    case COMMAND_TOKEN_USE:
        print_token_command(command, out);
        break;
    case COMMAND_CLOCK_JUMP:
        put_span(out, "by", command->clock_jump.by_ns);
        break;
    case COMMAND_FORGET:
    case COMMAND_TYPE_COUNT:
        break;
    }
    put_number(out, "request", command->request);
}

void print_answer(const struct answer *answer, struct buf *out) {
    (void)buf_printf(out, "%s", answer_word(answer->code));
    if (answer->detail != NULL) (void)buf_printf(out, " (%s)", answer->detail);
    put_number(out, "id", answer->id);
    if (answer->duplicate) (void)buf_printf(out, " duplicate");
    (void)buf_printf(out, " %s", job_state_word(answer->state));
    if (answer->lease_until_ns != 0) put_number(out, "lease_until_ns", answer->lease_until_ns);
    for (uint32_t i = 0; i < answer->job_count && i < 20; i++) {
        put_number(out, i == 0 ? "jobs" : "", answer->jobs[i]);
    }
}
