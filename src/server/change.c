/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing what holds with what the file says, one setting at a time. */
#include "server/change.h"

#include <stdio.h>
#include <string.h>

#include "dialect/option.h"
#include "os/log.h"

static bool is_queue(const struct change *change) {
    return strcmp(change->sort, "queue") == 0;
}

void change_tell(
    const struct change *change, const char *setting, const char *old, const char *new
) {
    log_info(
        is_queue(change) ? "queue changed by the configuration"
                         : "limiter changed by the configuration",
        log_text(change->sort, change->name),
        log_str("setting", setting),
        log_str("old", old),
        log_str("new", new)
    );
}

void change_apply(const struct change *change, const struct command *command) {
    struct answer answer;
    space_apply(change->server->space, command, &answer);
    if (answer.code == ANSWER_OK) return;
    log_error(
        is_queue(change) ? "a queue cannot be set as the configuration says"
                         : "a limiter cannot be set as the configuration says",
        log_text(change->sort, change->name),
        log_str("answer", answer_text(answer.code))
    );
}

bool change_count(
    const struct change *change, const char *setting, const struct config_count *count, uint32_t now
) {
    if (!count->is_set || count->value == now) return false;
    char old[24];
    char new[24];
    (void)snprintf(old, sizeof old, "%u", now);
    (void)snprintf(new, sizeof new, "%u", count->value);
    change_tell(change, setting, old, new);
    return true;
}

/* "100/1m", with another burst than 100 "100/1m burst 20". */
static const char *rate_text(struct buf *out, const struct rate *rate) {
    if (rate->count == 0) return "none";
    buf_reset(out);
    rate_put(out, rate);
    if (rate->burst > 0) (void)buf_printf(out, " burst %u", rate->burst);
    (void)buf_put_char(out, '\0');
    return out->bytes;
}

bool change_rate(
    const struct change *change,
    const char *setting,
    const struct config_rate *rate,
    bool has_now,
    const struct rate *now,
    struct rate_set *ret_set
) {
    struct rate next = *now;
    if (rate->is_set && rate->count == 0) next = (struct rate){.count = 0};
    if (rate->is_set && rate->count > 0) {
        next.count = rate->count;
        next.period_ns = rate->period_ns;
    }
    if (rate->burst.is_set) next.burst = rate->burst.value;
    bool has_rate =
        rate->is_set && (!has_now || next.count != now->count || next.period_ns != now->period_ns);
    bool has_burst = rate->burst.is_set && next.burst != now->burst;
    if (!has_rate && !has_burst) return false;
    *ret_set = (struct rate_set){
        .has_rate = has_rate,
        .count = next.count,
        .period_ns = next.period_ns,
        .has_burst = has_burst,
        .burst = next.burst,
    };
    HOB_AUTO_BUF struct buf old = buf_make(100);
    HOB_AUTO_BUF struct buf new = buf_make(100);
    const char *before = rate_text(&old, now);
    change_tell(change, setting, before, rate_text(&new, &next));
    return true;
}
