/* SPDX-License-Identifier: Apache-2.0 */
/* Hob's native protocol (doc/protocol/resp.md). A consumer fetches up to --inflight jobs with one
 * FETCH, and finishes them with one MACK that leaves together with the next FETCH. */
#include <stdio.h>

#include "base/assert.h"
#include "load.h"

enum { IDS_MAX = 1000, DIGITS_MAX = 24 };

/* A request is an array of bulk strings. */
static void put_head(struct buf *out, uint64_t count) {
    (void)buf_put_char(out, '*');
    (void)buf_put_u64(out, count);
    (void)buf_put_str(out, "\r\n");
}

static void put_word(struct buf *out, struct slice word) {
    (void)buf_put_char(out, '$');
    (void)buf_put_u64(out, word.size);
    (void)buf_put_str(out, "\r\n");
    (void)buf_put_slice(out, word);
    (void)buf_put_str(out, "\r\n");
}

static void put_number(struct buf *out, uint64_t number) {
    char digits[DIGITS_MAX];
    int size = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    put_word(out, slice_of(digits, (size_t)size));
}

static void resp_setup(struct load *load, struct connection *connection) {
    put_head(&connection->out, 1);
    put_word(&connection->out, SLICE("PING"));
    load_asked(load, connection, REQUEST_SETUP, 0);
}

static void resp_push(struct load *load, struct connection *connection, struct slice payload) {
    struct buf *out = &connection->out;
    put_head(out, 4);
    put_word(out, SLICE("PUSH"));
    put_word(out, slice_str(load->options.queue));
    put_word(out, SLICE("bench"));
    put_word(out, payload);
    load_asked(load, connection, REQUEST_PUSH, 0);
}

static void resp_fetch(struct load *load, struct connection *connection) {
    struct buf *out = &connection->out;
    char worker[40];
    (void)snprintf(worker, sizeof(worker), "load-%u", connection->number);
    put_head(out, 8);
    put_word(out, SLICE("FETCH"));
    put_word(out, slice_str(worker));
    put_word(out, SLICE("COUNT"));
    put_number(out, load->options.inflight);
    put_word(out, SLICE("WAIT"));
    put_number(out, 1000);
    put_word(out, SLICE("QUEUES"));
    put_word(out, slice_str(load->options.queue));
    load_asked(load, connection, REQUEST_FETCH, 0);
}

/* One element of a reply: a scalar, or the head of an array with @count elements to follow. */
struct element {
    char type;
    uint64_t count;
    struct slice text;
};

/* Read the element at *@at. False: not all of it is there. */
static bool next_element(struct slice bytes, size_t *at, struct element *ret_element) {
    const char *start = bytes.bytes + *at;
    const char *end = memchr(start, '\n', bytes.size - *at);
    if (end == NULL) return false;
    struct element element = {
        .type = start[0], .text = slice_of(start + 1, (size_t)(end - start) - 2)};
    size_t next = *at + (size_t)(end - start) + 1;
    bool has_count = element.type == '*' || element.type == '$';
    bool is_null = has_count && element.text.bytes[0] == '-';
    for (size_t i = 0; has_count && !is_null && i < element.text.size; i++) {
        element.count = element.count * 10 + (uint64_t)(element.text.bytes[i] - '0');
    }
    if (element.type == '$' && !is_null) {
        if (bytes.size - next < element.count + 2) return false;
        element.text = slice_of(bytes.bytes + next, element.count);
        next += element.count + 2;
        element.count = 0;
    }
    *at = next;
    *ret_element = element;
    return true;
}

/* The size of the whole reply at the start of @bytes; 0: not all of it is there. */
static size_t reply_size(struct slice bytes) {
    size_t at = 0;
    uint64_t wanted = 1;
    while (wanted > 0) {
        struct element element;
        if (at == bytes.size || !next_element(bytes, &at, &element)) return 0;
        wanted += element.count - 1;
    }
    return at;
}

/* A job is id, token, queue, kind, attempt, payload, and perhaps more. */
static void take_job(struct load *load, struct slice bytes, size_t *at, struct slice ids[2]) {
    struct element job;
    bool is_whole = next_element(bytes, at, &job);
    hob_assert(is_whole);
    uint64_t wanted = job.count;
    if (job.type != '*' || wanted < 6) {
        load_error(load, SLICE("a fetch answers something that is no job"));
        return;
    }
    for (uint64_t i = 0; i < wanted; i++) {
        struct element element;
        is_whole = next_element(bytes, at, &element);
        hob_assert(is_whole);
        wanted += element.count; /* nested ones are not looked at, only passed */
        if (i < 2) ids[i] = element.text;
        if (i == 5) load_fetched(load, element.text);
    }
}

static void take_jobs(struct load *load, struct connection *connection, struct slice bytes) {
    struct buf *out = &connection->out;
    struct slice ids[IDS_MAX][2];
    struct element list;
    size_t at = 0;
    bool is_whole = next_element(bytes, &at, &list);
    hob_assert(is_whole && list.count <= IDS_MAX);
    if (list.type != '*') {
        load_error(load, bytes);
        return;
    }
    for (uint64_t i = 0; i < list.count; i++) take_job(load, bytes, &at, ids[i]);
    if (list.count == 0) return;
    put_head(out, 1 + 2 * list.count);
    put_word(out, SLICE("MACK"));
    for (uint64_t i = 0; i < list.count; i++) {
        put_word(out, ids[i][0]);
        put_word(out, ids[i][1]);
    }
    load_asked(load, connection, REQUEST_FINISH, (uint32_t)list.count);
    resp_fetch(load, connection);
}

static void take_finished(struct load *load, const struct request *request, struct slice bytes) {
    struct element list;
    size_t at = 0;
    uint32_t good = 0;
    bool is_whole = next_element(bytes, &at, &list);
    hob_assert(is_whole);
    if (list.type != '*') load_error(load, bytes);
    for (uint64_t i = 0; i < list.count; i++) {
        struct element element;
        is_whole = next_element(bytes, &at, &element);
        hob_assert(is_whole);
        if (element.type == '-') {
            load_error(load, element.text);
        } else {
            good++;
        }
    }
    load_finished(load, request, good);
}

static size_t resp_reply(struct load *load, struct connection *connection) {
    struct slice bytes = buf_slice(&connection->in);
    size_t size = reply_size(bytes);
    if (size == 0) return 0;
    bytes.size = size;
    struct request request = load_replied(load, connection);
    bool is_error = bytes.bytes[0] == '-';
    if (is_error) {
        load_error(load, bytes);
    } else if (request.type == REQUEST_PUSH) {
        load_accepted(load, &request);
    } else if (request.type == REQUEST_FETCH) {
        take_jobs(load, connection, bytes);
    } else if (request.type == REQUEST_FINISH) {
        take_finished(load, &request, bytes);
    }
    return size;
}

const struct load_protocol load_resp = {
    .name = "resp",
    .fetches_many = true,
    .setup = resp_setup,
    .push = resp_push,
    .fetch = resp_fetch,
    .reply = resp_reply,
};
