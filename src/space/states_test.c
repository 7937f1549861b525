/* SPDX-License-Identifier: Apache-2.0 */
/* Crash states of a whole space: a space with the smallest segments lives on a recorded disk, and
 * cleans, trims and recycles all the time. For a cut behind each call every disk that it may leave
 * (all of them while they are few, else drawn ones) is recovered as a space: the state must be,
 * digest for digest, that after some turn that was begun, none before the last one that was
 * answered, and each body must be there, byte for byte.
 *
 * Three turns go to the disk as one would not let them: the later ones wait while the first is
 * written, so that a segment that is given back too early is gone before what replaces it. Now and
 * then a frame finds the disk full in its middle, and the space has to come back from that by
 * itself.
 *
 * HOB_STATES=N in the environment: N times as many disks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/status.h"
#include "base/test.h"
#include "journal/rig_trace.h"
#include "space/space.h"

#define SEGMENT    (UINT64_C(64) * 1024)
#define RETRY_STEP (300 * NS_PER_MS)
#define BODY_MAX   8192
#define FULL_EACH  41 /* one frame in so many finds the disk full */

enum {
    TURNS = 240,
    SEQS_MAX = 4096,
    SURVIVORS = 6,
    EXHAUSTIVE_MAX = 32,
    DRAWN = 10,
    GO_ON_EACH = 11, /* one recovered space in so many goes on */
};

struct run {
    struct rig_dir dir;
    struct rig_trace trace;
    struct space *space;
    struct answer last;
    hob_ns now_ns;
    struct trace_note note;
    uint64_t digests[SEQS_MAX]; /* of the state when batch number i is the last */
    uint64_t survivors[SURVIVORS];
    uint64_t fed; /* bodies made so far */
    uint64_t refusals;
    char scratch[BODY_MAX];
};

static void ignore_answer(void *context, const struct answer *answer) {
    (void)context;
    (void)answer;
}

static struct space *space_in(const struct rig_dir *dir, const struct file_io *io, hob_ns now_ns) {
    struct journal_file_options file = {.path = dir->path, .segment_bytes = SEGMENT, .io = io};
    struct space_options options = {.sink = {.answer = ignore_answer}, .slack_bytes = 2 * SEGMENT};
    struct journal *journal = NULL;
    struct space *space = NULL;
    struct space_recovery recovery;
    struct hob_error err = {0};
    enum hob_status status = journal_file_open(&file, (struct journal_wake){0}, &journal, &err);
    if (status == HOB_OK) status = space_open(journal, &options, now_ns, &space, &recovery, &err);
    if (status != HOB_OK) CHECK_STR(err.text, "");
    return space;
}

/* --- bodies that can be recognised --- */

/* A body begins with its seed. */
static struct slice body_make(char *to, uint64_t seed) {
    size_t size = 300 + (size_t)(seed * 7919 % 2400);
    rig_bytes(to, size, seed);
    memcpy(to, &seed, sizeof seed);
    return slice_of(to, size);
}

static void body_check(struct space *space, uint64_t id) {
    static char wanted[BODY_MAX];
    if (id == 0) return;
    HOB_AUTO_BUF struct buf out = buf_make(BODY_MAX);
    struct hob_error err = {0};
    if (space_body(space, id, &out, &err) != HOB_OK) CHECK_STR(err.text, "");
    uint64_t seed;
    CHECK(out.size >= sizeof seed);
    memcpy(&seed, out.bytes, sizeof seed);
    struct slice body = body_make(wanted, seed);
    CHECK_EQUAL(out.size, body.size);
    CHECK_BYTES(out.bytes, body.bytes, body.size);
}

/* All bodies of all jobs are there; how many. */
static uint64_t bodies_check(struct space *space) {
    enum { PAGE = 64 };
    uint64_t ids[PAGE];
    uint64_t bodies = 0;
    struct page_limits limits = {.scan_max = 10000, .id_max = PAGE};
    do {
        uint32_t count;
        struct job_filter filter = {0};
        limits.before_id = engine_list(space_engine(space), &filter, limits, ids, &count);
        for (uint32_t i = 0; i < count; i++) {
            struct job_view view;
            CHECK(engine_job(space_engine(space), ids[i], &view));
            body_check(space, view.payload_body.id);
            body_check(space, view.result.id);
            bodies += (view.payload_body.id != 0 ? 1u : 0u) + (view.result.id != 0 ? 1u : 0u);
        }
    } while (limits.before_id != 0);
    return bodies;
}

/* --- a run --- */

static void run_turn_begin(struct run *run) {
    run->now_ns += NS_PER_MS;
    space_turn_begin(run->space, run->now_ns);
}

/* The state is that after batch @seq, until a later turn makes another of it. */
static uint64_t run_turn_end(struct run *run) {
    /* What the turns before left, and its own. */
    run->note.attempted = space_durable(run->space) + 4;
    rig_trace_note(&run->trace, run->note);
    uint64_t seq = space_turn_end(run->space);
    hob_assert(seq < SEQS_MAX);
    run->digests[seq] = engine_digest(space_engine(run->space));
    return seq;
}

static struct answer *run_apply(struct run *run, const struct command *command) {
    space_apply(run->space, command, &run->last);
    return &run->last;
}

/* 0: refused, as the disk is full. */
static uint64_t run_push(struct run *run, struct slice queue, hob_ns delay_ns) {
    struct command push = {.type = COMMAND_PUSH};
    push.push.queue = queue;
    push.push.kind = SLICE("k");
    push.push.payload = body_make(run->scratch, ++run->fed);
    push.push.delay_ns = delay_ns;
    if (run_apply(run, &push)->code == ANSWER_FULL) return 0;
    CHECK_EQUAL(run->last.code, ANSWER_OK);
    return run->last.id;
}

static void run_work(struct run *run) {
    struct slice queue = SLICE("now");
    struct command fetch = {.type = COMMAND_FETCH};
    fetch.fetch = (struct fetch_command){.worker = SLICE("w"), .queues = &queue, .queue_count = 1};
    if (run_apply(run, &fetch)->code != ANSWER_OK) return;
    uint64_t id = run->last.jobs[0];
    struct job_view view;
    CHECK(engine_job(space_engine(run->space), id, &view));
    struct command ack = {.type = COMMAND_ACK};
    ack.ack.lease = (struct lease_ref){.id = id, .token = view.token};
    if (id % 3 == 0) ack.ack.result = body_make(run->scratch, ++run->fed);
    CHECK_EQUAL(run_apply(run, &ack)->code, ANSWER_OK);
}

/* One of those that wait for a year is pushed, changed or deleted. */
static void run_survivor(struct run *run, uint64_t number) {
    uint64_t *id = &run->survivors[number / 2 % SURVIVORS];
    struct command command = {0};
    if (*id == 0) {
        *id = run_push(run, SLICE("later"), 365 * NS_PER_DAY);
    } else if (number % 4 == 0) {
        command.type = COMMAND_UPDATE;
        command.update.id = *id;
        command.update.has.payload = true;
        command.update.to.payload = body_make(run->scratch, ++run->fed);
        if (run_apply(run, &command)->code != ANSWER_FULL) CHECK_EQUAL(run->last.code, ANSWER_OK);
    } else if (number % 8 == 1) {
        command.type = COMMAND_DELETE;
        command.delete.id = *id;
        CHECK_EQUAL(run_apply(run, &command)->code, ANSWER_OK);
        *id = 0;
    }
}

struct settling {
    struct run *run;
    uint64_t seq;
};

/* As a server does it: whatever is late comes by polling and by turns, also when the disk was
 * full. */
static bool settling_is_over(void *context) {
    struct settling *settling = context;
    struct run *run = settling->run;
    (void)space_poll(run->space);
    struct space_stats stats;
    space_stats(run->space, &stats);
    if (stats.full) {
        run->refusals++;
        run->now_ns += RETRY_STEP;
        run_turn_begin(run);
        (void)run_turn_end(run);
    }
    return space_durable(run->space) >= settling->seq;
}

static void run_settle(struct run *run, uint64_t seq) {
    struct settling settling = {.run = run, .seq = seq};
    CHECK(rig_until(settling_is_over, &settling));
    run->note.answered = space_durable(run->space);
    rig_trace_note(&run->trace, run->note);
}

/* How many segments the writer has given back. */
static uint64_t given_back(struct run *run) {
    uint64_t count = 0;
    (void)pthread_mutex_lock(&run->trace.lock);
    for (size_t i = 0; i < run->trace.op_count; i++) {
        const struct trace_op *op = &run->trace.ops[i];
        bool goes = op->type == TRACE_RENAME || op->type == TRACE_UNLINK;
        if (goes && strstr(op->from, ".seg") != NULL) count++;
    }
    (void)pthread_mutex_unlock(&run->trace.lock);
    return count;
}

static bool all_are_given_back(void *context) {
    struct run *run = context;
    struct space_stats stats;
    space_stats(run->space, &stats);
    return given_back(run) >= stats.cleaned_segments;
}

static void run_one(struct run *run, uint64_t number) {
    run_turn_begin(run);
    (void)run_push(run, SLICE("now"), 0);
    if (number % 3 != 0) run_work(run);
    if (number % 5 < 2) run_survivor(run, number);
    uint64_t seq = run_turn_end(run);
    CHECK(rig_until(all_are_given_back, run));
    if (number % 3 == 2) run_settle(run, seq);
}

/* A clean end may write a batch that changes nothing: the digest of the state. */
static void run_close(struct run *run) {
    run->note.attempted = space_durable(run->space) + 1;
    hob_assert(run->note.attempted < SEQS_MAX);
    run->digests[run->note.attempted] = engine_digest(space_engine(run->space));
    rig_trace_note(&run->trace, run->note);
    space_close(run->space);
}

static void run_all(struct run *run) {
    *run = (struct run){.dir = rig_dir_make(), .now_ns = NS_PER_DAY};
    rig_trace_init(&run->trace, &run->dir);
    run->space = space_in(&run->dir, &run->trace.io, run->now_ns);
    run->digests[0] = engine_digest(space_engine(run->space));
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set = (struct queue_set_command){
        .queue = SLICE("now"),
        .has_keep_completed = true,
        .keep_completed_ns = NS_PER_DAY,
        .keep_completed_count = 3,
    };
    run_turn_begin(run);
    CHECK_EQUAL(run_apply(run, &set)->code, ANSWER_OK);
    run_settle(run, run_turn_end(run));
    run->trace.full_each = FULL_EACH;
    for (uint64_t number = 0; number < TURNS; number++) run_one(run, number);
    run->trace.full_each = 0;
    struct space_stats stats;
    space_stats(run->space, &stats);
    CHECK(stats.cleaned_segments >= 5);
    CHECK(run->refusals > 0);
    CHECK(bodies_check(run->space) > 0);
    run_close(run);
    (void)printf(
        "# %d turns, %llu segments cleaned, %llu turns while the disk was full\n",
        TURNS,
        (unsigned long long)stats.cleaned_segments,
        (unsigned long long)run->refusals
    );
}

/* --- the states --- */

struct tally {
    uint64_t cuts;
    uint64_t cuts_exhaustive;
    uint64_t states;
    uint64_t bodies;
    uint64_t went_on;
};

/* It takes a job and finds it again. */
static void state_go_on(const struct rig_dir *dir) {
    struct space *space = space_in(dir, NULL, NS_PER_DAY);
    static char bytes[BODY_MAX];
    struct command push = {.type = COMMAND_PUSH};
    push.push = (struct push_command
    ){.queue = SLICE("now"), .kind = SLICE("k"), .payload = body_make(bytes, 99)};
    struct answer answer;
    space_turn_begin(space, NS_PER_DAY);
    space_apply(space, &push, &answer);
    CHECK_EQUAL(answer.code, ANSWER_OK);
    (void)space_turn_end(space);
    uint64_t digest = engine_digest(space_engine(space));
    space_close(space);
    space = space_in(dir, NULL, NS_PER_DAY);
    CHECK(engine_digest(space_engine(space)) == digest);
    (void)bodies_check(space);
    space_close(space);
}

static void state_judge(
    const struct run *run,
    const struct trace_note *note,
    const struct rig_dir *dir,
    struct tally *tally
) {
    struct space *space = space_in(dir, NULL, NS_PER_DAY);
    uint64_t last = space_durable(space);
    CHECK(last >= note->answered);
    CHECK(last <= note->attempted);
    CHECK(engine_digest(space_engine(space)) == run->digests[last]);
    engine_check(space_engine(space));
    tally->bodies += bodies_check(space);
    space_close(space);
}

static void cut_try(struct run *run, size_t cut, const struct rig_dir *into, struct tally *tally) {
    const char *more = getenv("HOB_STATES"); // NOLINT(concurrency-mt-unsafe): one thread is left
    uint64_t times = more == NULL ? 1 : strtoull(more, NULL, 10);
    struct rig_states *states = rig_states_new(
        &run->trace, cut, times * EXHAUSTIVE_MAX, times * DRAWN, UINT64_C(5000) + cut
    );
    struct trace_note note = rig_states_note(states);
    tally->cuts++;
    if (rig_states_exhaustive(states)) tally->cuts_exhaustive++;
    while (rig_states_next(states, into)) {
        tally->states++;
        state_judge(run, &note, into, tally);
        if (tally->states % GO_ON_EACH != 0) continue;
        tally->went_on++;
        state_go_on(into);
    }
    rig_states_free(states);
}

TEST(every_disk_that_a_cut_leaves_of_a_space_that_cleans_is_recovered_whole) {
    static struct run run;
    run_all(&run);
    struct tally tally = {0};
    struct rig_dir into = rig_dir_make();
    for (size_t cut = 0; cut <= run.trace.op_count; cut++) cut_try(&run, cut, &into, &tally);
    rig_dir_remove(&into);
    rig_trace_deinit(&run.trace);
    rig_dir_remove(&run.dir);
    (void)printf(
        "# %llu cuts, %llu of them exhaustive; %llu disks recovered as a space, %llu bodies read; "
        "%llu went on; lost 0\n",
        (unsigned long long)tally.cuts,
        (unsigned long long)tally.cuts_exhaustive,
        (unsigned long long)tally.states,
        (unsigned long long)tally.bodies,
        (unsigned long long)tally.went_on
    );
}

TESTS(every_disk_that_a_cut_leaves_of_a_space_that_cleans_is_recovered_whole)
