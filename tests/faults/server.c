/* SPDX-License-Identifier: Apache-2.0 */
/* The server as src/server has it, without sockets: all that has arrived is applied in one turn,
 * and what the turn says, to clients and to whoever listens to events, is held until the sequence
 * that space_turn_end() gave is durable. When the space fails, or a fault ends the process, all
 * that is held is dropped, and after a while another process recovers from the journal. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/text.h"
#include "tests/faults/world.h"

enum { SLACK_BYTES_MAX = 512 * 1024, TURN_COMMANDS_MAX = 64 };
#define TURN_NS       (50 * NS_PER_US)
#define CLOCK_JUMP_NS (5 * NS_PER_SECOND) /* as src/server/timekeeper.h */

hob_ns server_clock(const struct world *world) {
    return world->server.base_ns + (world->now_ns - world->server.began_ns);
}

/* The time of a turn: never back; the history hears when it runs ahead of the true one. */
static hob_ns turn_time(struct world *world) {
    struct server *server = &world->server;
    hob_ns clock_ns = server_clock(world);
    if (server->shown_ns < clock_ns) server->shown_ns = clock_ns;
    int64_t ahead_ns = (int64_t)(server->shown_ns - world->now_ns);
    if (ahead_ns > server->ahead_ns) {
        uint64_t more_ns = (uint64_t)(ahead_ns - server->ahead_ns);
        record(
            world,
            (struct history_event
            ){.type = HISTORY_CLOCK, .ahead_ms = (more_ns + NS_PER_MS - 1) / NS_PER_MS}
        );
    }
    server->ahead_ns = ahead_ns;
    return server->shown_ns;
}

static void list_free(struct message **first, struct message ***end) {
    while (*first != NULL) {
        struct message *message = *first;
        *first = message->next;
        free(message);
    }
    *end = first;
}

static void list_add(struct message ***end, struct message *message) {
    message->next = NULL;
    **end = message;
    *end = &message->next;
}

/* --- what a turn says --- */

static void turn_says(struct world *world, struct message *message) {
    list_add(&world->server.turn_end, message);
}

static uint64_t key_of(const struct job_view *view) {
    uint64_t key = 0;
    struct slice digits = slice_of(view->key.bytes + 1, view->key.size - 1);
    bool is_number = view->key.size > 1 && text_u64(digits, 1, UINT64_MAX, &key);
    return is_number ? key : 0;
}

static bool state_event(const struct world *world, uint64_t id, struct history_event *ret) {
    struct job_view view;
    if (!engine_job(space_engine(world->server.space), id, &view)) return false;
    *ret = (struct history_event){.id = id, .key = key_of(&view)};
    switch (view.state) {
    case JOB_SCHEDULED:
    case JOB_AVAILABLE:
    case JOB_RETRYABLE:
    case JOB_BLOCKED:
        ret->type = HISTORY_WAITS;
        return true;
    case JOB_RUNNING:
        ret->type = HISTORY_RUNS;
        ret->token = view.token;
        ret->time = view.started_ns;
        ret->until = view.started_ns + world->swarm.lease_ns; /* as all of them ask for */
        return true;
    case JOB_COMPLETED:
    case JOB_DISCARDED:
    case JOB_CANCELLED:
    case JOB_STATE_COUNT:
        break;
    }
    ret->type = HISTORY_OVER;
    return true;
}

static void on_event(void *context, const struct event *event) {
    struct world *world = context;
    if (event->type != EVENT_STATE) return;
    struct message *message = calloc(1, sizeof *message);
    hob_assert(message != NULL);
    message->is_event = true;
    bool is_there = state_event(world, event->id, &message->event);
    hob_assert(is_there);
    if (event->is_new && message->event.type == HISTORY_WAITS) message->event.type = HISTORY_MADE;
    turn_says(world, message);
}

/* What a worker gets: the job as it is, with its payload read from where it lies. */
static void got_fill(struct world *world, uint64_t id, struct got *ret_got) {
    struct space *space = world->server.space;
    struct job_view view;
    bool is_there = engine_job(space_engine(space), id, &view);
    hob_assert(is_there && view.state == JOB_RUNNING);
    *ret_got = (struct got){
        .id = id,
        .token = view.token,
        .attempt = view.attempt,
        .releases = view.releases,
        .lease_ns = view.lease_until_ns - world->server.shown_ns,
    };
    HOB_AUTO_BUF struct buf payload = buf_make(PAYLOAD_BYTES_MAX);
    struct slice bytes = view.payload;
    if (view.payload_body.id != 0) {
        struct hob_error err = {.status = HOB_OK};
        bool is_read = space_body(space, view.payload_body.id, &payload, &err) == HOB_OK;
        if (!is_read && !fault_store_is_dead(world->store)) {
            world_fail(world, "job %" PRIu64 " has lost its payload: %s", id, err.text);
        }
        bytes = buf_slice(&payload);
    }
    ret_got->is_whole = payload_read(world, bytes, &ret_got->key);
}

static void reply_fill(struct world *world, const struct answer *answer, struct reply *ret_reply) {
    *ret_reply = (struct reply){
        .code = answer->code,
        .id = answer->id,
        .duplicate = answer->duplicate,
        .retry_ns = answer->retry_after_ns,
        .job_count = answer->job_count,
    };
    hob_assert(answer->job_count <= FETCHED_MAX && answer->pushed_count <= LIST_MAX);
    for (uint32_t i = 0; i < answer->pushed_count; i++) ret_reply->ids[i] = answer->pushed[i].id;
    for (uint32_t i = 0; i < answer->job_count; i++) {
        got_fill(world, answer->jobs[i], &ret_reply->jobs[i]);
    }
}

/* To a fetch that waited. */
static void on_answer(void *context, const struct answer *answer) {
    struct world *world = context;
    struct message **link = &world->server.waiting;
    while (*link != NULL && (*link)->request != answer->request) link = &(*link)->next;
    hob_assert(*link != NULL);
    struct message *message = *link;
    *link = message->next;
    reply_fill(world, answer, &message->reply);
    turn_says(world, message);
}

static void on_notice(void *context, const struct notice *notice) {
    (void)context;
    (void)notice; /* a worker finds out when it ends the job */
}

/* --- commands --- */

static void push_command(
    const struct push *push, struct buf *payload, char *text, struct push_command *ret_push
) {
    enum { EACH = 24 };
    payload_make(push, payload);
    (void)snprintf(text, EACH, "k%" PRIu64, push->key);
    (void)snprintf(text + EACH, EACH, "queue-%u", push->queue);
    (void)snprintf(text + 2 * EACH, EACH, "u%u", push->unique);
    (void)snprintf(text + 3 * EACH, EACH, "g%u", push->group);
    (void)snprintf(text + 4 * EACH, EACH, "limit-%u=%u", push->limiter, push->units);
    (void)snprintf(text + 5 * EACH, EACH, "kind-%u", push->kind);
    static const enum unique_scope scopes[] = {UNIQUE_DONE, UNIQUE_WAITING, UNIQUE_RUNNING};
    *ret_push = (struct push_command){
        .queue = slice_str(text + EACH),
        .kind = slice_str(text + 5 * EACH),
        .payload = buf_slice(payload),
        .key = slice_str(text),
        .has_priority = true,
        .priority = push->priority,
        .delay_ns = push->delay_ms * NS_PER_MS,
        .attempt_max = ATTEMPT_MAX_MAX,
        .timeout_ns = 2 * NS_PER_MINUTE,
    };
    if (push->unique != 0) {
        ret_push->unique = slice_str(text + 2 * EACH);
        ret_push->unique_scope = scopes[push->scope];
    }
    if (push->group != 0) ret_push->group = slice_str(text + 3 * EACH);
    if (push->limiter != 0) ret_push->limiters = slice_str(text + 4 * EACH);
}

/* What a command refers to while it is applied. */
struct pushing {
    struct push_command commands[LIST_MAX];
    struct buf payloads[LIST_MAX];
    char texts[LIST_MAX][6 * 24];
};

static void apply_push(
    struct world *world,
    struct space *space,
    const struct ask *ask,
    uint64_t request,
    struct answer *answer
) {
    struct pushing pushing;
    uint32_t count = ask->type == COMMAND_PUSH_ALL ? ask->count : 1;
    hob_assert(count <= LIST_MAX);
    for (uint32_t at = 0; at < count; at++) {
        const struct push *push = &world->pushes[ask->key + (uint64_t)at * world->swarm.pushers];
        pushing.payloads[at] = buf_make(PAYLOAD_BYTES_MAX);
        push_command(push, &pushing.payloads[at], pushing.texts[at], &pushing.commands[at]);
    }
    struct command command = {.type = ask->type, .request = request};
    if (ask->type == COMMAND_PUSH_ALL) {
        command.push_all = (struct push_all_command){.pushes = pushing.commands, .count = count};
    } else {
        command.push = pushing.commands[0];
    }
    space_apply(space, &command, answer);
    for (uint32_t at = 0; at < count; at++) buf_deinit(&pushing.payloads[at]);
}

static void command_of(const struct ask *ask, const struct slice *queues, struct command *command) {
    struct lease_ref lease = {.id = ask->id, .token = ask->token};
    command->type = ask->type;
    if (ask->type == COMMAND_FETCH) {
        command->fetch = (struct fetch_command){
            .worker = slice_str(ask->worker),
            .queues = queues,
            .queue_count = 1,
            .count = ask->count,
            .wait_ns = ask->wait_ns,
            .lease_ns = ask->span_ns,
        };
    } else if (ask->type == COMMAND_ACK) {
        command->ack = (struct ack_command){.lease = lease};
    } else if (ask->type == COMMAND_FAIL) {
        command->fail = (struct fail_command){
            .lease = lease,
            .what = SLICE("Simulated"),
            .has_retry_in = true,
            .retry_in_ns = ask->span_ns,
        };
    } else if (ask->type == COMMAND_RELEASE) {
        command->release = (struct release_command){.lease = lease, .delay_ns = ask->span_ns};
    } else {
        hob_assert(ask->type == COMMAND_EXTEND);
        command->extend = (struct extend_command){.lease = lease, .lease_ns = ask->span_ns};
    }
}

/* One message; its answer joins what the turn says, or it waits. */
static void apply(struct world *world, struct message *message) {
    struct server *server = &world->server;
    const struct slice queues[] = {SLICE("queue-*")};
    struct answer answer = {.code = ANSWER_OK};
    message->request = ++server->next_request;
    if (message->ask.type == COMMAND_PUSH || message->ask.type == COMMAND_PUSH_ALL) {
        apply_push(world, server->space, &message->ask, message->request, &answer);
    } else {
        struct command command = {.request = message->request};
        command_of(&message->ask, queues, &command);
        space_apply(server->space, &command, &answer);
    }
    if (answer.code == ANSWER_WAITING) {
        message->next = server->waiting;
        server->waiting = message;
        return;
    }
    reply_fill(world, &answer, &message->reply);
    turn_says(world, message);
}

void server_set_limit(struct world *world, uint32_t queue, uint32_t concurrency) {
    if (!world->server.is_up || world->server.is_frozen) return;
    struct message *message = calloc(1, sizeof *message);
    hob_assert(message != NULL);
    message->ask.type = COMMAND_QUEUE_SET;
    message->ask.key = queue;
    message->ask.count = concurrency;
    server_take(world, message);
}

static void apply_limit(struct world *world, struct message *message) {
    struct server *server = &world->server;
    char name[24];
    uint64_t queue = message->ask.key;
    (void)snprintf(name, sizeof name, "queue-%" PRIu64, queue);
    struct command command = {.type = COMMAND_QUEUE_SET};
    command.queue_set = (struct queue_set_command
    ){.queue = slice_str(name), .has_concurrency = true, .concurrency = message->ask.count};
    message->is_event = true;
    message->event = (struct history_event){
        .type = HISTORY_LIMIT,
        .sort = HISTORY_OF_QUEUE,
        .name = queue,
        .concurrency = message->ask.count,
    };
    message->request = ++server->next_request;
    limit_asked(world, queue, message->request, message->ask.count);
    turn_says(world, message); /* before what starts because of it */
    struct answer answer;
    space_apply(server->space, &command, &answer);
    hob_assert(answer.code == ANSWER_OK);
}

void server_forget(struct world *world, const struct peer *peer, uint32_t link) {
    struct server *server = &world->server;
    if (!server->is_up || server->is_frozen) return;
    for (struct message *at = server->waiting; at != NULL; at = at->next) {
        if (at->peer != peer || at->link != link) continue;
        /* As a message of its own, in its turn. */
        struct message *forget = calloc(1, sizeof *forget);
        hob_assert(forget != NULL);
        forget->ask.type = COMMAND_FORGET;
        forget->request = at->request;
        server_take(world, forget);
    }
}

static void apply_forget(struct world *world, struct message *forget) {
    struct server *server = &world->server;
    struct message **link = &server->waiting;
    while (*link != NULL && (*link)->request != forget->request) link = &(*link)->next;
    if (*link != NULL) {
        struct message *gone = *link;
        *link = gone->next;
        struct answer answer;
        struct command command = {.type = COMMAND_FORGET, .request = forget->request};
        space_apply(server->space, &command, &answer);
        free(gone);
    }
    free(forget);
}

/* --- turns --- */

static void run_now(struct world *world, void *subject, uint64_t order);

void server_run_at(struct world *world, hob_ns at) {
    struct server *server = &world->server;
    if (at < world->now_ns) at = world->now_ns;
    if (at >= server->run_at) return;
    server->run_at = at;
    server->run_order = world->next_order;
    world_at(world, at, run_now, NULL, server->run_order);
}

void server_take(struct world *world, struct message *message) {
    list_add(&world->server.inbox_end, message);
    server_run_at(world, world->now_ns + dice_small(&world->dice, NS_PER_MS));
}

/* Has the process died? Then it says nothing any more. */
static bool is_dead(struct world *world) {
    struct server *server = &world->server;
    if (fault_store_is_dead(world->store)) {
        server_kill(world, "a fault");
        return true;
    }
    const struct hob_error *failure = space_failure(server->space);
    if (failure == NULL) return false;
    /* Its text has the name of a directory in it, which is another one each time. */
    server_kill(world, status_text(failure->status));
    return true;
}

/* What is durable leaves, in order. */
static void held_leave(struct world *world) {
    struct server *server = &world->server;
    uint64_t durable = space_durable(server->space);
    while (server->held != NULL && server->held->seq <= durable) {
        struct message *message = server->held;
        server->held = message->next;
        if (server->held == NULL) server->held_end = &server->held;
        if (message->is_event) {
            if (message->event.type == HISTORY_LIMIT) {
                uint32_t now = (uint32_t)message->event.concurrency;
                limit_told(world, message->event.name, message->request, now);
            }
            record(world, message->event);
            free(message);
        } else {
            reply_send(world, message);
        }
    }
}

/* As src/server/clock.c: before anything else of the turn. */
static void tell_jump(struct world *world) {
    struct server *server = &world->server;
    struct command command = {
        .type = COMMAND_CLOCK_JUMP,
        .clock_jump = {.by_ns = server->jumped_ns, .cause = server->jumped_cause},
    };
    server->jumped_ns = 0;
    if (command.clock_jump.by_ns <= CLOCK_JUMP_NS) return;
    struct answer answer;
    space_apply(server->space, &command, &answer);
    hob_assert(answer.code == ANSWER_OK);
}

static void turn(struct world *world) {
    struct server *server = &world->server;
    space_turn_begin(server->space, turn_time(world));
    tell_jump(world);
    for (uint32_t i = 0; i < TURN_COMMANDS_MAX && server->inbox != NULL; i++) {
        if (space_is_congested(server->space)) break;
        struct message *message = server->inbox;
        server->inbox = message->next;
        if (server->inbox == NULL) server->inbox_end = &server->inbox;
        if (message->ask.type == COMMAND_QUEUE_SET) {
            apply_limit(world, message);
        } else if (message->ask.type == COMMAND_FORGET) {
            apply_forget(world, message);
        } else {
            apply(world, message);
        }
    }
    uint64_t seq = space_turn_end(server->space);
    for (struct message *at = server->turn; at != NULL; at = at->next) at->seq = seq;
    if (server->turn == NULL) return;
    *server->held_end = server->turn;
    server->held_end = server->turn_end;
    server->turn = NULL;
    server->turn_end = &server->turn;
}

static void run_now(struct world *world, void *subject, uint64_t order) {
    (void)subject;
    struct server *server = &world->server;
    if (order != server->run_order) return;
    server->run_at = HOB_NEVER;
    if (!server->is_up || server->is_frozen) return;
    (void)space_poll(server->space);
    if (is_dead(world)) return;
    hob_ns now_ns = server_clock(world);
    if (server->inbox != NULL || space_due(server->space) <= now_ns) {
        turn(world);
        if (is_dead(world)) return;
        (void)space_poll(server->space);
        if (is_dead(world)) return;
    }
    held_leave(world);
    hob_ns due_ns = space_due(server->space);
    now_ns = server_clock(world);
    hob_ns wait_ns = due_ns <= now_ns ? 0 : due_ns - now_ns;
    if (server->inbox != NULL && !space_is_congested(server->space)) wait_ns = 0;
    if (due_ns != HOB_NEVER || wait_ns == 0) {
        server_run_at(world, ns_add(world->now_ns, wait_ns < TURN_NS ? TURN_NS : wait_ns));
    }
}

/* --- life --- */

static struct space_options options_of(struct world *world) {
    uint64_t low = dice_u64(&world->dice);
    return (struct space_options){
        .sink =
            {
                .context = world,
                .answer = on_answer,
                .notice = on_notice,
                .event = on_event,
            },
        .hash_key = {.words = {low, dice_u64(&world->dice)}},
        .memory_max_bytes = world->swarm.memory_max_bytes,
        .slack_bytes = 1024 + dice_small(&world->dice, SLACK_BYTES_MAX),
    };
}

static void start_now(struct world *world, void *subject, uint64_t number) {
    (void)subject;
    (void)number;
    server_start(world);
}

static void start_again(struct world *world) {
    hob_ns down_ns = 10 * NS_PER_MS + span_up_to(world, world->swarm.down_max_ns);
    world_at(world, world->now_ns + down_ns, start_now, NULL, 0);
}

/* What has not ended is told anew, leases in the order of their tokens. */
static void tell_restart(struct world *world) {
    const struct engine *engine = space_engine(world->server.space);
    struct engine_stats stats;
    engine_stats(engine, &stats);
    record(world, (struct history_event){.type = HISTORY_RESTART});
    limits_look(world);
    for (uint64_t id = 1; id < stats.next_id; id++) {
        struct history_event event;
        if (!state_event(world, id, &event)) continue;
        if (event.type != HISTORY_OVER) record(world, event);
    }
}

static void bury(struct world *world) {
    fault_store_bury(world->store);
    const char *complaint = fault_store_complaint(world->store);
    if (complaint != NULL) world_fail(world, "%s", complaint);
}

static void start_failed(struct world *world, const struct hob_error *err) {
    world->counts.starts_failed++;
    if (!fault_store_is_dead(world->store)) {
        world_fail(world, "the server does not start: %s", err->text);
        return;
    }
    record_note(world, "a start is cut short");
    bury(world);
    start_again(world);
}

void server_start(struct world *world) {
    struct server *server = &world->server;
    hob_assert(!server->is_up);
    struct hob_error err = {.status = HOB_OK};
    struct journal *journal = NULL;
    struct journal_wake none = {0};
    enum hob_status status = fault_store_open(world->store, none, &journal, &err);
    server->life++;
    server->began_ns = world->now_ns;
    /* The wall clock, but never before what the journal has seen. */
    server->base_ns = (hob_ns)((int64_t)world->now_ns + server->skew_ns);
    if (server->base_ns < server->shown_ns) server->base_ns = server->shown_ns;
    server->jumped_ns = 0;
    struct space_options options = options_of(world);
    struct space_recovery recovery = {0};
    if (status == HOB_OK) {
        status = space_open(journal, &options, turn_time(world), &server->space, &recovery, &err);
    }
    if (status != HOB_OK) {
        server->space = NULL;
        start_failed(world, &err);
        return;
    }
    engine_check(space_engine(server->space));
    server->is_up = true;
    server->is_frozen = false;
    server->run_at = HOB_NEVER;
    world->counts.restarts++;
    record_note(
        world,
        "life %u: %" PRIu64 " batches, %" PRIu64 " jobs, %" PRIu64 " bytes cut",
        server->life,
        recovery.batches,
        recovery.jobs,
        recovery.cut_bytes
    );
    tell_restart(world);
    server_run_at(world, world->now_ns);
}

static void server_drop(struct server *server) {
    list_free(&server->inbox, &server->inbox_end);
    list_free(&server->held, &server->held_end);
    list_free(&server->turn, &server->turn_end);
    struct message **end;
    list_free(&server->waiting, &end);
}

void server_kill(struct world *world, const char *why) {
    struct server *server = &world->server;
    if (!server->is_up) return;
    server->is_up = false;
    world->counts.kills++;
    record_note(world, "life %u ends: %s", server->life, why);
    server_drop(server);
    fault_store_kill(world->store);
    space_close(server->space);
    server->space = NULL;
    bury(world);
    net_server_gone(world);
    start_again(world);
}

void server_free(struct world *world) {
    struct server *server = &world->server;
    server_drop(server);
    if (server->is_up) {
        fault_store_kill(world->store);
        space_close(server->space);
    }
}

/* Another process takes the journal over for a moment: it recovers, pushes, and ends. */
void server_fence(void *context) {
    struct world *world = context;
    struct space_options options = options_of(world);
    options.sink = (struct space_sink){.context = world, .answer = on_answer};
    options.slack_bytes = 0;
    options.memory_max_bytes = 0;
    struct space *space = NULL;
    struct space_recovery recovery;
    struct hob_error err = {.status = HOB_OK};
    struct journal *journal = fault_store_open_beside(world->store);
    if (space_open(journal, &options, world->server.shown_ns, &space, &recovery, &err) != HOB_OK) {
        world_fail(world, "another process cannot recover: %s", err.text);
        return;
    }
    struct push *push = &world->pushes[world->push_count++];
    *push =
        (struct push){.key = world->push_count - 1, .priority = 5, .size = 300, .list_count = 1};
    record(
        world,
        (struct history_event
        ){.type = HISTORY_PUSH, .who = WHO_PUSHER + 50, .key = push->key, .priority = 5}
    );
    struct answer answer = {.code = ANSWER_OK};
    space_turn_begin(space, world->server.shown_ns);
    apply_push(world, space, &(struct ask){.type = COMMAND_PUSH, .key = push->key}, 1, &answer);
    (void)space_turn_end(space);
    bool is_durable = space_flush(space, &err) == HOB_OK;
    hob_assert(is_durable && answer.code == ANSWER_OK);
    record(
        world,
        (struct history_event
        ){.type = HISTORY_PUSHED, .who = WHO_PUSHER + 50, .key = push->key, .id = answer.id}
    );
    space_close(space);
}

void server_census(struct world *world) {
    struct server *server = &world->server;
    struct hob_error err = {.status = HOB_OK};
    uint64_t digest = engine_digest(space_engine(server->space));
    server_drop(server);
    space_close(server->space);
    server->is_up = false;
    server_start(world);
    if (world->has_failed) return;
    const struct engine *engine = space_engine(server->space);
    if (engine_digest(engine) != digest) world_fail(world, "another digest after a clean restart");
    struct engine_stats stats;
    engine_stats(engine, &stats);
    for (uint64_t id = 1; id < stats.next_id; id++) {
        struct job_view view;
        if (!engine_job(engine, id, &view)) continue;
        HOB_AUTO_BUF struct buf payload = buf_make(PAYLOAD_BYTES_MAX);
        struct slice bytes = view.payload;
        if (view.payload_body.id != 0) {
            if (space_body(server->space, view.payload_body.id, &payload, &err) != HOB_OK) {
                world_fail(world, "job %" PRIu64 " has lost its payload: %s", id, err.text);
            }
            bytes = buf_slice(&payload);
        }
        struct history_event found = {
            .type = HISTORY_FOUND, .id = id, .done = view.state == JOB_COMPLETED};
        bool is_whole = payload_read(world, bytes, &found.key);
        record(world, found);
        found.type = HISTORY_DAMAGED;
        if (!is_whole) record(world, found);
    }
    record(world, (struct history_event){.type = HISTORY_CENSUS});
}
