/* SPDX-License-Identifier: Apache-2.0 */
/* One verb on many jobs: ids from the command line, from stdin (`-`), or those that a filter
 * finds. */
#ifndef HOB_CLI_BULK_H
#define HOB_CLI_BULK_H

#include "cli/cli.h"

struct bulk_verb {
    const char *word;   /* of the protocol */
    const char *done;   /* "cancelled" */
    const char *states; /* which a filter means that names none; as --state takes them */
    bool has_reason;    /* takes WHY and BY */
};

/**
 * Do it, with the options of the command: the filter, --limit, --yes, --dry-run, --why, --by. Asks
 * on a terminal before what a filter found is touched. An exit code: when all that failed failed
 * alike, that of the failure.
 */
int bulk_run(struct cli *cli, const struct bulk_verb *verb);

#endif
