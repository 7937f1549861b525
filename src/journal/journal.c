/* SPDX-License-Identifier: Apache-2.0 */
/* What all journals share: the chain, the texts, and the way from a call to the implementation. The
 * arguments are checked here once, so that no implementation has to trust its caller
 * differently. */
#include "journal/journal.h"

/* All of it inline: the state then has a size, and its layout need not be that of the shared
 * library. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/assert.h"
#include "base/codec.h"

/* Fields are hashed as they are stored, little-endian, so that a chain means the same everywhere:
 *
 *      0 u64 prev_chain    8 u64 seq              16 u64 first_pos
 *     24 u64 time_ns      32 u32 effect_count     36 the bytes */
enum { CHAIN_FIELDS_BYTES = 36 };

uint64_t journal_chain(const struct journal_batch *batch) {
    char fields[CHAIN_FIELDS_BYTES];
    put_u64le(fields, batch->prev_chain);
    put_u64le(fields + 8, batch->seq);
    put_u64le(fields + 16, batch->first_pos);
    put_u64le(fields + 24, batch->time_ns);
    put_u32le(fields + 32, batch->effect_count);
    XXH3_state_t state;
    (void)XXH3_64bits_reset(&state); /* these three fail on NULL only */
    (void)XXH3_64bits_update(&state, fields, sizeof fields);
    (void)XXH3_64bits_update(&state, batch->bytes.bytes, batch->bytes.size);
    return XXH3_64bits_digest(&state);
}

static const char *const result_texts[] = {
#define X(name, text) [name] = (text),
    JOURNAL_RESULTS(X)
#undef X
};
_Static_assert(hob_countof(result_texts) == JOURNAL_RESULT_COUNT, "each result has a text");

const char *journal_result_text(enum journal_result result) {
    hob_assert(result < JOURNAL_RESULT_COUNT);
    return result_texts[result];
}

void journal_close(struct journal *journal) {
    if (journal == NULL) return;
    journal->ops->close(journal);
}

void journal_info(struct journal *journal, struct journal_info *ret_info) {
    journal->ops->info(journal, ret_info);
}

uint64_t journal_room(struct journal *journal) {
    return journal->ops->room(journal);
}

uint64_t journal_ready(struct journal *journal) {
    return journal->ops->ready(journal);
}

void journal_append(struct journal *journal, const struct journal_batch *batch) {
    hob_assert(batch->seq > 0);
    hob_assert(batch->first_pos > 0);
    hob_assert(batch->bytes.size > 0);
    hob_assert(batch->bytes.size <= JOURNAL_BATCH_BYTES_MAX);
    journal->ops->append(journal, batch);
}

bool journal_poll(struct journal *journal, struct journal_done *ret_done) {
    return journal->ops->poll(journal, ret_done);
}

enum hob_status journal_wait(struct journal *journal, struct journal_done *ret_done) {
    return journal->ops->wait(journal, ret_done);
}

enum hob_status journal_read_open(
    struct journal *journal,
    uint32_t segment,
    struct journal_cursor **ret_cursor,
    struct hob_error *err
) {
    return journal->ops->read_open(journal, segment, ret_cursor, err);
}

enum hob_status journal_read_next(
    struct journal *journal,
    struct journal_cursor *cursor,
    struct journal_entry *ret_entry,
    struct hob_error *err
) {
    return journal->ops->read_next(cursor, ret_entry, err);
}

bool journal_read_warm(struct journal *journal, struct journal_cursor *cursor, size_t bytes_max) {
    return journal->ops->read_warm == NULL || journal->ops->read_warm(cursor, bytes_max);
}

void journal_read_close(struct journal *journal, struct journal_cursor *cursor) {
    if (cursor == NULL) return;
    journal->ops->read_close(cursor);
}

enum hob_status journal_fetch(
    struct journal *journal,
    uint64_t address,
    uint32_t offset,
    uint32_t size,
    char *ret_bytes,
    struct hob_error *err
) {
    return journal->ops->fetch(journal, address, offset, size, ret_bytes, err);
}

enum hob_status
journal_trim(struct journal *journal, uint32_t before_segment, struct hob_error *err) {
    return journal->ops->trim(journal, before_segment, err);
}

enum hob_status journal_tail(struct journal *journal, uint64_t *ret_chain, struct hob_error *err) {
    return journal->ops->tail(journal, ret_chain, err);
}
