/* SPDX-License-Identifier: Apache-2.0 */
/* One run of torture: what its parts share. All of it lives on one loop.
 *
 *     torture.c    phases, and the fate of the server
 *     child.c      the server as a process: start, ready, kill, freeze, end
 *     record.c     the history file
 *     pusher.c     clients that push
 *     hand.c       workers that fetch, ack, fail, release, forget
 *     census.c     the look at every job at the end */
#ifndef HOB_TORTURE_PRIVATE_H
#define HOB_TORTURE_PRIVATE_H

#include <uv.h>

#include "client/client.h"
#include "torture/torture.h"

enum {
    PUSHES_OPEN_MAX = 8,       /* of one pusher */
    HELD_MAX = 32,             /* jobs that one worker forgets at the same time */
    BACKLOG_MAX = 2000,        /* jobs that wait before pushers pause */
    PAYLOAD_BYTES_MAX = 20000, /* so that bodies are among them */
    QUEUE_COUNT = 3,
    TICK_MS = 5,
};

struct torture;

enum phase { PHASE_RUN, PHASE_DRAIN, PHASE_CENSUS, PHASE_STOP };

enum child_state { CHILD_NONE, CHILD_STARTING, CHILD_UP, CHILD_FROZEN, CHILD_ENDING };

struct child {
    enum child_state state;
    uv_process_t process;
    uv_pipe_t out;
    char line[512]; /* its first line of output */
    size_t line_size;
    int log_fd;
    hob_ns started_at;
    bool process_open;
    bool out_open;
};

/* One push, from its first try until it is answered or given up. */
struct attempt {
    struct pusher *pusher;
    uint64_t key; /* 0: free */
    uint64_t queue;
    uint64_t priority;
    uint64_t delay_ms;
    bool sent; /* and not answered */
};

struct pusher {
    struct torture *torture;
    uint32_t who;
    struct client *client;
    struct attempt attempts[PUSHES_OPEN_MAX];
};

struct held {
    uint64_t id; /* 0: free */
    uint64_t token;
    hob_ns until;
};

struct hand {
    struct torture *torture;
    uint32_t who;
    uint32_t life; /* a part of its name: what an earlier one held is nobody's */
    struct client *client;
    struct held held[HELD_MAX];
};

struct torture {
    struct torture_options options;
    struct torture_report *report;
    struct hob_error *err;
    enum hob_status failed;
    uv_loop_t loop;
    uv_timer_t tick;
    uv_timer_t fate;
    enum phase phase;
    struct child child;
    struct pusher pushers[TORTURE_HANDS_MAX];
    struct hand hands[TORTURE_HANDS_MAX];
    struct client *control; /* asks for the sums, and takes the census */
    int port;
    uint64_t random;
    hob_ns began_at;
    hob_ns phase_at;
    /* pushes */
    uint64_t keys; /* given out */
    uint64_t pushed;
    uint64_t finished; /* acks that were acknowledged */
    uint64_t fresh;    /* pushes made, for the rate */
    /* drain and census */
    bool asked;
    bool last_kill;
    uint64_t census_last; /* the highest id that can be there */
    uint64_t census_next;
    uint64_t census_open;
    /* the file */
    int history_fd;
    uint64_t history_size;
    char payload[PAYLOAD_BYTES_MAX + 32];
};

/** A number in 0 .. @count - 1. */
uint64_t torture_draw(struct torture *torture, uint64_t count);

/** Give up: the first reason stays. */
void torture_fail(struct torture *torture, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The server is ready, or has ended: told by child.c. */
void torture_child_ready(struct torture *torture);
void torture_child_ended(struct torture *torture, int64_t code, int signal_number);

/** A new connection to the server. */
struct client *torture_connect(struct torture *torture, const struct client_events *events);

/* --- record.c --- */

HOB_CHECK enum hob_status record_open(struct torture *torture, struct hob_error *err);
/** Write an event, stamped with the time; false when the disk fails. */
void record(struct torture *torture, struct history_event event);
void record_note(struct torture *torture, const char *text);

/** The payload of @key, always the same; borrowed until the next call. */
struct slice payload_of(struct torture *torture, uint64_t key);
/** Whose payload is this? False: of no push. Compares all its bytes. */
bool payload_key(struct torture *torture, struct slice payload, uint64_t *ret_key);

/* --- child.c --- */

void child_start(struct torture *torture);
void child_kill(struct torture *torture);
void child_freeze(struct torture *torture);
void child_thaw(struct torture *torture);
/** Ask it to end in order. */
void child_stop(struct torture *torture);

/* --- pusher.c --- */

void pusher_connect(struct pusher *pusher);
/** What is due now. */
void pusher_tick(struct pusher *pusher);
bool pusher_is_idle(const struct pusher *pusher);

/* --- hand.c --- */

void hand_connect(struct hand *hand);
void hand_tick(struct hand *hand);

/* --- census.c --- */

void control_connect(struct torture *torture);
void control_tick(struct torture *torture);

#endif
