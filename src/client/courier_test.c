/* SPDX-License-Identifier: Apache-2.0 */
/* The spool on a real directory; what a server does with it is tests/e2e/test_spool.py. */
#include "client/courier.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "client/spool.h"

static char directory[64];

static struct spool *spool_make(void) {
    (void)snprintf(directory, sizeof directory, "/tmp/hob-spool-XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
    struct spool *spool;
    struct hob_error err;
    CHECK_EQUAL(spool_open(directory, false, &spool, &err), HOB_OK);
    return spool;
}

static void put(struct spool *spool, const char *payload) {
    struct hob_error err;
    const struct slice words[] = {SLICE("PUSH"), SLICE("q"), SLICE("k"), slice_str(payload)};
    CHECK_EQUAL(spool_put(spool, words, 4, &err), HOB_OK);
}

/* The payload of the first request; empty: there is none. */
static enum hob_status
first(struct spool *spool, char name[SPOOL_NAME_BYTES_MAX], char *payload, size_t size) {
    struct buf bytes = buf_make(1 << 20);
    struct slice words[SPOOL_WORDS_MAX];
    size_t count;
    struct hob_error err;
    spool_begin(spool);
    enum hob_status status = spool_next(spool, name, &bytes, words, &count, &err);
    payload[0] = '\0';
    if (count == 4) (void)snprintf(payload, size, "%.*s", SLICE_ARG(words[3]));
    buf_deinit(&bytes);
    return status;
}

static void spool_clear(struct spool *spool) {
    spool_close(spool);
    char command[128];
    (void)snprintf(command, sizeof command, "%s/LOCK", directory);
    (void)unlink(command);
    (void)rmdir(directory);
}

TEST(what_is_put_first_comes_first_and_is_gone_when_done) {
    struct spool *spool = spool_make();
    struct hob_error err;
    char name[SPOOL_NAME_BYTES_MAX];
    char payload[32];
    CHECK_EQUAL(first(spool, name, payload, sizeof payload), HOB_OK);
    CHECK_STR(name, "");
    put(spool, "one");
    put(spool, "two");
    put(spool, "three");
    const char *const wanted[] = {"one", "two", "three"};
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQUAL(first(spool, name, payload, sizeof payload), HOB_OK);
        CHECK_STR(payload, wanted[i]);
        CHECK_EQUAL(spool_done(spool, name, false, &err), HOB_OK);
    }
    CHECK_EQUAL(first(spool, name, payload, sizeof payload), HOB_OK);
    CHECK_STR(name, "");
    spool_clear(spool);
}

TEST(what_is_not_whole_is_refused_and_put_aside) {
    struct spool *spool = spool_make();
    struct hob_error err;
    char name[SPOOL_NAME_BYTES_MAX];
    char payload[32];
    put(spool, "one");
    CHECK_EQUAL(first(spool, name, payload, sizeof payload), HOB_OK);
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    CHECK_EQUAL(truncate(path, 9), 0);
    CHECK_EQUAL(first(spool, name, payload, sizeof payload), HOB_CORRUPT);
    CHECK_EQUAL(spool_done(spool, name, true, &err), HOB_OK);
    CHECK_EQUAL(first(spool, name, payload, sizeof payload), HOB_OK);
    CHECK_STR(name, "");
    (void)snprintf(path, sizeof path, "%s/%s.refused", directory, name);
    spool_close(spool);
}

TEST(one_sends_at_a_time) {
    struct spool *spool = spool_make();
    struct spool *other;
    struct hob_error err;
    CHECK_EQUAL(spool_open(directory, false, &other, &err), HOB_OK);
    CHECK(spool_lock(spool));
    CHECK(spool_lock(spool));
    CHECK(!spool_lock(other));
    spool_close(spool);
    CHECK(spool_lock(other));
    spool_clear(other);
}

TEST(without_a_server_a_push_goes_to_the_spool_or_fails) {
    struct spool *spool = spool_make();
    struct hob_error err;
    struct courier_options options = {.spool = directory};
    CHECK(address_parse(SLICE("127.0.0.1:1"), &options.address)); /* nobody listens there */
    struct courier *courier;
    char key[COURIER_KEY_BYTES];
    courier_key(key);
    const struct slice words[] = {
        SLICE("PUSH"), SLICE("q"), SLICE("k"), SLICE("null"), SLICE("KEY"), slice_str(key)};
    const struct resp_node *reply;
    CHECK_EQUAL(courier_open(&options, &courier, &err), HOB_OK);
    CHECK_EQUAL(courier_push(courier, words, 6, &reply, &err), HOB_OK);
    CHECK(reply == NULL);
    courier_close(courier);
    char name[SPOOL_NAME_BYTES_MAX];
    char payload[32];
    CHECK_EQUAL(first(spool, name, payload, sizeof payload), HOB_OK);
    CHECK(name[0] != '\0');
    CHECK_EQUAL(spool_done(spool, name, false, &err), HOB_OK);
    options.spool = NULL;
    CHECK_EQUAL(courier_open(&options, &courier, &err), HOB_OK);
    CHECK_EQUAL(courier_push(courier, words, 6, &reply, &err), HOB_UNREACHABLE);
    courier_close(courier);
    spool_clear(spool);
}

TESTS(
    what_is_put_first_comes_first_and_is_gone_when_done,
    what_is_not_whole_is_refused_and_put_aside,
    one_sends_at_a_time,
    without_a_server_a_push_goes_to_the_spool_or_fails
)
