/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each sort of line; what they share is the limit. A line costs nothing when its
 * level is off: that is asked before fields are put together.
 *
 * Arguments and payloads are never written: of a request its path without the query, of a command
 * its word. */
#include "server/story.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "os/log.h"

void story_init(
    struct story *story,
    void (*write)(enum log_severity severity, const char *what, const struct log_field *fields)
) {
    hob_assert(write != NULL);
    *story = (struct story){.write = write};
}

/* --- limits --- */

static void tell_left_out(struct story *story, struct story_limit *limit) {
    if (limit->left_out == 0) return;
    bool is_jobs = limit == &story->jobs;
    story->write(
        SEVERITY_WARN,
        "log lines were left out",
        LOG_FIELDS(
            log_str("about", is_jobs ? "jobs" : "refused requests"),
            log_u64("count", limit->left_out)
        )
    );
    limit->left_out = 0;
}

/* May one more line be written? The second that is over is closed with what was left out in it. */
static bool
may_write(struct story *story, struct story_limit *limit, uint32_t count_max, hob_ns now_ns) {
    if (limit->began_ns == 0 || now_ns >= ns_add(limit->began_ns, NS_PER_SECOND)) {
        tell_left_out(story, limit);
        limit->began_ns = now_ns;
        limit->count = 0;
    }
    if (limit->count < count_max) {
        limit->count++;
        return true;
    }
    limit->left_out++;
    return false;
}

static bool may_tell(struct story *story, enum log_severity severity, hob_ns now_ns) {
    if (!log_is_on(severity)) return false;
    return severity == SEVERITY_DEBUG || may_write(story, &story->jobs, STORY_JOBS_MAX, now_ns);
}

/* --- what happens to jobs --- */

/* Of the error there is its text as far as a field goes: base/logfmt.h cuts it. */
static void tell_failed(
    struct story *story,
    enum log_severity severity,
    const char *what,
    const struct event *event,
    uint64_t parent
) {
    if (!may_tell(story, severity, event->at_ns)) return;
    struct log_field fields[16] = {
        log_u64("job", event->id),
        log_text("queue", event->queue),
        log_text("kind", event->kind),
        log_u64("attempt", event->attempt),
        log_u64("attempt_max", event->attempt_max),
        log_text("worker", event->worker),
        log_ms("dur_ms", event->ran_ns),
        log_str("state", job_state_word(event->state)),
        log_str("cause", error_cause_word(event->cause)),
        log_text("what", event->what),
        log_text("error", event->text),
    };
    size_t count = 11;
    if (event->code != 0) fields[count++] = log_i64("code", event->code);
    if (parent != 0) fields[count++] = log_u64("parent", parent);
    fields[count] = LOG_END;
    story->write(severity, what, fields);
}

static void tell_state(struct story *story, const struct event *event) {
    if (!may_tell(story, SEVERITY_DEBUG, event->at_ns)) return;
    story->write(
        SEVERITY_DEBUG,
        event->is_new ? "job pushed" : "job changed its state",
        LOG_FIELDS(
            log_u64("job", event->id),
            log_text("queue", event->queue),
            log_text("kind", event->kind),
            log_u64("attempt", event->attempt),
            log_str("from", event->is_new ? NULL : job_state_word(event->from)),
            log_str("state", job_state_word(event->state)),
            log_text("worker", event->worker)
        )
    );
}

static void tell_worker(struct story *story, hob_ns now_ns) {
    if (story->lost == 0) return;
    uint64_t jobs = story->lost;
    story->lost = 0;
    if (!may_tell(story, SEVERITY_WARN, now_ns)) return;
    story->write(
        SEVERITY_WARN,
        "a worker went away with leases, or hangs",
        LOG_FIELDS(
            log_text("worker", slice_of(story->worker, story->worker_size)), log_u64("jobs", jobs)
        )
    );
}

/* Leases of one worker end one after the other in the same turn. */
static void count_lost(struct story *story, const struct event *event) {
    if (event->worker.size == 0) return;
    hob_assert(event->worker.size <= sizeof story->worker);
    if (!slice_equal(event->worker, slice_of(story->worker, story->worker_size))) {
        tell_worker(story, event->at_ns);
        memcpy(story->worker, event->worker.bytes, event->worker.size);
        story->worker_size = (uint32_t)event->worker.size;
    }
    story->lost++;
}

static bool is_callback(const struct event *event) {
    return slice_equal(event->kind, SLICE("hob.webhook"));
}

bool story_wants_parent(const struct event *event) {
    return event->type == EVENT_STATE && event->has_error && event->state == JOB_DISCARDED &&
           is_callback(event);
}

static void tell_deleted(struct story *story, const struct event *event) {
    if (!may_tell(story, SEVERITY_DEBUG, event->at_ns)) return;
    story->write(
        SEVERITY_DEBUG,
        "job is gone",
        LOG_FIELDS(
            log_u64("job", event->id),
            log_text("queue", event->queue),
            log_text("kind", event->kind),
            log_str("state", job_state_word(event->state))
        )
    );
}

void story_event(struct story *story, const struct event *event, uint64_t parent) {
    if (event->type == EVENT_DELETED) tell_deleted(story, event);
    if (event->type != EVENT_STATE) return;
    if (!event->has_error) {
        tell_state(story, event);
        return;
    }
    hob_assert(event->cause < ERROR_CAUSE_COUNT);
    bool is_over = event->state == JOB_DISCARDED;
    if (event->cause == CAUSE_LOST) count_lost(story, event);
    if (is_over) {
        const char *what = is_callback(event) ? "callback given up" : "job discarded";
        tell_failed(story, SEVERITY_WARN, what, event, parent);
    } else if (event->cause == CAUSE_LOST) {
        tell_failed(story, SEVERITY_WARN, "attempt lost", event, 0);
    } else if (event->cause == CAUSE_TIMEOUT) {
        tell_failed(story, SEVERITY_WARN, "attempt timed out", event, 0);
    } else {
        tell_failed(story, SEVERITY_DEBUG, "attempt failed", event, 0);
    }
}

/* --- what people do --- */

static const char *const deeds[COMMAND_TYPE_COUNT] = {
    [COMMAND_CANCEL] = "job cancelled",
    [COMMAND_DISCARD] = "job discarded",
    [COMMAND_RETRY] = "job retried",
    [COMMAND_DELETE] = "job deleted",
    [COMMAND_UPDATE] = "job updated",
    [COMMAND_PAUSE] = "queue paused",
    [COMMAND_RESUME] = "queue resumed",
    [COMMAND_QUEUE_SET] = "queue set",
    [COMMAND_VALVE_SET] = "limits set",
    [COMMAND_VALVE_PAUSE] = "jobs paused",
    [COMMAND_VALVE_RESUME] = "jobs resumed",
    [COMMAND_GROUP_SKIP] = "group goes on",
    [COMMAND_TOKEN_PUT] = "token created",
    [COMMAND_TOKEN_DROP] = "token revoked",
};

/* What a command says of itself. */
struct deed {
    uint64_t job;
    struct slice queue;
    const struct valve_name *valve;
    struct slice token; /* that was created or revoked */
    struct slice by;
    struct slice why;
    hob_ns until_ns;
};

static struct deed deed_of(const struct command *command) {
    struct deed deed = {0};
    if (command->type == COMMAND_PAUSE) {
        deed.queue = command->pause.queue;
        deed.by = command->pause.by;
        deed.why = command->pause.why;
        deed.until_ns = command->pause.until_ns;
    } else if (command->type == COMMAND_RESUME) {
        deed.queue = command->resume.queue;
    } else if (command->type == COMMAND_QUEUE_SET) {
        deed.queue = command->queue_set.queue;
    } else if (command->type == COMMAND_VALVE_SET) {
        deed.valve = &command->valve_set.valve;
    } else if (command->type == COMMAND_VALVE_RESUME) {
        deed.valve = &command->valve_resume.valve;
    } else if (command->type == COMMAND_GROUP_SKIP) {
        deed.valve = &command->group_skip.valve;
    } else if (command->type == COMMAND_VALVE_PAUSE) {
        deed.valve = &command->valve_pause.valve;
        deed.by = command->valve_pause.by;
        deed.why = command->valve_pause.why;
        deed.until_ns = command->valve_pause.until_ns;
    } else if (command->type == COMMAND_UPDATE) {
        deed.job = command->update.id;
    } else if (command->type == COMMAND_TOKEN_DROP) {
        deed.token = command->token_drop.name;
    } else if (command->type == COMMAND_TOKEN_PUT) {
        deed.token = command->token_put.name;
        deed.by = command->token_put.by;
    } else {
        deed.job = command->cancel.id; /* and discard, retry, delete */
        deed.by = command->cancel.by;
        deed.why = command->cancel.why;
    }
    if (deed.valve != NULL) deed.queue = deed.valve->queue;
    return deed;
}

uint64_t story_job(const struct command *command) {
    return deeds[command->type] == NULL ? 0 : deed_of(command).job;
}

void story_command(
    struct story *story,
    hob_ns now_ns,
    const struct command *command,
    const struct job_view *job,
    struct story_person person
) {
    const char *what = deeds[command->type];
    if (what == NULL || !may_tell(story, SEVERITY_INFO, now_ns)) return;
    struct deed deed = deed_of(command);
    HOB_AUTO_BUF struct buf until = buf_make(64);
    if (deed.until_ns != 0) (void)text_put_time(&until, deed.until_ns / NS_PER_MS * NS_PER_MS);
    struct log_field fields[16];
    size_t count = 0;
    if (deed.job != 0) fields[count++] = log_u64("job", deed.job);
    fields[count++] = log_text("queue", job == NULL ? deed.queue : job->queue);
    fields[count++] = log_text("kind", job == NULL ? SLICE_NONE : job->kind);
    if (deed.valve != NULL) {
        static const char *const words[] = {"queue", "kind", "group", "limiter"};
        fields[count++] = log_text(words[deed.valve->sort], deed.valve->name);
    }
    fields[count++] = log_text("token", deed.token);
    fields[count++] = log_text("until", buf_slice(&until));
    fields[count++] = log_text("by", deed.by);
    fields[count++] = log_text("why", deed.why);
    fields[count++] = log_text("who", person.token);
    fields[count++] = log_str("peer", person.peer);
    fields[count] = LOG_END;
    hob_assert(count < hob_countof(fields));
    story->write(SEVERITY_INFO, what, fields);
}

/* --- what is refused --- */

static void
tell_pushes(struct story *story, struct story_pushes *pushes, hob_ns now_ns, struct slice queue) {
    bool is_memory = pushes == &story->memory;
    story->write(
        SEVERITY_WARN,
        is_memory ? "pushes are refused: memory is nearly used up"
                  : "pushes are refused: the disk is full",
        LOG_FIELDS(log_u64("count", pushes->refused), log_text("queue", queue))
    );
    pushes->is_told = true;
    pushes->told_ns = now_ns;
    pushes->refused = 0;
}

static bool pushes_are_due(const struct story_pushes *pushes, hob_ns now_ns) {
    if (pushes->refused == 0) return false;
    return !pushes->is_told ||
           now_ns >= ns_add(pushes->told_ns, STORY_PUSHES_SECONDS * NS_PER_SECOND);
}

void story_push_refused(
    struct story *story, hob_ns now_ns, enum answer_code code, struct slice queue
) {
    hob_assert(code == ANSWER_MEMORY || code == ANSWER_FULL);
    struct story_pushes *pushes = code == ANSWER_MEMORY ? &story->memory : &story->disk;
    pushes->refused++;
    pushes->all++;
    pushes->last_ns = now_ns;
    pushes->is_taken = false;
    if (pushes_are_due(pushes, now_ns)) tell_pushes(story, pushes, now_ns, queue);
}

void story_push_taken(struct story *story) {
    story->memory.is_taken = story->memory.is_told;
    story->disk.is_taken = story->disk.is_told;
}

/* A while without a refusal, and pushes that came in: it is over. */
static void
tell_taken(struct story *story, struct story_pushes *pushes, const char *what, hob_ns now_ns) {
    hob_ns quiet_ns = ns_add(pushes->last_ns, STORY_PUSHES_SECONDS * NS_PER_SECOND);
    if (!pushes->is_taken || now_ns < quiet_ns) return;
    story->write(SEVERITY_WARN, what, LOG_FIELDS(log_u64("refused", pushes->all)));
    *pushes = (struct story_pushes){0};
}

/* Asking for what is not there is part of many a client's work. */
static enum log_severity severity_of(const struct refusal *refusal) {
    bool is_usual = refusal->status == 0 || refusal->status == 404;
    return is_usual ? SEVERITY_DEBUG : SEVERITY_INFO;
}

bool story_wants_refusal(const struct refusal *refusal) {
    return log_is_on(severity_of(refusal));
}

void story_refusal(
    struct story *story, hob_ns now_ns, const struct refusal *refusal, const char *peer
) {
    enum log_severity severity = severity_of(refusal);
    if (!log_is_on(severity)) return;
    bool is_limited = severity != SEVERITY_DEBUG;
    if (is_limited && !may_write(story, &story->requests, STORY_REFUSED_MAX, now_ns)) return;
    struct log_field fields[8];
    size_t count = 0;
    fields[count++] = log_text("request_id", refusal->request_id);
    fields[count++] = log_text(refusal->status == 0 ? "command" : "method", refusal->method);
    fields[count++] = log_text("path", refusal->path);
    if (refusal->status != 0) fields[count++] = log_u64("status", refusal->status);
    fields[count++] = log_text("code", refusal->code);
    fields[count++] = log_str("peer", peer);
    fields[count] = LOG_END;
    const char *what = refusal->status == 0 ? "command refused" : "request refused";
    story->write(severity, what, fields);
}

/* --- time --- */

void story_turn_end(struct story *story, hob_ns now_ns) {
    tell_worker(story, now_ns);
}

static void close_second(struct story *story, struct story_limit *limit, hob_ns now_ns) {
    if (now_ns >= ns_add(limit->began_ns, NS_PER_SECOND)) tell_left_out(story, limit);
}

void story_beat(struct story *story, hob_ns now_ns) {
    close_second(story, &story->jobs, now_ns);
    close_second(story, &story->requests, now_ns);
    if (pushes_are_due(&story->memory, now_ns)) {
        tell_pushes(story, &story->memory, now_ns, SLICE_NONE);
    }
    if (pushes_are_due(&story->disk, now_ns)) tell_pushes(story, &story->disk, now_ns, SLICE_NONE);
    tell_taken(story, &story->memory, "pushes are taken again: there is memory", now_ns);
    tell_taken(story, &story->disk, "pushes are taken again: there is space on the disk", now_ns);
}
