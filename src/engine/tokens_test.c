/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens as the engine keeps them. rig_end() proves that a replica which was told the effects only
 * has the same ones. */
#include "base/assert.h"
#include "base/status.h"
#include "base/test.h"
#include "engine/engine.h"
#include "engine/rig.h"

static const char hash[TOKEN_HASH_BYTES] = "0123456789abcdef0123456789abcde";

static struct command put_of(const char *name, uint32_t scopes) {
    struct command put = {.type = COMMAND_TOKEN_PUT};
    put.token_put.name = slice_str(name);
    put.token_put.hash = slice_of(hash, sizeof hash);
    put.token_put.scopes = scopes;
    return put;
}

static struct command drop_of(const char *name, bool force) {
    struct command drop = {.type = COMMAND_TOKEN_DROP};
    drop.token_drop.name = slice_str(name);
    drop.token_drop.force = force;
    return drop;
}

static struct command use_of(const char *name) {
    struct command use = {.type = COMMAND_TOKEN_USE};
    use.token_use.name = slice_str(name);
    return use;
}

TEST(the_first_token_must_be_able_to_make_others) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(rig_do(rig, put_of("app", TOKEN_PUSH)), ANSWER_CONFLICT);
    struct command brief = put_of("brief", TOKEN_ADMIN);
    brief.token_put.expires_ns = rig->now_ns + NS_PER_HOUR;
    CHECK_EQUAL(rig_do(rig, brief), ANSWER_CONFLICT);
    CHECK_EQUAL(rig_do(rig, put_of("root", TOKEN_ADMIN)), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, put_of("app", TOKEN_PUSH)), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, brief), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, put_of("app", TOKEN_READ)), ANSWER_EXISTS);
    rig_end(rig);
}

TEST(the_last_that_can_make_others_is_kept_unless_forced) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(rig_do(rig, put_of("root", TOKEN_ADMIN)), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, drop_of("root", false)), ANSWER_CONFLICT);
    CHECK_EQUAL(rig_do(rig, put_of("two", TOKEN_ADMIN)), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, drop_of("root", false)), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, drop_of("root", false)), ANSWER_NO_TOKEN);
    CHECK_EQUAL(rig_do(rig, drop_of("two", false)), ANSWER_CONFLICT);
    CHECK_EQUAL(rig_do(rig, drop_of("two", true)), ANSWER_OK);
    struct token_view view;
    CHECK(!engine_token_at(rig->engine, 0, &view));
    rig_end(rig);
}

TEST(a_token_is_seen_as_it_was_made) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(rig_do(rig, put_of("root", TOKEN_ADMIN)), ANSWER_OK);
    struct command put = put_of("app", TOKEN_PUSH | TOKEN_READ);
    put.token_put.queues = SLICE("mail.* sms-?");
    put.token_put.by = SLICE("ann");
    put.token_put.expires_ns = rig->now_ns + NS_PER_DAY;
    CHECK_EQUAL(rig_do(rig, put), ANSWER_OK);
    struct token_view view;
    CHECK(engine_token_at(rig->engine, 1, &view));
    CHECK(slice_equal(view.name, SLICE("app")));
    CHECK(slice_equal(view.queues, SLICE("mail.* sms-?")));
    CHECK(slice_equal(view.by, SLICE("ann")));
    CHECK(slice_equal(view.hash, slice_of(hash, sizeof hash)));
    CHECK_EQUAL(view.scopes, TOKEN_PUSH | TOKEN_READ);
    CHECK_EQUAL(view.created_ns, rig->now_ns);
    CHECK_EQUAL(view.expires_ns, rig->now_ns + NS_PER_DAY);
    CHECK_EQUAL(view.used_ns, 0);
    rig_end(rig);
}

TEST(a_use_is_written_down_once_an_hour) {
    struct rig *rig = rig_new();
    CHECK_EQUAL(rig_do(rig, put_of("root", TOKEN_ADMIN)), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, use_of("root")), ANSWER_OK);
    hob_ns first = rig->now_ns;
    struct token_view view;
    rig_advance(rig, TOKEN_USE_STEP_NS - 1);
    CHECK_EQUAL(rig_do(rig, use_of("root")), ANSWER_OK);
    CHECK(engine_token_at(rig->engine, 0, &view));
    CHECK_EQUAL(view.used_ns, first);
    rig_advance(rig, 1);
    CHECK_EQUAL(rig_do(rig, use_of("root")), ANSWER_OK);
    CHECK(engine_token_at(rig->engine, 0, &view));
    CHECK_EQUAL(view.used_ns, rig->now_ns);
    CHECK_EQUAL(rig_do(rig, use_of("nobody")), ANSWER_NO_TOKEN);
    rig_end(rig);
}

TEST(what_is_no_token_is_refused) {
    static const char *const bad_queues[] = {
        " ",
        "a ",
        " a",
        "a  b",
        "a,b",
        "a\nb",
        "[a]",
        "a b c d e f g h i j k l m n o p q",
    };
    struct rig *rig = rig_new();
    CHECK_EQUAL(rig_do(rig, put_of("root", TOKEN_ADMIN)), ANSWER_OK);
    CHECK_EQUAL(rig_do(rig, put_of("", TOKEN_PUSH)), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig_do(rig, put_of("a b", TOKEN_PUSH)), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig_do(rig, put_of("app", 0)), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig_do(rig, put_of("app", 1)), ANSWER_BAD_ARGUMENT);
    CHECK_EQUAL(rig_do(rig, put_of("app", 1u << 7)), ANSWER_BAD_ARGUMENT);
    struct command put = put_of("app", TOKEN_PUSH);
    put.token_put.hash.size--;
    CHECK_EQUAL(rig_do(rig, put), ANSWER_BAD_ARGUMENT);
    put = put_of("app", TOKEN_PUSH);
    put.token_put.expires_ns = rig->now_ns;
    CHECK_EQUAL(rig_do(rig, put), ANSWER_BAD_ARGUMENT);
    for (size_t i = 0; i < hob_countof(bad_queues); i++) {
        put = put_of("app", TOKEN_PUSH);
        put.token_put.queues = slice_str(bad_queues[i]);
        CHECK_EQUAL(rig_do(rig, put), ANSWER_BAD_ARGUMENT);
    }
    put = put_of("narrow", TOKEN_ADMIN);
    put.token_put.queues = SLICE("a*");
    CHECK_EQUAL(rig_do(rig, put), ANSWER_BAD_ARGUMENT);
    rig_end(rig);
}

TEST(there_is_an_end_to_tokens) {
    struct rig *rig = rig_new();
    char name[16] = "";
    for (unsigned i = 0; i < TOKENS_MAX; i++) {
        for (unsigned k = 0; k < 4; k++) name[k] = (char)('a' + (i >> (k * 4) & 15));
        CHECK_EQUAL(rig_do(rig, put_of(name, TOKEN_ADMIN)), ANSWER_OK);
    }
    CHECK_EQUAL(rig_do(rig, put_of("more", TOKEN_ADMIN)), ANSWER_LIMIT);
    rig_end(rig);
}

TESTS(
    the_first_token_must_be_able_to_make_others,
    the_last_that_can_make_others_is_kept_unless_forced,
    a_token_is_seen_as_it_was_made,
    a_use_is_written_down_once_an_hour,
    what_is_no_token_is_refused,
    there_is_an_end_to_tokens
)
