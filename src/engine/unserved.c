/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds that wait for a worker which is not there. Nothing is kept for this: when somebody asks,
 * the kinds of the live workers are marked, the branches (queue and kind) with a kind that has no
 * mark are told, and the marks are taken off again. A branch with a demand is held against each
 * live worker. Each look at something takes a step, and steps
 * are counted, so that a million kinds stop nobody. */
#include "engine/callback.h"
#include "engine/core.h"
#include "engine/demands.h"

/* Mark the kinds of live workers, or take the marks off: the same walk, so that none stays.
 * *@is_any: some live worker runs every kind. False when the steps were not enough. */
static bool
kinds_mark(const struct engine *engine, hob_ns now_ns, bool mark, uint32_t *steps, bool *is_any) {
    for (uint32_t i = 0; i < engine->worker_count; i++) {
        if (*steps == 0) return false;
        (*steps)--;
        const struct worker *worker = worker_at(engine, engine->worker_list[i]);
        if (worker->alive_until_ns <= now_ns) continue;
        if (worker->kind_count == 0) {
            *is_any = true;
            return true;
        }
        if (*steps < worker->kind_count) return false;
        *steps -= worker->kind_count;
        for (uint32_t k = 0; k < worker->kind_count; k++) {
            kind_at(engine, worker->kinds[k])->is_served = mark;
        }
    }
    return true;
}

static bool is_young_callback(const struct unserved_view *row, hob_ns now_ns) {
    return slice_equal(row->queue, SLICE(CALLBACK_QUEUE)) &&
           slice_equal(row->kind, SLICE(CALLBACK_KIND)) &&
           now_ns < ns_add(row->since_ns, UNSERVED_CALLBACK_NS);
}

static void row_add(struct unserved_list *list, const struct unserved_view *row, hob_ns now_ns) {
    hob_assert(row->available > 0);
    if (is_young_callback(row, now_ns)) return;
    list->available += row->available;
    if (list->count == UNSERVED_ROWS_MAX) {
        list->is_cut = true;
    } else {
        list->rows[list->count++] = *row;
    }
}

static bool runs_kind(const struct worker *worker, uint32_t kind, uint32_t *steps) {
    if (worker->kind_count == 0) return true;
    for (uint32_t i = 0; i<worker->kind_count && * steps> 0; i++) {
        (*steps)--;
        if (worker->kinds[i] == kind) return true;
    }
    return false;
}

/* Does some live worker run the kind of this branch and meet its demand? */
static bool demand_is_met(
    const struct engine *engine, const struct branch *branch, hob_ns now_ns, uint32_t *steps
) {
    for (uint32_t i = 0; i<engine->worker_count && * steps> 0; i++) {
        (*steps)--;
        const struct worker *worker = worker_at(engine, engine->worker_list[i]);
        if (worker->alive_until_ns <= now_ns) continue;
        if (!demand_fits(engine, branch->demand, worker)) continue;
        if (runs_kind(worker, branch->kind, steps)) return true;
    }
    return false;
}

/* False when the steps were not enough. */
static bool queue_measure(
    const struct engine *engine,
    const struct queue *queue,
    hob_ns now_ns,
    bool is_any,
    uint32_t *steps,
    struct unserved_list *list
) {
    for (uint32_t at = queue->branch_first; at != 0; at = branch_at(engine, at)->queue_next) {
        if (*steps == 0) return false;
        (*steps)--;
        const struct branch *branch = branch_at(engine, at);
        const struct kind *kind = kind_at(engine, branch->kind);
        if (branch->lane_first == 0) continue;
        if (branch->demand == 0 ? is_any || kind->is_served
                                : demand_is_met(engine, branch, now_ns, steps)) {
            continue;
        }
        struct unserved_view row = {
            .queue = text_slice(queue->name), .kind = text_slice(kind->name)};
        if (branch->demand != 0) {
            row.needs = text_slice(demand_at(engine, branch->demand)->needs);
            row.cost = demand_at(engine, branch->demand)->cost;
        }
        if (!ready_measure(engine, branch, steps, &row.available, &row.since_ns)) return false;
        row_add(list, &row, now_ns);
    }
    return true;
}

void engine_unserved(
    const struct engine *engine, hob_ns now_ns, uint32_t steps_max, struct unserved_list *ret_list
) {
    ret_list->count = 0;
    ret_list->available = 0;
    ret_list->is_cut = false;
    if (engine->state_counts[JOB_AVAILABLE] == 0) return;
    uint32_t steps = steps_max;
    bool is_any = false;
    bool marked = kinds_mark(engine, now_ns, true, &steps, &is_any);
    ret_list->is_cut = !marked;
    bool looks = marked && (!is_any || engine->demands.count > 0);
    for (uint32_t i = 0; looks && i < engine->queue_count; i++) {
        const struct queue *queue = queue_at(engine, engine->queue_list[i]);
        bool whole = steps > 0;
        if (whole) steps--;
        whole = whole && queue_measure(engine, queue, now_ns, is_any, &steps, ret_list);
        if (whole) continue;
        ret_list->is_cut = true;
        break;
    }
    steps = steps_max;
    is_any = false;
    (void)kinds_mark(engine, now_ns, false, &steps, &is_any);
}
