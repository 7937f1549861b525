/* SPDX-License-Identifier: Apache-2.0 */
/* A client is a link that comes and goes, a line of requests that wait for their replies, and one
 * timer with one meaning per state:
 *
 *        client_open          connected            HELLO answered
 *     ───> CONNECTING ─────────> GREETING ────────────> READY
 *              │  ^                 │                     │        the timer means
 *              │  └──── timer ───┐  │                     │        CONNECTING, GREETING  too slow
 *              v                 │  v                     v        READY                 look at
 *                                the
 *           ended, with reconnect: AWAY <── ended, too slow               first open request
 *           without: OVER                                           AWAY                  try again
 *
 * Replies come in order, so the first open request alone can be late. Callbacks may close the
 * client: it is freed by the loop, never below its own calls. */
#include "client/client.h"

#include <stdlib.h>

#include "base/assert.h"
#include "client/link.h"

enum {
    AWAY_MS_MIN = 100,
    AWAY_MS_MAX = 5000,
    LATE_LOOK_MS = 500,
    QUEUE_FIRST = 16,
};

#define CONNECT_TIMEOUT_DEFAULT_NS (5 * NS_PER_SECOND)
#define REPLY_TIMEOUT_DEFAULT_NS   (30 * NS_PER_SECOND)

enum client_state { CONNECTING, GREETING, READY, AWAY, OVER };

struct pending {
    client_reply_fn *fn;
    void *context;
    uint64_t timeout_ms;
};

struct client {
    struct mem mem;
    struct client_options options;
    enum client_state state;
    struct link *link; /* NULL while AWAY and OVER */
    struct resp_reply_parser parser;
    uv_timer_t timer;
    struct pending *queue; /* a ring: open requests, oldest first */
    size_t queue_capacity; /* a power of two */
    size_t queue_first;
    size_t queue_count;
    uint64_t last_reply_ms; /* or when the first open request was made, if later */
    uint64_t away_ms;       /* how long to stay away next time */
    bool late;              /* the first open request was, at the last look */
    bool timer_closed;
    bool closed; /* by the user */
};

static void client_connect(struct client *client);

static uint64_t now_ms(const struct client *client) {
    return uv_now(client->options.loop);
}

static void queue_put(struct client *client, struct pending pending) {
    if (client->queue_count == client->queue_capacity) {
        size_t old = client->queue_capacity;
        size_t capacity = old == 0 ? QUEUE_FIRST : old * 2;
        struct pending *queue = mem_alloc(&client->mem, capacity * sizeof *queue);
        for (size_t i = 0; i < client->queue_count; i++) {
            queue[i] = client->queue[(client->queue_first + i) & (old - 1)];
        }
        mem_free(&client->mem, client->queue, old * sizeof *queue);
        client->queue = queue;
        client->queue_capacity = capacity;
        client->queue_first = 0;
    }
    size_t at = (client->queue_first + client->queue_count) & (client->queue_capacity - 1);
    client->queue[at] = pending;
    client->queue_count++;
}

static struct pending queue_take(struct client *client) {
    hob_assert(client->queue_count > 0);
    struct pending pending = client->queue[client->queue_first];
    client->queue_first = (client->queue_first + 1) & (client->queue_capacity - 1);
    client->queue_count--;
    return pending;
}

static void client_free_if_done(struct client *client) {
    if (!client->closed || !client->timer_closed) return;
    resp_reply_parser_deinit(&client->parser);
    mem_free(&client->mem, client->queue, client->queue_capacity * sizeof *client->queue);
    free(client);
}

static void link_gone(struct client *client) {
    if (client->link != NULL) link_close(client->link);
    client->link = NULL;
    (void)uv_timer_stop(&client->timer);
}

static void on_timer(uv_timer_t *timer);

/* The connection is over: tell every open request, then the user, then try again if wanted. */
static void client_lose(struct client *client, const struct hob_error *why) {
    link_gone(client);
    client->state = client->options.reconnect ? AWAY : OVER;
    while (client->queue_count > 0 && !client->closed) {
        struct pending pending = queue_take(client);
        if (pending.fn != NULL) pending.fn(pending.context, NULL, SLICE_NONE);
    }
    if (client->closed) return;
    if (client->state == AWAY) {
        /* Half of it is random, so that a thousand workers do not come back in step. */
        uint64_t random = uv_hrtime() / 1000 % (client->away_ms / 2 + 1);
        uint64_t wait_ms = client->away_ms / 2 + random;
        (void)uv_timer_start(&client->timer, on_timer, wait_ms, 0);
        client->away_ms *= 2;
        if (client->away_ms > AWAY_MS_MAX) client->away_ms = AWAY_MS_MAX;
    }
    const struct client_events *events = &client->options.events;
    if (events->lost != NULL) events->lost(events->context, why);
}

void client_drop(struct client *client, const char *why) {
    if (client->link == NULL) return;
    struct hob_error error;
    const char *address = client->options.address.text;
    (void)fail(&error, HOB_UNREACHABLE, "the connection to %s is given up: %s", address, why);
    client_lose(client, &error);
}

/* A reply may be here already and only not read: the program may have done something else for long,
 * and timers come before input. So a late request is given up when it is late at a second look. */
static void late_look(struct client *client) {
    bool late = client->queue_count > 0 && now_ms(client) - client->last_reply_ms >
                                               client->queue[client->queue_first].timeout_ms;
    if (late && client->late) {
        client_drop(client, "no reply in time");
    } else {
        client->late = late;
    }
}

static void on_timer(uv_timer_t *timer) {
    struct client *client = timer->data;
    switch (client->state) {
    case AWAY:
        client_connect(client);
        break;
    case CONNECTING:
    case GREETING:
        client_drop(client, "no answer in time. Is a Hob server listening there?");
        break;
    case READY:
        late_look(client);
        break;
    case OVER:
        break;
    }
}

static void not_let_in(struct client *client, const struct resp_node *node) {
    struct hob_error why;
    const char *hint = client->options.address.token == NULL
                           ? "Give one by HOB_TOKEN, HOB_TOKEN_FILE or --token-file"
                           : "It was shown the token of HOB_TOKEN, HOB_TOKEN_FILE or --token-file";
    struct slice said = node->text;
    if (said.size > 100) said.size = 100;
    const char *address = client->options.address.text;
    (void
    )fail(&why, HOB_NOT_ALLOWED, "%s lets nobody in: %.*s. %s", address, SLICE_ARG(said), hint);
    client_lose(client, &why);
}

static void on_greeted(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct client *client = context;
    if (node == NULL) return;
    struct slice server = node->type == RESP_MAP ? reply_text(node, "server") : SLICE_NONE;
    if (reply_is_error(node, "NOAUTH") || reply_is_error(node, "WRONGPASS")) {
        not_let_in(client, node);
        return;
    }
    if (!slice_equal(server, SLICE("hob"))) {
        struct hob_error why;
        struct slice said = node->type == RESP_FAILURE ? node->text : server;
        if (said.size > 100) said.size = 100;
        (void)fail(
            &why,
            HOB_UNREACHABLE,
            "what listens at %s is no Hob server (it says `%.*s`). Check --server, or HOB_SERVER",
            client->options.address.text,
            SLICE_ARG(said)
        );
        client_lose(client, &why);
        return;
    }
    client->state = READY;
    client->late = false;
    client->away_ms = AWAY_MS_MIN;
    (void)uv_timer_start(&client->timer, on_timer, LATE_LOOK_MS, LATE_LOOK_MS);
    const struct client_events *events = &client->options.events;
    if (events->ready != NULL) events->ready(events->context);
}

static void request_send(
    struct client *client, const struct slice *args, size_t count, struct pending pending
) {
    if (client->queue_count == 0) client->last_reply_ms = now_ms(client);
    queue_put(client, pending);
    resp_put_request(link_output(client->link), args, count);
    link_send(client->link);
}

static void on_connected(void *context) {
    struct client *client = context;
    client->state = GREETING;
    const char *token = client->options.address.token;
    const struct slice hello[] = {
        SLICE("HELLO"), SLICE("3"), SLICE("AUTH"), SLICE("default"), slice_str(token)};
    struct pending pending = {.fn = on_greeted, .context = client, .timeout_ms = UINT64_MAX};
    request_send(client, hello, token == NULL ? 2 : hob_countof(hello), pending);
}

/* One reply from the front of the input: to the request that has waited longest, or an event. */
static void reply_give(struct client *client, const struct resp_reply *reply, struct slice raw) {
    const struct client_events *events = &client->options.events;
    if (reply->nodes[0].type == RESP_PUSH) {
        if (events->pushed != NULL) events->pushed(events->context, reply->nodes);
        return;
    }
    if (client->queue_count == 0) {
        client_drop(client, "it answers what was not asked");
        return;
    }
    client->last_reply_ms = now_ms(client);
    client->late = false;
    struct pending pending = queue_take(client);
    if (pending.fn != NULL) pending.fn(pending.context, reply->nodes, raw);
}

static void replies_read(struct client *client) {
    struct link *link = client->link;
    struct buf *input = link_input(link);
    while (input->size > 0) {
        struct resp_reply reply;
        enum resp_reply_result result = resp_reply_parse(&client->parser, buf_slice(input), &reply);
        if (result == RESP_REPLY_NEED_MORE) return;
        if (result == RESP_REPLY_BROKEN) {
            client_drop(client, "it does not answer as a Hob server does");
            return;
        }
        reply_give(client, &reply, slice_of(input->bytes, reply.size_bytes));
        if (client->closed || client->link != link) return;
        buf_consume(input, reply.size_bytes);
    }
}

static void on_received(void *context) {
    replies_read(context);
}

static void on_ended(void *context, const struct hob_error *why) {
    client_lose(context, why);
}

static void client_connect(struct client *client) {
    hob_assert(client->link == NULL);
    struct link_events events = {
        .context = client,
        .connected = on_connected,
        .received = on_received,
        .ended = on_ended,
    };
    resp_reply_parser_deinit(&client->parser);
    resp_reply_parser_init(&client->parser, &client->mem, RESP_REPLY_LIMITS_DEFAULT);
    client->state = CONNECTING;
    const struct client_options *options = &client->options;
    if (options->fd == 0) {
        client->link = link_open(options->loop, &options->address, &events);
    } else {
        client->link = link_adopt(options->loop, options->fd, &options->address, &events);
        on_connected(client);
    }
    uint64_t timeout_ms = client->options.connect_timeout_ns / NS_PER_MS;
    (void)uv_timer_start(&client->timer, on_timer, timeout_ms, 0);
}

struct client *client_open(const struct client_options *options) {
    struct client *client = calloc(1, sizeof *client);
    hob_assert(client != NULL);
    client->options = *options;
    if (options->connect_timeout_ns == 0) {
        client->options.connect_timeout_ns = CONNECT_TIMEOUT_DEFAULT_NS;
    }
    if (options->fd != 0) client->options.reconnect = false;
    client->away_ms = AWAY_MS_MIN;
    int code = uv_timer_init(options->loop, &client->timer);
    hob_assert(code == 0);
    client->timer.data = client;
    resp_reply_parser_init(&client->parser, &client->mem, RESP_REPLY_LIMITS_DEFAULT);
    uv_update_time(options->loop);
    client_connect(client);
    return client;
}

bool client_is_ready(const struct client *client) {
    return client->state == READY;
}

void client_request(
    struct client *client,
    const struct slice *args,
    size_t count,
    hob_ns timeout_ns,
    client_reply_fn *fn,
    void *context
) {
    hob_assert(client->state == READY);
    hob_assert(!client->closed);
    if (timeout_ns == 0) timeout_ns = REPLY_TIMEOUT_DEFAULT_NS;
    struct pending pending = {.fn = fn, .context = context, .timeout_ms = timeout_ns / NS_PER_MS};
    request_send(client, args, count, pending);
}

size_t client_open_requests(const struct client *client) {
    return client->queue_count;
}

size_t client_unsent_bytes(const struct client *client) {
    return client->link == NULL ? 0 : link_unsent_bytes(client->link);
}

static void on_timer_closed(uv_handle_t *handle) {
    struct client *client = handle->data;
    client->timer_closed = true;
    client_free_if_done(client);
}

void client_close(struct client *client) {
    if (client == NULL) return;
    hob_assert(!client->closed);
    client->closed = true;
    client->state = OVER;
    link_gone(client);
    uv_close((uv_handle_t *)&client->timer, on_timer_closed);
}
