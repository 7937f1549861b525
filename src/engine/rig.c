/* SPDX-License-Identifier: Apache-2.0 */
/* An engine in fake time, and its replica. */
#include "engine/rig.h"

#include "base/test.h"

static void rig_effect(void *context, const struct effect *effect) {
    struct rig *rig = context;
    HOB_AUTO_BUF struct buf bytes = buf_make(16u * 1024 * 1024);
    CHECK(effect_encode(effect, &bytes));
    if (effect->type == EFFECT_BODY && effect->body.id < BODIES_MAX) {
        struct buf *body = &rig->bodies[effect->body.id];
        *body = buf_make(16u * 1024 * 1024);
        CHECK(buf_put_slice(body, effect->body.bytes));
    }
    struct effect decoded;
    CHECK_EQUAL(effect_decode(buf_slice(&bytes), &rig->scratch, &decoded, NULL), bytes.size);
    CHECK_EQUAL(engine_replay(rig->replica, &decoded, NULL), HOB_OK);
}

static bool rig_body_read(void *context, uint64_t body_id, struct buf *out) {
    return buf_put_slice(out, rig_body(context, body_id));
}

struct slice rig_body(struct rig *rig, uint64_t body_id) {
    CHECK(body_id < BODIES_MAX);
    CHECK(rig->bodies[body_id].size > 0);
    return buf_slice(&rig->bodies[body_id]);
}

static void rig_answer(void *context, const struct answer *answer) {
    struct rig *rig = context;
    CHECK(rig->late_count < ANSWERS_MAX);
    rig->late_job[rig->late_count] = answer->job_count > 0 ? answer->jobs[0] : 0;
    rig->late[rig->late_count++] = *answer;
}

static void rig_notice(void *context, const struct notice *notice) {
    struct rig *rig = context;
    rig->lost_id = notice->id;
    rig->lost_cause = notice->cause;
}

static void rig_body_drop(void *context, uint64_t body_id) {
    (void)body_id;
    struct rig *rig = context;
    rig->dropped_bodies++;
}

static void rig_event(void *context, const struct event *event) {
    struct rig *rig = context;
    /* Who is told can read the job, as it is now. */
    struct job_view view;
    bool is_there = event->id != 0 && engine_job(rig->engine, event->id, &view);
    CHECK(is_there == (event->type != EVENT_QUEUE));
    if (is_there) {
        CHECK_EQUAL(view.state, event->state);
        CHECK(slice_equal(view.queue, event->queue));
        CHECK(slice_equal(view.kind, event->kind));
    }
    CHECK(rig->event_count < EVENTS_MAX);
    rig->events[rig->event_count++] = *event;
}

static void replica_event(void *context, const struct event *event) {
    (void)context;
    (void)event;
    CHECK(false && "replay tells nobody");
}

static void replica_body_drop(void *context, uint64_t body_id) {
    (void)context;
    (void)body_id;
}

struct rig *rig_new(void) {
    return rig_new_small(0);
}

struct rig *rig_new_small(uint64_t memory_max_bytes) {
    static struct rig rig;
    memset(&rig, 0, sizeof rig);
    struct engine_options options = {
        .sink =
            {
                .context = &rig,
                .effect = rig_effect,
                .answer = rig_answer,
                .notice = rig_notice,
                .body_drop = rig_body_drop,
                .body_read = rig_body_read,
                .event = rig_event,
            },
        .hash_key = {{1, 2}},
        .memory_max_bytes = memory_max_bytes,
        .keeps_digest = true,
    };
    struct engine_options replica = {
        .sink = {.body_drop = replica_body_drop, .event = replica_event},
        .hash_key = {{3, 4}},
        .keeps_digest = true,
    };
    rig.engine = engine_new(&options);
    rig.replica = engine_new(&replica);
    rig.now_ns = 1700000000 * NS_PER_SECOND;
    return &rig;
}

void rig_end(struct rig *rig) {
    engine_check(rig->engine);
    CHECK_EQUAL(engine_replay_end(rig->replica, rig->now_ns, 0, NULL, NULL, NULL), HOB_OK);
    engine_check(rig->replica);
    CHECK(engine_digest(rig->engine) == engine_digest(rig->replica));
    engine_free(rig->engine);
    engine_free(rig->replica);
    effect_scratch_deinit(&rig->scratch);
    for (size_t i = 0; i < BODIES_MAX; i++) buf_deinit(&rig->bodies[i]);
}

enum answer_code rig_do(struct rig *rig, struct command command) {
    engine_apply(rig->engine, rig->now_ns, &command, &rig->last);
    engine_turn(rig->engine, rig->now_ns, 1000000);
    return rig->last.code;
}

void rig_advance(struct rig *rig, hob_ns by_ns) {
    rig->now_ns += by_ns;
    engine_turn(rig->engine, rig->now_ns, 1000000);
}

struct command push_of(const char *queue) {
    struct command command = {.type = COMMAND_PUSH};
    command.push.queue = slice_str(queue);
    command.push.kind = SLICE("work");
    command.push.payload = SLICE("{}");
    return command;
}

uint64_t rig_push(struct rig *rig, const char *queue) {
    CHECK_EQUAL(rig_do(rig, push_of(queue)), ANSWER_OK);
    return rig->last.id;
}

/* Lease one job of @queue; 0 when there is none. */
uint64_t rig_fetch(struct rig *rig, const char *queue) {
    struct slice queues[] = {slice_str(queue)};
    struct command command = {.type = COMMAND_FETCH};
    command.fetch =
        (struct fetch_command){.worker = SLICE("w1"), .queues = queues, .queue_count = 1};
    if (rig_do(rig, command) == ANSWER_EMPTY) return 0;
    CHECK_EQUAL(rig->last.code, ANSWER_OK);
    return rig->last.jobs[0];
}

struct lease_ref rig_lease(struct rig *rig, uint64_t id) {
    struct job_view view;
    CHECK(engine_job(rig->engine, id, &view));
    return (struct lease_ref){.id = id, .token = view.token};
}

struct job_view rig_job(struct rig *rig, uint64_t id) {
    struct job_view view;
    CHECK(engine_job(rig->engine, id, &view));
    return view;
}

enum answer_code rig_ack(struct rig *rig, struct lease_ref lease) {
    struct command command = {.type = COMMAND_ACK};
    command.ack.lease = lease;
    return rig_do(rig, command);
}

enum answer_code rig_fail(struct rig *rig, struct lease_ref lease) {
    struct command command = {.type = COMMAND_FAIL};
    command.fail.lease = lease;
    command.fail.text = SLICE("it broke");
    return rig_do(rig, command);
}

enum answer_code rig_control(struct rig *rig, enum command_type type, uint64_t id) {
    struct command command = {.type = type};
    command.cancel =
        (struct control_command){.id = id, .by = SLICE("ann"), .why = SLICE("wrong customer")};
    return rig_do(rig, command);
}
