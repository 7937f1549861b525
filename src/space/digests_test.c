/* SPDX-License-Identifier: Apache-2.0 */
/* Digests in a journal find what replay does otherwise than the server did: each record of a
 * history is left out, and each number in it changed, and the journal is refused, or tells the very
 * same state. And they are really compared, also where cleaning never stops. */
#include "space/digests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/status.h"
#include "base/test.h"
#include "journal/rig.h"
#include "space/copy.h"
#include "space/space.h"

enum { RECORDS_MAX = 4000, SEGMENT_BYTES = 64 * 1024 };

static struct answer last;

static void on_answer(void *context, const struct answer *answer) {
    (void)context;
    last = *answer;
}

static const struct space_options space_options = {
    .sink = {.answer = on_answer}, .slack_bytes = 4 * (uint64_t)SEGMENT_BYTES};

static void turn(struct space *space, hob_ns now_ns, const struct command *command) {
    space_turn_begin(space, now_ns);
    space_apply(space, command, &last);
    (void)space_turn_end(space);
    CHECK_EQUAL(space_flush(space, NULL), HOB_OK);
}

static void
push(struct space *space, hob_ns now_ns, struct slice key, struct slice payload, bool goes) {
    struct command command = {.type = COMMAND_PUSH};
    command.push = (struct push_command
    ){.queue = SLICE("mail"), .kind = SLICE("send"), .key = key, .payload = payload};
    command.push.has_keep = goes; /* for no time: what is done goes */
    turn(space, now_ns, &command);
    CHECK_EQUAL(last.code, ANSWER_OK);
}

static struct lease_ref fetch(struct space *space, hob_ns now_ns) {
    struct slice queue = SLICE("mail");
    struct command command = {.type = COMMAND_FETCH};
    command.fetch =
        (struct fetch_command){.worker = SLICE("w"), .queues = &queue, .queue_count = 1};
    turn(space, now_ns, &command);
    CHECK_EQUAL(last.code, ANSWER_OK);
    struct job_view view;
    CHECK(engine_job(space_engine(space), last.jobs[0], &view));
    return (struct lease_ref){.id = view.id, .token = view.token};
}

static void ack(struct space *space, hob_ns now_ns, struct lease_ref lease, struct slice result) {
    struct command command = {.type = COMMAND_ACK};
    command.ack = (struct ack_command){.lease = lease, .result = result};
    turn(space, now_ns, &command);
    CHECK_EQUAL(last.code, ANSWER_OK);
}

static void fail_job(struct space *space, hob_ns now_ns, struct lease_ref lease) {
    struct command command = {.type = COMMAND_FAIL};
    command.fail = (struct fail_command){.lease = lease, .text = SLICE("no")};
    turn(space, now_ns, &command);
    CHECK_EQUAL(last.code, ANSWER_OK);
}

/* --- a history, told again with a change --- */

struct history {
    struct buf bytes; /* of all batches */
    struct journal_batch batches[RECORDS_MAX];
    size_t batch_at[RECORDS_MAX];
    uint32_t batch_count;
    uint64_t digest;
};

static void history_make(struct history *history) {
    struct journal *journal = NULL;
    struct space *space = NULL;
    struct space_recovery recovery;
    CHECK_EQUAL(journal_memory_open(0, (struct journal_wake){0}, &journal, NULL), HOB_OK);
    hob_ns now_ns = NS_PER_DAY;
    CHECK_EQUAL(space_open(journal, &space_options, now_ns, &space, &recovery, NULL), HOB_OK);
    static char large[1000];
    memset(large, 'p', sizeof large);
    for (uint32_t i = 0; i < 12; i++) {
        now_ns += NS_PER_SECOND;
        push(space, now_ns, i % 4 == 0 ? SLICE("k") : SLICE_NONE, slice_of(large, i * 80), false);
        if (i % 4 == 3) ack(space, now_ns, fetch(space, now_ns), SLICE("result"));
        if (i % 4 == 1) fail_job(space, now_ns, fetch(space, now_ns));
    }
    (void)fetch(space, now_ns);
    struct command pause = {.type = COMMAND_PAUSE};
    pause.pause.queue = SLICE("mail");
    turn(space, now_ns, &pause);
    CHECK_EQUAL(last.code, ANSWER_OK);
    /* Ten seconds later their digest is there. */
    space_turn_begin(space, now_ns + 10 * NS_PER_SECOND);
    (void)space_turn_end(space);
    CHECK_EQUAL(space_flush(space, NULL), HOB_OK);
    history->digest = engine_digest(space_engine(space));
    struct journal_cursor *cursor = NULL;
    CHECK_EQUAL(journal_read_open(journal, 0, &cursor, NULL), HOB_OK);
    struct journal_entry entry;
    while (journal_read_next(journal, cursor, &entry, NULL) == HOB_OK) {
        history->batch_at[history->batch_count] = history->bytes.size;
        history->batches[history->batch_count++] = entry.batch;
        CHECK(buf_put_slice(&history->bytes, entry.batch.bytes));
        CHECK(history->batch_count < RECORDS_MAX);
    }
    journal_read_close(journal, cursor);
    struct space_stats stats;
    space_stats(space, &stats);
    CHECK(stats.digests >= 2);
    space_close(space);
}

struct change {
    uint32_t drop;       /* which effect of all is left out; UINT32_MAX: none */
    uint32_t flip_batch; /* a byte of it is changed; UINT32_MAX: none */
    size_t flip_at;
    char flip_mask;
};

static const struct change no_change = {.drop = UINT32_MAX, .flip_batch = UINT32_MAX};

/* The bytes of a batch with the change in them; its effects are counted anew. False: what is left
 * is no row of effects. */
static bool batch_changed(
    struct history *history,
    uint32_t number,
    const struct change *change,
    uint32_t *effects,
    struct buf *out,
    uint32_t *ret_count
) {
    struct slice bytes = slice_of(
        history->bytes.bytes + history->batch_at[number], history->batches[number].bytes.size
    );
    HOB_AUTO_BUF struct buf flipped = buf_make(1 << 20);
    CHECK(buf_put_slice(&flipped, bytes));
    if (number == change->flip_batch) {
        flipped.bytes[change->flip_at] = (char)(flipped.bytes[change->flip_at] ^ change->flip_mask);
    }
    struct effect_scratch scratch = {.logs = NULL};
    bool good = true;
    *ret_count = 0;
    for (size_t at = 0; good && at < flipped.size; (*effects)++) {
        struct effect effect;
        struct slice rest = slice_of(flipped.bytes + at, flipped.size - at);
        size_t used = effect_decode(rest, &scratch, &effect, NULL);
        good = used > 0;
        at += used;
        if (!good || *effects == change->drop) continue;
        CHECK(buf_put(out, rest.bytes, used));
        (*ret_count)++;
    }
    effect_scratch_deinit(&scratch);
    return good;
}

/* A new journal that tells the history with the change. NULL: it would be none. */
static struct journal *journal_told(
    struct history *history, const struct change *change, uint32_t *ret_effects, const char *path
) {
    struct journal *journal = NULL;
    struct journal_wake wake = {0};
    struct journal_file_options file = {.path = path, .no_sync = true};
    enum hob_status status = path == NULL ? journal_memory_open(0, wake, &journal, NULL)
                                          : journal_file_open(&file, wake, &journal, NULL);
    CHECK_EQUAL(status, HOB_OK);
    struct journal_info info;
    journal_info(journal, &info);
    uint64_t chain = info.chain;
    uint64_t pos = 1;
    uint64_t seq = 1;
    *ret_effects = 0;
    for (uint32_t i = 0; i < history->batch_count; i++) {
        HOB_AUTO_BUF struct buf bytes = buf_make(1 << 20);
        struct journal_batch batch = history->batches[i];
        if (!batch_changed(history, i, change, ret_effects, &bytes, &batch.effect_count)) {
            journal_close(journal);
            return NULL;
        }
        if (batch.effect_count == 0) continue;
        batch.seq = seq++;
        batch.first_pos = pos;
        pos += batch.effect_count;
        batch.bytes = buf_slice(&bytes);
        batch.prev_chain = chain;
        batch.chain = chain = journal_chain(&batch);
        journal_append(journal, &batch);
        struct journal_done done;
        CHECK_EQUAL(journal_wait(journal, &done), HOB_OK);
        CHECK_EQUAL(done.result, JOURNAL_OK);
    }
    return journal;
}

enum outcome { TOLD_SAME, TOLD_OTHER, REFUSED_BY_DIGEST, REFUSED, NO_JOURNAL, OUTCOMES };

static enum outcome
outcome_of(struct history *history, const struct change *change, uint32_t *ret_effects) {
    struct journal *journal = journal_told(history, change, ret_effects, NULL);
    if (journal == NULL) return NO_JOURNAL;
    struct space *space = NULL;
    struct space_recovery recovery;
    struct hob_error err = {0};
    enum hob_status status =
        space_open(journal, &space_options, NS_PER_DAY, &space, &recovery, &err);
    if (status != HOB_OK) {
        CHECK_EQUAL(status, HOB_CORRUPT);
        return strstr(err.text, "another state than") != NULL ? REFUSED_BY_DIGEST : REFUSED;
    }
    bool same = engine_digest(space_engine(space)) == history->digest;
    space_close(space);
    return same ? TOLD_SAME : TOLD_OTHER;
}

static void history_free(struct history *history) {
    buf_deinit(&history->bytes);
    free(history);
}

static struct history *history_new(void) {
    struct history *history = calloc(1, sizeof *history);
    hob_assert(history != NULL);
    history->bytes = buf_make(1 << 24);
    history_make(history);
    return history;
}

TEST(a_record_that_replay_leaves_out_is_noticed) {
    struct history *history = history_new();
    uint32_t effects = 0;
    CHECK_EQUAL(outcome_of(history, &no_change, &effects), TOLD_SAME);
    uint32_t outcomes[OUTCOMES] = {0};
    uint32_t count = effects;
    for (uint32_t drop = 0; drop < count; drop++) {
        struct change change = no_change;
        change.drop = drop;
        outcomes[outcome_of(history, &change, &effects)]++;
    }
    printf(
        "of %u records left out: %u refused by a digest, %u by others, %u tell the same\n",
        count,
        outcomes[REFUSED_BY_DIGEST],
        outcomes[REFUSED],
        outcomes[TOLD_SAME]
    );
    CHECK_EQUAL(outcomes[TOLD_OTHER], 0);
    CHECK(outcomes[REFUSED_BY_DIGEST] > 15);
    history_free(history);
}

TEST(a_field_that_replay_takes_otherwise_is_noticed) {
    struct history *history = history_new();
    uint32_t outcomes[OUTCOMES] = {0};
    uint32_t effects = 0;
    /* The last batch is the last digest: without it nobody could notice anything. */
    uint32_t last_batch = history->batch_count - 1;
    CHECK_EQUAL(history->batches[last_batch].effect_count, 1);
    for (uint32_t batch = 0; batch < last_batch; batch++) {
        size_t size = history->batches[batch].bytes.size;
        for (size_t at = 0; at < size; at += 1 + at / 40) {
            struct change change = no_change;
            change.flip_batch = batch;
            change.flip_at = at;
            change.flip_mask = 1;
            outcomes[outcome_of(history, &change, &effects)]++;
        }
    }
    printf(
        "of changed bytes: %u refused by a digest, %u by others, %u tell the same\n",
        outcomes[REFUSED_BY_DIGEST],
        outcomes[REFUSED],
        outcomes[TOLD_SAME]
    );
    CHECK_EQUAL(outcomes[TOLD_OTHER], 0);
    CHECK(outcomes[REFUSED_BY_DIGEST] > 200);
    history_free(history);
}

/* --- files --- */

static void on_differs(void *context, const struct journal_find *find, const char *why) {
    CHECK(find->segment == 1);
    CHECK(strstr(why, "another state than") != NULL);
    (*(uint32_t *)context)++;
}

static void on_job(void *context, uint64_t id, bool whole, const char *why) {
    (void)context;
    (void)id;
    (void)whole;
    (void)why;
}

static enum hob_status
open_at(const char *path, struct space **ret_space, struct space_recovery *ret, hob_ns now_ns) {
    struct journal *journal = NULL;
    struct journal_file_options file = {
        .path = path, .segment_bytes = SEGMENT_BYTES, .no_sync = true};
    struct hob_error err = {0};
    enum hob_status status = journal_file_open(&file, (struct journal_wake){0}, &journal, &err);
    if (status == HOB_OK) {
        status = space_open(journal, &space_options, now_ns, ret_space, ret, &err);
    }
    if (status == HOB_OK) return HOB_OK;
    CHECK(strstr(err.text, "00000000000000000001.seg, byte ") != NULL);
    CHECK(strstr(err.text, "another state than") != NULL);
    CHECK(strstr(err.text, "`hob journal salvage`") != NULL);
    return status;
}

TEST(a_start_refuses_and_salvage_gets_past_it) {
    char from[64] = "/tmp/hob-digests-XXXXXX";
    char to[80];
    CHECK(mkdtemp(from) != NULL);
    (void)snprintf(to, sizeof to, "%s.copy", from);
    struct history *history = history_new();
    struct change change = {.flip_batch = UINT32_MAX};
    uint32_t effects = 0;
    for (change.drop = 0; outcome_of(history, &change, &effects) != REFUSED_BY_DIGEST;) {
        change.drop++;
    }
    journal_close(journal_told(history, &change, &effects, from));
    struct space *space = NULL;
    struct space_recovery recovery = {0};
    CHECK_EQUAL(open_at(from, &space, &recovery, NS_PER_DAY), HOB_CORRUPT);
    uint32_t told = 0;
    struct copy_options options = {
        .from = from, .to = to, .context = &told, .differs = on_differs, .job = on_job};
    struct copy_report report;
    CHECK_EQUAL(journal_check(from, &options, &report, NULL, NULL), HOB_CORRUPT);
    CHECK_EQUAL(journal_copy(&options, &report, NULL), HOB_CORRUPT);
    CHECK_EQUAL(told, 0);
    options.salvages = true;
    CHECK_EQUAL(journal_copy(&options, &report, NULL), HOB_OK);
    CHECK_EQUAL(told, 1);
    CHECK(report.differs);
    uint64_t digest = report.digest;
    CHECK_EQUAL(open_at(to, &space, &recovery, NS_PER_DAY), HOB_OK);
    CHECK_EQUAL(recovery.digests, 1);
    CHECK_EQUAL(recovery.compared, 1);
    CHECK(engine_digest(space_engine(space)) == digest);
    space_close(space);
    history_free(history);
    rig_path_remove(from);
    rig_path_remove(to);
}

/* --- how many are compared --- */

struct watched {
    uint64_t starts;
    uint64_t digests;
    uint64_t compared;
    uint64_t none; /* starts that could compare nothing */
};

static struct space *open_watched(const char *path, hob_ns now_ns, struct watched *watched) {
    struct space *space = NULL;
    struct space_recovery recovery = {0};
    CHECK_EQUAL(open_at(path, &space, &recovery, now_ns), HOB_OK);
    watched->starts++;
    watched->digests += recovery.digests;
    watched->compared += recovery.compared;
    if (recovery.compared == 0) watched->none++;
    return space;
}

/* The digests of a journal, taken as if it had never been cleaned: the rule is needed. */
static enum hob_status compare_all(const char *path) {
    struct journal_inspect *inspect = NULL;
    struct journal_find find;
    struct digests digests = {.oldest_segment = 1};
    struct replica *replica = replica_new();
    enum hob_status status = journal_inspect_open(path, &inspect, NULL);
    CHECK_EQUAL(status, HOB_OK);
    while (status == HOB_OK && journal_inspect_next(inspect, &find, NULL) == HOB_OK) {
        if (find.type != INSPECT_BATCH) continue;
        status = replica_batch(replica, &find.batch, NULL, &digests, NULL);
    }
    journal_inspect_close(inspect);
    replica_free(replica);
    return status;
}

/* Jobs that flow through beside some that stay; @lives: so many turns until the next restart. */
static void run_cleaned(uint32_t lives, uint32_t turns, struct watched *watched) {
    char path[64] = "/tmp/hob-digests-XXXXXX";
    CHECK(mkdtemp(path) != NULL);
    hob_ns now_ns = NS_PER_DAY;
    static char large[2000];
    memset(large, 'p', sizeof large);
    uint64_t cleaned = 0;
    for (uint32_t life = 0; life < lives; life++) {
        struct space *space = open_watched(path, now_ns, watched);
        for (uint32_t i = 0; i < turns; i++) {
            now_ns += NS_PER_SECOND / 4;
            push(
                space,
                now_ns,
                i % 50 == 0 ? SLICE("k") : SLICE_NONE,
                slice_of(large, i * 7 % 2000),
                true
            );
            if (i % 20 != 0) ack(space, now_ns, fetch(space, now_ns), SLICE("done"));
        }
        struct space_stats stats;
        space_stats(space, &stats);
        cleaned += stats.cleaned_segments;
        space_close(space);
    }
    CHECK(cleaned > 20);
    CHECK_EQUAL(compare_all(path), HOB_CORRUPT);
    rig_path_remove(path);
}

TEST(digests_are_compared_though_cleaning_never_stops) {
    struct watched watched = {0};
    run_cleaned(40, 150, &watched);
    printf(
        "%u starts read %u digests and compared %u; %u starts compared none\n",
        (unsigned)watched.starts,
        (unsigned)watched.digests,
        (unsigned)watched.compared,
        (unsigned)watched.none
    );
    CHECK_EQUAL(watched.none, 1); /* the first one, of nothing */
    CHECK(watched.compared >= 2 * watched.starts);
}

TESTS(
    a_record_that_replay_leaves_out_is_noticed,
    a_field_that_replay_takes_otherwise_is_noticed,
    a_start_refuses_and_salvage_gets_past_it,
    digests_are_compared_though_cleaning_never_stops
)
