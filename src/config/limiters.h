/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of limiters, below `limiters:`, and rates, which queues have too.
 *
 *     limiters:
 *       stripe: {concurrency: 20, rate: 100/1s, burst: 50}
 *       customer-*: {concurrency: 1}      # a rule for all that it fits
 *
 * Only what is named there is set, when the server starts and when it reloads. */
#ifndef HOB_CONFIG_LIMITERS_H
#define HOB_CONFIG_LIMITERS_H

#include "config/yaml_read.h"

enum { LIMITER_CONFIGS_MAX = 1000 };

struct config_count {
    bool is_set;
    uint32_t value;
};

struct config_rate {
    bool is_set;
    uint32_t count; /* 0: none */
    hob_ns period_ns;
    struct config_count burst;
};

struct limiter_config {
    const char *name;
    struct config_count concurrency;
    struct config_rate rate;
};

/** A whole number in min..max. */
HOB_CHECK enum hob_status config_count_read(
    struct yaml_read *read,
    yaml_node_t *node,
    uint32_t min,
    uint32_t max,
    struct config_count *ret_count
);

/** N/SPAN, or none; the burst stays as it is. */
HOB_CHECK enum hob_status
config_rate_read(struct yaml_read *read, yaml_node_t *node, struct config_rate *rate);

/** Do rate and burst go together? @name is that of the key of the rate. */
HOB_CHECK enum hob_status config_rate_check(
    struct yaml_read *read, yaml_node_t *node, const char *name, const struct config_rate *rate
);

/** The keys of a limiter, for the reference. */
const struct yaml_key *limiter_keys(size_t *ret_count);

/** Read what stands below `limiters:`; @into is the struct config. */
HOB_CHECK enum hob_status limiters_read(struct yaml_read *read, yaml_node_t *node, void *into);

#endif
