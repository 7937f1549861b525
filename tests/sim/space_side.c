/* SPDX-License-Identifier: Apache-2.0 */
/* The engine inside a space. Segments and slack are so small that the space cleans all the time; a
 * file journal is not synced (that is test/conform's and the crash tests' affair) but is closed and
 * opened again. The turn stays open between commands of one time, as in a server. */
#include "tests/sim/space_side.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "space/space.h"

enum { BODY_BYTES_MAX = PAYLOAD_BYTES_MAX, TURNS_MAX = 100000 };

struct space_side {
    struct target_options options;
    struct dice dice;
    uint64_t segment_bytes;
    uint64_t slack_bytes;
    char path[64]; /* "": in memory */
    struct space *space;
    bool in_turn;
    hob_ns turn_ns;
};

static void broken(struct space_side *side, const char *what, const char *text) {
    char all[400];
    (void)snprintf(all, sizeof(all), "%s: %s", what, text);
    side->options.broken(side->options.context, all);
    abort();
}

static void on_wake(void *context) {
    (void)context; /* nobody sleeps here: each turn ends by flushing */
}

static void on_answer(void *context, const struct answer *answer) {
    struct space_side *side = context;
    side->options.answer(side->options.context, answer);
}

static void on_notice(void *context, const struct notice *notice) {
    struct space_side *side = context;
    side->options.notice(side->options.context, notice);
}

static void side_open(struct space_side *side, hob_ns now_ns) {
    struct hob_error err = {.status = HOB_OK};
    struct journal_wake wake = {.call = on_wake};
    struct journal *journal = NULL;
    enum hob_status status;
    if (side->path[0] == '\0') {
        status = journal_memory_open(side->segment_bytes, wake, &journal, &err);
    } else {
        struct journal_file_options file = {
            .path = side->path, .segment_bytes = side->segment_bytes, .no_sync = true};
        status = journal_file_open(&file, wake, &journal, &err);
    }
    if (status != HOB_OK) broken(side, "open the journal", err.text);
    uint64_t low = dice_u64(&side->dice);
    struct space_options options = {
        .sink = {.context = side, .answer = on_answer, .notice = on_notice},
        .hash_key = {.words = {low, dice_u64(&side->dice)}},
        .memory_max_bytes = side->options.memory_max_bytes,
        .slack_bytes = side->slack_bytes,
        .turn_jobs_max = UINT32_MAX, /* the model does all that is due before it serves */
    };
    struct space_recovery recovery;
    status = space_open(journal, &options, now_ns, &side->space, &recovery, &err);
    if (status != HOB_OK) broken(side, "open the space", err.text);
}

struct space_side *space_side_new(const struct target_options *options) {
    struct space_side *side = calloc(1, sizeof(*side));
    hob_assert(side != NULL);
    side->options = *options;
    side->dice = dice_of(options->seed ^ UINT64_C(0x5bace));
    side->segment_bytes = 65536 * dice_between(&side->dice, 1, 4);
    side->slack_bytes = 65536 * dice_between(&side->dice, 1, 8);
    if (options->setting == TARGET_SPACE_FILE) {
        const char *home = getenv("TMPDIR");
        (void)snprintf(
            side->path, sizeof(side->path), "%.40s/hob-sim-XXXXXX", home == NULL ? "/tmp" : home
        );
        if (mkdtemp(side->path) == NULL) hob_panic(__FILE__, __LINE__, "mkdtemp");
    }
    side_open(side, 0);
    return side;
}

static void remove_files(const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL) return;
    for (;;) {
        const struct dirent *entry = readdir(folder); /* NOLINT(concurrency-mt-unsafe) */
        if (entry == NULL) break;
        if (entry->d_name[0] != '.') (void)unlinkat(dirfd(folder), entry->d_name, 0);
    }
    (void)closedir(folder);
    (void)rmdir(path);
}

void space_side_free(struct space_side *side) {
    if (side == NULL) return;
    if (side->in_turn) (void)space_turn_end(side->space);
    space_close(side->space);
    if (side->path[0] != '\0') remove_files(side->path);
    free(side);
}

static void turn_begin(struct space_side *side, hob_ns now_ns) {
    if (side->in_turn) return;
    space_turn_begin(side->space, now_ns);
    side->in_turn = true;
    side->turn_ns = now_ns;
}

static void turn_end(struct space_side *side) {
    struct hob_error err = {.status = HOB_OK};
    uint64_t seq = space_turn_end(side->space);
    side->in_turn = false;
    if (space_failure(side->space) != NULL) {
        broken(side, "the space failed", space_failure(side->space)->text);
    }
    /* Half of the time the append stays in flight while the next turn goes on. */
    if (space_is_congested(side->space) || dice_once_in(&side->dice, 2)) {
        if (space_flush(side->space, &err) != HOB_OK) broken(side, "flush", err.text);
        if (space_durable(side->space) < seq) broken(side, "flush", "the turn is not durable");
    } else {
        (void)space_poll(side->space);
    }
}

void space_side_apply(
    struct space_side *side, hob_ns now_ns, const struct command *command, struct answer *ret_answer
) {
    turn_begin(side, now_ns);
    space_apply(side->space, command, ret_answer);
}

void space_side_turn(struct space_side *side, hob_ns now_ns) {
    for (uint32_t i = 0; i < TURNS_MAX; i++) {
        turn_begin(side, now_ns);
        turn_end(side);
        if (space_due(side->space) > now_ns) return;
    }
    broken(side, "turns", "turn after turn at the same time, and still work to do");
}

void space_side_restart(struct space_side *side, hob_ns now_ns) {
    hob_assert(!side->in_turn);
    uint64_t digest = engine_digest(space_side_engine(side));
    space_close(side->space);
    side->space = NULL;
    side_open(side, now_ns);
    bool same = engine_digest(space_side_engine(side)) == digest;
    if (!same) broken(side, "restart", "another digest");
}

const struct engine *space_side_engine(const struct space_side *side) {
    return space_engine(side->space);
}

hob_ns space_side_due(const struct space_side *side) {
    return space_due(side->space);
}

bool space_side_has_body(struct space_side *side, uint64_t body_id, size_t size, uint64_t hash) {
    struct hob_error err = {.status = HOB_OK};
    struct buf bytes = buf_make(BODY_BYTES_MAX);
    enum hob_status status = space_body(side->space, body_id, &bytes, &err);
    if (status != HOB_OK) broken(side, "a body", err.text);
    bool same = bytes.size == size && bytes_hash(bytes.bytes, bytes.size) == hash;
    buf_deinit(&bytes);
    return same;
}

uint64_t space_side_body_count(const struct space_side *side) {
    struct space_stats stats;
    space_stats(side->space, &stats);
    return stats.bodies;
}
