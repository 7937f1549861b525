/* SPDX-License-Identifier: Apache-2.0 */
/* Entries lie in a table by number; their bytes lie one after the other in a circle. Bytes of one
 * event are never cut in two: what does not fit before the end of the circle begins at its start.
 * An event whose bytes are written over is dropped first. */
#include "dialect/ring.h"

#include "base/assert.h"
#include "dialect/event_json.h"

struct ring ring_make(struct mem *mem) {
    return (struct ring){.mem = mem, .first = 1, .text = buf_make(RING_TEXT_BYTES_MAX)};
}

void ring_open(struct ring *ring) {
    if (ring_is_open(ring)) return;
    ring->entries = mem_zero_alloc(ring->mem, RING_EVENTS_MAX * sizeof *ring->entries);
    ring->bytes = mem_alloc(ring->mem, RING_BYTES_MAX);
    ring->first = ring->number + 1;
    ring->end = 0;
}

void ring_close(struct ring *ring) {
    if (!ring_is_open(ring)) return;
    mem_free(ring->mem, ring->entries, RING_EVENTS_MAX * sizeof *ring->entries);
    mem_free(ring->mem, ring->bytes, RING_BYTES_MAX);
    ring->entries = NULL;
    ring->bytes = NULL;
    ring->first = ring->number + 1;
    buf_deinit(&ring->text);
}

void ring_deinit(struct ring *ring) {
    ring_close(ring);
    buf_deinit(&ring->text);
}

/* Room for @size bytes in one piece; older events go. */
static uint64_t take_room(struct ring *ring, size_t size) {
    hob_assert(size <= RING_BYTES_MAX);
    uint64_t left = RING_BYTES_MAX - ring->end % RING_BYTES_MAX;
    if (left < size) ring->end += left;
    uint64_t at = ring->end;
    ring->end += size;
    uint64_t oldest = ring->end > RING_BYTES_MAX ? ring->end - RING_BYTES_MAX : 0;
    while (ring->first < ring->number && ring->entries[ring->first % RING_EVENTS_MAX].at < oldest) {
        ring->first++;
    }
    if (ring->number - ring->first >= RING_EVENTS_MAX) {
        ring->first = ring->number - RING_EVENTS_MAX + 1;
    }
    return at;
}

static void put_bytes(struct ring *ring, uint64_t at, struct slice bytes) {
    if (bytes.size > 0) memcpy(ring->bytes + at % RING_BYTES_MAX, bytes.bytes, bytes.size);
}

void ring_put(struct ring *ring, const struct event *event) {
    ring->number++;
    if (!ring_is_open(ring)) return;
    buf_reset(&ring->text);
    event_json_put_lines(&ring->text, event);
    if (ring->text.overflowed) {
        buf_reset(&ring->text);
        event_json_put(&ring->text, event);
    }
    struct slice text = buf_slice(&ring->text);
    uint64_t at = take_room(ring, event->queue.size + event->kind.size + text.size);
    ring->entries[ring->number % RING_EVENTS_MAX] = (struct ring_entry){
        .number = ring->number,
        .id = event->id,
        .type = event->type,
        .state = event->state,
        .at = at,
        .queue_size = (uint32_t)event->queue.size,
        .kind_size = (uint32_t)event->kind.size,
        .text_size = (uint32_t)text.size,
    };
    put_bytes(ring, at, event->queue);
    put_bytes(ring, at + event->queue.size, event->kind);
    put_bytes(ring, at + event->queue.size + event->kind.size, text);
}

bool ring_at(const struct ring *ring, uint64_t number, struct ring_event *ret_event) {
    if (!ring_is_open(ring) || number < ring->first || number > ring->number) return false;
    const struct ring_entry *entry = &ring->entries[number % RING_EVENTS_MAX];
    hob_assert(entry->number == number);
    const char *bytes = ring->bytes + entry->at % RING_BYTES_MAX;
    *ret_event = (struct ring_event){
        .number = number,
        .id = entry->id,
        .type = entry->type,
        .state = entry->state,
        .queue = slice_of(bytes, entry->queue_size),
        .kind = slice_of(bytes + entry->queue_size, entry->kind_size),
        .text = slice_of(bytes + entry->queue_size + entry->kind_size, entry->text_size),
    };
    return true;
}
