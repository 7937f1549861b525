/* SPDX-License-Identifier: Apache-2.0 */
/* Every command and every route, asked by tokens of each scope. The rows come from the tables, so
 * that a new one is in here as soon as it exists. */
/* clang-format off */
#include "dialect/access.h"

#include "dialect/http/core.h" /* has a function fail(), cmocka a macro: so it comes first */
#include "dialect/resp/core.h"
/* clang-format on */

#include "base/assert.h"
#include "base/test.h"
#include "dialect/rig.h"

#define BEGINS(text, wanted) CHECK(strncmp((text), (wanted), strlen(wanted)) == 0)
#define HOLDS(text, wanted)  CHECK(strstr((text), (wanted)) != NULL)
#define LACKS(text, wanted)  CHECK(strstr((text), (wanted)) == NULL)

static struct access with(enum scope scope, const char *queues) {
    return (struct access){.scopes = 1u << scope, .queues = slice_str(queues)};
}

TEST(an_access_allows_its_scopes_on_its_queues) {
    struct access access = with(SCOPE_PUSH, "mail.* sms");
    CHECK(access_allows(&access, SCOPE_PUSH, SLICE("mail.out")));
    CHECK(access_allows(&access, SCOPE_PUSH, SLICE("sms")));
    CHECK(!access_allows(&access, SCOPE_PUSH, SLICE("smss")));
    CHECK(!access_allows(&access, SCOPE_PUSH, SLICE("mail")));
    CHECK(!access_allows(&access, SCOPE_READ, SLICE("sms")));
    CHECK(access_allows(&access, SCOPE_ANY, SLICE("sms")));
    CHECK(access_allows(&access, SCOPE_NONE, SLICE("sms")));
    CHECK(!access_is_for_all(&access));
}

TEST(nobody_is_refused_nothing_and_a_stranger_everything) {
    for (enum scope scope = SCOPE_ANY; scope < SCOPE_COUNT; scope++) {
        CHECK(access_allows(NULL, scope, SLICE("q")));
        CHECK(!access_has(&access_stranger, scope));
    }
    CHECK(access_has(&access_stranger, SCOPE_NONE));
    CHECK(access_is_stranger(&access_stranger));
    CHECK(!access_is_stranger(NULL));
}

TEST(an_admin_may_everything_and_read_all_needs_every_queue) {
    struct access admin = with(SCOPE_ADMIN, "");
    for (enum scope scope = SCOPE_NONE; scope < SCOPE_COUNT; scope++) {
        CHECK(access_allows(&admin, scope, SLICE("q")));
    }
    struct access some = with(SCOPE_READ, "a*");
    CHECK(!access_has(&some, SCOPE_READ_ALL));
    struct access all = with(SCOPE_READ, "a* *");
    CHECK(access_has(&all, SCOPE_READ_ALL));
    CHECK(access_is_for_all(&all));
}

TEST(scopes_have_words_of_their_own) {
    for (enum scope scope = SCOPE_PUSH; scope <= SCOPE_ADMIN; scope++) {
        CHECK_EQUAL(scope_by_word(slice_str(scope_word(scope))), scope);
    }
    CHECK_EQUAL(scope_by_word(SLICE("any")), SCOPE_NONE);
    CHECK_EQUAL(scope_by_word(SLICE("")), SCOPE_NONE);
    CHECK_EQUAL(scope_by_word(SLICE("pus")), SCOPE_NONE);
}

/* --- each command, each route --- */

/* As many arguments as the row asks for at least; most are not valid, but that is found later. */
static const char *ask_resp(struct rig_client *client, const struct resp_command *command) {
    const char *words[8] = {command->name.bytes};
    CHECK(command->min < 7);
    for (size_t i = 0; i < command->min; i++) words[i + 1] = "1";
    return rig_resp(client, words);
}

static void check_resp(const struct resp_command *command, const struct access *access) {
    struct rig rig;
    rig_init(&rig);
    struct rig_client *client = rig_connect(&rig, 0, &dialect_resp);
    client->session->access = access;
    const char *reply = ask_resp(client, command);
    bool refused = strncmp(reply, "-NOPERM", 7) == 0 || strncmp(reply, "-NOAUTH", 7) == 0;
    /* STATS of one queue takes `read`; alone, as here, it tells of all queues and takes more. */
    bool is_stats = slice_equal(command->name, SLICE("STATS"));
    enum scope scope = is_stats ? SCOPE_READ_ALL : command->scope;
    CHECK_EQUAL(refused, !access_has(access, scope));
    if (refused) CHECK_EQUAL(strncmp(reply, "-NOAUTH", 7) == 0, access_is_stranger(access));
    rig_deinit(&rig);
}

static void check_http(const struct http_route *route, const struct access *access) {
    static const char *const methods[] = {
        [HTTP_METHOD_GET] = "GET",
        [HTTP_METHOD_POST] = "POST",
        [HTTP_METHOD_PUT] = "PUT",
        [HTTP_METHOD_PATCH] = "PATCH",
        [HTTP_METHOD_DELETE] = "DELETE",
    };
    struct rig rig;
    rig_init(&rig);
    struct rig_client *client = rig_connect(&rig, 0, &dialect_http);
    client->session->access = access;
    char path[100] = "";
    CHECK(strlen(route->path) < sizeof path);
    memcpy(path, route->path, strlen(route->path) + 1);
    char *star = strchr(path, '*');
    if (star != NULL) *star = '1';
    bool has_body = route->body != BODY_NONE;
    const char *reply = rig_http(client, methods[route->method], path, has_body ? "{}" : NULL);
    const char *status = access_is_stranger(access) ? "HTTP/1.1 401" : "HTTP/1.1 403";
    CHECK_EQUAL(strncmp(reply, status, 12) == 0, !access_has(access, route->scope));
    if (strncmp(reply, "HTTP/1.1 401", 12) == 0) HOLDS(reply, "WWW-Authenticate: Bearer\r\n");
    rig_deinit(&rig);
}

TEST(every_command_and_route_asks_for_its_scope) {
    struct access of[SCOPE_READ_ALL + 1];
    const struct access *all[hob_countof(of) + 2] = {NULL, &access_stranger};
    size_t count = 2;
    for (enum scope scope = SCOPE_PUSH; scope <= SCOPE_READ_ALL; scope++) {
        bool narrow = scope == SCOPE_READ_ALL;
        of[scope] = with(narrow ? SCOPE_READ : scope, narrow ? "1 2" : "");
        all[count++] = &of[scope];
    }
    for (size_t at = 0; at < count; at++) {
        for (size_t i = 0; i < resp_command_count; i++) check_resp(&resp_commands[i], all[at]);
        for (size_t i = 0; i < http_route_count; i++) check_http(&http_routes[i], all[at]);
    }
}

/* What is open to strangers is little, and listed here once more. */
TEST(strangers_have_these_commands_and_no_others) {
    static const char *const open[] = {"PING", "HELLO", "AUTH", "RESET", "QUIT"};
    size_t found = 0;
    for (size_t i = 0; i < resp_command_count; i++) {
        if (resp_commands[i].scope != SCOPE_NONE) continue;
        CHECK(found < hob_countof(open));
        CHECK_STR(resp_commands[i].name.bytes, open[found++]);
    }
    CHECK_EQUAL(found, hob_countof(open));
    static const char *const open_paths[] = {
        "/livez", "/readyz", "/healthz", "/robots.txt", "/problems", "/problems/*"};
    for (size_t i = 0; i < http_route_count; i++) {
        bool is_open = false;
        for (size_t at = 0; at < hob_countof(open_paths); at++) {
            is_open = is_open || strcmp(http_routes[i].path, open_paths[at]) == 0;
        }
        CHECK_EQUAL(http_routes[i].scope == SCOPE_NONE, is_open);
    }
}

/* --- what a request touches --- */

/* Jobs 1 in own, 2 in foreign; client 0 may everything on own* only, client 1 everything. */
static void begin(struct rig *rig, struct rig_client **ret_own, struct rig_client **ret_owner) {
    static const struct access access = {
        .scopes = 1u << SCOPE_PUSH | 1u << SCOPE_WORK | 1u << SCOPE_READ | 1u << SCOPE_MANAGE,
        .queues = {.bytes = "own*", .size = 4},
    };
    rig_init(rig);
    *ret_own = rig_connect(rig, 0, &dialect_resp);
    (*ret_own)->session->access = &access;
    *ret_owner = rig_connect(rig, 1, &dialect_resp);
    CHECK_STR(RESP(*ret_owner, "PUSH", "own", "k", "mine", "REF", "r1"), ":1\r\n");
    CHECK_STR(RESP(*ret_owner, "PUSH", "foreign", "k", "theirs", "REF", "r2"), ":2\r\n");
}

TEST(a_queue_out_of_reach_is_refused_by_name) {
    struct rig rig;
    struct rig_client *own;
    struct rig_client *owner;
    begin(&rig, &own, &owner);
    CHECK_STR(RESP(own, "PUSH", "own.2", "k", ""), ":3\r\n");
    BEGINS(RESP(own, "PUSH", "foreign", "k", ""), "-NOPERM ");
    BEGINS(RESP(own, "PUSH", "new", "k", ""), "-NOPERM ");
    BEGINS(RESP(own, "FETCH", "w", "QUEUES", "own", "foreign"), "-NOPERM ");
    BEGINS(RESP(own, "PAUSE", "foreign"), "-NOPERM ");
    BEGINS(RESP(own, "RESUME", "foreign"), "-NOPERM ");
    BEGINS(RESP(own, "QUEUE", "foreign"), "-NOPERM ");
    BEGINS(RESP(own, "QUEUE", "none"), "-NOPERM ");
    BEGINS(RESP(own, "QUEUE", "foreign", "ORDER", "lifo"), "-NOPERM ");
    BEGINS(RESP(own, "MPUSH", "2", "own", "k", "", "0", "foreign", "k", "", "0"), "*2\r\n:4\r\n-N");
    rig_deinit(&rig);
}

TEST(a_job_out_of_reach_is_as_if_it_were_not) {
    struct rig rig;
    struct rig_client *own;
    struct rig_client *owner;
    begin(&rig, &own, &owner);
    static const char *const verbs[] = {"CANCEL", "DISCARD", "RETRY", "DELETE"};
    for (size_t i = 0; i < hob_countof(verbs); i++) {
        char none[200] = "";
        const char *reply = RESP(own, verbs[i], "77");
        CHECK(strlen(reply) < sizeof none);
        memcpy(none, reply, strlen(reply) + 1);
        CHECK_STR(RESP(own, verbs[i], "2"), none);
    }
    static const char *const readers[] = {"GET", "RESULT", "PAYLOAD"};
    for (size_t i = 0; i < hob_countof(readers); i++) {
        CHECK_STR(RESP(own, readers[i], "2"), "$-1\r\n");
    }
    CHECK_STR(RESP(own, "WAIT", "2", "60000"), "$-1\r\n");
    BEGINS(RESP(own, "LOGS", "2"), "-NOJOB ");
    CHECK_STR(RESP(own, "FIND", "r2"), "$-1\r\n");
    CHECK_STR(RESP(own, "FIND", "r1"), ":1\r\n");
    CHECK_STR(RESP(own, "PAYLOAD", "1"), "$4\r\nmine\r\n");
    HOLDS(RESP(owner, "GET", "2"), "available"); /* nothing of it came through */
    rig_deinit(&rig);
}

TEST(a_lease_out_of_reach_is_no_lease) {
    struct rig rig;
    struct rig_client *own;
    struct rig_client *owner;
    begin(&rig, &own, &owner);
    BEGINS(RESP(owner, "FETCH", "w", "QUEUES", "foreign"), "*1\r\n*6\r\n$1\r\n2\r\n$1\r\n1\r\n");
    BEGINS(RESP(own, "ACK", "2", "1"), "-NOJOB ");
    BEGINS(RESP(own, "FAIL", "2", "1", "no"), "-NOJOB ");
    BEGINS(RESP(own, "RELEASE", "2", "1"), "-NOJOB ");
    BEGINS(RESP(own, "EXTEND", "2", "1"), "-NOJOB ");
    BEGINS(RESP(own, "CHECKPOINT", "2", "1", "x"), "-NOJOB ");
    BEGINS(RESP(own, "PROGRESS", "2", "1", "50"), "-NOJOB ");
    BEGINS(RESP(own, "LOG", "2", "1", "LINES", "x"), "-NOJOB ");
    CHECK_STR(
        RESP(own, "MACK", "2", "1"),
        "*1\r\n-NOJOB there is no such job: it never was, or its "
        "time of keeping is over\r\n"
    );
    CHECK_STR(RESP(owner, "ACK", "2", "1"), "+OK\r\n");
    rig_deinit(&rig);
}

TEST(lists_show_what_is_in_reach) {
    struct rig rig;
    struct rig_client *own;
    struct rig_client *owner;
    begin(&rig, &own, &owner);
    LACKS(RESP(own, "LS"), "foreign");
    HOLDS(rig_text(own), "own");
    LACKS(RESP(own, "LS", "QUEUE", "foreign"), "foreign");
    BEGINS(RESP(own, "QUEUES"), "*1\r\n");
    LACKS(rig_text(own), "foreign");
    BEGINS(RESP(own, "QUEUES", "FROM", "1"), "*0\r\n");
    BEGINS(RESP(owner, "QUEUES", "FROM", "1"), "*1\r\n");
    struct rig_client *http = rig_connect(&rig, 2, &dialect_http);
    http->session->access = own->session->access;
    LACKS(rig_http(http, "GET", "/v1/jobs", NULL), "foreign");
    LACKS(rig_http(http, "GET", "/v1/queues", NULL), "foreign");
    BEGINS(rig_http(http, "GET", "/v1/jobs/2", NULL), "HTTP/1.1 404 ");
    BEGINS(rig_http(http, "GET", "/v1/queues/foreign", NULL), "HTTP/1.1 403 ");
    BEGINS(rig_http(http, "PATCH", "/v1/queues/foreign", "{}"), "HTTP/1.1 403 ");
    rig_deinit(&rig);
}

TEST(a_setting_needs_more_than_a_look) {
    struct rig rig;
    rig_init(&rig);
    struct rig_client *client = rig_connect(&rig, 0, &dialect_resp);
    struct access access = with(SCOPE_READ, "");
    client->session->access = &access;
    BEGINS(RESP(client, "QUEUE", "q"), "-NOQUEUE ");
    BEGINS(RESP(client, "QUEUE", "q", "ORDER", "lifo"), "-NOPERM ");
    BEGINS(RESP(client, "NOSUCH"), "-ERR ");
    client->session->access = &access_stranger;
    BEGINS(RESP(client, "NOSUCH"), "-NOAUTH ");
    rig_deinit(&rig);
}

TESTS(
    an_access_allows_its_scopes_on_its_queues,
    nobody_is_refused_nothing_and_a_stranger_everything,
    an_admin_may_everything_and_read_all_needs_every_queue,
    scopes_have_words_of_their_own,
    every_command_and_route_asks_for_its_scope,
    strangers_have_these_commands_and_no_others,
    a_queue_out_of_reach_is_refused_by_name,
    a_job_out_of_reach_is_as_if_it_were_not,
    a_lease_out_of_reach_is_no_lease,
    lists_show_what_is_in_reach,
    a_setting_needs_more_than_a_look
)
