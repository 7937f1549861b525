/* SPDX-License-Identifier: Apache-2.0 */
/* One rule decides what is compared, and is proved in doc/design/journal.md. A digest of another
 * DIGEST_VERSION is passed over. */
#include "space/digests.h"

#include <inttypes.h>

static uint64_t jobs_of(const struct engine *engine) {
    struct engine_stats stats;
    engine_stats(engine, &stats);
    return stats.jobs;
}

enum hob_status digests_compare(
    struct digests *digests,
    const struct engine *engine,
    const struct digest_effect *digest,
    struct hob_error *err
) {
    digests->seen++;
    if (digests->is_void || digest->version != DIGEST_VERSION) return HOB_OK;
    if (digests->oldest_segment == 0 || digests->oldest_segment > digest->oldest_segment) {
        return HOB_OK;
    }
    uint64_t jobs = jobs_of(engine);
    uint64_t unknown = engine_unknown_count(engine);
    uint64_t found = engine_digest_kept(engine);
    if (found == digest->digest && jobs == digest->jobs && unknown == 0) {
        digests->compared++;
        return HOB_OK;
    }
    enum hob_status status = fail(
        digests->goes_on ? &digests->difference : err,
        HOB_CORRUPT,
        "another state than the server's: digest %016" PRIx64 ", not %016" PRIx64 "; %" PRIu64
        " jobs, not %" PRIu64,
        found,
        digest->digest,
        jobs,
        digest->jobs
    );
    digests->is_void = true;
    return digests->goes_on ? HOB_OK : status;
}

struct effect digest_of(const struct engine *engine, uint32_t oldest_segment) {
    return (struct effect){
        .type = EFFECT_DIGEST,
        .digest =
            {
                .digest = engine_digest_kept(engine),
                .version = DIGEST_VERSION,
                .oldest_segment = oldest_segment,
                .jobs = jobs_of(engine),
            },
    };
}
