/* SPDX-License-Identifier: Apache-2.0 */
/* `hob update`: change fields of a waiting job. */
#include <inttypes.h>

#include "cli/cli.h"
#include "cli/print.h"

int cmd_update(struct cli *cli) {
    struct slice id;
    if (!cli_id(cli, 0, &id)) return cli->exit_code;
    struct cli_request request = {0};
    cli_word(&request, "UPDATE");
    cli_word_slice(&request, id);
    cli_request_options(&request, cli);
    if (request.count == 2) return cli_usage(cli, "nothing to change: see the options");
    const struct resp_node *reply = cli_ask(cli, &request, 0);
    if (reply == NULL) return cli->exit_code;
    HOB_AUTO_BUF struct buf out = buf_make(64);
    (void)buf_printf(&out, "%" PRIi64 "\n", reply->integer);
    return cli_flush(&out) ? 0 : status_exit_code(HOB_FAILED);
}
