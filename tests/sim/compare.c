/* SPDX-License-Identifier: Apache-2.0 */
/* Field by field, each named in the report. What no document promises is not compared: the text of
 * an error that the engine itself wrote, and which of the words for a refused argument it chose. */
#include "tests/sim/compare.h"

#include <stdio.h>

static bool same_number(struct buf *report, const char *name, uint64_t wanted, uint64_t got) {
    if (wanted == got) return true;
    (void)buf_printf(
        report,
        "  %s: model %llu, engine %llu\n",
        name,
        (unsigned long long)wanted,
        (unsigned long long)got
    );
    return false;
}

static bool
same_bytes(struct buf *report, const char *name, struct slice wanted, struct slice got) {
    if (slice_equal(wanted, got)) return true;
    (void)buf_printf(
        report,
        "  %s: model '%.*s' (%zu bytes), engine '%.*s' (%zu bytes)\n",
        name,
        (int)(wanted.size < 60 ? wanted.size : 60),
        wanted.size == 0 ? "" : wanted.bytes,
        wanted.size,
        (int)(got.size < 60 ? got.size : 60),
        got.size == 0 ? "" : got.bytes,
        got.size
    );
    return false;
}

#define NUMBER(field) same = same_number(report, #field, wanted->field, got->field) && same
#define BYTES(field)  same = same_bytes(report, #field, wanted->field, got->field) && same
#define BODY(field)   same = same_body(report, #field, &wanted->field, &got->field) && same

static bool same_body(
    struct buf *report, const char *name, const struct body_ref *wanted, const struct body_ref *got
) {
    bool same = wanted->id == got->id && (wanted->id == 0 || wanted->size == got->size);
    if (wanted->id != 0) same = same && wanted->head == got->head;
    if (wanted->id != 0 && wanted->attempt != 0) same = same && wanted->attempt == got->attempt;
    if (same) return true;
    (void)buf_printf(
        report,
        "  %s: model body %llu (%u bytes, head %d), engine body %llu (%u bytes, head %d)\n",
        name,
        (unsigned long long)wanted->id,
        wanted->size,
        wanted->head,
        (unsigned long long)got->id,
        got->size,
        got->head
    );
    return false;
}

static const char *code_word(enum answer_code code) {
    return (unsigned)code < ANSWER_CODE_COUNT ? answer_word(code) : "?";
}

/* The model knows one word for an argument that is not valid. */
static bool same_code(enum answer_code wanted, const struct answer *got) {
    if (wanted != ANSWER_BAD_ARGUMENT) return wanted == got->code;
    bool is_refused = got->code == ANSWER_BAD_ARGUMENT || got->code == ANSWER_TOO_LARGE ||
                      got->code == ANSWER_LIMIT;
    return is_refused && got->detail != NULL;
}

static bool same_jobs(struct buf *report, const struct answer *wanted, const struct answer *got) {
    if (!same_number(report, "job_count", wanted->job_count, got->job_count)) return false;
    for (uint32_t i = 0; i < wanted->job_count; i++) {
        if (!same_number(report, "job", wanted->jobs[i], got->jobs[i])) return false;
    }
    return true;
}

static bool tells_state(const struct command *command, const struct answer *wanted) {
    if (wanted->code == ANSWER_WRONG_STATE) return true;
    if (wanted->code != ANSWER_OK || wanted->duplicate) return false;
    return command->type == COMMAND_PUSH || command->type == COMMAND_ACK ||
           command->type == COMMAND_FAIL || command->type == COMMAND_CANCEL ||
           command->type == COMMAND_DISCARD || command->type == COMMAND_RETRY ||
           command->type == COMMAND_WAIT || command->type == COMMAND_UPDATE;
}

static bool same_pushed(struct buf *report, const struct answer *wanted, const struct answer *got) {
    bool same = same_number(report, "pushed", wanted->pushed_count, got->pushed_count);
    for (uint32_t i = 0; same && i < wanted->pushed_count; i++) {
        const struct pushed *a = &wanted->pushed[i];
        const struct pushed *b = &got->pushed[i];
        same = same_number(report, "pushed id", a->id, b->id) &&
               same_number(report, "pushed duplicate", a->duplicate, b->duplicate) &&
               (a->duplicate || same_number(report, "pushed state", a->state, b->state));
    }
    return same;
}

bool compare_answers(
    const struct command *command,
    const struct answer *wanted,
    const struct answer *got,
    struct buf *report
) {
    if (!same_code(wanted->code, got)) {
        (void)buf_printf(
            report,
            "  code: model %s, engine %s (%s)\n",
            code_word(wanted->code),
            code_word(got->code),
            got->detail == NULL ? "" : got->detail
        );
        return false;
    }
    bool same = true;
    NUMBER(request);
    if (tells_state(command, wanted)) NUMBER(state);
    if (wanted->code == ANSWER_UNIQUE) NUMBER(id);
    if (command->type == COMMAND_PUSH_ALL) NUMBER(item);
    if (wanted->code != ANSWER_OK) return same;
    if (command->type == COMMAND_PUSH_ALL) return same_pushed(report, wanted, got) && same;
    if (command->type == COMMAND_PUSH) {
        NUMBER(id);
        NUMBER(duplicate);
    } else if (command->type == COMMAND_FETCH || command->type == COMMAND_WAIT) {
        same = same_jobs(report, wanted, got) && same;
    }
    if (command->type == COMMAND_UPDATE) NUMBER(version);
    bool tells_lease = command->type == COMMAND_FETCH || command->type == COMMAND_EXTEND;
    if (tells_lease) NUMBER(lease_until_ns);
    return same;
}

static bool same_late(const struct answer *wanted, const struct answer *got, struct buf *report) {
    bool same = true;
    NUMBER(request);
    NUMBER(code);
    if (wanted->code != ANSWER_OK) return same;
    same = same_jobs(report, wanted, got) && same;
    if (wanted->lease_until_ns != 0) {
        NUMBER(lease_until_ns);
    } else {
        NUMBER(state);
    }
    return same;
}

bool compare_lates(
    const struct model_late *wanted,
    uint32_t wanted_count,
    const struct model_late *got,
    uint32_t got_count,
    struct buf *report
) {
    bool same = same_number(report, "late answers", wanted_count, got_count);
    for (uint32_t i = 0; i < wanted_count; i++) {
        const struct answer *partner = NULL;
        for (uint32_t k = 0; k < got_count; k++) {
            if (got[k].answer.request == wanted[i].answer.request) partner = &got[k].answer;
        }
        if (partner == NULL) {
            same = same_number(report, "late answer to request", wanted[i].answer.request, 0);
        } else if (!same_late(&wanted[i].answer, partner, report)) {
            (void)buf_printf(
                report,
                "  in the late answer to request %llu\n",
                (unsigned long long)wanted[i].answer.request
            );
            same = false;
        }
    }
    for (uint32_t k = 0; k < got_count && !same; k++) {
        const struct answer *late = &got[k].answer;
        (void)buf_printf(
            report,
            "  engine's late answer to %llu: %s, %u jobs\n",
            (unsigned long long)late->request,
            code_word(late->code),
            late->job_count
        );
    }
    return same;
}

bool compare_notices(
    const struct notice *wanted,
    uint32_t wanted_count,
    const struct notice *got,
    uint32_t got_count,
    struct buf *report
) {
    bool same = same_number(report, "notices", wanted_count, got_count);
    for (uint32_t i = 0; i < wanted_count; i++) {
        bool found = false;
        for (uint32_t k = 0; k < got_count; k++) {
            found = found || (got[k].id == wanted[i].id && got[k].token == wanted[i].token &&
                              got[k].cause == wanted[i].cause &&
                              slice_equal(got[k].worker, wanted[i].worker));
        }
        if (found) continue;
        (void)buf_printf(
            report,
            "  no notice: job %llu, token %llu, %s\n",
            (unsigned long long)wanted[i].id,
            (unsigned long long)wanted[i].token,
            error_cause_word(wanted[i].cause)
        );
        same = false;
    }
    for (uint32_t k = 0; k < got_count && !same; k++) {
        (void)buf_printf(
            report,
            "  engine's notice: job %llu, token %llu, %s\n",
            (unsigned long long)got[k].id,
            (unsigned long long)got[k].token,
            error_cause_word(got[k].cause)
        );
    }
    return same;
}

/* Two ways to say the same: 0 and the default that it stands for. */
static struct backoff plain_backoff(const struct backoff *backoff) {
    struct backoff plain = {.type = backoff->type};
    if (plain.type == BACKOFF_EXPONENTIAL || plain.type == BACKOFF_FIXED) {
        plain.base_ns = backoff->base_ns == 0 ? BACKOFF_BASE_DEFAULT_NS : backoff->base_ns;
    }
    if (plain.type == BACKOFF_EXPONENTIAL) {
        plain.max_ns = backoff->max_ns == 0 ? BACKOFF_MAX_DEFAULT_NS : backoff->max_ns;
    }
    if (plain.type != BACKOFF_LIST) return plain;
    plain.delay_count = backoff->delay_count;
    for (uint32_t i = 0; i < plain.delay_count && i < BACKOFF_LIST_MAX; i++) {
        plain.delays_ns[i] = backoff->delays_ns[i];
    }
    return plain;
}

static bool
same_error(struct buf *report, const struct job_error *wanted, const struct job_error *got) {
    bool same = true;
    NUMBER(attempt);
    NUMBER(cause);
    NUMBER(at_ns);
    BODY(backtrace);
    BYTES(what);
    /* What the engine says of a lost or released job is its own affair. */
    if (wanted->text.size > 0) BYTES(text);
    if (wanted->code != 0) {
        same = same_number(report, "code", (uint64_t)wanted->code, (uint64_t)got->code) && same;
    }
    return same;
}

static bool
same_parts(struct buf *report, const struct job_view *wanted, const struct job_view *got) {
    bool same = true;
    const struct backoff wanted_backoff = plain_backoff(&wanted->backoff);
    const struct backoff got_backoff = plain_backoff(&got->backoff);
    same = same_bytes(
               report,
               "backoff",
               slice_of(&wanted_backoff, sizeof(wanted_backoff)),
               slice_of(&got_backoff, sizeof(got_backoff))
           ) &&
           same;
    BODY(payload_body);
    BODY(result);
    BODY(checkpoint);
    NUMBER(error_count);
    NUMBER(log_count);
    NUMBER(log_lost_bytes);
    if (!same) return false;
    for (uint32_t i = 0; i < wanted->error_count; i++) {
        same = same_error(report, &wanted->errors[i], &got->errors[i]) && same;
    }
    for (uint32_t i = 0; i < wanted->log_count; i++) BODY(logs[i]);
    return same;
}

static bool
same_view(struct buf *report, const struct job_view *wanted, const struct job_view *got) {
    bool same = true;
    NUMBER(id);
    NUMBER(state);
    BYTES(queue);
    BYTES(kind);
    NUMBER(priority);
    NUMBER(front);
    NUMBER(attempt);
    NUMBER(attempt_max);
    NUMBER(releases);
    NUMBER(created_ns);
    NUMBER(state_ns);
    NUMBER(run_at_ns);
    NUMBER(started_ns);
    NUMBER(timeout_ns);
    NUMBER(token);
    BYTES(worker);
    BYTES(payload);
    BYTES(key);
    BYTES(ref);
    NUMBER(has_keep);
    if (wanted->has_keep) NUMBER(keep_ns);
    NUMBER(percent);
    BYTES(progress_text);
    BYTES(by);
    BYTES(why);
    BYTES(headers);
    BYTES(tags);
    BYTES(group);
    BYTES(limiters);
    BYTES(needs);
    NUMBER(cost);
    BYTES(content_type);
    NUMBER(version);
    BYTES(on_done);
    BYTES(unique);
    NUMBER(unique_scope);
    NUMBER(unique_for_ns);
    NUMBER(merged);
    NUMBER(parent);
    NUMBER(expires_ns);
    NUMBER(deadline_ns);
    NUMBER(margin_ns);
    return same_parts(report, wanted, got) && same;
}

bool compare_job(
    const struct model *model, const struct engine *engine, uint64_t id, struct buf *report
) {
    const struct model_job *wanted = model_job(model, id);
    struct job_view got;
    bool is_there = engine_job(engine, id, &got);
    bool same = is_there == (wanted != NULL);
    if (same && wanted != NULL) same = same_view(report, &wanted->view, &got);
    if (same && wanted != NULL && wanted->view.state == JOB_RUNNING) {
        /* Readers see when the lease is really over, be it by its time, its worker or its limit. */
        hob_ns end_ns = model_lease_end(model, wanted);
        same = same_number(report, "lease_until_ns", end_ns, got.lease_until_ns);
    }
    if (same) return true;
    const char *words[] = {"not there", "there"};
    (void)buf_printf(
        report,
        "  in job %llu, which is %s in the model and %s in the engine\n",
        (unsigned long long)id,
        words[wanted != NULL],
        words[is_there]
    );
    return false;
}

bool compare_durable(const struct model *model, const struct engine *engine, struct buf *report) {
    bool same = true;
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *wanted = &model->jobs[i]->view;
        struct job_view got;
        bool is_there = engine_job(engine, wanted->id, &got);
        if (is_there && same_view(report, wanted, &got)) continue;
        unsigned long long id = wanted->id;
        (void)buf_printf(report, "  in job %llu%s\n", id, is_there ? "" : ", not there");
        same = false;
    }
    struct engine_stats stats;
    engine_stats(engine, &stats);
    return same_number(report, "jobs", model->job_count, stats.jobs) && same;
}
