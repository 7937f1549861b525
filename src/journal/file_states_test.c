/* SPDX-License-Identifier: Apache-2.0 */
/* Crash states: runs of the journal are recorded call by call, and for a cut behind each call every
 * disk that a power cut may leave is made (all of them as long as they are few, else drawn ones).
 * Each must open, hold every batch that was answered before the cut, in order and byte for byte,
 * hold none that was never appended, take another batch, and hold that too.
 *
 * A recovery is a run too: what it does to the disk is recorded and cut in the same way. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/status.h"
#include "base/test.h"
#include "journal/rig_trace.h"

#define SEGMENT (UINT64_C(64) * 1024)
enum {
    EXHAUSTIVE_MAX = 4096,
    DRAWN = 64,
    RECOVERIES_EACH = 97, /* one state in so many has its recovery cut as well */
    APPENDS_EACH = 7,     /* one state in so many goes on */
};

struct run {
    struct rig_dir dir;
    struct rig_trace trace;
    struct trace_note note;
    size_t body_bytes;
};

struct tally {
    uint64_t cuts;
    uint64_t cuts_exhaustive;
    uint64_t states;
    uint64_t recoveries; /* runs of recovery that were cut themselves */
    uint64_t recovery_states;
};

static struct journal *open_traced(const struct rig_dir *dir, struct rig_trace *trace) {
    struct journal_file_options options = {
        .path = dir->path, .segment_bytes = SEGMENT, .io = &trace->io};
    struct journal *journal = NULL;
    struct hob_error err = {0};
    enum hob_status status = journal_file_open(&options, (struct journal_wake){0}, &journal, &err);
    if (status != HOB_OK) CHECK_STR(err.text, "");
    return journal;
}

/* --- a run --- */

static void run_append(struct run *run, struct journal *journal, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        run->note.attempted++;
        rig_trace_note(&run->trace, run->note);
        (void)rig_append_ok(journal, run->body_bytes, run->note.attempted);
        run->note.answered = run->note.attempted;
        rig_trace_note(&run->trace, run->note);
    }
}

/* The first batch of a segment. */
static uint64_t first_of(struct journal *journal, uint32_t segment) {
    struct journal_cursor *cursor = NULL;
    struct journal_entry entry;
    CHECK_EQUAL(journal_read_open(journal, segment, &cursor, NULL), HOB_OK);
    CHECK_EQUAL(journal_read_next(journal, cursor, &entry, NULL), HOB_OK);
    uint64_t seq = entry.batch.seq;
    journal_read_close(journal, cursor);
    return seq;
}

static void run_trim(struct run *run, struct journal *journal) {
    struct journal_info info;
    journal_info(journal, &info);
    run->note.first_max = first_of(journal, info.last_segment - 1);
    rig_trace_note(&run->trace, run->note);
    CHECK_EQUAL(journal_trim(journal, info.last_segment - 1, NULL), HOB_OK);
}

static void run_begin(struct run *run, size_t body_bytes) {
    *run = (struct run){.dir = rig_dir_make(), .body_bytes = body_bytes, .note = {.first_max = 1}};
    rig_trace_init(&run->trace, &run->dir);
    rig_trace_note(&run->trace, run->note);
}

static void run_end(struct run *run) {
    rig_trace_deinit(&run->trace);
    rig_dir_remove(&run->dir);
}

/* --- a state --- */

static void state_fail(struct tally *tally, size_t cut, const char *text) {
    (void
    )fprintf(stderr, "cut %zu, state %llu: %s\n", cut, (unsigned long long)tally->states, text);
    CHECK_STR(text, "");
}

/* Read all; the first and the last batch. */
static void
state_read(struct journal *journal, size_t body_bytes, uint64_t *ret_first, uint64_t *ret_last) {
    char *wanted = malloc(body_bytes);
    hob_assert(wanted != NULL);
    struct journal_cursor *cursor = NULL;
    struct hob_error err = {0};
    enum hob_status status = journal_read_open(journal, 0, &cursor, &err);
    *ret_first = *ret_last = 0;
    while (status == HOB_OK) {
        struct journal_entry entry;
        status = journal_read_next(journal, cursor, &entry, &err);
        if (status != HOB_OK) break;
        if (*ret_first == 0) *ret_first = entry.batch.seq;
        if (*ret_last != 0) CHECK_EQUAL(entry.batch.seq, *ret_last + 1);
        *ret_last = entry.batch.seq;
        rig_bytes(wanted, body_bytes, entry.batch.seq);
        CHECK_EQUAL(entry.batch.bytes.size, body_bytes);
        CHECK_BYTES(entry.batch.bytes.bytes, wanted, body_bytes);
    }
    if (status != HOB_NOT_FOUND) CHECK_STR(err.text, "");
    journal_read_close(journal, cursor);
    free(wanted);
}

static void state_judge(
    struct journal *journal, const struct trace_note *note, size_t body_bytes, uint64_t *ret_last
) {
    uint64_t first;
    uint64_t last;
    state_read(journal, body_bytes, &first, &last);
    CHECK(last >= note->answered);
    CHECK(last <= note->attempted);
    CHECK(first <= note->first_max);
    *ret_last = last;
}

/* It takes a batch and keeps it. */
static void state_go_on(const struct rig_dir *dir, size_t body_bytes, uint64_t last) {
    struct journal *journal = rig_open(dir, SEGMENT);
    (void)rig_append_ok(journal, body_bytes, last + 1);
    journal_close(journal);
    journal = rig_open(dir, SEGMENT);
    uint64_t first;
    uint64_t now;
    state_read(journal, body_bytes, &first, &now);
    CHECK_EQUAL(now, last + 1);
    journal_close(journal);
}

/* Cut the recovery of the state in @dir behind each of its calls. */
static void recovery_cut(
    const struct rig_dir *dir, const struct trace_note *note, size_t body_bytes, struct tally *tally
) {
    struct rig_dir copy = rig_dir_make();
    rig_dir_copy(dir, &copy);
    struct rig_trace trace;
    rig_trace_init(&trace, &copy);
    journal_close(open_traced(&copy, &trace));
    struct rig_dir into = rig_dir_make();
    tally->recoveries++;
    for (size_t cut = 0; cut <= trace.op_count; cut++) {
        struct rig_states *states = rig_states_new(&trace, cut, 32, 8, cut);
        while (rig_states_next(states, &into)) {
            tally->recovery_states++;
            struct journal *journal = rig_open(&into, SEGMENT);
            uint64_t last;
            state_judge(journal, note, body_bytes, &last);
            journal_close(journal);
        }
        rig_states_free(states);
    }
    rig_trace_deinit(&trace);
    rig_dir_remove(&into);
    rig_dir_remove(&copy);
}

static void cut_try(struct run *run, size_t cut, const struct rig_dir *into, struct tally *tally) {
    struct rig_states *states =
        rig_states_new(&run->trace, cut, EXHAUSTIVE_MAX, DRAWN, UINT64_C(1000) + cut);
    struct trace_note note = rig_states_note(states);
    tally->cuts++;
    if (rig_states_exhaustive(states)) tally->cuts_exhaustive++;
    while (rig_states_next(states, into)) {
        tally->states++;
        if (tally->states % RECOVERIES_EACH == 0) recovery_cut(into, &note, run->body_bytes, tally);
        struct journal *journal = NULL;
        struct hob_error err = {0};
        if (rig_try_open(into, &journal, &err) != HOB_OK) state_fail(tally, cut, err.text);
        uint64_t last;
        state_judge(journal, &note, run->body_bytes, &last);
        journal_close(journal);
        if (tally->states % APPENDS_EACH == 0) state_go_on(into, run->body_bytes, last);
    }
    rig_states_free(states);
}

static struct tally cuts_try(struct run *run) {
    struct tally tally = {0};
    struct rig_dir into = rig_dir_make();
    for (size_t cut = 0; cut <= run->trace.op_count; cut++) cut_try(run, cut, &into, &tally);
    rig_dir_remove(&into);
    (void)printf(
        "# %llu cuts, %llu of them exhaustive; %llu disks; %llu recoveries cut, %llu disks of "
        "them; lost 0\n",
        (unsigned long long)tally.cuts,
        (unsigned long long)tally.cuts_exhaustive,
        (unsigned long long)tally.states,
        (unsigned long long)tally.recoveries,
        (unsigned long long)tally.recovery_states
    );
    return tally;
}

TEST(every_disk_that_a_cut_of_a_short_run_may_leave_is_whole) {
    struct run run;
    run_begin(&run, 150);
    struct journal *journal = open_traced(&run.dir, &run.trace);
    run_append(&run, journal, 12);
    journal_close(journal);
    journal = open_traced(&run.dir, &run.trace); /* over a sealed end */
    run_append(&run, journal, 4);
    journal_close(journal);
    struct tally tally = cuts_try(&run);
    CHECK_EQUAL(tally.cuts_exhaustive, tally.cuts);
    run_end(&run);
}

TEST(batches_of_several_sectors_are_all_there_or_not_at_all) {
    struct run run;
    run_begin(&run, 1900);
    struct journal *journal = open_traced(&run.dir, &run.trace);
    run_append(&run, journal, 8);
    journal_close(journal);
    struct tally tally = cuts_try(&run);
    CHECK_EQUAL(tally.cuts_exhaustive, tally.cuts);
    run_end(&run);
}

/* New segments, trims, spares, and segments that are made of what was trimmed. */
TEST(disks_of_a_long_run_over_recycled_segments_are_whole) {
    struct run run;
    run_begin(&run, 9000);
    struct journal *journal = open_traced(&run.dir, &run.trace);
    for (int round = 0; round < 4; round++) {
        run_append(&run, journal, 7);
        if (round > 0) run_trim(&run, journal);
    }
    journal_close(journal);
    struct tally tally = cuts_try(&run);
    CHECK(tally.cuts_exhaustive > tally.cuts / 2);
    run_end(&run);
}

TESTS(
    every_disk_that_a_cut_of_a_short_run_may_leave_is_whole,
    batches_of_several_sectors_are_all_there_or_not_at_all,
    disks_of_a_long_run_over_recycled_segments_are_whole
)
