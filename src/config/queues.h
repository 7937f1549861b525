/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of queues, below `queues:`
 *
 *     queues:
 *       thumbnails: {order: lifo, tier: 20, weight: 3, keep: 1h:1000, keep_failed: 7d:1000}
 *
 * Only what is named there is set, when the server starts and when it reloads. */
#ifndef HOB_CONFIG_QUEUES_H
#define HOB_CONFIG_QUEUES_H

#include "config/yaml_read.h"

enum { QUEUE_CONFIGS_MAX = 1000 };

struct queue_keep {
    bool is_set;
    hob_ns span_ns;
    uint32_t count;
};

struct queue_number {
    bool is_set;
    uint32_t value;
};

struct queue_config {
    const char *name;
    bool has_order;
    bool is_lifo;
    struct queue_number tier;
    struct queue_number weight;
    struct queue_number concurrency;
    struct queue_number length;
    struct queue_number on_full; /* enum on_full of the engine */
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
