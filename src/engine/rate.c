/* SPDX-License-Identifier: Apache-2.0 */
/* Rates: so many start in a period, evenly, and up to a burst of them at once after a rest. It is
 * GCRA, a leaky bucket that needs one number, `tat`: the time at which all that was given away is
 * paid back.
 *
 *     step     period / count, rounded up, so that no period ever sees more than its count
 *     debt     tat - now, or nothing
 *     room     (burst * step - debt) / step, rounded down: what may start now
 *     taking   tat = max(tat, now) + units * step */
#include "engine/valves.h"

static hob_ns step_ns(const struct rate *rate) {
    hob_assert(rate->count > 0);
    return rate->period_ns / rate->count + (rate->period_ns % rate->count == 0 ? 0 : 1);
}

uint32_t rate_burst(const struct rate *rate) {
    return rate->burst == 0 ? rate->count : rate->burst;
}

bool rate_is_sound(const struct rate *rate) {
    if (rate->count == 0) return rate->burst == 0 && rate->period_ns == 0;
    if (rate->count > RATE_COUNT_MAX || rate->burst > RATE_COUNT_MAX) return false;
    if (rate->period_ns < RATE_PERIOD_MIN_NS || rate->period_ns > DELAY_MAX_NS) return false;
    return rate_burst(rate) <= DELAY_MAX_NS / step_ns(rate);
}

uint32_t rate_room(const struct rate *rate, hob_ns tat_ns, hob_ns now_ns) {
    hob_ns debt_ns = tat_ns > now_ns ? tat_ns - now_ns : 0;
    hob_ns whole_ns = rate_burst(rate) * step_ns(rate);
    return debt_ns >= whole_ns ? 0 : (uint32_t)((whole_ns - debt_ns) / step_ns(rate));
}

hob_ns rate_opens_ns(const struct rate *rate, hob_ns tat_ns, uint32_t units) {
    hob_assert(units <= rate_burst(rate));
    hob_ns left_ns = (rate_burst(rate) - units) * step_ns(rate);
    return tat_ns > left_ns ? tat_ns - left_ns : 0;
}

hob_ns rate_taken_ns(const struct rate *rate, hob_ns tat_ns, hob_ns now_ns, uint32_t units) {
    uint32_t taken = units < rate_burst(rate) ? units : rate_burst(rate);
    return ns_add(tat_ns > now_ns ? tat_ns : now_ns, taken * step_ns(rate));
}

hob_ns rate_debt_ns(const struct rate *rate, hob_ns tat_ns, hob_ns now_ns) {
    if (rate->count == 0) return 0;
    hob_ns most_ns = ns_add(now_ns, rate_burst(rate) * step_ns(rate));
    return tat_ns < most_ns ? tat_ns : most_ns;
}
