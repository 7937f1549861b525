/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a queue, one small reader each. */
#include "config/queues.h"

#include "base/assert.h"
#include "base/text.h"
#include "config/config.h"

#define KEEP_NS_MAX  (3650 * NS_PER_DAY)
#define AGING_NS_MAX (30 * NS_PER_DAY)

static enum hob_status read_order(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct queue_config *queue = into;
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, "fifo or lifo", &text);
    if (status != HOB_OK) return status;
    queue->is_lifo = slice_equal(text, SLICE("lifo"));
    queue->has_order = queue->is_lifo || slice_equal(text, SLICE("fifo"));
    return queue->has_order ? HOB_OK : yaml_read_refuse(read, node, text, "fifo or lifo");
}

static enum hob_status read_tier(struct yaml_read *read, yaml_node_t *node, void *into) {
    return config_count_read(read, node, 0, 1000, &((struct queue_config *)into)->tier);
}

static enum hob_status read_weight(struct yaml_read *read, yaml_node_t *node, void *into) {
    return config_count_read(read, node, 1, 1000, &((struct queue_config *)into)->weight);
}

static enum hob_status read_concurrency(struct yaml_read *read, yaml_node_t *node, void *into) {
    return config_count_read(read, node, 0, 1000000, &((struct queue_config *)into)->concurrency);
}

static enum hob_status read_length(struct yaml_read *read, yaml_node_t *node, void *into) {
    return config_count_read(read, node, 0, 133000000, &((struct queue_config *)into)->length);
}

static enum hob_status read_rate(struct yaml_read *read, yaml_node_t *node, void *into) {
    return config_rate_read(read, node, &((struct queue_config *)into)->rate);
}

static enum hob_status read_burst(struct yaml_read *read, yaml_node_t *node, void *into) {
    return config_count_read(read, node, 0, 1000000, &((struct queue_config *)into)->rate.burst);
}

static enum hob_status read_aging(struct yaml_read *read, yaml_node_t *node, void *into) {
    static const char wanted[] = "a span of at most 30d, such as 10m; 0: none";
    struct queue_span *aging = &((struct queue_config *)into)->aging;
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, wanted, &text);
    if (status != HOB_OK) return status;
    aging->is_set = text_duration(text, 0, &aging->span_ns) && aging->span_ns <= AGING_NS_MAX;
    return aging->is_set ? HOB_OK : yaml_read_refuse(read, node, text, wanted);
}

static enum hob_status
read_group_concurrency(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct queue_config *queue = into;
    return config_count_read(read, node, 0, 1000000, &queue->group_concurrency);
}

static enum hob_status read_group_rate(struct yaml_read *read, yaml_node_t *node, void *into) {
    return config_rate_read(read, node, &((struct queue_config *)into)->group_rate);
}

static enum hob_status read_group_burst(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct queue_config *queue = into;
    return config_count_read(read, node, 0, 1000000, &queue->group_rate.burst);
}

/* One of @words, in the order of an enum of the engine. */
static enum hob_status read_word(
    struct yaml_read *read,
    yaml_node_t *node,
    const char *const *words,
    size_t count,
    const char *wanted,
    struct config_count *word
) {
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, wanted, &text);
    if (status != HOB_OK) return status;
    for (uint32_t i = 0; i < count; i++) {
        if (!slice_equal(text, slice_str(words[i]))) continue;
        *word = (struct config_count){.is_set = true, .value = i};
        return HOB_OK;
    }
    return yaml_read_refuse(read, node, text, wanted);
}

static enum hob_status read_on_full(struct yaml_read *read, yaml_node_t *node, void *into) {
    static const char *const words[] = {"reject", "drop_oldest", "drop_newest"};
    static const char wanted[] = "reject, drop_oldest or drop_newest";
    struct queue_config *queue = into;
    return read_word(read, node, words, hob_countof(words), wanted, &queue->on_full);
}

static enum hob_status read_group_order(struct yaml_read *read, yaml_node_t *node, void *into) {
    static const char *const words[] = {"loose", "block", "skip", "park"};
    static const char wanted[] = "loose, block, skip or park";
    struct queue_config *queue = into;
    return read_word(read, node, words, hob_countof(words), wanted, &queue->group_order);
}

/* SPAN:N, as `hob queues set --keep` takes it. */
static enum hob_status
read_keep_value(struct yaml_read *read, yaml_node_t *node, struct queue_keep *keep) {
    static const char wanted[] = "SPAN:N, such as 24h:100000: how long, and how many at most";
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, wanted, &text);
    if (status != HOB_OK) return status;
    const char *colon = text.size == 0 ? NULL : memchr(text.bytes, ':', text.size);
    uint64_t count = 0;
    if (colon != NULL) {
        size_t size = (size_t)(colon - text.bytes);
        struct slice span = slice_of(text.bytes, size);
        struct slice number = slice_of(colon + 1, text.size - size - 1);
        keep->is_set = text_duration(span, 0, &keep->span_ns) && keep->span_ns <= KEEP_NS_MAX &&
                       text_u64(number, 0, UINT32_MAX, &count);
        keep->count = (uint32_t)count;
    }
    return keep->is_set ? HOB_OK : yaml_read_refuse(read, node, text, wanted);
}

static enum hob_status read_keep(struct yaml_read *read, yaml_node_t *node, void *into) {
    return read_keep_value(read, node, &((struct queue_config *)into)->keep);
}

static enum hob_status read_keep_failed(struct yaml_read *read, yaml_node_t *node, void *into) {
    return read_keep_value(read, node, &((struct queue_config *)into)->keep_failed);
}

static enum hob_status read_paused(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct queue_config *queue = into;
    queue->has_paused = true;
    return yaml_read_bool(read, node, &queue->is_paused);
}

static const struct yaml_key keys[] = {
    {.name = "order",
     .read = read_order,
     .value = "fifo|lifo",
     .help = "the oldest job of a priority first, or the newest"},
    {.name = "tier",
     .read = read_tier,
     .value = "0..1000",
     .help = "of the queues of a fetch those of the smallest tier go first (default 10)"},
    {.name = "weight",
     .read = read_weight,
     .value = "1..1000",
     .help = "its share of the turns among the queues of its tier (default 1)"},
    {.name = "concurrency",
     .read = read_concurrency,
     .value = "0..1000000",
     .help = "so many of its jobs run at once at most; 0: no limit"},
    {.name = "rate",
     .read = read_rate,
     .value = "N/SPAN|none",
     .help = "so many of its jobs start in such a time, as 100/1m"},
    {.name = "burst",
     .read = read_burst,
     .value = "0..1000000",
     .help = "so many of them may start at once after a rest; 0: N of the rate"},
    {.name = "aging",
     .read = read_aging,
     .value = "SPAN",
     .help = "each such time that a job waits is worth one step of priority; 0: none is"},
    {.name = "group_concurrency",
     .read = read_group_concurrency,
     .value = "0..1000000",
     .help = "so many jobs of each group run at once at most; 0: no limit"},
    {.name = "group_rate",
     .read = read_group_rate,
     .value = "N/SPAN|none",
     .help = "so many jobs of each group start in such a time"},
    {.name = "group_burst",
     .read = read_group_burst,
     .value = "0..1000000",
     .help = "so many of them may start at once after a rest; 0: N of the rate"},
    {.name = "group_order",
     .read = read_group_order,
     .value = "loose|block|skip|park",
     .help = "jobs of a group side by side (default), or one at a time; then a failed job blocks "
             "its group, or is skipped, or parked while it is retried"},
    {.name = "length",
     .read = read_length,
     .value = "0..133000000",
     .help = "so many of its jobs wait at most; 0: no limit"},
    {.name = "on_full",
     .read = read_on_full,
     .value = "reject|drop_oldest|drop_newest",
     .help = "when more would wait: the push is refused (default), or a waiting job is dropped"},
    {.name = "keep",
     .read = read_keep,
     .value = "SPAN:N",
     .help = "how long and how many completed jobs stay"},
    {.name = "keep_failed",
     .read = read_keep_failed,
     .value = "SPAN:N",
     .help = "the same for discarded and cancelled ones"},
    {.name = "paused",
     .read = read_paused,
     .value = "true|false",
     .help = "nothing is fetched from it"},
};

const struct yaml_key *queue_keys(size_t *ret_count) {
    *ret_count = hob_countof(keys);
    return keys;
}

/* What the engine would refuse. */
static enum hob_status
check_together(struct yaml_read *read, yaml_node_t *node, const struct queue_config *queue) {
    if (queue->is_lifo && queue->aging.span_ns > 0) {
        return yaml_read_fail(read, node, "only jobs of a fifo queue age");
    }
    enum hob_status status = config_rate_check(read, node, "rate", &queue->rate);
    if (status != HOB_OK) return status;
    return config_rate_check(read, node, "group_rate", &queue->group_rate);
}

static enum hob_status
read_queue(struct yaml_read *read, yaml_node_t *name, yaml_node_t *value, void *into) {
    struct config *config = into;
    struct queue_config queue = {0};
    enum hob_status status = yaml_read_name(read, name, &queue.name);
    enum hob_status inside = yaml_read_map(read, value, "a queue", keys, hob_countof(keys), &queue);
    if (inside == HOB_OK) inside = check_together(read, value, &queue);
    if (status == HOB_OK) status = inside;
    if (status != HOB_OK) return status;
    ((struct queue_config *)config->queues)[config->queue_count++] = queue;
    return HOB_OK;
}

enum hob_status queues_read(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct config *config = into;
    config->queues = arena_alloc(read->arena, QUEUE_CONFIGS_MAX * sizeof *config->queues);
    return yaml_read_names(read, node, "each queue", QUEUE_CONFIGS_MAX, read_queue, config);
}
