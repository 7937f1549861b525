/* SPDX-License-Identifier: Apache-2.0 */
/* Below a list of queues: which kinds, limiters and groups are stopped. */
#ifndef HOB_CLI_STOPPED_H
#define HOB_CLI_STOPPED_H

#include "cli/cli.h"
#include "wire/resp_reply.h"

enum { STOPPED_QUEUES_MAX = 20, STOPPED_NAME_BYTES = 201 };

/* Zero is empty. Queues in which jobs wait: their groups are looked at, of the first ones. */
struct stopped {
    size_t count;
    char queues[STOPPED_QUEUES_MAX][STOPPED_NAME_BYTES];
};

/** Take note of rows of QUEUES. */
void stopped_see(struct stopped *stopped, const struct resp_node *rows);

/** Say on stderr what is stopped; nothing with --json and -q. */
void stopped_tell(struct cli *cli, const struct stopped *stopped);

#endif
