/* SPDX-License-Identifier: Apache-2.0 */
/* The journal in memory passes the suite. */
#include "base/assert.h"
#include "journal_conform.h"

static struct journal *open_new(uint64_t segment_bytes, struct journal_wake wake) {
    struct journal *journal = NULL;
    enum hob_status status = journal_memory_open(segment_bytes, wake, &journal, NULL);
    hob_assert(status == HOB_OK);
    return journal;
}

static void clean(void) {
}

int main(void) {
    const struct journal_subject subject = {
        .name = "journal in memory",
        .open_new = open_new,
        .open_again = open_new,
        .clean = clean,
    };
    return journal_conform(&subject);
}
