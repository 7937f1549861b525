/* SPDX-License-Identifier: Apache-2.0 */
/* What people do to jobs and queues. Who did it is told along: --by, or the name of the user. */
#include <stdio.h>

#include "cli/bulk.h"
#include "cli/print.h"

/* A filter without --state means those that the verb is for. Waiting jobs are only deleted when
 * they are named, or their state is. */
#define NOT_OVER "scheduled,available,running,retryable"
#define WAITING  "scheduled,available,retryable"
#define OVER     "completed,discarded,cancelled"

int cmd_cancel(struct cli *cli) {
    static const struct bulk_verb verb = {"CANCEL", "cancelled", NOT_OVER, true};
    return bulk_run(cli, &verb);
}

int cmd_retry(struct cli *cli) {
    static const struct bulk_verb verb = {"RETRY", "made available", "discarded", true};
    return bulk_run(cli, &verb);
}

int cmd_discard(struct cli *cli) {
    static const struct bulk_verb verb = {"DISCARD", "discarded", WAITING, true};
    return bulk_run(cli, &verb);
}

int cmd_delete(struct cli *cli) {
    static const struct bulk_verb verb = {"DELETE", "deleted", OVER, false};
    return bulk_run(cli, &verb);
}

static void tell_valve(const struct cli *cli, const char *what) {
    const char *name = cli->args[0];
    const char *queue = cli_value(cli, "group-of");
    if (queue != NULL) {
        (void)fprintf(stderr, "group %s of queue %s: %s\n", name, queue, what);
        return;
    }
    const char *sort = cli_has(cli, "kind") ? "kind" : "queue";
    if (cli_has(cli, "limiter")) sort = "limiter";
    (void)fprintf(stderr, "%s %s: %s\n", sort, name, what);
}

/* A queue is made when it is paused: perhaps its name has a typo. */
static bool makes_queue(struct cli *cli) {
    if (cli_value(cli, "group-of") != NULL || cli_has(cli, "kind") || cli_has(cli, "limiter")) {
        return false;
    }
    return cli_queue_is_missing(cli, cli->args[0]);
}

int cmd_pause(struct cli *cli) {
    if (!cli_connect(cli)) return cli->exit_code;
    bool is_new = makes_queue(cli);
    struct cli_request request = {0};
    cli_word(&request, "PAUSE");
    cli_word(&request, cli->args[0]);
    cli_request_options(&request, cli);
    cli_request_by(&request, cli);
    if (cli_ask(cli, &request, 0) == NULL) return cli->exit_code;
    tell_valve(cli, is_new ? "paused; there was no such queue: it is made" : "paused");
    return 0;
}

int cmd_resume(struct cli *cli) {
    struct cli_request request = {0};
    cli_word(&request, "RESUME");
    cli_word(&request, cli->args[0]);
    cli_request_options(&request, cli);
    if (cli_ask(cli, &request, 0) == NULL) return cli->exit_code;
    tell_valve(cli, "resumed");
    return 0;
}
