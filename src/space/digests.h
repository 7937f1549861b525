/* SPDX-License-Identifier: Apache-2.0 */
/* The digests of a journal, compared while it is read: what was the state when a record was
 * written, and what does replay make of it. Recovery and the tools share this.
 *
 * A journal has no beginning: its oldest segments are cleaned away, and what was alive in them is
 * written again further on. So the replayed state is whole only from some place on, and a digest is
 * compared only when it is known to lie behind that place: doc/design/journal.md has the rule and
 * its proof. */
#ifndef HOB_SPACE_DIGESTS_H
#define HOB_SPACE_DIGESTS_H

#include "engine/engine.h"

struct digests {
    uint32_t oldest_segment; /* the reading began with it; 0: not known yet */
    bool is_void;            /* something of the journal is lost: no digest holds any more */
    uint64_t seen;
    uint64_t compared; /* and the same */
    /* Salvage: go on when one differs; those behind it would only say the same again. */
    bool goes_on;
    struct hob_error difference; /* goes_on: the first, without a place */
};

/**
 * Take note of a digest that was read, and compare it with the state that @engine has here when
 * they can be compared. HOB_CORRUPT when they differ (not when it goes on); @err has no place in
 * it.
 */
HOB_CHECK enum hob_status digests_compare(
    struct digests *digests,
    const struct engine *engine,
    const struct digest_effect *digest,
    struct hob_error *err
);

/** The digest of @engine as it is now, as a journal holds it whose oldest segment is @oldest. */
struct effect digest_of(const struct engine *engine, uint32_t oldest_segment);

#endif
