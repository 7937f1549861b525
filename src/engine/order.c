/* SPDX-License-Identifier: Apache-2.0 */
/* Which of two available jobs of a queue goes first, and so which is the best of a lane or branch:
 *
 *     the smaller priority,
 *     the group whose turn comes earlier (its pass),
 *     what somebody put in front,
 *     the older one (FIFO) or the newer one (LIFO).
 *
 * Where a queue ages its jobs a priority is worth time: created + priority * aging is compared
 * behind the turn of the group, so a job that has waited long enough goes before a better one. Both
 * parts never change, and neither does the order of two jobs that wait. */
#include "engine/valves.h"

static bool aged_before(const struct queue *queue, const struct job *a, const struct job *b) {
    /* created + priority * aging, of both, without overflow. */
    __extension__ typedef __int128 wide;
    wide rank_a = (wide)a->created_ns + (wide)a->priority * queue->aging_ns;
    wide rank_b = (wide)b->created_ns + (wide)b->priority * queue->aging_ns;
    return rank_a < rank_b;
}

static bool aged_equal(const struct queue *queue, const struct job *a, const struct job *b) {
    return !aged_before(queue, a, b) && !aged_before(queue, b, a);
}

uint64_t job_place(const struct job *job, bool newest) {
    const uint64_t middle = UINT64_C(1) << 63;
    if ((job->flags & JOB_FRONT) != 0) return middle - job->id;
    return newest ? ~job->id : middle + job->id;
}

bool lane_is_newest_first(const struct engine *engine, const struct lane *lane) {
    return queue_at(engine, branch_at(engine, lane->branch)->queue)->order == QUEUE_LIFO;
}

uint64_t ready_key(const struct engine *engine, const struct job *job) {
    /* In a queue whose jobs age no priority goes before all others. */
    return queue_at(engine, job->queue)->aging_ns != 0 ? 0 : job->priority;
}

bool ready_before_by(
    const struct engine *engine,
    const struct job *a,
    uint64_t pass_a,
    const struct job *b,
    uint64_t pass_b
) {
    const struct queue *queue = queue_at(engine, a->queue);
    bool ages = queue->aging_ns != 0;
    if (!ages && a->priority != b->priority) return a->priority < b->priority;
    if (pass_a != pass_b) return pass_a < pass_b;
    bool has_front = ((a->flags | b->flags) & JOB_FRONT) != 0;
    if (ages && !has_front && !aged_equal(queue, a, b)) return aged_before(queue, a, b);
    bool newest = queue->order == QUEUE_LIFO;
    return job_place(a, newest) < job_place(b, newest);
}

bool ready_before(const struct engine *engine, uint32_t a, uint32_t b) {
    const struct job *job_a = job_at(engine, a);
    const struct job *job_b = job_at(engine, b);
    uint64_t pass_a = lane_at(engine, job_a->lane)->pass;
    uint64_t pass_b = lane_at(engine, job_b->lane)->pass;
    return ready_before_by(engine, job_a, pass_a, job_b, pass_b);
}

uint32_t lane_best(const struct engine *engine, const struct lane *lane) {
    bool newest = lane_is_newest_first(engine, lane);
    uint32_t fresh = newest ? lane->fresh.last : lane->fresh.first;
    if (lane->returned.count == 0) return fresh;
    uint32_t returned = lane->returned.entries[0].item;
    if (fresh == 0) return returned;
    uint64_t fresh_place = job_place(job_at(engine, fresh), newest);
    return fresh_place < lane->returned.entries[0].key ? fresh : returned;
}

bool branch_has_offer(const struct branch *branch) {
    return branch->lanes.count > 0 || branch->branches.count > 0;
}

uint32_t branch_best(const struct engine *engine, const struct branch *branch) {
    hob_assert(branch_has_offer(branch));
    uint32_t best = 0;
    for (;;) {
        if (branch->lanes.count > 0) {
            uint32_t job = lane_best(engine, lane_at(engine, branch->lanes.entries[0].item));
            if (best == 0 || ready_before(engine, job, best)) best = job;
        }
        if (branch->branches.count == 0) return best;
        branch = branch_at(engine, branch->branches.entries[0].item);
    }
}
