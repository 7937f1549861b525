/* SPDX-License-Identifier: Apache-2.0 */
/* What every journal must do, whatever it is made of. An implementation passes by a few lines: it
 * says how to open one. */
#ifndef HOB_TEST_CONFORM_JOURNAL_CONFORM_H
#define HOB_TEST_CONFORM_JOURNAL_CONFORM_H

#include "journal/journal.h"

struct journal_subject {
    const char *name;
    bool keeps; /* opened again after a close, it still has its batches */

    /** Forget all that is kept, then open; and open what is kept. */
    struct journal *(*open_new)(uint64_t segment_bytes, struct journal_wake wake);
    struct journal *(*open_again)(uint64_t segment_bytes, struct journal_wake wake);

    /** Clean up after the last test. */
    void (*clean)(void);
};

/** Run the suite; the exit code of the test program. */
int journal_conform(const struct journal_subject *subject);

#endif
