/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of queues, below `queues:`
 *
 *     queues:
 *       thumbnails: {order: lifo, tier: 20, weight: 3, keep: 1h:1000, keep_failed: 7d:1000}
 *
 * Only what is named there is set, when the server starts and when it reloads. */
#ifndef HOB_CONFIG_QUEUES_H
#define HOB_CONFIG_QUEUES_H

#include "config/limiters.h"

enum { QUEUE_CONFIGS_MAX = 1000 };

struct queue_keep {
    bool is_set;
    hob_ns span_ns;
    uint32_t count;
};

struct queue_span {
    bool is_set;
    hob_ns span_ns;
};

struct queue_config {
    const char *name;
    bool has_order;
    bool is_lifo;
    struct config_count tier;
    struct config_count weight;
    struct config_count concurrency;
    struct config_rate rate;
    struct queue_span aging;
    struct config_count length;
    struct config_count on_full; /* enum on_full of the engine */
    struct config_count group_concurrency;
    struct config_rate group_rate;
    struct config_count group_order; /* enum group_order of the engine */
    struct queue_keep keep;
    struct queue_keep keep_failed;
    bool has_paused;
    bool is_paused;
};

struct config;

/** The keys of a queue, for the reference. */
const struct yaml_key *queue_keys(size_t *ret_count);

/** Read what stands below `queues:`; @into is the struct config. */
HOB_CHECK enum hob_status queues_read(struct yaml_read *read, yaml_node_t *node, void *into);

#endif
