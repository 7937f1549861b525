/* SPDX-License-Identifier: Apache-2.0 */
/* beanstalkd's protocol (its doc/protocol.txt, version 1.12). It has no bulk commands: a consumer
 * keeps --inflight reserves under way, and each delete leaves together with the next reserve. */
#include <stdio.h>

#include "load.h"

enum { SECONDS_TO_RUN = 300 };

static void beanstalkd_setup(struct load *load, struct connection *connection) {
    if (connection->is_producer) {
        (void)buf_printf(&connection->out, "use %s\r\n", load->options.queue);
    } else {
        (void)buf_printf(&connection->out, "watch %s\r\n", load->options.queue);
    }
    load_asked(load, connection, REQUEST_SETUP, 0);
}

static void
beanstalkd_push(struct load *load, struct connection *connection, struct slice payload) {
    struct buf *out = &connection->out;
    (void)buf_printf(out, "put 1024 0 %d %zu\r\n", SECONDS_TO_RUN, payload.size);
    (void)buf_put_slice(out, payload);
    (void)buf_put_str(out, "\r\n");
    load_asked(load, connection, REQUEST_PUSH, 0);
}

static void beanstalkd_fetch(struct load *load, struct connection *connection) {
    (void)buf_put_str(&connection->out, "reserve-with-timeout 1\r\n");
    load_asked(load, connection, REQUEST_FETCH, 0);
}

static bool begins(struct slice line, struct slice word) {
    return line.size >= word.size && memcmp(line.bytes, word.bytes, word.size) == 0;
}

/* RESERVED <id> <bytes>\r\n<data>\r\n: the size of all that; 0: not all of it is there. */
static size_t take_job(struct load *load, struct connection *connection, struct slice line) {
    struct slice bytes = buf_slice(&connection->in);
    size_t at = sizeof("RESERVED ") - 1;
    size_t id_size = 0;
    while (at + id_size < line.size && line.bytes[at + id_size] != ' ') id_size++;
    size_t payload_size = 0;
    for (size_t i = at + id_size + 1; i < line.size; i++) {
        payload_size = payload_size * 10 + (size_t)(line.bytes[i] - '0');
    }
    size_t whole = line.size + 2 + payload_size + 2;
    if (bytes.size < whole) return 0;
    (void)load_replied(load, connection);
    load_fetched(load, slice_of(bytes.bytes + line.size + 2, payload_size));
    (void)buf_put_str(&connection->out, "delete ");
    (void)buf_put_slice(&connection->out, slice_of(line.bytes + at, id_size));
    (void)buf_put_str(&connection->out, "\r\n");
    load_asked(load, connection, REQUEST_FINISH, 1);
    if (load_wants_fetch(load, connection)) beanstalkd_fetch(load, connection);
    return whole;
}

static size_t beanstalkd_reply(struct load *load, struct connection *connection) {
    struct slice bytes = buf_slice(&connection->in);
    const char *end = memchr(bytes.bytes, '\n', bytes.size);
    if (end == NULL) return 0;
    struct slice line = slice_of(bytes.bytes, (size_t)(end - bytes.bytes) - 1);
    if (begins(line, SLICE("RESERVED "))) return take_job(load, connection, line);
    struct request request = load_replied(load, connection);
    if (request.type == REQUEST_PUSH && begins(line, SLICE("INSERTED "))) {
        load_accepted(load, &request);
    } else if (request.type == REQUEST_FINISH && begins(line, SLICE("DELETED"))) {
        load_finished(load, &request, 1);
    } else if (request.type == REQUEST_PUSH || request.type == REQUEST_FINISH) {
        load_error(load, line);
    }
    return line.size + 2;
}

const struct load_protocol load_beanstalkd = {
    .name = "beanstalkd",
    .fetches_many = false,
    .setup = beanstalkd_setup,
    .push = beanstalkd_push,
    .fetch = beanstalkd_fetch,
    .reply = beanstalkd_reply,
};
