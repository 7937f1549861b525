/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration changes about one queue or limiter, while the server runs: each setting
 * that is another one is told in the log, with the old and the new value. */
#ifndef HOB_SERVER_CHANGE_H
#define HOB_SERVER_CHANGE_H

#include "config/queues.h"
#include "server/private.h"

struct change {
    struct server *server;
    const char *sort; /* "queue", "limiter" */
    struct slice name;
};

/** Log that it changes. */
void change_tell(
    const struct change *change, const char *setting, const char *old, const char *new
);

/** Apply the command to the engine; a refusal is logged. */
void change_apply(const struct change *change, const struct command *command);

/** True: the file names another number than holds @now, and that was told. */
bool change_count(
    const struct change *change, const char *setting, const struct config_count *count, uint32_t now
);

/**
 * The same of a rate and its burst; @ret_set gets what is to be set. @has_now: somebody has set a
 * rate, perhaps none.
 */
bool change_rate(
    const struct change *change,
    const char *setting,
    const struct config_rate *rate,
    bool has_now,
    const struct rate *now,
    struct rate_set *ret_set
);

/* reload_queues.c, reload_limiters.c: all that the options name, in a turn. */
void reload_queues(struct server *server, const struct server_options *options);
void reload_limiters(struct server *server, const struct server_options *options);

#endif
