/* SPDX-License-Identifier: Apache-2.0 */
/* The words and the moves: each state is one row, and a move that is not in the table is a bug, not
 * an answer. */
#include "engine/states.h"

#include "base/assert.h"
#include "base/glob.h"
#include "engine/limits.h"

static const char *const state_words[] = {
#define X(name, word) [name] = word,
    JOB_STATES(X)
#undef X
};
_Static_assert(hob_countof(state_words) == JOB_STATE_COUNT, "each state has a word");

static const char *const cause_words[] = {
#define X(name, word) [name] = word,
    ERROR_CAUSES(X)
#undef X
};
_Static_assert(hob_countof(cause_words) == ERROR_CAUSE_COUNT, "each cause has a word");

static const char *const clock_words[] = {
#define X(name, word) [name] = word,
    CLOCK_CAUSES(X)
#undef X
};
_Static_assert(hob_countof(clock_words) == CLOCK_CAUSE_COUNT, "each cause has a word");

#define TO(state) (1u << (state))

static const uint32_t moves[JOB_STATE_COUNT] = {
    [JOB_SCHEDULED] = TO(JOB_AVAILABLE) | TO(JOB_CANCELLED) | TO(JOB_DISCARDED),
    [JOB_AVAILABLE] = TO(JOB_RUNNING) | TO(JOB_CANCELLED) | TO(JOB_DISCARDED),
    [JOB_RUNNING] = TO(JOB_COMPLETED) | TO(JOB_RETRYABLE) | TO(JOB_DISCARDED) | TO(JOB_AVAILABLE) |
                    TO(JOB_SCHEDULED) | TO(JOB_CANCELLED),
    [JOB_RETRYABLE] = TO(JOB_AVAILABLE) | TO(JOB_CANCELLED) | TO(JOB_DISCARDED),
    [JOB_COMPLETED] = TO(JOB_AVAILABLE),
    [JOB_DISCARDED] = TO(JOB_AVAILABLE),
    [JOB_CANCELLED] = TO(JOB_AVAILABLE),
    [JOB_BLOCKED] = TO(JOB_AVAILABLE) | TO(JOB_SCHEDULED) | TO(JOB_CANCELLED) | TO(JOB_DISCARDED),
};

const char *job_state_word(enum job_state state) {
    hob_assert(state < JOB_STATE_COUNT);
    return state_words[state];
}

const char *error_cause_word(enum error_cause cause) {
    hob_assert(cause < ERROR_CAUSE_COUNT);
    return cause_words[cause];
}

const char *clock_cause_word(enum clock_cause cause) {
    hob_assert(cause < CLOCK_CAUSE_COUNT);
    return clock_words[cause];
}

/* The position of @word among @words, or @count. */
static unsigned word_find(const char *const *words, unsigned count, struct slice word) {
    unsigned at = 0;
    while (at < count && !slice_equal_nocase(slice_str(words[at]), word)) at++;
    return at;
}

bool job_state_parse(struct slice word, enum job_state *ret_state) {
    unsigned at = word_find(state_words, JOB_STATE_COUNT, word);
    if (at == JOB_STATE_COUNT) return false;
    *ret_state = (enum job_state)at;
    return true;
}

bool error_cause_parse(struct slice word, enum error_cause *ret_cause) {
    unsigned at = word_find(cause_words, ERROR_CAUSE_COUNT, word);
    if (at == ERROR_CAUSE_COUNT) return false;
    *ret_cause = (enum error_cause)at;
    return true;
}

bool job_state_may_move(enum job_state from, enum job_state to) {
    hob_assert(from < JOB_STATE_COUNT);
    hob_assert(to < JOB_STATE_COUNT);
    return (moves[from] & TO(to)) != 0;
}

static bool name_char_is_valid(char c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    switch (c) {
    case '-':
    case '+':
    case '/':
    case ';':
    case ':':
    case '.':
    case '$':
    case '_':
    case '(':
    case ')':
        return true;
    default:
        return false;
    }
}

bool name_is_valid(struct slice name) {
    if (name.size == 0 || name.size > NAME_BYTES_MAX || name.bytes[0] == '-') return false;
    for (size_t i = 0; i < name.size; i++) {
        if (!name_char_is_valid(name.bytes[i])) return false;
    }
    return true;
}

/* A name in which * and ? may stand. */
static bool glob_is_sound(struct slice glob) {
    if (glob.size == 0 || glob.size > NAME_BYTES_MAX) return false;
    for (size_t i = 0; i < glob.size; i++) {
        char both[2] = {'a', glob.bytes[i]};
        bool is_wild = both[1] == '*' || both[1] == '?';
        if (!is_wild && !name_is_valid(slice_of(both, sizeof both))) return false;
    }
    return true;
}

bool pattern_is_valid(struct slice pattern) {
    if (pattern.size > 0 && pattern.bytes[0] == '!') {
        return glob_is_sound(slice_of(pattern.bytes + 1, pattern.size - 1));
    }
    return glob_has_wildcard(pattern) ? glob_is_sound(pattern) : name_is_valid(pattern);
}
