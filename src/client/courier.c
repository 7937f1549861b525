/* SPDX-License-Identifier: Apache-2.0 */
/* Each try is one session; one that broke is never used again. Between tries the wait doubles from
 * 50 ms to 2 s, half of it random, so that many do not come back in step.
 *
 * A queue that is full is held: its pushes stay in the spool or go there, in their order, until the
 * spool is looked through again. That is done before a push, but not more often than so that it
 * takes a small part of the time: a spool may hold many that wait. */
#include "client/courier.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "client/reply.h"
#include "client/spool.h"
#include "os/clock.h"
#include "os/entropy.h"

enum { WAIT_MS_MIN = 50, WAIT_MS_MAX = 2000, SPOOLED_BYTES_MAX = 80 * 1024 * 1024, LOOK_PART = 10 };

struct courier {
    struct courier_options options;
    struct session *session; /* NULL: none, or it broke */
    struct spool *spool;     /* NULL: none */
    struct buf bytes;        /* of a spooled push */
    bool may_be_done;
    hob_ns look_at;     /* then the spool is looked through again, if queues are held */
    struct slice *held; /* queues that are full; their names are our own */
    size_t held_count;
    char why[320];
};

const char *courier_why(const struct courier *courier) {
    return courier->why;
}

bool courier_may_be_done(const struct courier *courier) {
    return courier->may_be_done;
}

static bool is_held(const struct courier *courier, struct slice queue) {
    for (size_t i = 0; i < courier->held_count; i++) {
        if (slice_equal(courier->held[i], queue)) return true;
    }
    return false;
}

static void why_full(struct courier *courier) {
    hob_assert(courier->held_count > 0);
    struct slice first = courier->held[0];
    if (courier->held_count == 1) {
        (void)snprintf(courier->why, sizeof courier->why, "queue %.*s is full", SLICE_ARG(first));
    } else {
        (void)snprintf(
            courier->why,
            sizeof courier->why,
            "queue %.*s and %zu more are full",
            SLICE_ARG(first),
            courier->held_count - 1
        );
    }
}

static void hold(struct courier *courier, struct slice queue) {
    if (!is_held(courier, queue)) {
        char *name = malloc(queue.size);
        courier->held = reallocarray(courier->held, courier->held_count + 1, sizeof *courier->held);
        hob_assert(name != NULL && courier->held != NULL);
        memcpy(name, queue.bytes, queue.size); /* a slice has no end that strndup may look for */
        courier->held[courier->held_count++] = slice_of(name, queue.size);
    }
    why_full(courier);
}

static void hold_none(struct courier *courier) {
    for (size_t i = 0; i < courier->held_count; i++) free((char *)courier->held[i].bytes);
    courier->held_count = 0;
}

void courier_key(char to[COURIER_KEY_BYTES]) {
    uint64_t random[2];
    entropy_fill(random, sizeof random);
    (void)snprintf(to, COURIER_KEY_BYTES, "hob-%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}

enum hob_status courier_open(
    const struct courier_options *options, struct courier **ret_courier, struct hob_error *err
) {
    struct spool *spool = NULL;
    if (options->spool != NULL) {
        enum hob_status status = spool_open(options->spool, !options->spool_is_there, &spool, err);
        if (status != HOB_OK) return status;
    }
    struct courier *courier = calloc(1, sizeof *courier);
    hob_assert(courier != NULL);
    courier->options = *options;
    courier->spool = spool;
    courier->bytes = buf_make(SPOOLED_BYTES_MAX);
    *ret_courier = courier;
    return HOB_OK;
}

void courier_close(struct courier *courier) {
    if (courier == NULL) return;
    session_close(courier->session);
    spool_close(courier->spool);
    buf_deinit(&courier->bytes);
    hold_none(courier);
    free(courier->held);
    free(courier);
}

static void wait_ms(uint64_t ms) {
    uv_sleep((unsigned)ms);
}

/* One try: connect if need be, ask. */
static enum hob_status try_once(
    struct courier *courier,
    const struct slice *words,
    size_t count,
    const struct resp_node **ret_reply,
    struct hob_error *err
) {
    if (courier->session == NULL) {
        enum hob_status status =
            session_open_at(&courier->options.address, 0, &courier->session, err);
        if (status != HOB_OK) {
            courier->session = NULL;
            return status;
        }
    }
    enum hob_status status = session_call(courier->session, words, count, 0, ret_reply, err);
    if (status == HOB_UNREACHABLE) {
        courier->may_be_done = true;
        session_close(courier->session);
        courier->session = NULL;
    }
    return status;
}

static enum hob_status try_until(
    struct courier *courier,
    const struct slice *words,
    size_t count,
    const struct resp_node **ret_reply,
    struct hob_error *err
) {
    hob_ns end = ns_add(clock_monotonic(), courier->options.patience_ns);
    uint64_t next_ms = WAIT_MS_MIN;
    for (;;) {
        enum hob_status status = try_once(courier, words, count, ret_reply, err);
        if (status != HOB_UNREACHABLE || clock_monotonic() >= end) return status;
        wait_ms(next_ms / 2 + entropy_u64() % (next_ms / 2 + 1));
        next_ms = next_ms * 2 < WAIT_MS_MAX ? next_ms * 2 : WAIT_MS_MAX;
    }
}

/* Did the server refuse it for good, so that another try is of no use? */
static bool is_refusal(enum hob_status status) {
    return status == HOB_FAILED || status == HOB_USAGE || status == HOB_NOT_FOUND ||
           status == HOB_CONFLICT;
}

static bool is_queue_full(enum hob_status status, const struct hob_error *err) {
    static const char word[] = "QUEUEFULL";
    return status == HOB_LATER && strncmp(err->text, word, sizeof word - 1) == 0;
}

/* The server is away or takes nothing. */
static void
why_not_now(struct courier *courier, enum hob_status status, const struct hob_error *why) {
    if (status == HOB_UNREACHABLE) {
        (void)snprintf(courier->why, sizeof courier->why, "the server is away");
    } else {
        (void)snprintf(courier->why, sizeof courier->why, "not now: %s", why->text);
    }
}

/* Send one that was spooled. HOB_OK: go on with the next. */
static enum hob_status send_one(
    struct courier *courier,
    const char *name,
    const struct slice *words,
    size_t count,
    struct courier_report *report,
    struct hob_error *err
) {
    if (count > 1 && is_held(courier, words[1])) {
        report->waiting++;
        return HOB_OK;
    }
    struct hob_error why = {0};
    enum hob_status status = HOB_CORRUPT;
    if (count > 0) status = try_until(courier, words, count, NULL, &why);
    if (count > 1 && is_queue_full(status, &why)) {
        hold(courier, words[1]);
        report->waiting++;
        return HOB_OK;
    }
    bool refused = status == HOB_CORRUPT || is_refusal(status);
    if (status != HOB_OK && !refused) {
        why_not_now(courier, status, &why);
        *err = why;
        return status;
    }
    /* One that is no request is told by who read it. */
    if (refused) {
        const char *told = count > 0 ? why.text : err->text;
        (void)snprintf(report->last, sizeof report->last, "%s", told);
    }
    status = spool_done(courier->spool, name, refused, err);
    if (status != HOB_OK) return status;
    report->sent += refused ? 0 : 1;
    report->refused += refused ? 1 : 0;
    return HOB_OK;
}

enum hob_status
courier_send(struct courier *courier, struct courier_report *ret_report, struct hob_error *err) {
    struct hob_error unread;
    if (err == NULL) err = &unread;
    *ret_report = (struct courier_report){0};
    hob_assert(courier->spool != NULL);
    if (!spool_lock(courier->spool)) {
        ret_report->locked = true;
        return HOB_OK;
    }
    hob_ns start = clock_monotonic();
    hold_none(courier);
    spool_begin(courier->spool);
    for (;;) {
        char name[SPOOL_NAME_BYTES_MAX];
        struct slice words[SPOOL_WORDS_MAX];
        size_t count;
        enum hob_status status =
            spool_next(courier->spool, name, &courier->bytes, words, &count, err);
        if (status == HOB_OK && name[0] == '\0') break;
        if (status == HOB_OK || status == HOB_CORRUPT) {
            status = send_one(courier, name, words, count, ret_report, err);
        }
        if (status != HOB_OK) return status;
    }
    hob_ns now = clock_monotonic();
    courier->look_at = ns_add(now, (now - start) * LOOK_PART);
    return HOB_OK;
}

/* Before a push: what waits goes first. */
static enum hob_status send_before(struct courier *courier, struct hob_error *err) {
    if (courier->held_count > 0 && clock_monotonic() < courier->look_at) return HOB_OK;
    struct courier_report report;
    return courier_send(courier, &report, err);
}

static enum hob_status
put(struct courier *courier, const struct slice *words, size_t count, struct hob_error *err) {
    if (!is_held(courier, words[1])) courier->look_at = 0;
    return spool_put(courier->spool, words, count, err);
}

static bool has_key(const struct slice *words, size_t count) {
    for (size_t i = 4; i + 1 < count; i++) {
        if (slice_equal_nocase(words[i], SLICE("KEY"))) return true;
    }
    return false;
}

enum hob_status courier_push(
    struct courier *courier,
    const struct slice *words,
    size_t count,
    const struct resp_node **ret_reply,
    struct hob_error *err
) {
    hob_assert(has_key(words, count));
    *ret_reply = NULL;
    if (courier->spool == NULL) return try_until(courier, words, count, ret_reply, err);
    struct hob_error why = {0};
    enum hob_status status = send_before(courier, &why);
    bool held = status == HOB_OK && is_held(courier, words[1]);
    if (status == HOB_OK && !held) status = try_until(courier, words, count, ret_reply, &why);
    if (!held && status != HOB_UNREACHABLE && status != HOB_LATER) {
        if (status != HOB_OK && err != NULL) *err = why;
        return status;
    }
    if (held) {
        why_full(courier);
    } else if (is_queue_full(status, &why)) {
        hold(courier, words[1]);
    } else {
        why_not_now(courier, status, &why);
    }
    *ret_reply = NULL;
    return put(courier, words, count, err);
}

/* MPUSH n, then queue kind payload optc options of each that is not held. */
static size_t list_request(
    const struct courier_item *items, size_t count, struct slice *words, char (*numbers)[12]
) {
    size_t at = 2;
    size_t sent = 0;
    for (size_t i = 0; i < count; i++) {
        const struct courier_item *item = &items[i];
        if (item->is_held) continue;
        sent++;
        (void)snprintf(numbers[sent], sizeof numbers[sent], "%zu", item->count - 4);
        for (size_t word = 1; word < 4; word++) words[at++] = item->words[word];
        words[at++] = slice_str(numbers[sent]);
        for (size_t word = 4; word < item->count; word++) words[at++] = item->words[word];
    }
    (void)snprintf(numbers[0], sizeof numbers[0], "%zu", sent);
    words[0] = SLICE("MPUSH");
    words[1] = slice_str(numbers[0]);
    return sent == 0 ? 0 : at;
}

/* No reply: all are held. */
static enum hob_status try_list(
    struct courier *courier,
    const struct courier_item *items,
    size_t count,
    const struct resp_node **ret_reply,
    struct hob_error *err
) {
    size_t room = 2;
    for (size_t i = 0; i < count; i++) room += items[i].count;
    struct slice *words = calloc(room, sizeof *words);
    char(*numbers)[12] = calloc(count + 1, sizeof *numbers);
    hob_assert(words != NULL && numbers != NULL);
    size_t size = list_request(items, count, words, numbers);
    hob_assert(size <= room);
    enum hob_status status = HOB_OK;
    if (size > 0) status = try_until(courier, words, size, ret_reply, err);
    free(words);
    free(numbers);
    return status;
}

/* Does the answer to one of the list say "not now"? Then why is known. */
static bool is_answer_for_now(
    struct courier *courier, const struct courier_item *item, const struct resp_node *node
) {
    struct hob_error why = {0};
    enum hob_status status = reply_status(node, &why);
    if (status != HOB_LATER) return false;
    if (is_queue_full(status, &why)) {
        hold(courier, item->words[1]);
    } else {
        why_not_now(courier, status, &why);
    }
    return true;
}

/* Take the answers, spool what has none. */
static enum hob_status take_answers(
    struct courier *courier,
    struct courier_item *items,
    size_t count,
    const struct resp_node *reply,
    struct hob_error *err
) {
    const struct resp_node *node = reply == NULL ? NULL : reply_item(reply, 0);
    for (size_t i = 0; i < count; i++) {
        const struct resp_node *own = items[i].is_held ? NULL : node;
        if (own != NULL) node = resp_next(node);
        bool waits = own == NULL;
        if (own != NULL && courier->spool != NULL) {
            waits = is_answer_for_now(courier, &items[i], own);
        }
        if (waits) {
            enum hob_status status = put(courier, items[i].words, items[i].count, err);
            if (status != HOB_OK) return status;
        } else {
            items[i].reply = own;
        }
    }
    return HOB_OK;
}

enum hob_status courier_push_list(
    struct courier *courier, struct courier_item *items, size_t count, struct hob_error *err
) {
    hob_assert(count > 0 && count <= COURIER_ITEMS_MAX);
    struct hob_error why = {0};
    enum hob_status status = HOB_OK;
    if (courier->spool != NULL) status = send_before(courier, &why);
    for (size_t i = 0; i < count; i++) {
        hob_assert(has_key(items[i].words, items[i].count));
        items[i].reply = NULL;
        items[i].is_held = status == HOB_OK && is_held(courier, items[i].words[1]);
        if (items[i].is_held) why_full(courier);
    }
    const struct resp_node *reply = NULL;
    if (status == HOB_OK) status = try_list(courier, items, count, &reply, &why);
    bool not_now = status == HOB_UNREACHABLE || status == HOB_LATER;
    if (status != HOB_OK && (courier->spool == NULL || !not_now)) {
        if (err != NULL) *err = why;
        return status;
    }
    if (not_now) {
        why_not_now(courier, status, &why);
        reply = NULL;
    }
    /* Who has waited for it once does not wait for it again with each list. */
    if (status == HOB_UNREACHABLE) courier->options.patience_ns = 0;
    return take_answers(courier, items, count, reply, err);
}
