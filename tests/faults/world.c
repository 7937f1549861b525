/* SPDX-License-Identifier: Apache-2.0 */
/* Time: what happens next, and the history of what happened. */
#include "tests/faults/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"

/* --- the heap of happenings --- */

static bool goes_before(const struct happening *a, const struct happening *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct happening *a, struct happening *b) {
    struct happening kept = *a;
    *a = *b;
    *b = kept;
}

void world_at(struct world *world, hob_ns at, happen_fn *call, void *subject, uint64_t number) {
    if (world->happening_count == world->happening_capacity) {
        world->happening_capacity =
            world->happening_capacity == 0 ? 256 : world->happening_capacity * 2;
        world->happenings =
            reallocarray(world->happenings, world->happening_capacity, sizeof *world->happenings);
        hob_assert(world->happenings != NULL);
    }
    struct happening *all = world->happenings;
    size_t index = world->happening_count++;
    all[index] = (struct happening){
        .at = at < world->now_ns ? world->now_ns : at,
        .order = world->next_order++,
        .call = call,
        .subject = subject,
        .number = number,
    };
    while (index > 0 && goes_before(&all[index], &all[(index - 1) / 2])) {
        swap(&all[index], &all[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
}

bool world_step(struct world *world) {
    if (world->happening_count == 0) return false;
    struct happening *all = world->happenings;
    struct happening first = all[0];
    all[0] = all[--world->happening_count];
    for (size_t index = 0;;) {
        size_t least = index;
        for (size_t child = 2 * index + 1; child <= 2 * index + 2; child++) {
            bool is_there = child < world->happening_count;
            if (is_there && goes_before(&all[child], &all[least])) least = child;
        }
        if (least == index) break;
        swap(&all[index], &all[least]);
        index = least;
    }
    world->now_ns = first.at;
    world->counts.steps++;
    first.call(world, first.subject, first.number);
    return true;
}

/* --- chance --- */

bool chance(struct world *world, uint32_t of_thousand) {
    return of_thousand > 0 && dice_below(&world->dice, 1000) < of_thousand;
}

hob_ns span_up_to(struct world *world, hob_ns max_ns) {
    return max_ns == 0 ? 0 : dice_small(&world->dice, max_ns + 1);
}

/* --- history --- */

static void line_put(struct world *world, const struct history_event *event, const char *note) {
    HOB_AUTO_BUF struct buf line = buf_make(HISTORY_LINE_BYTES_MAX + 400);
    history_put(&line, event, note);
    hob_assert(!line.overflowed);
    world->history_hash =
        world->history_hash * UINT64_C(0x100000001b3) ^ bytes_hash(line.bytes, line.size);
    if (world->keeps_history) (void)buf_put_slice(&world->history, buf_slice(&line));
    /* What is judged is what is written. */
    struct history_event read;
    bool is_line = history_parse(slice_of(line.bytes, line.size - 1), &read);
    hob_assert(is_line);
    checker_take(world->checker, &read);
}

void record(struct world *world, struct history_event event) {
    event.at = world->now_ns - WORLD_START_NS;
    line_put(world, &event, NULL);
}

void record_note(struct world *world, const char *format, ...) {
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started above */
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct history_event event = {
        .type = HISTORY_NOTE, .at = world->now_ns - WORLD_START_NS, .who = WHO_SERVER};
    line_put(world, &event, text);
}

void world_fail(struct world *world, const char *format, ...) {
    if (world->has_failed) return;
    world->has_failed = true;
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started above */
    (void)vsnprintf(world->failure, sizeof world->failure, format, arguments);
    va_end(arguments);
}

/* --- payloads: `push=17 ` and bytes that only this push has --- */

void payload_make(const struct push *push, struct buf *out) {
    (void)buf_printf(out, "push=%llu ", (unsigned long long)push->key);
    struct dice dice = dice_of(push->key ^ UINT64_C(0x9a710ad));
    while (out->size < push->size) {
        uint64_t word = dice_u64(&dice);
        size_t left = push->size - out->size;
        (void)buf_put(out, &word, left < sizeof word ? left : sizeof word);
    }
    hob_assert(!out->overflowed);
}

bool payload_read(const struct world *world, struct slice payload, uint64_t *ret_key) {
    size_t size = 5;
    while (size < payload.size && payload.bytes[size] != ' ') size++;
    *ret_key = 0;
    if (payload.size <= size || memcmp(payload.bytes, "push=", 5) != 0) return false;
    struct slice digits = slice_of(payload.bytes + 5, size - 5);
    if (!text_u64(digits, 1, world->push_count - 1, ret_key)) return false;
    HOB_AUTO_BUF struct buf wanted = buf_make(PAYLOAD_BYTES_MAX);
    payload_make(&world->pushes[*ret_key], &wanted);
    return slice_equal(payload, buf_slice(&wanted));
}
