/* SPDX-License-Identifier: Apache-2.0 */
/* The disk under loads of every kind: never more than twice what is alive and four segments (2 x
 * live + 256 MiB with segments of 64 MiB), and when a load is over cleaning comes to an end. Small
 * segments and heavy turns: each load writes dozens of segments. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/status.h"
#include "base/test.h"
#include "engine/logline.h"
#include "journal/rig.h"
#include "space/space.h"

#define SEGMENT (UINT64_C(2) << 20)
#define SLACK   (4 * SEGMENT)

enum {
    LARGE_BYTES = 256 * 1024, /* as 8 MiB to a segment of 64 MiB */
    EACH = 20,                /* jobs of a turn */
    IDLE_TURNS_MAX = 3000,
};

struct rig {
    struct rig_dir dir;
    struct space *space;
    struct answer last;
    hob_ns now_ns;
    hob_ns step_ns; /* of a turn */
    uint64_t over;  /* the most that the disk was above 2 x live */
    uint64_t live_max;
    uint64_t number;
    char bytes[LARGE_BYTES];
};

static void ignore_answer(void *context, const struct answer *answer) {
    (void)context;
    (void)answer;
}

static void rig_init(struct rig *rig) {
    *rig = (struct rig){.dir = rig_dir_make(), .now_ns = NS_PER_DAY, .step_ns = NS_PER_MS};
    struct journal_file_options file = {
        .path = rig->dir.path, .segment_bytes = SEGMENT, .no_sync = true};
    struct space_options options = {.sink = {.answer = ignore_answer}, .slack_bytes = SLACK};
    struct journal *journal = NULL;
    struct space_recovery recovery;
    struct hob_error err = {0};
    enum hob_status status = journal_file_open(&file, (struct journal_wake){0}, &journal, &err);
    if (status == HOB_OK) {
        status = space_open(journal, &options, rig->now_ns, &rig->space, &recovery, &err);
    }
    if (status != HOB_OK) CHECK_STR(err.text, "");
    rig_bytes(rig->bytes, sizeof rig->bytes, 7);
}

static void apply(struct rig *rig, const struct command *command) {
    space_apply(rig->space, command, &rig->last);
    if (rig->last.code != ANSWER_OK) CHECK_STR(rig->last.detail, "an answer that is OK");
}

static void turn_begin(struct rig *rig) {
    rig->now_ns += rig->step_ns;
    space_turn_begin(rig->space, rig->now_ns);
}

static void turn_end(struct rig *rig) {
    (void)space_turn_end(rig->space);
    /* What waits in memory is little beside a segment of 64 MiB, and much beside these. */
    CHECK_EQUAL(space_flush(rig->space, NULL), HOB_OK);
    struct space_stats stats;
    struct engine_stats engine;
    space_stats(rig->space, &stats);
    engine_stats(space_engine(rig->space), &engine);
    uint64_t live = engine.live_bytes + stats.body_bytes;
    uint64_t disk = stats.journal.stored_bytes;
    if (disk > 2 * live && disk - 2 * live > rig->over) rig->over = disk - 2 * live;
    if (live > rig->live_max) rig->live_max = live;
}

static uint64_t cleaned(struct rig *rig, uint64_t *ret_again_bytes) {
    struct space_stats stats;
    space_stats(rig->space, &stats);
    if (ret_again_bytes != NULL) *ret_again_bytes = stats.cleaned_bytes;
    return stats.cleaned_segments;
}

/* The load is over: what is held was held, and cleaning ends. */
static void rig_deinit(struct rig *rig, const char *load) {
    uint64_t again_bytes;
    uint64_t segments = cleaned(rig, &again_bytes);
    (void)printf(
        "# %-12s at most 2 x live + %.1f segments; live %.1f, cleaned %llu, written again %.1f\n",
        load,
        (double)rig->over / (double)SEGMENT,
        (double)rig->live_max / (double)SEGMENT,
        (unsigned long long)segments,
        (double)again_bytes / (double)SEGMENT
    );
    CHECK(segments >= 10);
    CHECK(rig->over <= SLACK);
    uint64_t quiet = 0;
    for (int i = 0; i < IDLE_TURNS_MAX; i++) {
        uint64_t before = cleaned(rig, NULL);
        turn_begin(rig);
        turn_end(rig);
        quiet = cleaned(rig, NULL) == before ? quiet + 1 : 0;
    }
    CHECK(quiet > IDLE_TURNS_MAX / 2);
    space_close(rig->space);
    rig_dir_remove(&rig->dir);
}

static struct command push_of(struct rig *rig, struct slice queue, size_t size) {
    struct command push = {.type = COMMAND_PUSH};
    push.push.queue = queue;
    push.push.kind = SLICE("k");
    push.push.payload = slice_of(rig->bytes + rig->number++ % 64, size);
    return push;
}

static uint64_t push(struct rig *rig, struct slice queue, size_t size) {
    struct command command = push_of(rig, queue, size);
    apply(rig, &command);
    return rig->last.id;
}

static void fetch(struct rig *rig, struct slice queue, struct lease_ref *ret_lease) {
    struct command fetch = {.type = COMMAND_FETCH};
    fetch.fetch = (struct fetch_command){.worker = SLICE("w"), .queues = &queue, .queue_count = 1};
    apply(rig, &fetch);
    struct job_view view;
    CHECK(engine_job(space_engine(rig->space), rig->last.jobs[0], &view));
    *ret_lease = (struct lease_ref){.id = view.id, .token = view.token};
}

static void work(struct rig *rig, struct slice queue, size_t result_size) {
    struct command ack = {.type = COMMAND_ACK};
    fetch(rig, queue, &ack.ack.lease);
    ack.ack.result = slice_of(rig->bytes, result_size);
    apply(rig, &ack);
}

static void keep(struct rig *rig, struct slice queue, hob_ns span, uint32_t count) {
    struct command set = {.type = COMMAND_QUEUE_SET};
    set.queue_set = (struct queue_set_command){
        .queue = queue,
        .has_keep_completed = true,
        .keep_completed_ns = span,
        .keep_completed_count = count,
    };
    turn_begin(rig);
    apply(rig, &set);
    turn_end(rig);
}

TEST(a_years_delays_beside_jobs_that_flow) {
    static struct rig rig;
    rig_init(&rig);
    keep(&rig, SLICE("now"), NS_PER_DAY, 5);
    /* First all of them stand together at the beginning, then more come in between. */
    for (int turn = 0; turn < 4500; turn++) {
        turn_begin(&rig);
        for (int i = 0; i < (turn < 1200 ? EACH : 1); i++) {
            struct command later = push_of(&rig, SLICE("later"), 700);
            later.push.delay_ns = 365 * NS_PER_DAY;
            apply(&rig, &later);
        }
        for (int i = 0; turn >= 1200 && i < EACH; i++) {
            (void)push(&rig, SLICE("now"), 1000);
            work(&rig, SLICE("now"), 20);
        }
        turn_end(&rig);
    }
    rig_deinit(&rig, "delays");
}

TEST(finished_jobs_that_are_kept_for_a_time_and_pruned) {
    static struct rig rig;
    rig_init(&rig);
    rig.step_ns = 3 * NS_PER_SECOND;
    keep(&rig, SLICE("now"), NS_PER_HOUR / 2, 100000);
    for (int turn = 0; turn < 4200; turn++) {
        turn_begin(&rig);
        for (int i = 0; i < EACH; i++) {
            (void)push(&rig, SLICE("now"), 300);
            work(&rig, SLICE("now"), 700);
        }
        turn_end(&rig);
    }
    rig_deinit(&rig, "retention");
}

TEST(large_payloads) {
    static struct rig rig;
    rig_init(&rig);
    keep(&rig, SLICE("now"), NS_PER_DAY, 2);
    for (int turn = 0; turn < 300; turn++) {
        turn_begin(&rig);
        for (int i = 0; i < 3; i++) {
            (void)push(&rig, SLICE("now"), LARGE_BYTES - 64);
            if (turn > 10) work(&rig, SLICE("now"), LARGE_BYTES / 8);
        }
        turn_end(&rig);
    }
    rig_deinit(&rig, "large");
}

TEST(tiny_jobs_in_turns_of_thousands) {
    static struct rig rig;
    rig_init(&rig);
    keep(&rig, SLICE("now"), NS_PER_DAY, 5);
    for (int turn = 0; turn < 160; turn++) {
        turn_begin(&rig);
        for (int i = 0; i < 3000; i++) {
            (void)push(&rig, SLICE("now"), 1);
            work(&rig, SLICE("now"), 0);
        }
        turn_end(&rig);
    }
    rig_deinit(&rig, "tiny");
}

TEST(one_job_that_is_updated_and_one_that_is_merged_over_and_over) {
    static struct rig rig;
    rig_init(&rig);
    turn_begin(&rig);
    uint64_t id = push(&rig, SLICE("later"), 20000);
    turn_end(&rig);
    for (int turn = 0; turn < 700; turn++) {
        turn_begin(&rig);
        struct command update = {.type = COMMAND_UPDATE};
        update.update.id = id;
        update.update.has.payload = true;
        update.update.to.payload = slice_of(rig.bytes + turn % 64, 30000);
        apply(&rig, &update);
        for (int i = 0; i < 3; i++) {
            struct command merge = push_of(&rig, SLICE("merged"), 0);
            merge.push.payload = SLICE("\"one more of some hundreds of bytes, or nearly so many\"");
            merge.push.unique = SLICE("u");
            merge.push.unique_scope = UNIQUE_WAITING;
            merge.push.merge = MERGE_APPEND;
            merge.push.merge_max = 100000;
            merge.push.delay_ns = NS_PER_DAY;
            apply(&rig, &merge);
        }
        turn_end(&rig);
    }
    rig_deinit(&rig, "updates");
}

static void log_lines(struct rig *rig, struct lease_ref lease, int chunks) {
    HOB_AUTO_BUF struct buf entries = buf_make(LOG_CHUNK_BYTES_MAX);
    struct log_line line = {.at_ns = rig->now_ns};
    line.text =
        SLICE("a line of some length, as programs write them when they have something to say");
    for (int i = 0; i < 100; i++) CHECK(log_line_put(&entries, &line));
    struct command log = {.type = COMMAND_LOG};
    log.log = (struct log_command){.lease = lease, .entries = buf_slice(&entries)};
    for (int i = 0; i < chunks; i++) apply(rig, &log);
}

TEST(logs_progress_and_checkpoints) {
    static struct rig rig;
    rig_init(&rig);
    keep(&rig, SLICE("now"), NS_PER_DAY, 2);
    for (int turn = 0; turn < 300; turn++) {
        turn_begin(&rig);
        (void)push(&rig, SLICE("now"), 10);
        struct lease_ref lease;
        fetch(&rig, SLICE("now"), &lease);
        log_lines(&rig, lease, 20);
        for (uint32_t i = 0; i < 100; i++) {
            struct command progress = {.type = COMMAND_PROGRESS};
            progress.progress = (struct progress_command){.lease = lease, .percent = i};
            apply(&rig, &progress);
            struct command save = {.type = COMMAND_CHECKPOINT};
            save.checkpoint.lease = lease;
            save.checkpoint.bytes = slice_of(rig.bytes, 2000 + i);
            apply(&rig, &save);
        }
        struct command ack = {.type = COMMAND_ACK};
        ack.ack.lease = lease;
        apply(&rig, &ack);
        turn_end(&rig);
    }
    rig_deinit(&rig, "logs");
}

/* What is set for good is alive as well: it may not be cleaned again and again. */
TEST(settings_of_many_queues_limiters_and_workers) {
    static struct rig rig;
    rig_init(&rig);
    for (int turn = 0; turn < 12000; turn++) {
        turn_begin(&rig);
        for (int i = 0; i < EACH; i++) {
            char name[160];
            int size = snprintf(name, sizeof name, "n%0120d", (turn * EACH + i) % 60000);
            struct command set = {.type = COMMAND_QUEUE_SET};
            set.queue_set.queue = slice_of(name, (size_t)size);
            set.queue_set.has_weight = true;
            set.queue_set.weight = 1 + (uint32_t)turn % 7;
            apply(&rig, &set);
        }
        turn_end(&rig);
    }
    rig_deinit(&rig, "settings");
}

TESTS(
    a_years_delays_beside_jobs_that_flow,
    finished_jobs_that_are_kept_for_a_time_and_pruned,
    large_payloads,
    tiny_jobs_in_turns_of_thousands,
    one_job_that_is_updated_and_one_that_is_merged_over_and_over,
    logs_progress_and_checkpoints,
    settings_of_many_queues_limiters_and_workers
)
