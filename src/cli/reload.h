/* SPDX-License-Identifier: Apache-2.0 */
/* A reload (SIGHUP) as it is logged: what refuses it, or each change as `old` and `new`. */
#ifndef HOB_CLI_RELOAD_H
#define HOB_CLI_RELOAD_H

#include "cli/settings.h"

/** Read everything again. NULL: refused, and each reason is logged. */
struct config *reload_read(const struct cli_settings *all);

/** Log that a reload is refused for @why. */
void reload_refused(const char *why);

/**
 * Log what is different in @next, and what needs a restart; take over the log's level.
 *
 * @start  what the process began with: settings that need a restart are still as it says
 * @now    what is in force
 * @other  a section that does not concern this process
 */
void reload_tell(
    const struct config *start,
    const struct config *now,
    const struct config *next,
    const char *other
);

#endif
