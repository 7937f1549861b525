/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a limiter, and how a rate is written. The numbers are the engine's (engine/limits.h),
 * so that what is read here is never refused there. */
#include "config/limiters.h"

#include "base/assert.h"
#include "base/glob.h"
#include "base/text.h"
#include "config/config.h"

#define CONCURRENCY_MAX 1000000
#define RATE_MAX        1000000
#define RATE_NS_MIN     NS_PER_MS
#define RATE_NS_MAX     (3650 * NS_PER_DAY)

enum hob_status config_count_read(
    struct yaml_read *read,
    yaml_node_t *node,
    uint32_t min,
    uint32_t max,
    struct config_count *ret_count
) {
    uint64_t value = 0;
    enum hob_status status = yaml_read_u64(read, node, min, max, &value);
    ret_count->is_set = status == HOB_OK;
    ret_count->value = (uint32_t)value;
    return status;
}

enum hob_status
config_rate_read(struct yaml_read *read, yaml_node_t *node, struct config_rate *rate) {
    static const char wanted[] = "none, or N/SPAN as 100/1m: 1 to 1000000 in 1ms to 3650d";
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, wanted, &text);
    if (status != HOB_OK) return status;
    rate->is_set = slice_equal(text, SLICE("none"));
    const char *slash = text.size == 0 ? NULL : memchr(text.bytes, '/', text.size);
    if (slash != NULL) {
        size_t size = (size_t)(slash - text.bytes);
        struct slice span = slice_of(slash + 1, text.size - size - 1);
        uint64_t count = 0;
        rate->is_set = text_u64(slice_of(text.bytes, size), 1, RATE_MAX, &count) &&
                       text_duration(span, 0, &rate->period_ns) && rate->period_ns >= RATE_NS_MIN &&
                       rate->period_ns <= RATE_NS_MAX;
        rate->count = (uint32_t)count;
    }
    return rate->is_set ? HOB_OK : yaml_read_refuse(read, node, text, wanted);
}

enum hob_status config_rate_check(
    struct yaml_read *read, yaml_node_t *node, const char *name, const struct config_rate *rate
) {
    uint32_t burst = rate->burst.value;
    if (rate->burst.is_set && burst > 0 && rate->count == 0) {
        return yaml_read_fail(read, node, "a burst needs `%s: N/SPAN` beside it", name);
    }
    if (rate->count == 0) return HOB_OK;
    hob_ns step_ns = (rate->period_ns + rate->count - 1) / rate->count;
    if ((burst == 0 ? rate->count : burst) <= RATE_NS_MAX / step_ns) return HOB_OK;
    return yaml_read_fail(read, node, "`%s`: a burst is worth at most 3650d", name);
}

static enum hob_status read_concurrency(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct limiter_config *limiter = into;
    return config_count_read(read, node, 0, CONCURRENCY_MAX, &limiter->concurrency);
}

static enum hob_status read_rate(struct yaml_read *read, yaml_node_t *node, void *into) {
    return config_rate_read(read, node, &((struct limiter_config *)into)->rate);
}

static enum hob_status read_burst(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct limiter_config *limiter = into;
    return config_count_read(read, node, 0, RATE_MAX, &limiter->rate.burst);
}

static const struct yaml_key keys[] = {
    {.name = "concurrency",
     .read = read_concurrency,
     .value = "0..1000000",
     .help = "jobs with so many units of it run at once at most; 0: any number"},
    {.name = "rate",
     .read = read_rate,
     .value = "N/SPAN|none",
     .help = "so many units start in such a time, as 100/1m"},
    {.name = "burst",
     .read = read_burst,
     .value = "0..1000000",
     .help = "so many of them may start at once after a rest; 0: N of the rate"},
};

const struct yaml_key *limiter_keys(size_t *ret_count) {
    *ret_count = hob_countof(keys);
    return keys;
}

/* A name as of a queue, or a rule. */
static enum hob_status
read_name(struct yaml_read *read, const yaml_node_t *node, const char **ret_name) {
    struct slice text = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, "a name", &text);
    if (status != HOB_OK || !glob_has_wildcard(text)) return yaml_read_name(read, node, ret_name);
    if (!yaml_glob_is_valid(text)) {
        return yaml_read_fail(
            read, node, "a rule is a name of 1 to 200 bytes in which * and ? stand for others"
        );
    }
    *ret_name = arena_text(read->arena, text);
    return HOB_OK;
}

static enum hob_status
read_limiter(struct yaml_read *read, yaml_node_t *name, yaml_node_t *value, void *into) {
    struct config *config = into;
    struct limiter_config limiter = {0};
    enum hob_status status = read_name(read, name, &limiter.name);
    enum hob_status inside =
        yaml_read_map(read, value, "a limiter", keys, hob_countof(keys), &limiter);
    if (inside == HOB_OK) inside = config_rate_check(read, value, "rate", &limiter.rate);
    if (status == HOB_OK) status = inside;
    if (status != HOB_OK) return status;
    ((struct limiter_config *)config->limiters)[config->limiter_count++] = limiter;
    return HOB_OK;
}

enum hob_status limiters_read(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct config *config = into;
    config->limiters = arena_alloc(read->arena, LIMITER_CONFIGS_MAX * sizeof *config->limiters);
    return yaml_read_names(read, node, "each limiter", LIMITER_CONFIGS_MAX, read_limiter, config);
}
