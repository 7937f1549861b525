/* SPDX-License-Identifier: Apache-2.0 */
/* How long a failed job waits. The jitter that keeps a thousand failed jobs from coming back in one
 * moment is drawn from the job's id and its attempt, so that the same history always gives the same
 * times. */
#include "engine/core.h"

/* @span * fraction, the fraction in [0, 1) being 32 bits drawn from id and attempt. */
static hob_ns jitter_of(hob_ns span_ns, uint64_t job_id, uint32_t attempt) {
    uint64_t fraction = index_hash_pair(job_id, attempt) >> 32;
    return (span_ns >> 32) * fraction + ((span_ns & UINT32_MAX) * fraction >> 32);
}

static hob_ns exponential(const struct backoff *backoff, uint64_t job_id, uint32_t attempt) {
    hob_ns base_ns = backoff->base_ns == 0 ? BACKOFF_BASE_DEFAULT_NS : backoff->base_ns;
    hob_ns max_ns = backoff->max_ns == 0 ? BACKOFF_MAX_DEFAULT_NS : backoff->max_ns;
    hob_ns delay_ns = base_ns;
    for (uint32_t i = 1; i < attempt && delay_ns < max_ns; i++) {
        delay_ns = ns_add(delay_ns, delay_ns);
    }
    if (delay_ns > max_ns) delay_ns = max_ns;
    return delay_ns / 2 + jitter_of(delay_ns - delay_ns / 2, job_id, attempt);
}

/* Sidekiq's formula: n^4 + 15 seconds + up to 10 (n + 1) seconds, n counted from 0. */
static hob_ns sidekiq(uint64_t job_id, uint32_t attempt) {
    uint64_t n = attempt == 0 ? 0 : attempt - 1;
    uint64_t fixed_s = n * n * n * n + 15;
    if (fixed_s > DELAY_MAX_NS / NS_PER_SECOND) return DELAY_MAX_NS;
    return fixed_s * NS_PER_SECOND + jitter_of(10 * (n + 1) * NS_PER_SECOND, job_id, attempt);
}

hob_ns backoff_delay(const struct backoff *backoff, uint64_t job_id, uint32_t attempt) {
    hob_assert(attempt > 0);
    switch (backoff->type) {
    case BACKOFF_EXPONENTIAL:
        return exponential(backoff, job_id, attempt);
    case BACKOFF_FIXED:
        return backoff->base_ns == 0 ? BACKOFF_BASE_DEFAULT_NS : backoff->base_ns;
    case BACKOFF_SIDEKIQ:
        return sidekiq(job_id, attempt);
    case BACKOFF_LIST: {
        hob_assert(backoff->delay_count > 0);
        uint32_t last = backoff->delay_count - 1;
        return backoff->delays_ns[attempt - 1 < last ? attempt - 1 : last];
    }
    case BACKOFF_TYPE_COUNT:
        break;
    }
    hob_assert(backoff->type < BACKOFF_TYPE_COUNT);
    return 0;
}
