/* SPDX-License-Identifier: Apache-2.0 */
/* A space joins one engine and one journal. What it owns is the order of things: effects before
 * replies, durability before replies, and the death of the engine when the journal can no longer
 * say what is durable. */
#include "space/space.h"

#include "base/crc32c.h"
#include "space/private.h"

/* --- what the engine tells --- */

static void on_effect(void *context, const struct effect *effect) {
    batch_add(context, effect);
}

static void on_answer(void *context, const struct answer *answer) {
    struct space *space = context;
    space->sink.answer(space->sink.context, answer);
}

static void on_notice(void *context, const struct notice *notice) {
    struct space *space = context;
    if (space->sink.notice != NULL) space->sink.notice(space->sink.context, notice);
}

/* The end of a job may carry callbacks, and a turn may end many jobs: more than a batch holds. */
static bool on_step(void *context) {
    struct space *space = context;
    if (space->filling->bytes.size < BATCH_ROLL_BYTES) return true;
    if (space_is_congested(space)) return false;
    batch_roll(space);
    return true;
}

static bool on_body_read(void *context, uint64_t body_id, struct buf *out) {
    return space_body(context, body_id, out, NULL) == HOB_OK;
}

static void on_event(void *context, const struct event *event) {
    struct space *space = context;
    space->sink.event(space->sink.context, event);
}

static void on_body_drop(void *context, uint64_t body_id) {
    struct space *space = context;
    bodies_remove(&space->bodies, body_id);
}

/* --- life --- */

static void space_free(struct space *space) {
    journal_read_close(space->journal, space->cleaning.cursor);
    journal_close(space->journal);
    engine_free(space->engine);
    bodies_deinit(&space->bodies);
    effect_scratch_deinit(&space->scratch);
    while (space->sealed != NULL) {
        struct batch *batch = space->sealed;
        space->sealed = batch->next;
        batch_free(batch);
    }
    batch_free(space->filling);
    batch_free(space->flying);
    batch_free(space->spare);
    struct mem mem = {.used_bytes = sizeof *space};
    mem_free(&mem, space, sizeof *space);
}

enum hob_status space_open(
    struct journal *journal,
    const struct space_options *options,
    hob_ns now_ns,
    struct space **ret_space,
    struct space_recovery *ret_recovery,
    struct hob_error *err
) {
    struct mem mem = {0};
    struct space *space = mem_zero_alloc(&mem, sizeof *space);
    space->sink = options->sink;
    space->journal = journal;
    space->slack_bytes = options->slack_bytes == 0 ? SLACK_DEFAULT : options->slack_bytes;
    space->turn_jobs_max = options->turn_jobs_max == 0 ? TURN_BUDGET : options->turn_jobs_max;
    struct engine_options engine_options = {
        .sink =
            {
                .context = space,
                .effect = on_effect,
                .answer = on_answer,
                .notice = on_notice,
                .body_drop = on_body_drop,
                .body_read = on_body_read,
                .step = on_step,
                .event = options->sink.event == NULL ? NULL : on_event,
            },
        .hash_key = options->hash_key,
        .memory_max_bytes = options->memory_max_bytes,
        .keeps_digest = true,
    };
    space->engine = engine_new(&engine_options);
    *ret_recovery = (struct space_recovery){0};
    enum hob_status status = space_recover(space, now_ns, ret_recovery, err);
    if (status != HOB_OK) {
        space_free(space);
        return status;
    }
    struct journal_info info;
    journal_info(journal, &info);
    space->chain = info.chain;
    space->durable = info.seq;
    space->filling = batch_take(space);
    space->filling->head.seq = info.seq + 1;
    space->filling->head.first_pos = info.pos + 1;
    engine_home_set(space->engine, (uint32_t)(info.seq + 1));
    *ret_space = space;
    return HOB_OK;
}

void space_close(struct space *space) {
    if (space == NULL) return;
    digest_at_end(space);
    /* What cannot be written was told to nobody. */
    enum hob_status status = space_flush(space, NULL);
    (void)status;
    space_free(space);
}

/* --- turns --- */

void space_turn_begin(struct space *space, hob_ns now_ns) {
    hob_assert(!space->in_turn);
    space->in_turn = true;
    if (space->now_ns < now_ns) space->now_ns = now_ns;
    engine_memory_outside(space->engine, space->bodies.mem.used_bytes);
    space->turn_effects = space->effects;
    space->stats.turns++;
}

/* What is not durable yet. */
static uint64_t waiting_bytes(const struct space *space) {
    uint64_t waiting = space->filling->bytes.size;
    if (space->flying != NULL) waiting += space->flying->bytes.size;
    for (const struct batch *batch = space->sealed; batch != NULL; batch = batch->next) {
        waiting += batch->bytes.size;
    }
    return waiting;
}

/* Room that the journal has prepared is what acks and deletes live on when the disk is full, so
 * pushes stop before it ends. */
static bool push_has_room(struct space *space, uint64_t payload_bytes) {
    uint64_t wanted = waiting_bytes(space) + payload_bytes + RESERVE_BYTES;
    space->full = space->retry_ns != 0 || journal_room(space->journal) < wanted;
    return !space->full;
}

/* Does a command bring payloads? Then *ret_bytes of them. */
static bool grows(const struct command *command, uint64_t *ret_bytes) {
    *ret_bytes = 0;
    if (command->type == COMMAND_PUSH) *ret_bytes = command->push.payload.size;
    if (command->type == COMMAND_UPDATE) *ret_bytes = command->update.to.payload.size;
    if (command->type == COMMAND_PUSH_ALL) {
        const struct push_all_command *all = &command->push_all;
        for (uint32_t i = 0; i < all->count; i++) *ret_bytes += all->pushes[i].payload.size;
        return true;
    }
    return command->type == COMMAND_PUSH || command->type == COMMAND_UPDATE;
}

void space_apply(struct space *space, const struct command *command, struct answer *ret_answer) {
    hob_assert(space->in_turn);
    bool is_list = command->type == COMMAND_PUSH_ALL;
    size_t roll_bytes = is_list ? BATCH_LIST_BYTES : BATCH_ROLL_BYTES;
    if (space->filling->bytes.size >= roll_bytes) batch_roll(space);
    uint64_t payload_bytes = 0;
    if (grows(command, &payload_bytes) && !push_has_room(space, payload_bytes)) {
        *ret_answer = (struct answer){
            .code = ANSWER_FULL,
            .request = command->request,
            .retry_after_ns = NS_PER_SECOND,
        };
        return;
    }
    engine_apply(space->engine, space->now_ns, command, ret_answer);
}

uint64_t space_turn_end(struct space *space) {
    hob_assert(space->in_turn);
    if (space->filling->bytes.size >= BATCH_ROLL_BYTES) batch_roll(space);
    uint64_t made = space->effects - space->turn_effects;
    uint32_t budget = made > space->turn_jobs_max ? (uint32_t)made : space->turn_jobs_max;
    (void)engine_turn(space->engine, space->now_ns, budget);
    clean_slice(space);
    digest_when_due(space);
    if (space->now_ns >= space->retry_ns) space->retry_ns = 0; /* what was put off flies again */
    if (space->full) (void)push_has_room(space, 0);
    /* A full journal is asked again by writing something small: when there is room, it prepares
     * more. */
    if (space->full && space->flying == NULL && space->filling->head.effect_count == 0 &&
        space->retry_ns == 0) {
        engine_restate_meta(space->engine);
    }
    space->in_turn = false;
    uint64_t seq = space->filling->head.seq - (space->filling->head.effect_count == 0 ? 1 : 0);
    if (space->retry_ns == 0) batch_fly(space);
    return seq;
}

hob_ns space_now(const struct space *space) {
    return space->now_ns;
}

uint64_t space_durable(const struct space *space) {
    return space->durable;
}

/* --- the journal's answers --- */

static void batch_is_durable(struct space *space, const struct journal_done *done) {
    struct batch *batch = space->flying;
    space->flying = NULL;
    for (uint32_t i = 0; i < batch->body_count; i++) {
        struct body_place *place = bodies_find(&space->bodies, batch->bodies[i]);
        if (place == NULL || !place->pending || place->batch != batch->head.seq) continue;
        place->pending = 0;
        place->batch = done->address;
    }
    space->durable = batch->head.seq;
    space->chain = batch->head.chain;
    space->retry_ns = 0;
    batch_give(space, batch);
}

/* Full: the batch was not applied and is tried again as it is; its replies wait. */
static void batch_again(struct space *space, hob_ns delay_ns) {
    struct batch *batch = space->flying;
    space->flying = NULL;
    batch->next = space->sealed;
    space->sealed = batch;
    space->sealed_count++;
    space->retry_ns = delay_ns == 0 ? 0 : ns_add(space->now_ns, delay_ns);
    if (delay_ns == 0) batch_fly(space);
}

static bool take_done(struct space *space, const struct journal_done *done) {
    hob_assert(space->flying != NULL);
    hob_assert(done->seq == space->flying->head.seq);
    switch (done->result) {
    case JOURNAL_OK:
        batch_is_durable(space, done);
        return true;
    case JOURNAL_FULL:
        space->full = true;
        batch_again(space, FULL_RETRY_NS);
        return false;
    case JOURNAL_UNKNOWN:
        batch_again(space, 0);
        return false;
    case JOURNAL_REFUSED:
    case JOURNAL_FENCED:
    case JOURNAL_CORRUPT:
    case JOURNAL_FAILED:
    case JOURNAL_RESULT_COUNT:
        break;
    }
    space->failure = done->error;
    if (space->failure.status == HOB_OK) {
        (void)fail(&space->failure, HOB_DISK, "journal: %s", journal_result_text(done->result));
    }
    return false;
}

bool space_poll(struct space *space) {
    struct journal_done done;
    bool grew = false;
    while (space->flying != NULL && journal_poll(space->journal, &done)) {
        grew |= take_done(space, &done);
        if (space->retry_ns == 0 && !space->in_turn) batch_fly(space);
    }
    return grew;
}

enum hob_status space_flush(struct space *space, struct hob_error *err) {
    hob_assert(!space->in_turn);
    while (space->failure.status == HOB_OK) {
        batch_fly(space);
        if (space->flying == NULL) return HOB_OK;
        struct journal_done done;
        enum hob_status status = journal_wait(space->journal, &done);
        hob_assert(status == HOB_OK);
        (void)take_done(space, &done);
        if (space->retry_ns != 0) {
            return fail(err, HOB_DISK, "the disk is full: what is not durable yet stays so");
        }
    }
    if (err != NULL) *err = space->failure;
    return space->failure.status;
}

hob_ns space_due(const struct space *space) {
    hob_ns due_ns = engine_due(space->engine);
    /* What a full journal has put off waits for its progress, which wakes; so this is only a
     * net. */
    if (space_is_congested(space) && due_ns <= space->now_ns) {
        due_ns = ns_add(space->now_ns, CLEAN_INTERVAL_NS);
    }
    if (clean_is_due(space)) {
        hob_ns clean_ns = ns_add(space->now_ns, CLEAN_INTERVAL_NS);
        if (clean_ns < due_ns) due_ns = clean_ns;
    }
    hob_ns digest_ns = digest_due(space);
    if (digest_ns < due_ns) due_ns = digest_ns;
    if (space->full) {
        hob_ns retry_ns = ns_add(space->now_ns, FULL_RETRY_NS);
        if (retry_ns < due_ns) due_ns = retry_ns;
    }
    return due_ns;
}

/* A disk may be full at any time, and what has been applied by then must still fit: so no more
 * waits than half of what the journal has ready. The other half is for what one more command adds,
 * and for what does not fit at the end of a segment. */
bool space_is_congested(const struct space *space) {
    if (space->sealed_count >= BATCHES_WAITING_MAX) return true;
    uint64_t waiting = waiting_bytes(space);
    return waiting >= READY_ASKED_BYTES && !space->full &&
           waiting >= journal_ready(space->journal) / 2;
}

const struct hob_error *space_failure(const struct space *space) {
    return space->failure.status == HOB_OK ? NULL : &space->failure;
}

const struct engine *space_engine(const struct space *space) {
    return space->engine;
}

/* --- bodies --- */

static enum hob_status body_decode(
    struct space *space, struct slice record, uint64_t id, struct buf *out, struct hob_error *err
) {
    struct effect effect;
    size_t used = effect_decode(record, &space->scratch, &effect, err);
    bool sound = used == record.size && effect.type == EFFECT_BODY && effect.body.id == id &&
                 crc32c(0, effect.body.bytes.bytes, effect.body.bytes.size) == effect.body.crc;
    if (!sound) {
        return fail(
            err, HOB_CORRUPT, "body %llu does not match its checksum", (unsigned long long)id
        );
    }
    if (buf_put_slice(out, effect.body.bytes)) return HOB_OK;
    return fail(err, HOB_FAILED, "body %llu does not fit the reply", (unsigned long long)id);
}

enum hob_status
space_body(struct space *space, uint64_t body_id, struct buf *out, struct hob_error *err) {
    const struct body_place *place = bodies_find(&space->bodies, body_id);
    if (place == NULL) {
        return fail(err, HOB_NOT_FOUND, "there is no body %llu", (unsigned long long)body_id);
    }
    if (place->pending) {
        const struct batch *batch = batch_find(space, place->batch);
        hob_assert(batch != NULL);
        struct slice record = slice_of(batch->bytes.bytes + place->offset, place->size);
        return body_decode(space, record, body_id, out, err);
    }
    HOB_AUTO_BUF struct buf record = buf_make(JOURNAL_BATCH_BYTES_MAX);
    char *bytes = buf_reserve(&record, place->size);
    hob_assert(bytes != NULL);
    enum hob_status status =
        journal_fetch(space->journal, place->batch, place->offset, place->size, bytes, err);
    if (status != HOB_OK) return status;
    return body_decode(space, slice_of(bytes, place->size), body_id, out, err);
}

void space_stats(const struct space *space, struct space_stats *ret_stats) {
    *ret_stats = space->stats;
    journal_info(space->journal, &ret_stats->journal);
    ret_stats->bodies = space->bodies.count;
    ret_stats->body_bytes = space->bodies.bytes;
    ret_stats->full = space->full;
}
