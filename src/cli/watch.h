/* SPDX-License-Identifier: Apache-2.0 */
/* Looking again and again: --watch. On a terminal the table is drawn over itself, with the size
 * that the terminal has then, until Ctrl-C; elsewhere each row that is new or has changed is a
 * line. */
#ifndef HOB_CLI_WATCH_H
#define HOB_CLI_WATCH_H

#include "cli/cli.h"

/**
 * Put what there is to see now, rows as cli_put_rows() does.
 *
 * @rows_max  how many rows there is room for
 *
 * Answers  false: told, and cli->exit_code is set
 */
typedef bool watch_look_fn(struct cli *cli, struct buf *out, size_t rows_max);

/** Look every --watch (1 s unless it says more) until Ctrl-C or a failure; an exit code. */
int watch_run(struct cli *cli, watch_look_fn *look);

#endif
