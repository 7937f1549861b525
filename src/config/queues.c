/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a queue, one small reader each. */
#include "config/queues.h"

#include "base/assert.h"
#include "base/text.h"
#include "config/config.h"

#define KEEP_NS_MAX (3650 * NS_PER_DAY)

static enum hob_status read_order(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct queue_config *queue = into;
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, "fifo or lifo", &text);
    if (status != HOB_OK) return status;
    queue->is_lifo = slice_equal(text, SLICE("lifo"));
    queue->has_order = queue->is_lifo || slice_equal(text, SLICE("fifo"));
    return queue->has_order ? HOB_OK : yaml_read_fail(read, node, "wanted: fifo or lifo");
}

static enum hob_status read_number(
    struct yaml_read *read,
    yaml_node_t *node,
    uint32_t min,
    uint32_t max,
    struct queue_number *number
) {
    uint64_t value = 0;
    enum hob_status status = yaml_read_u64(read, node, min, max, &value);
    number->is_set = status == HOB_OK;
    number->value = (uint32_t)value;
    return status;
}

static enum hob_status read_tier(struct yaml_read *read, yaml_node_t *node, void *into) {
    return read_number(read, node, 0, 1000, &((struct queue_config *)into)->tier);
}

static enum hob_status read_weight(struct yaml_read *read, yaml_node_t *node, void *into) {
    return read_number(read, node, 1, 1000, &((struct queue_config *)into)->weight);
}

static enum hob_status read_concurrency(struct yaml_read *read, yaml_node_t *node, void *into) {
    return read_number(read, node, 0, 1000000, &((struct queue_config *)into)->concurrency);
}

static enum hob_status read_length(struct yaml_read *read, yaml_node_t *node, void *into) {
    return read_number(read, node, 0, 133000000, &((struct queue_config *)into)->length);
}

static enum hob_status read_on_full(struct yaml_read *read, yaml_node_t *node, void *into) {
    static const char *const words[] = {"reject", "drop_oldest", "drop_newest"};
    static const char wanted[] = "reject, drop_oldest or drop_newest";
    struct queue_number *on_full = &((struct queue_config *)into)->on_full;
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, wanted, &text);
    if (status != HOB_OK) return status;
    for (uint32_t i = 0; i < hob_countof(words); i++) {
        if (!slice_equal(text, slice_str(words[i]))) continue;
        *on_full = (struct queue_number){.is_set = true, .value = i};
        return HOB_OK;
    }
    return yaml_read_fail(read, node, "wanted: %s", wanted);
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
    return keep->is_set ? HOB_OK : yaml_read_fail(read, node, "wanted: %s", wanted);
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

static enum hob_status
read_queue(struct yaml_read *read, yaml_node_t *name, yaml_node_t *value, void *into) {
    struct config *config = into;
    struct queue_config queue = {0};
    enum hob_status status = yaml_read_name(read, name, &queue.name);
    enum hob_status inside = yaml_read_map(read, value, "a queue", keys, hob_countof(keys), &queue);
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
