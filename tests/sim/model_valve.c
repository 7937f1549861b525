/* SPDX-License-Identifier: Apache-2.0 */
/* What stops jobs that wait: pauses, limits and rates of kinds, groups and limiters, and rates of
 * queues. Nothing is kept but what people have set and what rates have given away; who runs is
 * counted anew each time, and whether something is open is asked of the clock. */
#include <string.h>

#include "base/assert.h"
#include "base/glob.h"
#include "base/text.h"
#include "tests/sim/model.h"

/* --- what people have set, and what holds --- */

static struct model_valve *find(const struct model *model, const struct valve_name *name) {
    for (uint32_t i = 0; i < model->valve_count; i++) {
        const struct valve_view *view = &model->valves[i].view;
        if (view->sort == name->sort && slice_equal(view->queue, name->queue) &&
            slice_equal(view->name, name->name)) {
            return &model->valves[i];
        }
    }
    return NULL;
}

static struct model_valve *make(struct model *model, const struct valve_name *name) {
    struct model_valve *valve = find(model, name);
    if (valve != NULL) return valve;
    valve = model_grow(
        &model->valves, &model->valve_count, &model->valve_capacity, sizeof(*model->valves)
    );
    valve->view.sort = name->sort;
    valve->view.queue = model_copy(model, name->queue);
    valve->view.name = model_copy(model, name->name);
    return valve;
}

static bool is_glob(struct slice name) {
    return glob_has_wildcard(name);
}

/* The rule for a limiter: the longest glob that fits, of equally long ones the first. */
static struct valve_settings limiter_rule(const struct model *model, struct slice name) {
    const struct valve_view *best = NULL;
    for (uint32_t i = 0; i < model->valve_count; i++) {
        const struct valve_view *rule = &model->valves[i].view;
        bool is_rule = rule->sort == VALVE_LIMITER && is_glob(rule->name) &&
                       (rule->own.has_concurrency || rule->own.has_rate);
        if (!is_rule || !glob_fits(rule->name, name)) continue;
        bool is_better =
            best == NULL || rule->name.size > best->name.size ||
            (rule->name.size == best->name.size && slice_before(rule->name, best->name));
        if (is_better) best = rule;
    }
    return best == NULL ? (struct valve_settings){.has_rate = false} : best->own;
}

/* A valve as it holds now, also one about which nothing was ever said. */
static struct valve_view holds(const struct model *model, const struct valve_name *name) {
    const struct model_valve *valve = find(model, name);
    struct valve_view view = {.sort = name->sort, .queue = name->queue, .name = name->name};
    if (valve != NULL) view = valve->view;
    if (name->sort == VALVE_LIMITER && is_glob(name->name)) return view;
    struct valve_settings rule = {.has_rate = false};
    if (name->sort == VALVE_LIMITER) rule = limiter_rule(model, name->name);
    if (name->sort == VALVE_GROUP && name->name.size > 0) {
        const struct model_queue *queue = model_queue(model, name->queue);
        if (queue != NULL) {
            rule.concurrency = queue->view.group_rule.concurrency;
            rule.rate = queue->view.group_rule.rate;
        }
    }
    view.concurrency = view.own.has_concurrency ? view.own.concurrency : rule.concurrency;
    view.rate = view.own.has_rate ? view.own.rate : rule.rate;
    return view;
}

/* --- rates --- */

static uint64_t burst_of(const struct rate *rate) {
    return rate->burst == 0 ? rate->count : rate->burst;
}

static hob_ns step_of(const struct rate *rate) {
    return (rate->period_ns + rate->count - 1) / rate->count;
}

static uint64_t at_most(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* When it lets so many units start; a time that has passed: now. */
static hob_ns rate_opens(const struct rate *rate, hob_ns tat_ns, uint64_t units) {
    if (rate->count == 0) return 0;
    hob_ns ahead_ns = (burst_of(rate) - at_most(units, burst_of(rate))) * step_of(rate);
    return tat_ns < ahead_ns ? 0 : tat_ns - ahead_ns;
}

static hob_ns
rate_taken(const struct model *model, const struct rate *rate, hob_ns tat_ns, uint64_t units) {
    hob_ns from_ns = tat_ns < model->now_ns ? model->now_ns : tat_ns;
    return from_ns + at_most(units, burst_of(rate)) * step_of(rate);
}

/* --- is it open? --- */

static bool pause_holds(const struct model *model, const struct valve_view *valve) {
    return valve->paused && (valve->paused_until_ns == 0 || model->now_ns < valve->paused_until_ns);
}

static struct valve_name group_of(const struct job_view *job) {
    return (struct valve_name){.sort = VALVE_GROUP, .queue = job->queue, .name = job->group};
}

/* The next of a job's limiters. */
static bool next_limiter(struct slice *rest, struct valve_name *ret_name, uint64_t *ret_units) {
    if (rest->size == 0) return false;
    size_t size = 0;
    while (size < rest->size && rest->bytes[size] != ',') size++;
    struct slice one = slice_of(rest->bytes, size);
    size_t step = size < rest->size ? size + 1 : size;
    *rest = slice_of(rest->bytes + step, rest->size - step);
    size_t name = 0;
    while (name < size && one.bytes[name] != '=') name++;
    *ret_units = 1;
    if (name < size) {
        (void)text_u64(slice_of(one.bytes + name + 1, size - name - 1), 1, UINT32_MAX, ret_units);
    }
    *ret_name = (struct valve_name){.sort = VALVE_LIMITER, .name = slice_of(one.bytes, name)};
    return true;
}

bool model_limiters_are_valid(struct slice limiters) {
    struct slice names[JOB_LIMITERS_MAX];
    uint32_t count = 0;
    bool ends = limiters.size == 0 || limiters.bytes[limiters.size - 1] != ',';
    struct valve_name name;
    uint64_t units = 0;
    struct slice rest = limiters;
    while (next_limiter(&rest, &name, &units)) {
        struct slice one = name.name;
        if (count == JOB_LIMITERS_MAX || !name_is_valid(one)) return false;
        for (uint32_t i = 0; i < count; i++) {
            if (slice_equal(names[i], one)) return false;
        }
        names[count++] = one;
        const char *end = one.bytes + one.size;
        bool has_units = end < limiters.bytes + limiters.size && *end == '=';
        if (!has_units) continue;
        size_t size = 0;
        while (end + 1 + size < limiters.bytes + limiters.size && end[1 + size] != ',') size++;
        if (!text_u64(slice_of(end + 1, size), 1, LIMITER_UNITS_MAX, &units)) return false;
    }
    return ends;
}

/* What runs, waits and is held of a valve. */
static void count(const struct model *model, struct valve_view *valve) {
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        bool waits = job->state == JOB_SCHEDULED || job->state == JOB_RETRYABLE;
        if (!waits && job->state != JOB_RUNNING && job->state != JOB_AVAILABLE) continue;
        uint64_t units = 0;
        if (valve->sort == VALVE_GROUP) {
            bool is_in =
                slice_equal(job->queue, valve->queue) && slice_equal(job->group, valve->name);
            units = is_in ? 1 : 0;
        } else if (valve->sort == VALVE_LIMITER) {
            struct slice rest = job->limiters;
            struct valve_name name;
            uint64_t its = 0;
            while (next_limiter(&rest, &name, &its)) {
                if (slice_equal(name.name, valve->name)) units = its;
            }
        }
        if (units == 0) continue;
        if (job->state == JOB_RUNNING) valve->running += (uint32_t)units;
        if (job->state == JOB_AVAILABLE) valve->waiting++;
        if (valve->sort == VALVE_GROUP && waits && job->started_ns != 0) valve->held++;
    }
}

static bool looks_open(const struct model *model, const struct valve_name *name, uint64_t units) {
    struct valve_view valve = holds(model, name);
    if (pause_holds(model, &valve) || valve.blocked_by != 0) return false;
    /* More than could ever start counts as all that can. */
    if (valve.concurrency > 0) units = at_most(units, valve.concurrency);
    if (valve.rate.count > 0) units = at_most(units, burst_of(&valve.rate));
    if (rate_opens(&valve.rate, valve.tat_ns, units) > model->now_ns) return false;
    bool is_strict = name->sort == VALVE_GROUP && name->name.size > 0 &&
                     model_queue(model, name->queue)->view.group_rule.order != GROUP_LOOSE;
    if (valve.concurrency == 0 && !is_strict) return true;
    count(model, &valve);
    bool parks = is_strict && model_queue(model, name->queue)->view.group_rule.order == GROUP_PARK;
    if (is_strict && (valve.running > 0 || (valve.held > 0 && !parks))) return false;
    return valve.concurrency == 0 || valve.running + units <= valve.concurrency;
}

static void way_add(
    const struct model *model, const struct valve_name *name, uint64_t units, struct model_way *way
) {
    struct valve_view *view = &way->valves[way->count];
    *view = holds(model, name);
    count(model, view);
    way->units[way->count++] = units;
}

void model_valves_of(
    const struct model *model, const struct job_view *job, struct model_way *ret_way
) {
    struct valve_name name = {.sort = VALVE_KIND, .name = job->kind};
    ret_way->count = 0;
    way_add(model, &name, 1, ret_way);
    name = group_of(job);
    way_add(model, &name, 1, ret_way);
    struct slice rest = job->limiters;
    uint64_t units = 0;
    while (next_limiter(&rest, &name, &units)) way_add(model, &name, units, ret_way);
}

hob_ns model_rate_opens(const struct rate *rate, hob_ns tat_ns, uint64_t units) {
    return rate_opens(rate, tat_ns, units);
}

/* What was found while nothing changes: a valve is asked about for each job behind it, and each
 * time all jobs are counted. */
static struct {
    struct valve_name name;
    uint64_t units;
    bool is_open;
} found[64];
static uint32_t found_count;
static bool holds_still;

void model_valves_hold(bool still) {
    holds_still = still;
    found_count = 0;
}

static bool is_open(const struct model *model, const struct valve_name *name, uint64_t units) {
    for (uint32_t i = 0; i < found_count; i++) {
        const struct valve_name *other = &found[i].name;
        if (other->sort == name->sort && found[i].units == units &&
            slice_equal(other->queue, name->queue) && slice_equal(other->name, name->name)) {
            return found[i].is_open;
        }
    }
    bool open = looks_open(model, name, units);
    if (holds_still && found_count < hob_countof(found)) {
        found[found_count].name = *name;
        found[found_count].units = units;
        found[found_count++].is_open = open;
    }
    return open;
}

bool model_valves_let(const struct model *model, const struct job_view *job) {
    struct valve_name name = {.sort = VALVE_KIND, .name = job->kind};
    if (!is_open(model, &name, 1)) return false;
    name = group_of(job);
    if (!is_open(model, &name, 1)) return false;
    struct slice rest = job->limiters;
    uint64_t units = 0;
    while (next_limiter(&rest, &name, &units)) {
        if (!is_open(model, &name, units)) return false;
    }
    return true;
}

bool model_rate_lets(const struct model *model, const struct queue_view *queue) {
    return rate_opens(&queue->rate, queue->tat_ns, 1) <= model->now_ns;
}

uint32_t model_group_weight(const struct model *model, struct slice queue, struct slice group) {
    struct valve_name name = {.sort = VALVE_GROUP, .queue = queue, .name = group};
    const struct model_valve *valve = find(model, &name);
    return valve != NULL && valve->view.own.has_weight ? valve->view.own.weight : 1;
}

/* --- a job starts --- */

static void take(struct model *model, const struct valve_name *name, uint64_t units) {
    struct valve_view valve = holds(model, name);
    if (valve.rate.count == 0) return;
    if (valve.concurrency > 0) units = at_most(units, valve.concurrency);
    hob_ns tat_ns = rate_taken(model, &valve.rate, valve.tat_ns, units);
    make(model, name)->view.tat_ns = tat_ns;
}

void model_valves_take(struct model *model, const struct job_view *job) {
    struct queue_view *queue = &model_queue(model, job->queue)->view;
    if (queue->rate.count > 0) queue->tat_ns = rate_taken(model, &queue->rate, queue->tat_ns, 1);
    struct valve_name name = group_of(job);
    take(model, &name, 1);
    struct slice rest = job->limiters;
    uint64_t units = 0;
    while (next_limiter(&rest, &name, &units)) take(model, &name, units);
}

/* --- commands --- */

bool model_rate_change(struct rate *rate, const struct rate_set *set) {
    if (set->has_rate) {
        rate->count = set->count;
        rate->period_ns = set->period_ns;
        if (set->count == 0) *rate = (struct rate){.count = 0};
    }
    if (set->has_burst) rate->burst = set->burst;
    if (rate->count == 0) return rate->burst == 0;
    return rate->count <= RATE_COUNT_MAX && rate->burst <= RATE_COUNT_MAX &&
           rate->period_ns >= RATE_PERIOD_MIN_NS && rate->period_ns <= DELAY_MAX_NS &&
           burst_of(rate) <= DELAY_MAX_NS / step_of(rate);
}

static hob_ns debt(const struct model *model, const struct rate *rate, hob_ns tat_ns) {
    if (rate->count == 0) return 0;
    return at_most(tat_ns, model->now_ns + burst_of(rate) * step_of(rate));
}

void model_valves_forgive(struct model *model) {
    for (uint32_t i = 0; i < model->valve_count; i++) {
        struct valve_view *valve = &model->valves[i].view;
        struct valve_name name = {.sort = valve->sort, .queue = valve->queue, .name = valve->name};
        if (valve->tat_ns <= model->now_ns) continue;
        struct rate rate = holds(model, &name).rate;
        valve->tat_ns = debt(model, &rate, valve->tat_ns);
    }
    for (uint32_t i = 0; i < model->queue_count; i++) {
        struct queue_view *queue = &model->queues[i].view;
        queue->tat_ns = debt(model, &queue->rate, queue->tat_ns);
    }
}

/* Is there somebody with this name, or did anybody say something about it? */
static bool is_known(const struct model *model, const struct valve_name *name) {
    const struct model_valve *valve = find(model, name);
    if (valve != NULL) {
        const struct valve_settings *own = &valve->view.own;
        if (own->has_weight || own->has_concurrency || own->has_rate) return true;
        if (valve->view.paused || valve->view.blocked_by != 0) return true;
        if (valve->view.tat_ns > model->now_ns) return true;
    }
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        if (name->sort == VALVE_KIND && slice_equal(job->kind, name->name)) return true;
        if (name->sort == VALVE_GROUP && slice_equal(job->queue, name->queue) &&
            slice_equal(job->group, name->name)) {
            return true;
        }
        struct slice rest = name->sort == VALVE_LIMITER ? job->limiters : SLICE_NONE;
        struct valve_name its;
        uint64_t units = 0;
        while (next_limiter(&rest, &its, &units)) {
            if (slice_equal(its.name, name->name)) return true;
        }
    }
    for (uint32_t i = 0; i < model->worker_count && name->sort == VALVE_KIND; i++) {
        const struct model_worker *worker = &model->workers[i];
        for (uint32_t k = 0; k < worker->view.kind_count; k++) {
            if (slice_equal(worker->kinds[k], name->name)) return true;
        }
    }
    return false;
}

static void
valve_set(struct model *model, const struct valve_set_command *set, struct answer *answer) {
    const struct model_valve *known = find(model, &set->valve);
    struct valve_settings own = {.has_rate = false};
    if (known != NULL && !set->reset) own = known->view.own;
    if (set->has_weight) own.weight = set->weight;
    if (set->has_concurrency) own.concurrency = set->concurrency;
    own.has_weight = own.has_weight || set->has_weight;
    own.has_concurrency = own.has_concurrency || set->has_concurrency;
    own.has_rate = own.has_rate || set->rate.has_rate;
    if (!model_rate_change(&own.rate, &set->rate)) {
        answer->code = ANSWER_BAD_ARGUMENT;
        return;
    }
    /* Settings of a group are those of a queue. */
    bool says = own.has_weight || own.has_concurrency || own.has_rate;
    if (set->valve.sort == VALVE_GROUP &&
        (says || (known != NULL && is_known(model, &set->valve)))) {
        model_queue_make(model, set->valve.queue);
    }
    make(model, &set->valve)->view.own = own;
    model_valves_forgive(model);
}

static void resume(struct valve_view *valve) {
    valve->paused = false;
    valve->paused_until_ns = 0;
    valve->paused_by = SLICE_NONE;
    valve->paused_why = SLICE_NONE;
}

void model_valve_command(
    struct model *model, const struct command *command, struct answer *answer
) {
    if (command->type == COMMAND_VALVE_SET) {
        valve_set(model, &command->valve_set, answer);
        return;
    }
    if (command->type == COMMAND_VALVE_PAUSE) {
        const struct valve_pause_command *pause = &command->valve_pause;
        if (pause->valve.sort == VALVE_GROUP) model_queue_make(model, pause->valve.queue);
        struct valve_view *valve = &make(model, &pause->valve)->view;
        valve->paused = true;
        valve->paused_until_ns = pause->until_ns;
        valve->paused_by = model_copy(model, pause->by);
        valve->paused_why = model_copy(model, pause->why);
        return;
    }
    const struct valve_name *name = &command->valve_resume.valve;
    struct model_valve *valve = find(model, name);
    if (!is_known(model, name)) {
        answer->code = ANSWER_UNKNOWN;
    } else if (valve != NULL && command->type == COMMAND_VALVE_RESUME) {
        resume(&valve->view);
    } else if (valve != NULL) {
        answer->id = valve->view.blocked_by;
        valve->view.blocked_by = 0;
    }
}

void model_limiter_rest(struct model *model, const struct job_view *job, hob_ns pause_ns) {
    struct slice rest = job->limiters;
    struct valve_name limiter;
    uint64_t units;
    if (pause_ns == 0 || !next_limiter(&rest, &limiter, &units)) return;
    struct valve_view *valve = &make(model, &limiter)->view;
    hob_ns until_ns = ns_add(model->now_ns, pause_ns);
    bool is_longer = valve->paused_until_ns == 0 || valve->paused_until_ns >= until_ns;
    if (valve->paused && is_longer) return;
    valve->paused = true;
    valve->paused_until_ns = until_ns;
    valve->paused_by = model_copy(model, job->worker);
    valve->paused_why = SLICE("a job was told to come again later");
}

void model_valve_block(struct model *model, const struct job_view *job) {
    struct valve_name name = group_of(job);
    if (model_queue(model, job->queue)->view.group_rule.order != GROUP_BLOCK) return;
    if (name.name.size == 0) return;
    struct valve_view *valve = &make(model, &name)->view;
    if (valve->blocked_by == 0 || job->id < valve->blocked_by) valve->blocked_by = job->id;
}

void model_valve_unblock(struct model *model, const struct job_view *job) {
    struct valve_name name = group_of(job);
    struct model_valve *valve = find(model, &name);
    if (valve != NULL && valve->view.blocked_by == job->id) valve->view.blocked_by = 0;
}

/* --- time --- */

void model_valves_turn(struct model *model) {
    for (uint32_t i = 0; i < model->valve_count; i++) {
        struct valve_view *valve = &model->valves[i].view;
        if (valve->paused && !pause_holds(model, valve)) resume(valve);
        if (valve->tat_ns <= model->now_ns) valve->tat_ns = 0;
    }
    for (uint32_t i = 0; i < model->queue_count; i++) {
        struct queue_view *queue = &model->queues[i].view;
        if (queue->tat_ns <= model->now_ns) queue->tat_ns = 0;
    }
}

/* Does time change something about a valve until then? Debts are paid off all the time. */
bool model_valves_move(const struct model *model, hob_ns now_ns) {
    for (uint32_t i = 0; i < model->valve_count; i++) {
        const struct valve_view *valve = &model->valves[i].view;
        bool has_end = valve->paused && valve->paused_until_ns != 0;
        if ((has_end && valve->paused_until_ns <= now_ns) || valve->tat_ns != 0) return true;
    }
    for (uint32_t i = 0; i < model->queue_count; i++) {
        if (model->queues[i].view.tat_ns != 0) return true;
    }
    return false;
}

static void
earlier(const struct model *model, const struct valve_name *name, uint64_t units, hob_ns *due_ns) {
    struct valve_view valve = holds(model, name);
    if (valve.concurrency > 0) units = at_most(units, valve.concurrency);
    hob_ns opens_ns = rate_opens(&valve.rate, valve.tat_ns, units);
    if (pause_holds(model, &valve)) opens_ns = valve.paused_until_ns;
    if (opens_ns > model->now_ns && opens_ns < *due_ns && valve.blocked_by == 0) *due_ns = opens_ns;
}

hob_ns model_valves_due(const struct model *model) {
    hob_ns due_ns = HOB_NEVER;
    for (uint32_t i = 0; i < model->job_count && model->wait_count > 0; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        if (job->state != JOB_AVAILABLE) continue;
        const struct queue_view *queue = &model_queue(model, job->queue)->view;
        hob_ns opens_ns = rate_opens(&queue->rate, queue->tat_ns, 1);
        if (opens_ns > model->now_ns && opens_ns < due_ns) due_ns = opens_ns;
        struct valve_name name = group_of(job);
        earlier(model, &name, 1, &due_ns);
        struct slice rest = job->limiters;
        uint64_t units = 0;
        while (next_limiter(&rest, &name, &units)) earlier(model, &name, units, &due_ns);
    }
    return due_ns;
}

bool model_valve_view(const struct model *model, uint32_t at, struct valve_view *ret_view) {
    if (at >= model->valve_count) return false;
    const struct valve_view *valve = &model->valves[at].view;
    struct valve_name name = {.sort = valve->sort, .queue = valve->queue, .name = valve->name};
    *ret_view = holds(model, &name);
    count(model, ret_view);
    return true;
}
