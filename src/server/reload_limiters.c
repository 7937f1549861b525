/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says about limiters, and about rules for them. */
#include "server/change.h"

static void set_limiter(const struct change *change, const struct limiter_config *limiter) {
    struct valve_name name = {.sort = VALVE_LIMITER, .name = change->name};
    struct valve_view now = {.sort = VALVE_LIMITER};
    (void)engine_valve(space_engine(change->server->space), &name, &now);
    struct command command = {
        .type = COMMAND_VALVE_SET,
        .valve_set = {.valve = name, .concurrency = limiter->concurrency.value},
    };
    struct valve_set_command *set = &command.valve_set;
    const struct valve_settings *own = &now.own;
    /* What a rule says is not its own: the file may say the same about it, and goes before. */
    uint32_t concurrency = own->has_concurrency ? own->concurrency : now.concurrency;
    set->has_concurrency = change_count(change, "concurrency", &limiter->concurrency, concurrency);
    if (limiter->concurrency.is_set && !own->has_concurrency) set->has_concurrency = true;
    bool has_rate =
        change_rate(change, "rate", &limiter->rate, own->has_rate, &own->rate, &set->rate);
    if (set->has_concurrency || has_rate) change_apply(change, &command);
}

void reload_limiters(struct server *server, const struct server_options *options) {
    for (size_t i = 0; i < options->limiter_count; i++) {
        const struct limiter_config *limiter = &options->limiters[i];
        struct change change = {
            .server = server,
            .sort = "limiter",
            .name = slice_str(limiter->name),
        };
        set_limiter(&change, limiter);
    }
}
