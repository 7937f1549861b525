/* SPDX-License-Identifier: Apache-2.0 */
/* When the digest of the state is written: behind 256 KiB of effects, ten seconds after a change,
 * at a clean end, and as soon as a segment was trimmed. Those of before a trim can no more be
 * compared (the state that they tell of rests on what the segment held), so there is always one
 * that can, but for the moment between the two. Nothing waits for a digest, and nobody misses one:
 * on a full disk none is written. */
#include "space/private.h"

static void digest_write(struct space *space) {
    struct journal_info info;
    journal_info(space->journal, &info);
    struct effect effect = digest_of(space->engine, info.first_segment);
    batch_add(space, &effect);
    space->undigested = 0;
    space->digest_wanted = false;
    space->stats.digests++;
}

static bool is_full(const struct space *space) {
    return space->full || space->retry_ns != 0;
}

hob_ns digest_due(const struct space *space) {
    if (is_full(space) || space->failure.status != HOB_OK) return HOB_NEVER;
    if (space->digest_wanted || space->undigested >= DIGEST_BYTES) return 0;
    return space->undigested == 0 ? HOB_NEVER : ns_add(space->undigested_ns, DIGEST_AFTER_NS);
}

void digest_when_due(struct space *space) {
    if (digest_due(space) <= space->now_ns) digest_write(space);
}

void digest_at_end(struct space *space) {
    if (digest_due(space) != HOB_NEVER) digest_write(space);
}
