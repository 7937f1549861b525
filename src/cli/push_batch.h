/* SPDX-License-Identifier: Apache-2.0 */
/* Many pushes that arrive exactly once each (--retry, --spool): gathered, and given to the courier
 * some at a time, in their order.
 *
 *     push_batch_open(cli, on_answer, context, &batch)       false: told
 *     push_batch_add(batch, &request, number)                for each; gives them to the courier
 *                                                            when there are many
 *     push_batch_flush(batch)                                all that were added are answered
 *     push_batch_close(batch)
 *
 * on_answer is called once for each push, in order, from add and flush. */
#ifndef HOB_CLI_PUSH_BATCH_H
#define HOB_CLI_PUSH_BATCH_H

#include "cli/cli.h"
#include "wire/resp_reply.h"

struct push_batch;

/** @number as it was given to push_batch_add(); @reply NULL: it waits in the spool. */
typedef void push_answer_fn(void *context, uint64_t number, const struct resp_node *reply);

/** Is this asked for? */
bool push_batch_is_wanted(const struct cli *cli);

/** Make one. False: told, cli->exit_code is set. */
bool push_batch_open(
    struct cli *cli, push_answer_fn *fn, void *context, struct push_batch **ret_batch
);

/** Free it; NULL is fine. */
void push_batch_close(struct push_batch *batch);

/**
 * Add PUSH and what belongs to it; the words are copied, spans of time become points in time, and
 * it gets a key if it has none. False: what was added is not pushed, or may not be; told.
 */
bool push_batch_add(struct push_batch *batch, struct cli_request *request, uint64_t number);

/** Why the last one that was spooled was; borrowed. */
const char *push_batch_why(const struct push_batch *batch);

/** As the last thing of push_batch_add(). */
bool push_batch_flush(struct push_batch *batch);

#endif
