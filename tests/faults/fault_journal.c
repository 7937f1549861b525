/* SPDX-License-Identifier: Apache-2.0 */
/* A journal around a journal. Each append draws its fate; what is to be stored goes to the inner
 * journal at once, the answer is kept until its time has come. The dead (is_dead) store nothing and
 * answer that they failed, so that whoever closes them ends quickly. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tests/faults/fault_store.h"

struct fault_journal {
    struct journal journal;
    struct journal_wake wake;
    struct fault_store *store;
    struct journal *inner;
    uint64_t life;
    bool is_beside; /* of another process: no faults, no death */
    bool in_flight;
    bool stores_late; /* stored when it is answered, not when it is appended */
    struct journal_batch batch;
    struct journal_done done;
    hob_ns ready_ns;
};

struct journal_cursor {
    struct journal *inner;
    struct journal_cursor *cursor;
};

static struct fault_journal *of(struct journal *journal) {
    return (struct fault_journal *)journal;
}

static bool is_dead(const struct fault_journal *fault) {
    if (fault->is_beside) return false;
    return fault->store->is_dead || fault->life != fault->store->life;
}

/* --- appending --- */

/* Give it to the inner journal, which answers at once or after a few steps of its own. */
static struct journal_done store_now(struct journal *inner, const struct journal_batch *batch) {
    struct journal_done done;
    journal_append(inner, batch);
    enum hob_status status = journal_wait(inner, &done);
    hob_assert(status == HOB_OK);
    return done;
}

static void answer_with(struct fault_journal *fault, enum journal_result result) {
    fault->done = (struct journal_done){.result = result, .seq = fault->batch.seq};
    (void)fail(&fault->done.error, HOB_DISK, "a fault: %s", journal_result_text(result));
}

/* What was in the air when its answer was lost arrives now, or is lost too. Whatever it says: who
 * sent it has long given up. */
static void late_arrives(struct fault_journal *fault) {
    struct fault_store *store = fault->store;
    if (!store->has_late) return;
    store->has_late = false;
    if (dice_once_in(&store->dice, 4)) return;
    (void)store_now(fault->inner, &store->late);
}

static void late_put(struct fault_store *store, const struct journal_batch *batch) {
    free(store->late_bytes);
    store->late_bytes = malloc(batch->bytes.size);
    hob_assert(store->late_bytes != NULL);
    memcpy(store->late_bytes, batch->bytes.bytes, batch->bytes.size);
    store->late = *batch;
    store->late.bytes = slice_of(store->late_bytes, batch->bytes.size);
    store->has_late = true;
}

/* No space: the device takes what is left of its room. */
static bool is_too_full(struct fault_store *store, size_t size) {
    if (store_room(store) == UINT64_MAX) return false;
    if (size > store->room_bytes) return true;
    store->room_bytes -= size;
    return false;
}

static void store_it(struct fault_journal *fault) {
    fault->done = store_now(fault->inner, &fault->batch);
    store_look_at_disk(fault->store);
}

static void serve_unknown(struct fault_journal *fault, enum fault fate) {
    if (fate == FAULT_UNKNOWN_APPLIED) store_it(fault);
    if (fate == FAULT_UNKNOWN_LATER) late_put(fault->store, &fault->batch);
    if (!fault->store->is_dead) answer_with(fault, JOURNAL_UNKNOWN);
}

static void serve_crash(struct fault_journal *fault, enum fault fate) {
    if (fate == FAULT_CRASH_AFTER) store_it(fault);
    fault->store->is_dead = true;
    answer_with(fault, JOURNAL_FAILED);
}

static void serve(struct fault_journal *fault, enum fault fate) {
    struct fault_store *store = fault->store;
    switch (fate) {
    case FAULT_REFUSED:
        answer_with(fault, JOURNAL_REFUSED);
        return;
    case FAULT_UNKNOWN_APPLIED:
    case FAULT_UNKNOWN_LOST:
    case FAULT_UNKNOWN_LATER:
        serve_unknown(fault, fate);
        return;
    case FAULT_FAILED:
        if (dice_once_in(&store->dice, 2)) store_it(fault);
        store->has_failed = true;
        answer_with(fault, JOURNAL_FAILED);
        return;
    case FAULT_CRASH_BEFORE:
    case FAULT_CRASH_AFTER:
        serve_crash(fault, fate);
        return;
    case FAULT_FENCED:
        if (store->options.fence != NULL) store->options.fence(store->options.context);
        break;
    case FAULT_FULL:
        fault_store_fill(store);
        break;
    case FAULT_NONE:
    case FAULT_COUNT:
        break;
    }
    if (is_too_full(store, fault->batch.bytes.size)) {
        answer_with(fault, JOURNAL_FULL);
        return;
    }
    fault->stores_late = store->plan.delay_max_ns > 0 && dice_once_in(&store->dice, 2);
    if (!fault->stores_late) store_it(fault);
}

static void fault_append(struct journal *journal, const struct journal_batch *batch) {
    struct fault_journal *fault = of(journal);
    struct fault_store *store = fault->store;
    hob_assert(!fault->in_flight);
    fault->in_flight = true;
    fault->stores_late = false;
    fault->batch = *batch;
    fault->ready_ns = 0;
    if (fault->is_beside) {
        store_it(fault);
    } else if (is_dead(fault) || store->has_failed) {
        answer_with(fault, JOURNAL_FAILED);
    } else {
        if (store->has_late && dice_once_in(&store->dice, 2)) late_arrives(fault);
        enum fault fate = store_draw(store);
        serve(fault, fate);
        hob_ns now_ns = store_now_ns(store);
        fault->ready_ns = now_ns + store_delay(store);
        if (store->options.wake_at != NULL) {
            store->options.wake_at(store->options.context, fault->ready_ns);
        }
    }
    if (fault->wake.call != NULL) fault->wake.call(fault->wake.context);
}

static void take(struct fault_journal *fault, struct journal_done *ret_done) {
    if (fault->stores_late) {
        if (is_dead(fault)) {
            answer_with(fault, JOURNAL_FAILED);
        } else {
            store_it(fault);
        }
        fault->stores_late = false;
    }
    fault->in_flight = false;
    *ret_done = fault->done;
    if (ret_done->result == JOURNAL_OK && is_dead(fault)) {
        answer_with(fault, JOURNAL_FAILED); /* it is stored, and nobody hears of it */
        *ret_done = fault->done;
    }
    if (ret_done->result == JOURNAL_OK) fault->store->acked_seq = ret_done->seq;
}

static bool fault_poll(struct journal *journal, struct journal_done *ret_done) {
    struct fault_journal *fault = of(journal);
    if (!fault->in_flight) return false;
    if (!is_dead(fault) && store_now_ns(fault->store) < fault->ready_ns) return false;
    take(fault, ret_done);
    return true;
}

static enum hob_status fault_wait(struct journal *journal, struct journal_done *ret_done) {
    struct fault_journal *fault = of(journal);
    if (!fault->in_flight) return HOB_FAILED;
    take(fault, ret_done);
    return HOB_OK;
}

/* A batch that was in the air when its process died may be stored or not. */
static void fault_close(struct journal *journal) {
    struct fault_journal *fault = of(journal);
    struct fault_store *store = fault->store;
    bool counts = fault->life == store->life;
    if (fault->in_flight && fault->stores_late && counts) {
        if (!store->is_dead || dice_once_in(&store->dice, 2)) store_it(fault);
    }
    if (store->options.in_files) {
        late_arrives(fault);
        journal_close(fault->inner);
        store->inner = NULL;
    }
    store->open_count--;
    free(fault);
}

/* --- reading: the inner journal's --- */

static void fault_info(struct journal *journal, struct journal_info *ret_info) {
    struct fault_journal *fault = of(journal);
    journal_info(fault->inner, ret_info);
    uint64_t room = fault->is_beside ? UINT64_MAX : store_room(fault->store);
    if (room < ret_info->room_bytes) ret_info->room_bytes = room;
}

static uint64_t fault_room(struct journal *journal) {
    struct fault_journal *fault = of(journal);
    uint64_t inner = journal_room(fault->inner);
    uint64_t room = fault->is_beside ? UINT64_MAX : store_room(fault->store);
    return room < inner ? room : inner;
}

static uint64_t fault_ready(struct journal *journal) {
    struct fault_journal *fault = (struct fault_journal *)journal;
    uint64_t inner = journal_ready(fault->inner);
    uint64_t room = fault_room(journal);
    return room < inner ? room : inner;
}

static enum hob_status fault_read_open(
    struct journal *journal,
    uint32_t segment,
    struct journal_cursor **ret_cursor,
    struct hob_error *err
) {
    struct journal *inner = of(journal)->inner;
    struct journal_cursor *cursor = NULL;
    enum hob_status status = journal_read_open(inner, segment, &cursor, err);
    if (status != HOB_OK) return status;
    *ret_cursor = malloc(sizeof **ret_cursor);
    hob_assert(*ret_cursor != NULL);
    **ret_cursor = (struct journal_cursor){.inner = inner, .cursor = cursor};
    return HOB_OK;
}

static enum hob_status fault_read_next(
    struct journal_cursor *cursor, struct journal_entry *ret_entry, struct hob_error *err
) {
    return journal_read_next(cursor->inner, cursor->cursor, ret_entry, err);
}

static void fault_read_close(struct journal_cursor *cursor) {
    journal_read_close(cursor->inner, cursor->cursor);
    free(cursor);
}

static enum hob_status fault_fetch(
    struct journal *journal,
    uint64_t address,
    uint32_t offset,
    uint32_t size,
    char *ret_bytes,
    struct hob_error *err
) {
    return journal_fetch(of(journal)->inner, address, offset, size, ret_bytes, err);
}

static enum hob_status
fault_trim(struct journal *journal, uint32_t before_segment, struct hob_error *err) {
    struct fault_journal *fault = of(journal);
    if (is_dead(fault)) return fail(err, HOB_DISK, "a fault: the process is dead");
    enum hob_status status = journal_trim(fault->inner, before_segment, err);
    store_look_at_disk(fault->store);
    return status;
}

static enum hob_status
fault_tail(struct journal *journal, uint64_t *ret_chain, struct hob_error *err) {
    return journal_tail(of(journal)->inner, ret_chain, err);
}

static const struct journal_ops fault_ops = {
    .close = fault_close,
    .info = fault_info,
    .room = fault_room,
    .ready = fault_ready,
    .append = fault_append,
    .poll = fault_poll,
    .wait = fault_wait,
    .read_open = fault_read_open,
    .read_next = fault_read_next,
    .read_close = fault_read_close,
    .fetch = fault_fetch,
    .trim = fault_trim,
    .tail = fault_tail,
};

enum hob_status fault_store_open(
    struct fault_store *store,
    struct journal_wake wake,
    struct journal **ret_journal,
    struct hob_error *err
) {
    enum hob_status status = store_begin_life(store, err);
    if (status != HOB_OK) return status;
    struct fault_journal *fault = calloc(1, sizeof *fault);
    hob_assert(fault != NULL);
    fault->journal.ops = &fault_ops;
    fault->wake = wake;
    fault->store = store;
    fault->inner = store->inner;
    fault->life = store->life;
    store->open_count++;
    if (dice_once_in(&store->dice, 2)) late_arrives(fault);
    *ret_journal = &fault->journal;
    return HOB_OK;
}

struct journal *fault_store_open_beside(struct fault_store *store) {
    hob_assert(!store->options.in_files);
    struct fault_journal *fault = calloc(1, sizeof *fault);
    hob_assert(fault != NULL);
    fault->journal.ops = &fault_ops;
    fault->store = store;
    fault->inner = store->inner;
    fault->is_beside = true;
    store->open_count++;
    return &fault->journal;
}
