/* SPDX-License-Identifier: Apache-2.0 */
/* The rules, the first that fits decides:
 *
 *   the lease is gone          nothing is told
 *   the program never ran      fail, cause start (a program can be installed before the next try)
 *   the worker ends            release: an interrupted job did not fail
 *   it was stopped for time    fail, cause timeout
 *   killed by a signal         fail, cause signal
 *   exit 0                     ack; with a result that is too large: fail, cause failed
 *   exit 75                    release with a delay
 *   exit 65                    fail for good
 *   any other exit             fail, cause exit */
#include "worker/outcome.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* @reason, and the last lines on stderr below it. */
static void
outcome_fail(struct outcome *outcome, const char *cause, const char *reason, struct slice tail) {
    outcome->verdict = OUTCOME_FAIL;
    outcome->cause = cause;
    while (tail.size > 0 && tail.bytes[tail.size - 1] == '\n') tail.size--;
    struct buf text = buf_make(4096);
    (void)buf_put_str(&text, reason);
    if (reason[0] != '\0' && tail.size > 0) (void)buf_put_char(&text, '\n');
    (void)buf_put_slice(&text, tail);
    size_t size = text.size < sizeof outcome->text - 1 ? text.size : sizeof outcome->text - 1;
    memcpy(outcome->text, text.bytes, size);
    outcome->text[size] = '\0';
    buf_deinit(&text);
}

static void judge_start(const struct run_end *end, struct outcome *outcome) {
    char reason[OUTCOME_TEXT_BYTES_MAX];
    (void)snprintf(reason, sizeof reason, "cannot start %.*s", SLICE_ARG(end->start_error));
    outcome_fail(outcome, "start", reason, SLICE_NONE);
}

static void judge_timeout(const struct run_end *end, struct outcome *outcome) {
    struct buf reason = buf_make(100);
    (void)buf_put_str(&reason, "stopped: it ran longer than ");
    (void)text_put_duration(&reason, end->timeout_ns);
    (void)buf_put_char(&reason, '\0');
    outcome_fail(outcome, "timeout", reason.bytes, end->tail);
    buf_deinit(&reason);
}

static void judge_signal(const struct run_end *end, struct outcome *outcome) {
    char reason[96];
    const char *name = sigabbrev_np(end->signal_number);
    (void)snprintf(
        reason,
        sizeof reason,
        "killed by signal %d (SIG%s)%s",
        end->signal_number,
        name == NULL ? "?" : name,
        end->signal_number == SIGKILL ? ": perhaps out of memory" : ""
    );
    outcome_fail(outcome, "signal", reason, end->tail);
    outcome->code = end->signal_number;
}

static void judge_exit(const struct run_end *end, struct outcome *outcome) {
    char reason[64] = "";
    if (end->exit_code == 0) {
        if (!end->result_too_large) {
            outcome->verdict = OUTCOME_ACK;
            outcome->result = end->result;
            return;
        }
        outcome_fail(
            outcome,
            "failed",
            "its output is larger than 1 MiB, the limit of a result: store it elsewhere and print "
            "where",
            end->tail
        );
        return;
    }
    if (end->exit_code == EXIT_LATER) {
        outcome->verdict = OUTCOME_RELEASE;
        outcome->delay_ns = LATER_DELAY_NS;
        return;
    }
    if (end->tail.size == 0) {
        (void)snprintf(reason, sizeof reason, "exit code %d, nothing on stderr", end->exit_code);
    }
    outcome_fail(outcome, "exit", reason, end->tail);
    outcome->code = end->exit_code;
    outcome->permanent = end->exit_code == EXIT_DISCARD;
}

void outcome_judge(const struct run_end *end, struct outcome *ret_outcome) {
    *ret_outcome = (struct outcome){0};
    if (end->stopped == STOP_LOST) {
        ret_outcome->verdict = OUTCOME_DROP;
    } else if (end->start_error.size > 0) {
        judge_start(end, ret_outcome);
    } else if (end->stopped == STOP_SHUTDOWN) {
        ret_outcome->verdict = OUTCOME_RELEASE;
    } else if (end->stopped == STOP_TIMEOUT) {
        judge_timeout(end, ret_outcome);
    } else if (end->signal_number != 0) {
        judge_signal(end, ret_outcome);
    } else {
        judge_exit(end, ret_outcome);
    }
}
