/* SPDX-License-Identifier: Apache-2.0 */
/* A spec is a word, then spans behind colons (or commas, in a list). */
#include "dialect/backoff.h"

#include "base/assert.h"
#include "base/text.h"

static const char *const backoff_words[BACKOFF_TYPE_COUNT] = {
    [BACKOFF_EXPONENTIAL] = "exponential",
    [BACKOFF_FIXED] = "fixed",
    [BACKOFF_SIDEKIQ] = "sidekiq",
    [BACKOFF_LIST] = "list",
};

/* Take what is before the first @mark off @rest; true while there was a mark. */
static bool cut(struct slice *rest, char mark, struct slice *ret_part) {
    const char *at = rest->size == 0 ? NULL : memchr(rest->bytes, mark, rest->size);
    if (at == NULL) {
        *ret_part = *rest;
        *rest = SLICE_NONE;
        return false;
    }
    size_t size = (size_t)(at - rest->bytes);
    *ret_part = slice_of(rest->bytes, size);
    *rest = slice_of(at + 1, rest->size - size - 1);
    return true;
}

static bool parse_span(struct slice text, hob_ns *ret_span) {
    return text_duration(text, NS_PER_MS, ret_span) && *ret_span <= DELAY_MAX_NS;
}

/* [:base[:max]]; neither may be 0, which means the default. */
static bool parse_exponential(struct slice rest, bool more, struct backoff *backoff) {
    if (!more) return true;
    struct slice part;
    more = cut(&rest, ':', &part);
    if (!parse_span(part, &backoff->base_ns) || backoff->base_ns == 0) return false;
    if (!more) return true;
    return parse_span(rest, &backoff->max_ns) && backoff->max_ns >= backoff->base_ns;
}

static bool parse_list(struct slice rest, struct backoff *backoff) {
    bool more = true;
    while (more) {
        if (backoff->delay_count == BACKOFF_LIST_MAX) return false;
        struct slice part;
        more = cut(&rest, ',', &part);
        if (!parse_span(part, &backoff->delays_ns[backoff->delay_count])) return false;
        backoff->delay_count++;
    }
    return true;
}

bool backoff_parse(struct slice spec, struct backoff *ret_backoff) {
    struct slice word;
    bool more = cut(&spec, ':', &word);
    struct backoff backoff = {.type = BACKOFF_EXPONENTIAL};
    while (!slice_equal_nocase(word, slice_str(backoff_words[backoff.type]))) {
        if (++backoff.type == BACKOFF_TYPE_COUNT) return false;
    }
    bool good = false;
    switch (backoff.type) {
    case BACKOFF_EXPONENTIAL:
        good = parse_exponential(spec, more, &backoff);
        break;
    case BACKOFF_FIXED:
        good = more && parse_span(spec, &backoff.base_ns) && backoff.base_ns > 0;
        break;
    case BACKOFF_SIDEKIQ:
        good = !more;
        break;
    case BACKOFF_LIST:
        good = more && parse_list(spec, &backoff);
        break;
    case BACKOFF_TYPE_COUNT:
        break;
    }
    if (good) *ret_backoff = backoff;
    return good;
}

void backoff_put(struct buf *out, const struct backoff *backoff) {
    hob_assert(backoff->type < BACKOFF_TYPE_COUNT);
    (void)buf_put_str(out, backoff_words[backoff->type]);
    if (backoff->type == BACKOFF_LIST) {
        for (uint32_t i = 0; i < backoff->delay_count; i++) {
            (void)buf_put_char(out, i == 0 ? ':' : ',');
            (void)text_put_duration(out, backoff->delays_ns[i]);
        }
        return;
    }
    if (backoff->base_ns == 0) return;
    (void)buf_put_char(out, ':');
    (void)text_put_duration(out, backoff->base_ns);
    if (backoff->max_ns == 0) return;
    (void)buf_put_char(out, ':');
    (void)text_put_duration(out, backoff->max_ns);
}
