/* SPDX-License-Identifier: Apache-2.0 */
/* Lines from events and back, both from the tables of the header. */
#include "torture/history.h"

#include "base/assert.h"
#include "base/text.h"

#define F(name)      (1u << HISTORY_FIELD_##name)
#define OF_PUSH      (F(key) | F(queue) | F(priority) | F(delay_ms))
#define OF_JOB       (F(key) | F(id) | F(token) | F(attempt) | F(releases))
#define OF_END       (F(id) | F(token))
#define MORE_OF_PUSH (F(unique) | F(scope) | F(group) | F(limiter) | F(units) | F(list))
#define OF_LIMIT     (F(queue) | F(concurrency) | F(count) | F(period_ms) | F(burst))

static const struct {
    const char *word;
    uint32_t fields;
    uint32_t more; /* there when they are not 0 */
} types[] = {
#define X(name, word, fields, more) {word, fields, more},
    HISTORY_TYPES(X)
#undef X
};
_Static_assert(sizeof types / sizeof types[0] == HISTORY_TYPE_COUNT, "a row for each type");

static const char *const names[] = {
#define X(name) #name,
    HISTORY_FIELDS(X)
#undef X
};

static uint64_t *field_of(struct history_event *event, size_t field) {
    switch ((enum history_field)field) {
#define X(name)                \
    case HISTORY_FIELD_##name: \
        return &event->name;
        HISTORY_FIELDS(X)
#undef X
    case HISTORY_FIELD_COUNT:
        break;
    }
    hob_panic(__FILE__, __LINE__, "no such field");
}

void history_put(struct buf *out, const struct history_event *event, const char *note) {
    hob_assert(event->type < HISTORY_TYPE_COUNT);
    struct history_event copy = *event;
    (void)buf_put_u64(out, event->at);
    (void)buf_put_char(out, ' ');
    (void)buf_put_u64(out, event->who);
    (void)buf_put_char(out, ' ');
    (void)buf_put_str(out, types[event->type].word);
    for (size_t field = 0; field < HISTORY_FIELD_COUNT; field++) {
        uint64_t value = *field_of(&copy, field);
        bool more = (types[event->type].more & (1u << field)) != 0 && value != 0;
        if ((types[event->type].fields & (1u << field)) == 0 && !more) continue;
        (void)buf_printf(out, " %s=", names[field]);
        (void)buf_put_u64(out, value);
    }
    if (note != NULL) (void)buf_printf(out, " %s", note);
    (void)buf_put_char(out, '\n');
}

/* The next word of @line, which loses it and the space behind it. */
static struct slice word_take(struct slice *line) {
    size_t size = 0;
    while (size < line->size && line->bytes[size] != ' ') size++;
    struct slice word = slice_of(line->bytes, size);
    size_t skip = size < line->size ? size + 1 : size;
    line->bytes += skip;
    line->size -= skip;
    return word;
}

static bool field_parse(struct slice word, const char *name, uint64_t *ret_value) {
    size_t size = strlen(name);
    if (word.size <= size + 1 || memcmp(word.bytes, name, size) != 0) return false;
    if (word.bytes[size] != '=') return false;
    struct slice digits = slice_of(word.bytes + size + 1, word.size - size - 1);
    return text_u64(digits, 0, UINT64_MAX, ret_value);
}

bool history_parse(struct slice line, struct history_event *ret_event) {
    struct history_event event = {0};
    uint64_t who;
    if (!text_u64(word_take(&line), 0, UINT64_MAX, &event.at)) return false;
    if (!text_u64(word_take(&line), 0, UINT32_MAX, &who)) return false;
    event.who = (uint32_t)who;
    struct slice word = word_take(&line);
    size_t type = 0;
    while (type < HISTORY_TYPE_COUNT && !slice_equal(word, slice_str(types[type].word))) type++;
    if (type == HISTORY_TYPE_COUNT) return false;
    event.type = (enum history_type)type;
    for (size_t field = 0; field < HISTORY_FIELD_COUNT; field++) {
        bool must = (types[type].fields & (1u << field)) != 0;
        if (!must && (types[type].more & (1u << field)) == 0) continue;
        struct slice rest = line;
        if (field_parse(word_take(&rest), names[field], field_of(&event, field))) {
            line = rest;
        } else if (must) {
            return false;
        }
    }
    *ret_event = event;
    return event.type == HISTORY_NOTE || line.size == 0;
}
