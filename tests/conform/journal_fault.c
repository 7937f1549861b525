/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of the simulator of faults, with none of them, passes the suite: over memory, and
 * over files by steps. */
#include <string.h>

#include "base/assert.h"
#include "tests/conform/journal_conform.h"
#include "tests/faults/fault_journal.h"

static struct fault_store *store;
static bool in_files;

static struct journal *open_again(uint64_t segment_bytes, struct journal_wake wake) {
    (void)segment_bytes;
    struct journal *journal = NULL;
    enum hob_status status = fault_store_open(store, wake, &journal, NULL);
    hob_assert(status == HOB_OK);
    return journal;
}

static void clean(void) {
    fault_store_free(store);
    store = NULL;
}

static struct journal *open_new(uint64_t segment_bytes, struct journal_wake wake) {
    clean();
    store = fault_store_new(&(struct fault_options
    ){.seed = 1, .segment_bytes = segment_bytes, .in_files = in_files});
    return open_again(segment_bytes, wake);
}

int main(int argc, char **argv) {
    in_files = argc > 1 && strcmp(argv[1], "files") == 0;
    const struct journal_subject subject = {
        .name = "journal with faults",
        .keeps = true,
        .open_new = open_new,
        .open_again = open_again,
        .clean = clean,
    };
    return journal_conform(&subject);
}
