/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and settling, once for all benchmarks of the space. */
#include "on_space.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void fatal(const char *what, const char *text) {
    (void)fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, text);
    _Exit(1);
}

static void on_answer(void *context, const struct answer *answer) {
    struct on_space *on = context;
    on->last = *answer;
}

void on_space_open(struct on_space *on, const char *path) {
    struct journal_file_options file = {.path = path, .no_sync = true};
    struct space_options options = {.sink = {.context = on, .answer = on_answer}};
    struct space_recovery recovery;
    struct journal *journal = NULL;
    struct hob_error err = {0};
    enum hob_status status = journal_file_open(&file, (struct journal_wake){0}, &journal, &err);
    if (status == HOB_OK) {
        status = space_open(journal, &options, on->now_ns, &on->space, &recovery, &err);
    }
    if (status != HOB_OK) fatal(path, err.text);
}

void on_space_apply(struct on_space *on, const struct command *command) {
    space_apply(on->space, command, &on->last);
}

void on_space_settle(struct on_space *on) {
    (void)space_poll(on->space);
    if (!space_is_congested(on->space)) return;
    struct hob_error err = {0};
    if (space_flush(on->space, &err) != HOB_OK) fatal("the journal", err.text);
}
