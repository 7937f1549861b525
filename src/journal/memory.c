/* SPDX-License-Identifier: Apache-2.0 */
/* A journal in memory: for tests, the simulator, and applications that want no file. It keeps what
 * the file journal keeps (segments, addresses, the chain) and answers an append at once, before
 * journal_append returns.
 *
 *     first_segment          last_segment
 *     [batch batch batch]    [batch batch …]     address = segment << 32 | index in the segment
 *
 * Memory is not counted or bounded here: the owner trims. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "journal/journal.h"
#include "os/entropy.h"

enum { MEMORY_SEGMENT_BYTES_DEFAULT = 64 * 1024 * 1024, MEMORY_BATCH_OVERHEAD_BYTES = 64 };

struct memory_batch {
    struct journal_batch batch; /* its bytes are the ones below */
    char *bytes;                /* owned */
};

struct memory_segment {
    struct memory_batch *batches;
    uint32_t count;
    uint32_t capacity;
    uint64_t size_bytes;
};

struct memory_journal {
    struct journal journal;
    struct journal_wake wake;
    struct memory_segment *segments; /* first_segment … last_segment */
    uint32_t first_segment;
    uint32_t last_segment;
    uint64_t segment_bytes;
    uint64_t stored_bytes;
    uint64_t seq;
    uint64_t pos;
    uint64_t chain;
    uint64_t last_address;
    bool answered; /* `done` waits for poll */
    struct journal_done done;
};

struct journal_cursor {
    struct memory_journal *memory;
    uint32_t segment;
    uint32_t index;
};

static void *resized(void *old, size_t count, size_t each_bytes) {
    void *block = reallocarray(old, count, each_bytes);
    if (block == NULL) hob_panic(__FILE__, __LINE__, "out of memory");
    return block;
}

static struct memory_segment *segment_at(struct memory_journal *memory, uint32_t segment) {
    hob_assert(segment >= memory->first_segment);
    hob_assert(segment <= memory->last_segment);
    return &memory->segments[segment - memory->first_segment];
}

static void segment_deinit(struct memory_segment *segment) {
    for (uint32_t i = 0; i < segment->count; i++) free(segment->batches[i].bytes);
    free(segment->batches);
    *segment = (struct memory_segment){0};
}

static void memory_close(struct journal *journal) {
    struct memory_journal *memory = (struct memory_journal *)journal;
    for (uint32_t i = memory->first_segment; i <= memory->last_segment; i++) {
        segment_deinit(segment_at(memory, i));
    }
    free(memory->segments);
    free(memory);
}

/* No device under it that could be full. */
static uint64_t memory_room(struct journal *journal) {
    (void)journal;
    return UINT64_MAX;
}

static void memory_info(struct journal *journal, struct journal_info *ret_info) {
    const struct memory_journal *memory = (struct memory_journal *)journal;
    *ret_info = (struct journal_info){
        .room_bytes = memory_room(journal),
        .seq = memory->seq,
        .pos = memory->pos,
        .chain = memory->chain,
        .first_segment = memory->first_segment,
        .last_segment = memory->last_segment,
        .segment_bytes = memory->segment_bytes,
        .stored_bytes = memory->stored_bytes,
    };
}

static void segment_add(struct memory_journal *memory) {
    memory->last_segment++;
    uint32_t count = memory->last_segment - memory->first_segment + 1;
    memory->segments = resized(memory->segments, count, sizeof *memory->segments);
    memory->segments[count - 1] = (struct memory_segment){0};
}

static void batch_store(struct memory_journal *memory, const struct journal_batch *batch) {
    uint64_t size = batch->bytes.size + MEMORY_BATCH_OVERHEAD_BYTES;
    struct memory_segment *segment = segment_at(memory, memory->last_segment);
    if (segment->count > 0 && segment->size_bytes + size > memory->segment_bytes) {
        segment_add(memory);
        segment = segment_at(memory, memory->last_segment);
    }
    if (segment->count == segment->capacity) {
        segment->capacity = segment->capacity == 0 ? 16 : segment->capacity * 2;
        segment->batches = resized(segment->batches, segment->capacity, sizeof *segment->batches);
    }
    char *bytes = resized(NULL, batch->bytes.size, 1);
    memcpy(bytes, batch->bytes.bytes, batch->bytes.size);
    struct memory_batch *stored = &segment->batches[segment->count];
    *stored = (struct memory_batch){.batch = *batch, .bytes = bytes};
    stored->batch.bytes = slice_of(bytes, batch->bytes.size);
    memory->last_address = (uint64_t)memory->last_segment << 32 | segment->count;
    segment->count++;
    segment->size_bytes += size;
    memory->stored_bytes += size;
    memory->seq = batch->seq;
    memory->pos = batch->first_pos + batch->effect_count - 1;
    memory->chain = batch->chain;
}

static void memory_append(struct journal *journal, const struct journal_batch *batch) {
    struct memory_journal *memory = (struct memory_journal *)journal;
    hob_assert(!memory->answered); /* one append in flight */
    hob_assert(batch->chain == journal_chain(batch));
    memory->done = (struct journal_done){.result = JOURNAL_OK, .seq = batch->seq};
    bool stored = batch->seq == memory->seq && batch->chain == memory->chain;
    bool next = batch->seq == memory->seq + 1 && batch->prev_chain == memory->chain &&
                batch->first_pos == memory->pos + 1;
    if (next) batch_store(memory, batch);
    if (next || stored) {
        memory->done.address = memory->last_address;
        memory->done.segment = (uint32_t)(memory->last_address >> 32);
    } else {
        memory->done.result = JOURNAL_FENCED;
        (void)fail(
            &memory->done.error,
            HOB_CONFLICT,
            "batch %llu does not continue the journal",
            (unsigned long long)batch->seq
        );
    }
    memory->answered = true;
    if (memory->wake.call != NULL) memory->wake.call(memory->wake.context);
}

static bool memory_poll(struct journal *journal, struct journal_done *ret_done) {
    struct memory_journal *memory = (struct memory_journal *)journal;
    if (!memory->answered) return false;
    memory->answered = false;
    *ret_done = memory->done;
    return true;
}

static enum hob_status memory_wait(struct journal *journal, struct journal_done *ret_done) {
    return memory_poll(journal, ret_done) ? HOB_OK : HOB_FAILED;
}

static enum hob_status memory_read_open(
    struct journal *journal,
    uint32_t segment,
    struct journal_cursor **ret_cursor,
    struct hob_error *err
) {
    struct memory_journal *memory = (struct memory_journal *)journal;
    if (segment == 0) segment = memory->first_segment;
    if (segment < memory->first_segment || segment > memory->last_segment) {
        return fail(err, HOB_NOT_FOUND, "the journal has no segment %u", (unsigned)segment);
    }
    struct journal_cursor *cursor = resized(NULL, 1, sizeof *cursor);
    *cursor = (struct journal_cursor){.memory = memory, .segment = segment};
    *ret_cursor = cursor;
    return HOB_OK;
}

static enum hob_status memory_read_next(
    struct journal_cursor *cursor, struct journal_entry *ret_entry, struct hob_error *err
) {
    struct memory_journal *memory = cursor->memory;
    const struct memory_segment *segment = segment_at(memory, cursor->segment);
    while (cursor->index == segment->count) {
        if (cursor->segment == memory->last_segment) {
            return fail(err, HOB_NOT_FOUND, "the end of the journal");
        }
        cursor->segment++;
        cursor->index = 0;
        segment = segment_at(memory, cursor->segment);
    }
    ret_entry->batch = segment->batches[cursor->index].batch;
    ret_entry->address = (uint64_t)cursor->segment << 32 | cursor->index;
    ret_entry->segment = cursor->segment;
    ret_entry->offset = 0;
    cursor->index++;
    return HOB_OK;
}

static void memory_read_close(struct journal_cursor *cursor) {
    free(cursor);
}

static enum hob_status memory_fetch(
    struct journal *journal,
    uint64_t address,
    uint32_t offset,
    uint32_t size,
    char *ret_bytes,
    struct hob_error *err
) {
    struct memory_journal *memory = (struct memory_journal *)journal;
    uint32_t number = (uint32_t)(address >> 32);
    uint32_t index = (uint32_t)address;
    if (number < memory->first_segment || number > memory->last_segment ||
        index >= segment_at(memory, number)->count) {
        return fail(
            err, HOB_NOT_FOUND, "the journal keeps no batch at %#llx", (unsigned long long)address
        );
    }
    struct slice bytes = segment_at(memory, number)->batches[index].batch.bytes;
    if (offset > bytes.size || size > bytes.size - offset) {
        return fail(
            err, HOB_CORRUPT, "a batch of %zu bytes has no bytes %u+%u", bytes.size, offset, size
        );
    }
    if (size > 0) memcpy(ret_bytes, bytes.bytes + offset, size);
    return HOB_OK;
}

static enum hob_status
memory_trim(struct journal *journal, uint32_t before_segment, struct hob_error *err) {
    (void)err;
    struct memory_journal *memory = (struct memory_journal *)journal;
    if (before_segment > memory->last_segment) before_segment = memory->last_segment;
    if (before_segment <= memory->first_segment) return HOB_OK;
    uint32_t gone = before_segment - memory->first_segment;
    uint32_t left = memory->last_segment - before_segment + 1;
    for (uint32_t i = 0; i < gone; i++) {
        memory->stored_bytes -= memory->segments[i].size_bytes;
        segment_deinit(&memory->segments[i]);
    }
    memmove(memory->segments, memory->segments + gone, left * sizeof *memory->segments);
    memory->first_segment = before_segment;
    return HOB_OK;
}

static enum hob_status
memory_tail(struct journal *journal, uint64_t *ret_chain, struct hob_error *err) {
    (void)err;
    *ret_chain = ((struct memory_journal *)journal)->chain;
    return HOB_OK;
}

static const struct journal_ops memory_ops = {
    .close = memory_close,
    .info = memory_info,
    .room = memory_room,
    .ready = memory_room,
    .append = memory_append,
    .poll = memory_poll,
    .wait = memory_wait,
    .read_open = memory_read_open,
    .read_next = memory_read_next,
    .read_close = memory_read_close,
    .fetch = memory_fetch,
    .trim = memory_trim,
    .tail = memory_tail,
};

enum hob_status journal_memory_open(
    uint64_t segment_bytes,
    struct journal_wake wake,
    struct journal **ret_journal,
    struct hob_error *err
) {
    (void)err;
    struct memory_journal *memory = resized(NULL, 1, sizeof *memory);
    *memory = (struct memory_journal){
        .journal = {.ops = &memory_ops},
        .wake = wake,
        .first_segment = 1,
        .segment_bytes = segment_bytes == 0 ? MEMORY_SEGMENT_BYTES_DEFAULT : segment_bytes,
        .chain = entropy_u64(),
    };
    segment_add(memory);
    *ret_journal = &memory->journal;
    return HOB_OK;
}
