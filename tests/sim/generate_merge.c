/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes that are merged: small payloads without spaces, so that the model can put them together by
 * hand. */
#include "base/assert.h"
#include "tests/sim/generate.h"

static struct slice keep(struct generator *generator, struct buf *text) {
    char *room = generate_room(generator, text->size);
    memcpy(room, text->bytes, text->size);
    struct slice copy = slice_of(room, text->size);
    buf_deinit(text);
    return copy;
}

static int64_t any_number(struct generator *generator) {
    return (int64_t)dice_below(&generator->dice, 2001) - 1000;
}

static struct slice summand(struct generator *generator, bool is_number) {
    struct dice *dice = &generator->dice;
    struct buf text = buf_make(200);
    if (is_number) {
        (void)buf_put_i64(&text, any_number(generator));
        return keep(generator, &text);
    }
    uint64_t first = dice_below(dice, 3);
    uint64_t count = dice_below(dice, 4 - first);
    (void)buf_put_char(&text, '{');
    for (uint64_t i = 0; i < count; i++) {
        (void)buf_printf(&text, "%s\"%c\":", i > 0 ? "," : "", (int)('a' + first + i));
        (void)buf_put_i64(&text, any_number(generator));
    }
    (void)buf_put_char(&text, '}');
    return keep(generator, &text);
}

/* A list that is a body when it is long. */
static struct slice any_items(struct generator *generator) {
    static const char *const items[] = {"7", "[]", "[1,2]", "\"x\"", "[\"a\",{\"b\":[]}]", "null"};
    struct dice *dice = &generator->dice;
    if (!dice_once_in(dice, 6)) return slice_str(items[dice_below(dice, hob_countof(items))]);
    struct buf text = buf_make(4000);
    (void)buf_put_char(&text, '[');
    uint64_t count = dice_between(dice, 50, 120);
    for (uint64_t i = 0; i < count; i++) (void)buf_put_str(&text, i > 0 ? ",777" : "777");
    (void)buf_put_char(&text, ']');
    return keep(generator, &text);
}

/* Mostly of one way, one sort, one queue and one kind for each key, so that they can join. */
void generate_merge(struct generator *generator, struct push_command *push) {
    struct dice *dice = &generator->dice;
    bool may = push->unique_scope == UNIQUE_WAITING &&
               (push->on_conflict == CONFLICT_EXISTING || push->debounce_ns > 0);
    if (!may || push->unique.size == 0 || dice_once_in(dice, 4)) return;
    size_t size = push->unique.size;
    size_t way = size / 4 + (dice_once_in(dice, 8) ? 1 : 0);
    push->merge = (enum merge)(MERGE_APPEND + way % 3);
    if (dice_once_in(dice, 2)) push->merge_max = (uint32_t)dice_between(dice, 2, 5);
    if (!dice_once_in(dice, 8)) push->queue = generator->queues[0];
    if (!dice_once_in(dice, 8)) push->kind = generator->kinds[0];
    if (push->merge == MERGE_SUM) push->payload = summand(generator, dice_once_in(dice, 6));
    if (push->merge != MERGE_SUM) push->payload = any_items(generator);
}
