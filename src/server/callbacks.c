/* SPDX-License-Identifier: Apache-2.0 */
/* The runner of callbacks: a child process that works on the queue `hob.callbacks`, started when
 * the first job stands there and started again, after a growing pause, whenever it ends.
 *
 *        OFF ──a job is available──> RUNNING ──it ends──> RESTING ──pause──> RUNNING
 *                                       └──the server stops──> ENDING ──it ends──> OFF
 *
 * Its two connections are the other ends of two socket pairs, which the server serves as any
 * connection, but with the right to work on that queue and nothing else. Its log is the server's
 * stderr. It ends with the server, whatever happens to that: the kernel sees to it. */
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "base/base64.h"
#include "base/json_put.h"
#include "os/entropy.h"
#include "os/file.h"
#include "os/log.h"
#include "os/self.h"
#include "server/private.h"
#include "worker/deliver.h"
#include "worker/http_sign.h"

enum {
    REST_MS_MIN = 100,
    REST_MS_MAX = 30000,
    END_MS_MAX = 8000,     /* until it is ended by force */
    LIVED_LONG_MS = 60000, /* after this, an end is no sign of trouble */
    CONFIG_BYTES_MAX = 4 * 1024 * 1024,
    SLOTS_DEFAULT = 200,
    HOST_PARTS = 4, /* one host gets at most this part of the slots */
};

static const struct access callbacks_access = {
    .name = {.bytes = DELIVER_QUEUE, .size = sizeof DELIVER_QUEUE - 1},
    .scopes = 1u << SCOPE_WORK,
    .queues = {.bytes = DELIVER_QUEUE, .size = sizeof DELIVER_QUEUE - 1},
};

static void child_start(struct callbacks *callbacks);
static void callbacks_look(struct callbacks *callbacks);

/* --- its configuration --- */

static void put_member(struct json_put *put, const char *key, const char *value) {
    json_put_key(put, key);
    json_put_str(put, value);
}

static bool is_granted(const struct callbacks_options *options, const char *name) {
    if (strcmp(name, DELIVER_SECRET) == 0) return true;
    for (size_t i = 0; i < options->granted_count; i++) {
        if (strcmp(options->granted[i], name) == 0) return true;
    }
    return false;
}

/* It signs and nothing else: it gets no secret that is for something else, and none that callbacks
 * may not name. */
static bool
is_for_callbacks(const struct callbacks_options *options, const struct secret_config *secret) {
    struct sign_key key;
    return is_granted(options, secret->name) && sign_key_parse(secret->text, &key);
}

static void put_granted(struct json_put *put, const struct callbacks_options *options) {
    json_put_key(put, "secrets");
    json_put_array(put);
    json_put_str(put, DELIVER_SECRET);
    for (size_t i = 0; i < options->secret_count; i++) {
        const struct secret_config *secret = &options->secrets[i];
        bool listed = strcmp(secret->name, DELIVER_SECRET) == 0;
        if (!listed && is_for_callbacks(options, secret)) json_put_str(put, secret->name);
    }
    json_put_array_end(put);
}

static void
put_kind(struct json_put *put, const struct callbacks_options *options, uint32_t slots) {
    json_put_key(put, DELIVER_KIND);
    json_put_object(put);
    json_put_key(put, "http");
    json_put_object(put);
    put_member(put, "secret", DELIVER_SECRET);
    put_granted(put, options);
    json_put_key(put, "host_max");
    json_put_u64(put, slots / HOST_PARTS + 1);
    json_put_key(put, "breaker");
    json_put_object(put);
    json_put_key(put, "failures");
    json_put_u64(put, 20);
    json_put_object_end(put);
    if (options->plain_http) {
        json_put_key(put, "plain_http");
        json_put_bool(put, true);
    }
    if (options->ca_file != NULL) put_member(put, "ca_file", options->ca_file);
    if (options->allow_count > 0) {
        json_put_key(put, "allow");
        json_put_array(put);
        for (size_t i = 0; i < options->allow_count; i++) json_put_str(put, options->allow[i]);
        json_put_array_end(put);
    }
    json_put_object_end(put);
    json_put_object_end(put);
}

/* JSON is YAML too. */
static void config_put(const struct callbacks *callbacks, struct buf *out) {
    const struct callbacks_options *options = &callbacks->options;
    uint32_t slots = options->slots == 0 ? SLOTS_DEFAULT : options->slots;
    struct json_put put = json_put_to(out);
    json_put_object(&put);
    json_put_key(&put, "worker");
    json_put_object(&put);
    put_member(&put, "queues", DELIVER_QUEUE);
    json_put_key(&put, "slots");
    json_put_u64(&put, slots);
    json_put_object_end(&put);
    json_put_key(&put, "kinds");
    json_put_object(&put);
    put_kind(&put, options, slots);
    json_put_object_end(&put);
    json_put_key(&put, "secrets");
    json_put_object(&put);
    bool has_default = false;
    for (size_t i = 0; i < options->secret_count; i++) {
        const struct secret_config *secret = &options->secrets[i];
        if (!is_for_callbacks(options, secret)) continue;
        has_default = has_default || strcmp(secret->name, DELIVER_SECRET) == 0;
        json_put_key(&put, secret->name);
        json_put_text(&put, secret->text);
    }
    if (!has_default) {
        json_put_key(&put, DELIVER_SECRET);
        json_put_text(&put, slice_str(callbacks->secret));
    }
    json_put_object_end(&put);
    json_put_object_end(&put);
}

/* --- its life --- */

static void timer_set(struct callbacks *callbacks, uint64_t ms);

static void on_timer(uv_timer_t *timer) {
    struct callbacks *callbacks = timer->data;
    switch (callbacks->state) {
    case CALLBACKS_RESTING:
        /* It may have been switched off meanwhile. */
        if (callbacks->options.off) {
            callbacks->state = CALLBACKS_OFF;
        } else {
            child_start(callbacks);
        }
        break;
    case CALLBACKS_ENDING:
        log_warn("the runner of callbacks does not end: it is ended by force");
        (void)uv_process_kill(&callbacks->process, SIGKILL);
        break;
    case CALLBACKS_OFF:
    case CALLBACKS_RUNNING:
        break;
    }
}

static void timer_set(struct callbacks *callbacks, uint64_t ms) {
    (void)uv_timer_start(&callbacks->timer, on_timer, ms, 0);
}

static void on_process_closed(uv_handle_t *handle) {
    struct callbacks *callbacks = handle->data;
    struct server *server = callbacks->server;
    bool ending = callbacks->state == CALLBACKS_ENDING;
    callbacks->state = ending ? CALLBACKS_OFF : CALLBACKS_RESTING;
    if (ending) {
        (void)uv_timer_stop(&callbacks->timer);
        server_stop_now(server);
        return;
    }
    if (callbacks->options.off || server->host.is_stopping) {
        callbacks->state = CALLBACKS_OFF;
        return;
    }
    timer_set(callbacks, callbacks->rest_ms);
    callbacks->rest_ms *= 2;
    if (callbacks->rest_ms > REST_MS_MAX) callbacks->rest_ms = REST_MS_MAX;
}

static void on_exit_status(uv_process_t *process, int64_t status, int signal_number) {
    struct callbacks *callbacks = process->data;
    uint64_t lived_ms = uv_now(process->loop) - callbacks->started_ms;
    bool asked = callbacks->state == CALLBACKS_ENDING || callbacks->changed;
    if (asked || lived_ms > LIVED_LONG_MS) callbacks->rest_ms = REST_MS_MIN;
    callbacks->changed = false;
    if (!asked) {
        log_error(
            "the runner of callbacks has ended: it is started again",
            log_i64("exit", status),
            log_i64("signal", signal_number),
            log_u64("lived_ms", lived_ms),
            log_u64("again_in_ms", callbacks->rest_ms)
        );
    }
    uv_close((uv_handle_t *)process, on_process_closed);
}

/* A pair of sockets: one end becomes a connection, the other goes to the child. */
static bool connect_child(struct callbacks *callbacks, int *ret_fd) {
    uv_os_sock_t ends[2];
    if (uv_socketpair(SOCK_STREAM, 0, ends, 0, 0) != 0) return false;
    struct conn *conn = net_adopt(callbacks->server->net, ends[0]);
    if (conn == NULL) {
        file_close(&ends[1]);
        return false;
    }
    struct client *client = conn_user(conn);
    client->own_access = &callbacks_access;
    *ret_fd = ends[1];
    return true;
}

static int child_spawn(struct callbacks *callbacks, const int *fds) {
    char parent[24];
    (void)snprintf(parent, sizeof parent, "%ld", self_id());
    char *argv[] = {"hob", DELIVER_WORD, parent, NULL};
    uv_stdio_container_t stdio[DELIVER_FD_COUNT];
    for (size_t i = 0; i < DELIVER_FD_COUNT; i++) {
        stdio[i] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = fds[i]};
    }
    stdio[DELIVER_FD_NONE].flags = UV_IGNORE;
    uv_process_options_t options = {
        .exit_cb = on_exit_status,
        .file = "/proc/self/exe", /* still this binary when the file was replaced meanwhile */
        .args = argv,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = DELIVER_FD_COUNT,
        .stdio = stdio,
    };
    return uv_spawn(net_loop(callbacks->server->net), &callbacks->process, &options);
}

static void child_start(struct callbacks *callbacks) {
    int fds[DELIVER_FD_COUNT] = {-1, -1, 2, -1, -1};
    HOB_AUTO_BUF struct buf config = buf_make(CONFIG_BYTES_MAX);
    config_put(callbacks, &config);
    hob_assert(!config.overflowed);
    int os_errno = file_of_memory("hob-callbacks", buf_slice(&config), &fds[DELIVER_FD_CONFIG]);
    bool connected = os_errno == 0 && connect_child(callbacks, &fds[DELIVER_FD_CONTROL]) &&
                     connect_child(callbacks, &fds[DELIVER_FD_FETCH]);
    int code = connected ? child_spawn(callbacks, fds) : UV_EMFILE;
    callbacks->process.data = callbacks;
    if (connected) callbacks->state = CALLBACKS_RUNNING;
    for (size_t i = 0; i < DELIVER_FD_COUNT; i++) {
        if (i != DELIVER_FD_LOG && fds[i] >= 0) file_close(&fds[i]);
    }
    if (code == 0) {
        callbacks->started_ms = uv_now(net_loop(callbacks->server->net));
        log_info("delivering callbacks", log_i64("pid", callbacks->process.pid));
        return;
    }
    log_error("the runner of callbacks cannot be started", log_str("error", uv_strerror(code)));
    callbacks->state = CALLBACKS_RESTING;
    if (connected) {
        uv_close((uv_handle_t *)&callbacks->process, on_process_closed);
    } else {
        timer_set(callbacks, REST_MS_MAX);
    }
}

/* --- what the server tells it --- */

static void wake(struct callbacks *callbacks) {
    if (callbacks->state != CALLBACKS_OFF || callbacks->options.off) return;
    if (callbacks->server->host.is_stopping) return;
    callbacks->state = CALLBACKS_RESTING;
    timer_set(callbacks, 0); /* never from inside a turn */
}

/* Jobs that were there before this process was. */
static void callbacks_look(struct callbacks *callbacks) {
    struct queue_view queue;
    const struct engine *engine = space_engine(callbacks->server->space);
    if (!engine_queue(engine, SLICE(DELIVER_QUEUE), &queue)) return;
    if (queue.counts[JOB_AVAILABLE] > 0) wake(callbacks);
}

enum hob_status callbacks_open(struct server *server, struct hob_error *err) {
    struct callbacks *callbacks = &server->callbacks;
    callbacks->server = server;
    callbacks->options = server->options->callbacks;
    callbacks->rest_ms = REST_MS_MIN;
    int code = uv_timer_init(net_loop(server->net), &callbacks->timer);
    hob_assert(code == 0);
    callbacks->timer.data = callbacks;
    callbacks->is_open = true;
    enum hob_status status =
        callback_secret_load(server->options->data_path, callbacks->secret, err);
    if (status == HOB_OK) callbacks_look(callbacks);
    return status;
}

void callbacks_close(struct server *server) {
    struct callbacks *callbacks = &server->callbacks;
    if (callbacks->is_open) uv_close((uv_handle_t *)&callbacks->timer, NULL);
}

void callbacks_event(struct server *server, const struct event *event) {
    if (event->type != EVENT_STATE || event->state != JOB_AVAILABLE) return;
    if (slice_equal(event->queue, SLICE(DELIVER_QUEUE))) wake(&server->callbacks);
}

void callbacks_reload(struct server *server, const struct callbacks_options *options) {
    struct callbacks *callbacks = &server->callbacks;
    callbacks->options = *options;
    if (callbacks->state == CALLBACKS_RUNNING) {
        callbacks->changed = true;
        (void)uv_process_kill(&callbacks->process, SIGTERM);
    } else if (callbacks->state == CALLBACKS_OFF) {
        callbacks_look(callbacks);
    }
}

bool callbacks_end(struct server *server) {
    struct callbacks *callbacks = &server->callbacks;
    (void)uv_timer_stop(&callbacks->timer);
    if (callbacks->state == CALLBACKS_RESTING) {
        callbacks->state = CALLBACKS_OFF;
    }
    if (callbacks->state != CALLBACKS_RUNNING) return false;
    callbacks->state = CALLBACKS_ENDING;
    (void)uv_process_kill(&callbacks->process, SIGTERM);
    timer_set(callbacks, END_MS_MAX);
    return true;
}
