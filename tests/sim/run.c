/* SPDX-License-Identifier: Apache-2.0 */
/* One run: a step is a time, a turn at it, a command, and (mostly) another turn, done by engine and
 * model; then what came of it is compared. */
#include "tests/sim/run.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tests/sim/compare.h"
#include "tests/sim/generate.h"
#include "tests/sim/print.h"
#include "tests/sim/target.h"

enum { REPORT_BYTES_MAX = 64 * 1024, JOBS_A_LOOK = 16, EXPLAINED = 5 };

struct run {
    uint64_t seed;
    uint64_t commands;
    bool trace;
    struct generator *generator;
    struct dice dice; /* of what is checked when; apart from the commands' */
    struct model *model;
    struct target *target;
    struct command command;
    struct answer wanted;
    struct answer got;
    /* The engine's late outputs since they were last compared. */
    struct model_late *lates;
    uint32_t late_count;
    uint32_t late_capacity;
    struct notice *notices;
    uint32_t notice_count;
    uint32_t notice_capacity;
    struct buf report;
    bool turn_is_open; /* the command before has had no turn yet */
    jmp_buf end;
};

static uint64_t command_number;

uint64_t run_command_number(void) {
    return command_number;
}

_Noreturn static void differ(struct run *run, const char *what) {
    struct buf text = buf_make(REPORT_BYTES_MAX);
    print_command(&run->command, &text);
    (void)buf_put_str(&text, "\nmodel:   ");
    print_answer(&run->wanted, &text);
    (void)buf_put_str(&text, "\nengine:  ");
    print_answer(&run->got, &text);
    (void)fprintf(
        stderr,
        "seed %llu, command %llu: %s\ntime:    %llu\ncommand: %.*s\n%.*sagain:   sim %llu %llu\n",
        (unsigned long long)run->seed,
        (unsigned long long)command_number,
        what,
        (unsigned long long)run->model->now_ns,
        SLICE_ARG(text),
        SLICE_ARG(run->report),
        (unsigned long long)run->seed,
        (unsigned long long)run->commands
    );
    buf_deinit(&text);
    longjmp(run->end, 1);
}

static void need(struct run *run, bool same, const char *what) {
    if (!same) differ(run, what);
}

static void on_answer(void *context, const struct answer *answer) {
    struct run *run = context;
    struct model_late *late =
        model_grow(&run->lates, &run->late_count, &run->late_capacity, sizeof(*run->lates));
    late->answer = *answer;
    if (answer->job_count == 0) return;
    size_t bytes = answer->job_count * sizeof(uint64_t);
    late->jobs = malloc(bytes);
    hob_assert(late->jobs != NULL);
    memcpy(late->jobs, answer->jobs, bytes);
    late->answer.jobs = late->jobs;
}

static void on_notice(void *context, const struct notice *notice) {
    struct run *run = context;
    struct notice *kept =
        model_grow(&run->notices, &run->notice_count, &run->notice_capacity, sizeof(*kept));
    *kept = *notice;
    kept->worker = model_copy(run->model, notice->worker);
}

static void on_replayed(void *context, const struct engine *engine) {
    struct run *run = context;
    bool same = compare_durable(run->model, engine, &run->report);
    need(run, same, "an engine made from the journal differs");
}

static void on_broken(void *context, const char *text) {
    differ(context, text);
}

static bool is_pruned(void *context, uint64_t id) {
    const struct run *run = context;
    struct job_view view;
    return !engine_job(target_engine(run->target), id, &view);
}

/* The ids after @from are those of this turn. */
static uint64_t first_child(void *context, uint64_t parent, uint64_t from) {
    const struct run *run = context;
    const struct engine *engine = target_engine(run->target);
    struct engine_stats stats;
    engine_stats(engine, &stats);
    for (uint64_t id = from; id < stats.next_id; id++) {
        struct job_view view;
        if (engine_job(engine, id, &view) && view.parent == parent) return id;
    }
    return UINT64_MAX;
}

static bool knows_queue(void *context, struct slice name) {
    const struct run *run = context;
    struct queue_view view;
    return run->target != NULL && engine_queue(target_engine(run->target), name, &view);
}

static void outputs_reset(struct run *run) {
    for (uint32_t i = 0; i < run->late_count; i++) free(run->lates[i].jobs);
    run->late_count = 0;
    run->notice_count = 0;
    model_outputs_reset(run->model);
}

static void turn(struct run *run) {
    hob_ns now_ns = run->model->now_ns;
    /* A turn with a small budget serves the waiting before all is staged: a fair difference. */
    bool is_small = run->model->wait_count == 0 && dice_once_in(&run->dice, 4);
    uint32_t budget = is_small ? 1 + (uint32_t)dice_below(&run->dice, 5) : UINT32_MAX;
    target_turn(run->target, now_ns, budget);
    model_turn(run->model, now_ns);
    run->turn_is_open = false;
}

static void check_due(struct run *run) {
    hob_ns due_ns = model_due(run->model);
    if (target_due(run->target) <= due_ns) return;
    (void)buf_printf(
        &run->report,
        "  model's due %llu, engine's due %llu\n",
        (unsigned long long)due_ns,
        (unsigned long long)target_due(run->target)
    );
    differ(run, "engine_due is too late");
}

static void compare_outputs(struct run *run) {
    const struct model *model = run->model;
    bool same =
        compare_lates(model->lates, model->late_count, run->lates, run->late_count, &run->report);
    need(run, same, "late answers differ");
    same = compare_notices(
        model->notices, model->notice_count, run->notices, run->notice_count, &run->report
    );
    need(run, same, "notices differ");
}

static uint64_t id_of(const struct command *command, const struct answer *answer) {
    switch (command->type) {
    case COMMAND_PUSH:
        return answer->id;
    case COMMAND_ACK:
    case COMMAND_FAIL:
    case COMMAND_RELEASE:
    case COMMAND_EXTEND:
    case COMMAND_CHECKPOINT:
    case COMMAND_LOG:
    case COMMAND_PROGRESS:
        return command->ack.lease.id;
    case COMMAND_CANCEL:
    case COMMAND_DISCARD:
    case COMMAND_RETRY:
    case COMMAND_DELETE:
        return command->cancel.id;
    case COMMAND_UPDATE:
        return command->update.id;
    case COMMAND_WAIT:
        return command->wait.id;
    case COMMAND_FETCH:
    case COMMAND_PUSH_ALL:
    case COMMAND_PAUSE:
    case COMMAND_RESUME:
    case COMMAND_QUEUE_SET:
    case COMMAND_VALVE_SET:
    case COMMAND_VALVE_PAUSE:
    case COMMAND_VALVE_RESUME:
    case COMMAND_GROUP_SKIP:
    case COMMAND_WORKER_SET:
    case COMMAND_WORKER_BEAT:
    case COMMAND_TOKEN_PUT:
    case COMMAND_TOKEN_DROP:
    case COMMAND_TOKEN_USE:
    case COMMAND_FORGET:
    case COMMAND_CLOCK_JUMP:
    case COMMAND_TYPE_COUNT:
        break;
    }
    return 0;
}

static void compare_touched(struct run *run, uint64_t id, const uint64_t *fetched, uint32_t count) {
    const struct engine *engine = target_engine(run->target);
    bool same = id == 0 || compare_job(run->model, engine, id, &run->report);
    for (uint32_t i = 0; i < count; i++) {
        same = compare_job(run->model, engine, fetched[i], &run->report) && same;
    }
    for (uint32_t i = 0; i < run->late_count; i++) {
        const struct answer *late = &run->lates[i].answer;
        for (uint32_t k = 0; k < late->job_count; k++) {
            same = compare_job(run->model, engine, late->jobs[k], &run->report) && same;
        }
    }
    for (uint32_t i = 0; i < run->notice_count; i++) {
        same = compare_job(run->model, engine, run->notices[i].id, &run->report) && same;
    }
    need(run, same, "a job that was touched differs");
}

struct body_count {
    struct run *run;
    uint64_t count;
};

static void check_body(void *context, const struct body_ref *ref) {
    struct body_count *counted = context;
    if (ref->id == 0) return;
    const struct model_body *body = &counted->run->model->bodies[ref->id - 1];
    counted->count++;
    if (target_has_body(counted->run->target, ref->id, body->size, body->hash)) return;
    (void)buf_printf(&counted->run->report, "  body %llu\n", (unsigned long long)ref->id);
    differ(counted->run, "a body is lost or has other bytes");
}

static void compare_everything(struct run *run) {
    const struct engine *engine = target_engine(run->target);
    need(run, compare_all(run->model, engine, &run->report), "the states differ");
    struct body_count counted = {.run = run};
    model_bodies(run->model, check_body, &counted);
    uint64_t held = target_body_count(run->target);
    if (held != UINT64_MAX && held != counted.count) differ(run, "bodies are held for nothing");
    target_check(run->target);
    struct dice *dice = &run->dice;
    struct job_filter filter = {.states = 0};
    if (dice_once_in(dice, 2)) filter.states = (uint32_t)dice_below(dice, 1u << JOB_STATE_COUNT);
    if (dice_once_in(dice, 2)) filter.queue = run->generator->queues[dice_below(dice, NAMES_MAX)];
    if (dice_once_in(dice, 4)) filter.kind = run->generator->kinds[dice_below(dice, NAMES_MAX)];
    const struct model *model = run->model;
    const struct model_job *some =
        model->job_count == 0 ? NULL : model->jobs[dice_below(dice, model->job_count)];
    if (some != NULL) {
        if (dice_once_in(dice, 4)) filter.marks.tag = SLICE("ta");
        if (dice_once_in(dice, 8)) filter.marks.key = some->view.key;
        if (dice_once_in(dice, 8)) filter.marks.ref = some->view.ref;
        if (dice_once_in(dice, 8)) filter.marks.parent = some->view.parent;
        if (dice_once_in(dice, 4)) filter.marks.since_ns = some->view.created_ns;
        if (dice_once_in(dice, 4)) filter.marks.until_ns = some->view.created_ns;
    }
    for (uint32_t i = 0; i < EXPLAINED && some != NULL; i++) {
        const struct model_job *job = model->jobs[dice_below(dice, model->job_count)];
        need(run, compare_gates(run->model, engine, job, &run->report), "a gate differs");
    }
    uint32_t next_max = (uint32_t)dice_below(dice, 100);
    need(run, compare_next(run->model, engine, next_max, &run->report), "what is next differs");
    uint32_t page = 1 + (uint32_t)dice_below(dice, 64);
    bool same = compare_list(run->model, engine, &filter, page, &run->report);
    need(run, same, "lists differ");
}

/* Give @command to both. */
static void apply(struct run *run, hob_ns now_ns) {
    const struct command *command = &run->command;
    uint64_t fetched[FETCH_COUNT_MAX];
    target_apply(run->target, now_ns, command, &run->got);
    bool is_push = command->type == COMMAND_PUSH || command->type == COMMAND_UPDATE ||
                   command->type == COMMAND_PUSH_ALL;
    /* At the ceiling itself these may make nothing that stays. */
    bool may_make = command->type == COMMAND_QUEUE_SET || command->type == COMMAND_PAUSE ||
                    command->type == COMMAND_VALVE_SET || command->type == COMMAND_VALVE_PAUSE ||
                    command->type == COMMAND_WORKER_SET || command->type == COMMAND_WORKER_BEAT ||
                    command->type == COMMAND_FETCH;
    bool has_no_room = run->got.code == ANSWER_MEMORY || run->got.code == ANSWER_FULL;
    /* How much room there is, is not the model's affair: a push that is refused has not been. */
    if (has_no_room && (is_push || (may_make && run->got.code == ANSWER_MEMORY))) {
        run->wanted = run->got;
    } else {
        model_apply(run->model, now_ns, command, &run->wanted);
    }
    if (run->trace) {
        struct buf text = buf_make(REPORT_BYTES_MAX);
        print_command(command, &text);
        (void)buf_put_str(&text, " -> ");
        print_answer(&run->got, &text);
        (void)printf(
            "%llu %llu %.*s\n",
            (unsigned long long)command_number,
            (unsigned long long)run->model->now_ns,
            SLICE_ARG(text)
        );
        buf_deinit(&text);
    }
    bool same = compare_answers(command, &run->wanted, &run->got, &run->report);
    need(run, same, "the answers differ");
    bool has_jobs = run->wanted.code == ANSWER_OK && command->type == COMMAND_FETCH;
    uint32_t count = has_jobs ? run->wanted.job_count : 0;
    memcpy(
        fetched, run->wanted.jobs == NULL ? fetched : run->wanted.jobs, count * sizeof(uint64_t)
    );
    for (uint32_t i = 0; i < run->wanted.pushed_count; i++) {
        fetched[count++] = run->wanted.pushed[i].id;
    }
    uint64_t id = run->wanted.code == ANSWER_OK || !is_push ? id_of(command, &run->wanted) : 0;
    /* These answers borrow; they are told once more when something differs in the turn. */
    run->wanted.jobs = fetched;
    run->got.jobs = fetched;
    run->wanted.job_count = run->got.job_count = count;
    run->turn_is_open = dice_percent(&run->dice, run->generator->swarm.lazy_turns);
    if (!run->turn_is_open) turn(run);
    compare_outputs(run);
    compare_touched(run, id, fetched, count);
    target_compare_twin(run->target);
    if (!run->turn_is_open) check_due(run);
    run->wanted.job_count = run->got.job_count = 0;
}

static void step(struct run *run) {
    hob_ns before_ns = run->model->now_ns;
    hob_ns now_ns = generate_time(run->generator, run->model);
    bool is_later = now_ns > before_ns;
    if (is_later && run->turn_is_open) turn(run);
    if (is_later) run->model->now_ns = now_ns;
    /* Whether a command before the turn already sees the end of a pause is nobody's promise. */
    bool is_early = dice_percent(&run->dice, run->generator->swarm.early) &&
                    !model_has_ended_pause(run->model, now_ns);
    /* A jump is told of before anything else that its time brings. */
    bool jumps = is_later && !run->turn_is_open && !model_has_ended_pause(run->model, now_ns) &&
                 generate_jump(run->generator, now_ns - before_ns, &run->command);
    if (!run->turn_is_open && !is_early && !jumps) turn(run);
    if (!jumps) generate_command(run->generator, run->model, &run->command);
    apply(run, now_ns);
    outputs_reset(run);
}

static void restart(struct run *run) {
    turn(run);
    compare_outputs(run);
    outputs_reset(run);
    target_restart(run->target, run->model->now_ns);
    model_restart(run->model);
    /* Of a worker a restart knows what its running jobs tell, and gives it time to come back. */
    struct worker_view worker;
    for (uint32_t i = 0; engine_worker_at(target_engine(run->target), i, &worker); i++) {
        struct model_worker *known = model_worker_make(run->model, worker.name);
        known->view.alive_until_ns = worker.alive_until_ns;
        bool has_grace = worker.alive_until_ns > run->model->now_ns;
        if (worker.running > 0 && !has_grace) differ(run, "no grace after a restart");
    }
}

static void run_all(struct run *run) {
    uint32_t every = 1 + (uint32_t)dice_below(&run->dice, 200);
    for (uint64_t i = 1; i <= run->commands || run->generator->grind != GRIND_NOTHING; i++) {
        command_number++;
        step(run);
        /* A look at everything costs as much as there is, so it is rarer where there is more; what
         * a command touches, and the digests, are compared after each. */
        uint32_t size = run->model->job_count / JOBS_A_LOOK;
        if (dice_once_in(&run->dice, every + size)) compare_everything(run);
        if (target_may_restart(run->target) && dice_once_in(&run->dice, 300)) {
            restart(run);
            compare_everything(run);
        }
    }
    run->command = (struct command){.type = COMMAND_FORGET};
    turn(run);
    compare_outputs(run);
    outputs_reset(run);
    compare_everything(run);
}

bool run_seed(uint64_t seed, uint64_t commands, bool trace) {
    struct run *run = calloc(1, sizeof(*run));
    hob_assert(run != NULL);
    run->seed = seed;
    run->commands = commands;
    run->trace = trace;
    run->report = buf_make(REPORT_BYTES_MAX);
    run->generator = generator_new(seed);
    run->dice = dice_of(seed ^ UINT64_C(0xd1ce));
    run->model = model_new();
    run->model->is_pruned = is_pruned;
    run->model->first_child = first_child;
    run->model->knows_queue = knows_queue;
    run->model->context = run;
    run->command = (struct command){.type = COMMAND_FORGET};
    command_number = 0;
    struct target_options options = {
        .setting = (enum target_setting
        )(seed % 10 < 7   ? 0
          : seed % 10 < 8 ? 1
                          : 2),
        .seed = seed,
        .memory_max_bytes = dice_once_in(&run->dice, 10) ? 700 * 1000 : 0,
        .context = run,
        .answer = on_answer,
        .notice = on_notice,
        .replayed = on_replayed,
        .broken = on_broken,
    };
    run->model->reads_bodies = options.setting != TARGET_ALONE;
    run->target = target_new(&options);
    bool passed = setjmp(run->end) == 0;
    if (passed) run_all(run);
    outputs_reset(run);
    target_free(run->target);
    run->target = NULL;
    model_free(run->model);
    generator_free(run->generator);
    buf_deinit(&run->report);
    free(run->lates);
    free(run->notices);
    free(run);
    return passed;
}
