/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says about queues. */
#include "base/text.h"
#include "dialect/option.h"
#include "server/change.h"

#define BY_CONFIG "hob.yaml"

struct queue_change {
    struct change change;
    const struct queue_view *now;
};

/* SPAN:N */
static const char *keep_text(struct buf *out, hob_ns span_ns, uint32_t count) {
    buf_reset(out);
    (void)text_put_duration(out, span_ns);
    (void)buf_printf(out, ":%u%c", count, '\0');
    return out->bytes;
}

/* True: it is another one, and that was logged. */
static bool keep_differs(
    struct queue_change *change,
    const char *setting,
    const struct queue_keep *keep,
    hob_ns now_ns,
    uint32_t now_count
) {
    if (!keep->is_set || (keep->span_ns == now_ns && keep->count == now_count)) return false;
    HOB_AUTO_BUF struct buf old = buf_make(100);
    HOB_AUTO_BUF struct buf new = buf_make(100);
    const char *before = keep_text(&old, now_ns, now_count);
    change_tell(&change->change, setting, before, keep_text(&new, keep->span_ns, keep->count));
    return true;
}

static void tell_span(struct queue_change *change, const char *setting, hob_ns now, hob_ns next) {
    HOB_AUTO_BUF struct buf old = buf_make(100);
    HOB_AUTO_BUF struct buf new = buf_make(100);
    (void)text_put_duration(&old, now);
    (void)buf_put_char(&old, '\0');
    (void)text_put_duration(&new, next);
    (void)buf_put_char(&new, '\0');
    change_tell(&change->change, setting, old.bytes, new.bytes);
}

/* Which of the jobs that may start is next. */
static bool order_differs(
    struct queue_change *change, const struct queue_config *queue, struct queue_set_command *set
) {
    static const char *const orders[] = {[QUEUE_FIFO] = "fifo", [QUEUE_LIFO] = "lifo"};
    const struct queue_view *now = change->now;
    const struct change *tell = &change->change;
    set->order = queue->is_lifo ? QUEUE_LIFO : QUEUE_FIFO;
    set->tier = queue->tier.value;
    set->weight = queue->weight.value;
    set->aging_ns = queue->aging.span_ns;
    set->has_order = queue->has_order && now->order != set->order;
    if (set->has_order) change_tell(tell, "order", orders[now->order], orders[set->order]);
    set->has_tier = change_count(tell, "tier", &queue->tier, now->tier);
    set->has_weight = change_count(tell, "weight", &queue->weight, now->weight);
    set->has_aging = queue->aging.is_set && now->aging_ns != set->aging_ns;
    if (set->has_aging) tell_span(change, "aging", now->aging_ns, set->aging_ns);
    return set->has_order || set->has_tier || set->has_weight || set->has_aging;
}

/* How many run at once, and how fast they start. */
static bool limits_differ(
    struct queue_change *change, const struct queue_config *queue, struct queue_set_command *set
) {
    const struct queue_view *now = change->now;
    const struct change *tell = &change->change;
    const struct rate *rate = &now->rate;
    set->concurrency = queue->concurrency.value;
    set->has_concurrency = change_count(tell, "concurrency", &queue->concurrency, now->concurrency);
    bool has_rate = change_rate(tell, "rate", &queue->rate, true, rate, &set->rate);
    return set->has_concurrency || has_rate;
}

/* The same of each of its groups. */
static bool groups_differ(
    struct queue_change *change, const struct queue_config *queue, struct queue_set_command *set
) {
    const struct group_rule *now = &change->now->group_rule;
    const struct change *tell = &change->change;
    set->group_concurrency = queue->group_concurrency.value;
    set->group_order = (enum group_order)queue->group_order.value;
    set->has_group_concurrency =
        change_count(tell, "group_concurrency", &queue->group_concurrency, now->concurrency);
    bool has_rate =
        change_rate(tell, "group_rate", &queue->group_rate, true, &now->rate, &set->group_rate);
    set->has_group_order = queue->group_order.is_set && now->order != set->group_order;
    if (set->has_group_order) {
        const char *order = group_order_word(now->order);
        change_tell(tell, "group_order", order, group_order_word(set->group_order));
    }
    return set->has_group_concurrency || has_rate || set->has_group_order;
}

/* How many wait, and how long those that are over stay. */
static bool keep_all_differs(
    struct queue_change *change, const struct queue_config *queue, struct queue_set_command *set
) {
    const struct queue_view *now = change->now;
    const struct change *tell = &change->change;
    set->length = queue->length.value;
    set->on_full = (enum on_full)queue->on_full.value;
    set->keep_completed_ns = queue->keep.span_ns;
    set->keep_completed_count = queue->keep.count;
    set->keep_failed_ns = queue->keep_failed.span_ns;
    set->keep_failed_count = queue->keep_failed.count;
    set->has_length = change_count(tell, "length", &queue->length, now->length);
    set->has_on_full = queue->on_full.is_set && now->on_full != set->on_full;
    if (set->has_on_full) {
        change_tell(tell, "on_full", on_full_word(now->on_full), on_full_word(set->on_full));
    }
    set->has_keep_completed = keep_differs(
        change, "keep", &queue->keep, now->keep_completed_ns, now->keep_completed_count
    );
    set->has_keep_failed = keep_differs(
        change, "keep_failed", &queue->keep_failed, now->keep_failed_ns, now->keep_failed_count
    );
    return set->has_length || set->has_on_full || set->has_keep_completed || set->has_keep_failed;
}

static void set_queue(struct queue_change *change, const struct queue_config *queue) {
    struct command command = {
        .type = COMMAND_QUEUE_SET,
        .queue_set = {.queue = change->change.name},
    };
    struct queue_set_command *set = &command.queue_set;
    bool changes = order_differs(change, queue, set);
    changes = limits_differ(change, queue, set) || changes;
    changes = groups_differ(change, queue, set) || changes;
    changes = keep_all_differs(change, queue, set) || changes;
    if (changes) change_apply(&change->change, &command);
}

static void set_paused(struct queue_change *change, const struct queue_config *queue) {
    if (!queue->has_paused || queue->is_paused == change->now->paused) return;
    struct command pause = {
        .type = COMMAND_PAUSE,
        .pause = {.queue = change->change.name, .by = SLICE(BY_CONFIG)},
    };
    struct command resume = {.type = COMMAND_RESUME, .resume = {.queue = change->change.name}};
    change_tell(
        &change->change,
        "paused",
        queue->is_paused ? "false" : "true",
        queue->is_paused ? "true" : "false"
    );
    change_apply(&change->change, queue->is_paused ? &pause : &resume);
}

void reload_queues(struct server *server, const struct server_options *options) {
    for (size_t i = 0; i < options->queue_count; i++) {
        const struct queue_config *queue = &options->queues[i];
        struct queue_view now = {
            .tier = QUEUE_TIER_DEFAULT,
            .weight = 1,
            .keep_completed_ns = KEEP_COMPLETED_DEFAULT_NS,
            .keep_completed_count = KEEP_COMPLETED_COUNT_DEFAULT,
            .keep_failed_ns = KEEP_FAILED_DEFAULT_NS,
            .keep_failed_count = KEEP_FAILED_COUNT_DEFAULT,
        };
        struct queue_change change = {
            .change = {.server = server, .sort = "queue", .name = slice_str(queue->name)},
            .now = &now,
        };
        (void)engine_queue(space_engine(server->space), change.change.name, &now);
        set_queue(&change, queue);
        set_paused(&change, queue);
    }
}
