/* SPDX-License-Identifier: Apache-2.0 */
/* Each try is one session; one that broke is never used again. Between tries the wait doubles from
 * 50 ms to 2 s, half of it random, so that many do not come back in step. */
#include "client/courier.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "client/reply.h"
#include "client/spool.h"
#include "os/clock.h"
#include "os/entropy.h"

enum { WAIT_MS_MIN = 50, WAIT_MS_MAX = 2000, SPOOLED_BYTES_MAX = 80 * 1024 * 1024 };

struct courier {
    struct courier_options options;
    struct session *session; /* NULL: none, or it broke */
    struct spool *spool;     /* NULL: none */
    struct buf bytes;        /* of a spooled push */
};

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
        enum hob_status status = spool_open(options->spool, &spool, err);
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

/* What says "not now": it stays where it is. */
static bool is_for_now(const struct hob_error *err) {
    static const char *const words[] = {"LIMIT", "MEMORY", "FULL", "QUEUEFULL"};
    for (size_t i = 0; err != NULL && i < hob_countof(words); i++) {
        if (strncmp(err->text, words[i], strlen(words[i])) == 0) return true;
    }
    return false;
}

enum hob_status
courier_send(struct courier *courier, struct courier_report *ret_report, struct hob_error *err) {
    *ret_report = (struct courier_report){0};
    hob_assert(courier->spool != NULL);
    if (!spool_lock(courier->spool)) {
        ret_report->locked = true;
        return HOB_OK;
    }
    for (;;) {
        char name[SPOOL_NAME_BYTES_MAX];
        struct slice words[SPOOL_WORDS_MAX];
        size_t count;
        enum hob_status status =
            spool_first(courier->spool, name, &courier->bytes, words, &count, err);
        if (status == HOB_OK && name[0] == '\0') return HOB_OK;
        struct hob_error why = {0};
        if (status == HOB_OK) status = try_until(courier, words, count, NULL, &why);
        if (status == HOB_CORRUPT) why = *err;
        bool refused = status == HOB_CORRUPT || (is_refusal(status) && !is_for_now(&why));
        if (status != HOB_OK && !refused) {
            if (err != NULL && why.status != HOB_OK) *err = why;
            return status;
        }
        if (refused) memcpy(ret_report->last, why.text, sizeof ret_report->last);
        status = spool_done(courier->spool, name, refused, err);
        if (status != HOB_OK) return status;
        ret_report->sent += refused ? 0 : 1;
        ret_report->refused += refused ? 1 : 0;
    }
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
    struct courier_report report;
    enum hob_status status = courier_send(courier, &report, err);
    if (status == HOB_OK) status = try_until(courier, words, count, ret_reply, err);
    /* What was spooled before may be stuck for now; this one then waits behind it. */
    if (status == HOB_OK || (*ret_reply == NULL && status != HOB_UNREACHABLE && !is_for_now(err))) {
        return status;
    }
    *ret_reply = NULL;
    return spool_put(courier->spool, words, count, err);
}

/* MPUSH n, then queue kind payload optc options of each. */
static size_t list_request(
    const struct courier_item *items, size_t count, struct slice *words, char (*numbers)[12]
) {
    size_t at = 0;
    (void)snprintf(numbers[0], sizeof numbers[0], "%zu", count);
    words[at++] = SLICE("MPUSH");
    words[at++] = slice_str(numbers[0]);
    for (size_t i = 0; i < count; i++) {
        const struct courier_item *item = &items[i];
        (void)snprintf(numbers[i + 1], sizeof numbers[i + 1], "%zu", item->count - 4);
        for (size_t word = 1; word < 4; word++) words[at++] = item->words[word];
        words[at++] = slice_str(numbers[i + 1]);
        for (size_t word = 4; word < item->count; word++) words[at++] = item->words[word];
    }
    return at;
}

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
    hob_assert(size == room);
    enum hob_status status = try_until(courier, words, size, ret_reply, err);
    free(words);
    free(numbers);
    return status;
}

static bool is_answer_for_now(const struct resp_node *node) {
    struct hob_error err = {0};
    return reply_status(node, &err) != HOB_OK && is_for_now(&err);
}

enum hob_status courier_push_list(
    struct courier *courier, struct courier_item *items, size_t count, struct hob_error *err
) {
    hob_assert(count > 0 && count <= COURIER_ITEMS_MAX);
    for (size_t i = 0; i < count; i++) {
        hob_assert(has_key(items[i].words, items[i].count));
        items[i].reply = NULL;
    }
    enum hob_status status = HOB_OK;
    const struct resp_node *reply = NULL;
    if (courier->spool != NULL) {
        struct courier_report report;
        status = courier_send(courier, &report, err);
    }
    if (status == HOB_OK) status = try_list(courier, items, count, &reply, err);
    bool may_wait = courier->spool != NULL && (status == HOB_UNREACHABLE || is_for_now(err));
    if (status != HOB_OK && !may_wait) return status;
    /* Who has waited for it once does not wait for it again with each list. */
    if (status == HOB_UNREACHABLE) courier->options.patience_ns = 0;
    const struct resp_node *node = status == HOB_OK ? reply_item(reply, 0) : NULL;
    for (size_t i = 0; i < count; i++) {
        const struct resp_node *own = node;
        if (node != NULL) node = resp_next(node);
        bool is_spooled = own == NULL || (courier->spool != NULL && is_answer_for_now(own));
        if (!is_spooled) {
            items[i].reply = own;
            continue;
        }
        status = spool_put(courier->spool, items[i].words, items[i].count, err);
        if (status != HOB_OK) return status;
    }
    return HOB_OK;
}
