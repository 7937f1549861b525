/* SPDX-License-Identifier: Apache-2.0 */
/* One table of answers: the dialects print from it, each in its own way. */
#include "engine/answer.h"

#include "base/assert.h"

static const struct {
    const char *word;
    const char *text;
    unsigned http_status;
} answers[] = {
#define X(name, word, http, text) [name] = {word, text, http},
    ANSWERS(X)
#undef X
};
_Static_assert(hob_countof(answers) == ANSWER_CODE_COUNT, "each answer has a row");

const char *answer_word(enum answer_code code) {
    hob_assert(code < ANSWER_CODE_COUNT);
    return answers[code].word;
}

const char *answer_text(enum answer_code code) {
    hob_assert(code < ANSWER_CODE_COUNT);
    return answers[code].text;
}

unsigned answer_http_status(enum answer_code code) {
    hob_assert(code < ANSWER_CODE_COUNT);
    return answers[code].http_status;
}
