/* SPDX-License-Identifier: Apache-2.0 */
/* From text to values: one function per type of option, and the words for what each allows. */
#include "dialect/option.h"

#include "base/assert.h"
#include "base/json.h"
#include "base/text.h"
#include "dialect/backoff.h"
#include "dialect/complain.h"
#include "engine/labels.h"
#include "engine/states.h"

#define TAGS_ALLOWED                                                    \
    "tags: at most 16 names with commas between, each 1 to 200 of A-Z " \
    "a-z 0-9 - + / ; : . $ _ ( ), and not - at first"

/* Room for one sentence of what is allowed. */
enum { ALLOWED_BYTES_MAX = 400 };

static void *at_offset(void *target, uint16_t offset) {
    return (char *)target + offset;
}

/* "a whole number from MIN to MAX" and the like, with a terminator. */
static bool complain_range(
    struct buf *complaint, const char *name, struct slice given, const char *what, struct buf *range
) {
    HOB_AUTO_BUF struct buf allowed = buf_make(ALLOWED_BYTES_MAX);
    (void)buf_put_str(&allowed, what);
    (void)buf_put_slice(&allowed, buf_slice(range));
    (void)buf_put_char(&allowed, '\0');
    buf_deinit(range);
    return complain(complaint, name, given, allowed.bytes);
}

static bool complain_number(
    struct buf *complaint, const char *name, struct slice given, uint64_t min, uint64_t max
) {
    struct buf range = buf_make(ALLOWED_BYTES_MAX);
    (void)buf_put_u64(&range, min);
    (void)buf_put_str(&range, " to ");
    (void)buf_put_u64(&range, max);
    return complain_range(complaint, name, given, "a whole number from ", &range);
}

static bool
complain_span(struct buf *complaint, const char *name, struct slice given, hob_ns min, hob_ns max) {
    struct buf range = buf_make(ALLOWED_BYTES_MAX);
    (void)text_put_duration(&range, min);
    (void)buf_put_str(&range, " to ");
    (void)text_put_duration(&range, max);
    return complain_range(
        complaint, name, given, "a number of ms, or a span as 30s or 1h30m, from ", &range
    );
}

static bool complain_words(
    struct buf *complaint, const char *name, struct slice given, const char *const *words
) {
    struct buf range = buf_make(ALLOWED_BYTES_MAX);
    for (size_t i = 0; words[i] != NULL; i++) {
        if (i > 0) (void)buf_put_str(&range, " ");
        (void)buf_put_str(&range, words[i]);
    }
    return complain_range(complaint, name, given, "one of ", &range);
}

bool option_name(const char *name, struct slice given, struct buf *complaint) {
    if (name_is_valid(given)) return true;
    return complain(
        complaint,
        name,
        given,
        "a name: 1 to 200 of A-Z a-z 0-9 - + / ; : . $ _ ( ), and not - at first"
    );
}

bool option_pattern(const char *name, struct slice given, struct buf *complaint) {
    if (pattern_is_valid(given)) return true;
    return complain(
        complaint,
        name,
        given,
        "a name, or a glob with * and ? in it, perhaps with a ! before it: 1 to 200 of A-Z a-z 0-9 "
        "- + / ; : . $ _ ( ) * ?"
    );
}

bool option_u64(
    const char *name, struct slice given, uint64_t max, uint64_t *ret_value, struct buf *complaint
) {
    if (text_u64(given, 0, max, ret_value)) return true;
    return complain_number(complaint, name, given, 0, max);
}

bool option_id(const char *name, struct slice given, uint64_t *ret_id, struct buf *complaint) {
    if (text_u64(given, 1, UINT64_MAX, ret_id)) return true;
    return complain(complaint, name, given, "an id: a whole number above 0");
}

static bool put_span(
    const char *name, struct slice given, uint64_t min, uint64_t max, void *at, struct buf *why
) {
    hob_ns span = 0;
    bool good = text_duration(given, NS_PER_MS, &span) && span >= min && span <= max;
    if (!good) return complain_span(why, name, given, min, max);
    *(hob_ns *)at = span;
    return true;
}

bool option_span(
    const char *name, struct slice given, hob_ns max, hob_ns *ret_span, struct buf *complaint
) {
    return put_span(name, given, 0, max, ret_span, complaint);
}

static bool time_parse(struct slice given, hob_ns *ret_at) {
    uint64_t ms = 0;
    if (!text_u64(given, 0, HOB_NEVER / NS_PER_MS, &ms)) return text_time(given, ret_at);
    *ret_at = ms * NS_PER_MS;
    return true;
}

static bool put_time(const char *name, struct slice given, hob_ns *at, struct buf *why) {
    if (time_parse(given, at)) return true;
    return complain(why, name, given, "a time: ms since 1970, or RFC 3339 as 2026-03-01T09:30:00Z");
}

/* A number without a unit is a time, as everywhere; a span that reaches back to before 1970 is the
 * first moment there is, since zero says that nothing was given. */
bool option_past(
    const char *name, struct slice given, hob_ns now_ns, hob_ns *ret_at, struct buf *complaint
) {
    hob_ns span = 0;
    if (time_parse(given, ret_at)) return true;
    if (text_duration(given, NS_PER_MS, &span)) {
        *ret_at = span < now_ns ? now_ns - span : 1;
        return true;
    }
    return complain(
        complaint,
        name,
        given,
        "a time: ms since 1970, RFC 3339 as 2026-03-01T09:30:00Z, or how long ago, as 30s or 1h30m"
    );
}

static bool put_text(
    const struct option *option, const char *name, struct slice given, void *at, struct buf *why
) {
    if (given.size < option->min || given.size > option->max) {
        struct buf range = buf_make(ALLOWED_BYTES_MAX);
        (void)buf_put_u64(&range, option->min);
        (void)buf_put_str(&range, " to ");
        (void)buf_put_u64(&range, option->max);
        (void)buf_put_str(&range, " bytes: it has ");
        (void)buf_put_u64(&range, given.size);
        return complain_range(why, name, given, "a text of ", &range);
    }
    *(struct slice *)at = given;
    return true;
}

static bool put_word(
    const struct option *option, const char *name, struct slice given, void *at, struct buf *why
) {
    for (uint32_t i = 0; option->words[i] != NULL; i++) {
        if (!slice_equal_nocase(given, slice_str(option->words[i]))) continue;
        *(uint32_t *)at = i;
        return true;
    }
    return complain_words(why, name, given, option->words);
}
/* OPTION_WORD writes enums through uint32_t. */
_Static_assert(sizeof(enum fetch_mode) == sizeof(uint32_t), "an enum is 32 bits here");

static const char *const state_words[] = {
#define X(name, word) [name] = word,
    JOB_STATES(X)
#undef X
        [JOB_STATE_COUNT] = NULL,
};

/* One state, or several with commas between. */
static bool put_states(const char *name, struct slice given, uint32_t *at, struct buf *why) {
    uint32_t states = 0;
    const char *end = given.bytes + given.size;
    for (const char *word = given.bytes; word <= end;) {
        const char *comma = word;
        while (comma < end && *comma != ',') comma++;
        enum job_state state;
        struct slice part = slice_of(word, (size_t)(comma - word));
        if (!job_state_parse(part, &state)) return complain_words(why, name, part, state_words);
        states |= 1u << state;
        word = comma + 1;
    }
    *at |= states;
    return true;
}

/* "100/1m": so many in a span; or none. */
static bool put_rate(const char *name, struct slice given, struct rate_set *at, struct buf *why) {
    struct rate_set rate = *at;
    rate.has_rate = true;
    rate.count = 0;
    rate.period_ns = 0;
    const char *slash = given.size == 0 ? NULL : memchr(given.bytes, '/', given.size);
    bool good = slice_equal_nocase(given, SLICE("none"));
    if (slash != NULL) {
        size_t size = (size_t)(slash - given.bytes);
        uint64_t count = 0;
        struct slice span = slice_of(slash + 1, given.size - size - 1);
        good = text_u64(slice_of(given.bytes, size), 1, RATE_COUNT_MAX, &count) &&
               text_duration(span, 0, &rate.period_ns) && rate.period_ns >= RATE_PERIOD_MIN_NS &&
               rate.period_ns <= DELAY_MAX_NS;
        rate.count = (uint32_t)count;
    }
    if (!good) {
        return complain(
            why, name, given, "none, or N/SPAN as 100/1m: 1 to 1000000 in 1ms to 3650d"
        );
    }
    *at = rate;
    return true;
}

static bool put_limits(const char *name, struct slice given, struct slice *at, struct buf *why) {
    *at = given;
    return limits_fault(given) == NULL ||
           complain(
               why,
               name,
               given,
               "at most 4 names with commas between, each once, perhaps with units from 1 to "
               "1000000, as stripe,disk=2"
           );
}

static bool put_flag(const char *name, struct slice given, bool *at, struct buf *why) {
    if (slice_equal(given, SLICE("true"))) {
        *at = true;
    } else if (slice_equal(given, SLICE("false"))) {
        *at = false;
    } else {
        return complain(why, name, given, "true or false");
    }
    return true;
}

static bool put_number(
    const struct option *option, const char *name, struct slice given, void *at, struct buf *why
) {
    if (option->type == OPTION_I32) {
        int64_t value = 0;
        if (!text_i64(given, INT32_MIN, INT32_MAX, &value)) {
            return complain(why, name, given, "a whole number of 32 bits");
        }
        *(int32_t *)at = (int32_t)value;
        return true;
    }
    uint64_t value = 0;
    if (!text_u64(given, option->min, option->max, &value)) {
        return complain_number(why, name, given, option->min, option->max);
    }
    if (option->type == OPTION_U64) {
        *(uint64_t *)at = value;
    } else {
        *(uint32_t *)at = (uint32_t)value;
    }
    return true;
}

static bool put_value(
    const struct option *option,
    const char *name,
    struct slice given,
    hob_ns now_ns,
    void *at,
    struct buf *why
) {
    switch (option->type) {
    case OPTION_FLAG:
        return put_flag(name, given, at, why);
    case OPTION_TEXT:
        return put_text(option, name, given, at, why);
    case OPTION_NAME:
        *(struct slice *)at = given;
        return option_name(name, given, why);
    case OPTION_U32:
    case OPTION_U64:
    case OPTION_I32:
        return put_number(option, name, given, at, why);
    case OPTION_SPAN:
        return put_span(name, given, option->min, option->max, at, why);
    case OPTION_TIME:
        return put_time(name, given, at, why);
    case OPTION_PAST:
        return option_past(name, given, now_ns, at, why);
    case OPTION_WORD:
        return put_word(option, name, given, at, why);
    case OPTION_STATES:
        return put_states(name, given, at, why);
    case OPTION_TAGS: {
        const char *fault = tags_fault(given);
        *(struct slice *)at = given;
        return fault == NULL || complain(why, name, given, TAGS_ALLOWED);
    }
    case OPTION_RATE:
        return put_rate(name, given, at, why);
    case OPTION_LIMITS:
        return put_limits(name, given, at, why);
    case OPTION_JSON:
        return put_text(option, name, given, at, why) &&
               (json_valid(given) || complain(why, name, given, "JSON"));
    case OPTION_BACKOFF:
        return backoff_parse(given, at) || complain(why, name, given, BACKOFF_ALLOWED);
    }
    hob_assert(false && "each type of option has a case");
    return false;
}

bool option_put(
    const struct option *option,
    const char *name,
    struct slice given,
    hob_ns now_ns,
    void *target,
    struct buf *complaint
) {
    void *at = at_offset(target, option->at);
    if (!put_value(option, name, given, now_ns, at, complaint)) return false;
    if (option->has_at != OPTION_NO_HAS) *(bool *)at_offset(target, option->has_at) = true;
    return true;
}

const struct option *option_by_word(struct option_set set, struct slice word) {
    for (size_t i = 0; i < set.count; i++) {
        const char *name = set.options[i].word;
        if (name != NULL && slice_equal_nocase(word, slice_str(name))) return &set.options[i];
    }
    return NULL;
}

const struct option *option_by_member(struct option_set set, struct slice member) {
    for (size_t i = 0; i < set.count; i++) {
        const char *name = set.options[i].member;
        if (name != NULL && slice_equal(member, slice_str(name))) return &set.options[i];
    }
    return NULL;
}

/* The names of a set, one after the other; `take` picks the dialect's. */
struct names {
    struct option_set set;
    bool members;
};

static const char *name_at(const void *context, size_t at) {
    const struct names *names = context;
    for (size_t i = 0; i < names->set.count; i++) {
        const struct option *option = &names->set.options[i];
        const char *name = names->members ? option->member : option->word;
        if (name == NULL) continue;
        if (at == 0) return name;
        at--;
    }
    return NULL;
}

static bool unknown(struct names names, struct slice given, struct buf *complaint) {
    buf_reset(complaint);
    (void)buf_put_str(complaint, names.members ? "there is no member " : "there is no option ");
    quote_given(complaint, given);
    const char *near = nearest(given, name_at, &names);
    if (near != NULL) {
        (void)buf_put_str(complaint, ": do you mean ");
        (void)buf_put_str(complaint, near);
        (void)buf_put_char(complaint, '?');
        return false;
    }
    (void)buf_put_str(complaint, ": there are");
    const char *name = name_at(&names, 0);
    for (size_t at = 1; name != NULL; at++) {
        (void)buf_put_char(complaint, ' ');
        (void)buf_put_str(complaint, name);
        name = name_at(&names, at);
    }
    return false;
}

bool option_unknown_word(struct option_set set, struct slice given, struct buf *complaint) {
    return unknown((struct names){.set = set, .members = false}, given, complaint);
}

bool option_unknown_member(struct option_set set, struct slice given, struct buf *complaint) {
    return unknown((struct names){.set = set, .members = true}, given, complaint);
}
