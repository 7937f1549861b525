/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to events, events to a verdict. */
#include "torture/rig.h"

#include "base/test.h"

struct checker_verdict rig_judge(const char *text) {
    struct checker *checker = checker_new();
    struct slice left = slice_str(text);
    while (left.size > 0) {
        size_t size = 0;
        while (left.bytes[size] != '\n') size++;
        struct history_event event;
        CHECK(history_parse(slice_of(left.bytes, size), &event));
        checker_take(checker, &event);
        left = slice_of(left.bytes + size + 1, left.size - size - 1);
    }
    struct checker_verdict verdict;
    checker_judge(checker, NULL, NULL, &verdict);
    checker_free(checker);
    return verdict;
}
