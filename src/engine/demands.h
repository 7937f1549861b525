/* SPDX-License-Identifier: Apache-2.0 */
/* What jobs ask of a worker: see demands.c. */
#ifndef HOB_ENGINE_DEMANDS_H
#define HOB_ENGINE_DEMANDS_H

#include "engine/core.h"

struct demand {
    struct text needs; /* labels, commas between */
    uint32_t cost;     /* slots */
    uint32_t users;
};

static inline struct demand *demand_at(const struct engine *engine, uint32_t handle) {
    return pool_at(&engine->demands, handle);
}
/* The demand of a job; 0 when it asks for one slot and no label. */
uint32_t demand_use(struct engine *engine, struct slice needs, uint32_t cost);
void demand_unuse(struct engine *engine, uint32_t demand);
uint32_t demand_cost(const struct engine *engine, uint32_t demand);
/* Has the worker its labels? And as many slots, free or not? */
bool demand_has_label(const struct engine *engine, uint32_t demand, const struct worker *worker);
bool demand_fits(const struct engine *engine, uint32_t demand, const struct worker *worker);
uint32_t worker_free(const struct worker *worker);
/* NULL when a job may need, and a worker have, these labels; else what is wrong. */
const char *needs_fault(struct slice needs);
void demands_free(struct engine *engine);

#endif
