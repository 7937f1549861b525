/* SPDX-License-Identifier: Apache-2.0 */
/* Names of channels, both ways, and the globs of Redis (util.c, stringmatchlen) without its
 * recursion: when what follows a `*` does not fit, only the last `*` need take one byte more. */
#include "dialect/resp/channel.h"

#include "base/assert.h"
#include "base/text.h"
#include "dialect/complain.h"
#include "engine/command.h"

static bool begins(struct slice name, const char *prefix, struct slice *ret_rest) {
    struct slice head = slice_str(prefix);
    if (name.size < head.size || memcmp(name.bytes, head.bytes, head.size) != 0) return false;
    *ret_rest = slice_of(name.bytes + head.size, name.size - head.size);
    return true;
}

enum channel_type channel_parse(struct slice name, uint64_t *ret_id, struct buf *complaint) {
    struct slice rest;
    buf_reset(complaint);
    if (name.size <= CHANNEL_BYTES_MAX) {
        if (begins(name, "__", &rest)) return CHANNEL_FOREIGN;
        if (slice_equal(name, SLICE("hob:events")) || slice_equal(name, SLICE("hob:finished"))) {
            return CHANNEL_OTHER;
        }
        if (begins(name, "hob:job:", &rest) && text_u64(rest, 1, UINT64_MAX, ret_id)) {
            return CHANNEL_JOB;
        }
        bool named = begins(name, "hob:queue:", &rest) || begins(name, "hob:kind:", &rest);
        if (named && name_is_valid(rest)) return CHANNEL_OTHER;
    }
    (void)buf_put_str(complaint, "there is no channel ");
    quote_given(complaint, name);
    (void)buf_put_str(
        complaint,
        ": there are hob:job:ID, hob:queue:NAME, hob:kind:KIND, hob:finished and hob:events"
    );
    return CHANNEL_NONE;
}

static void add(struct channels *channels, const char *prefix, struct slice rest) {
    struct slice head = slice_str(prefix);
    size_t size = head.size + rest.size;
    hob_assert(channels->count < CHANNELS_OF_EVENT_MAX);
    hob_assert(size <= CHANNEL_BYTES_MAX);
    char *to = channels->bytes + channels->used;
    memcpy(to, head.bytes, head.size);
    if (rest.size > 0) memcpy(to + head.size, rest.bytes, rest.size);
    channels->names[channels->count++] = slice_of(to, size);
    channels->used += (uint32_t)size;
}

void channels_of_event(struct channels *channels, const struct event *event) {
    channels->count = 0;
    channels->used = 0;
    if (event->type == EVENT_LOGGED) return;
    if (event->id != 0) {
        HOB_AUTO_BUF struct buf id = buf_make(32);
        (void)buf_put_u64(&id, event->id);
        add(channels, "hob:job:", buf_slice(&id));
    }
    if (event->type == EVENT_STATE && job_state_is_final(event->state)) {
        add(channels, "hob:queue:", event->queue);
        add(channels, "hob:kind:", event->kind);
        add(channels, "hob:finished", SLICE_NONE);
    }
    if (event->type != EVENT_PROGRESS) add(channels, "hob:events", SLICE_NONE);
}

/* One of the bytes of a class `[…]` that begins at @at; *ret_next is behind it. As in Redis, a
 * class that does not end goes to the end of the pattern, and its ends may stand in any order. */
static bool class_fits(struct slice pattern, size_t at, unsigned char byte, size_t *ret_next) {
    hob_assert(pattern.bytes[at] == '[');
    at++;
    bool negated = at < pattern.size && pattern.bytes[at] == '^';
    if (negated) at++;
    bool fits = false;
    while (at < pattern.size && pattern.bytes[at] != ']') {
        if (pattern.bytes[at] == '\\' && at + 1 < pattern.size) at++;
        unsigned char low = (unsigned char)pattern.bytes[at];
        unsigned char high = low;
        if (at + 2 < pattern.size && pattern.bytes[at + 1] == '-') {
            high = (unsigned char)pattern.bytes[at + 2];
            at += 2;
        }
        if (low > high) {
            unsigned char swap = low;
            low = high;
            high = swap;
        }
        if (byte >= low && byte <= high) fits = true;
        at++;
    }
    *ret_next = at < pattern.size ? at + 1 : at;
    return fits != negated;
}

/* Does the one element of the pattern at @at fit this byte? */
static bool element_fits(struct slice pattern, size_t at, char byte, size_t *ret_next) {
    char element = pattern.bytes[at];
    if (element == '[') return class_fits(pattern, at, (unsigned char)byte, ret_next);
    if (element == '\\' && at + 1 < pattern.size) at++;
    *ret_next = at + 1;
    return element == '?' || pattern.bytes[at] == byte;
}

bool channel_pattern_fits(struct slice pattern, struct slice text) {
    size_t at = 0;
    size_t in = 0;
    bool has_star = false;
    size_t star_at = 0; /* behind the last star */
    size_t star_in = 0; /* where what it takes ends */
    for (;;) {
        if (at < pattern.size && pattern.bytes[at] == '*') {
            has_star = true;
            star_at = ++at;
            star_in = in;
            continue;
        }
        if (in == text.size && at == pattern.size) return true;
        size_t next = 0;
        if (in < text.size && at < pattern.size &&
            element_fits(pattern, at, text.bytes[in], &next)) {
            at = next;
            in++;
            continue;
        }
        if (!has_star || star_in == text.size) return false;
        at = star_at;
        in = ++star_in;
    }
}
