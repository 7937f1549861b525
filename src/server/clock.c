/* SPDX-License-Identifier: Apache-2.0 */
/* The server's clock: what timekeeper.c makes of the system's clocks is told to the engine before
 * anything else of its time, and to people: in the log, in /metrics, in `hob stats`. */
#include "os/clock.h"

#include "base/assert.h"
#include "base/text.h"
#include "os/log.h"
#include "server/private.h"

enum { TIME_TEXT_MAX = 64, TICK_MS = TIMEKEEPER_TICK_NS / NS_PER_MS };

hob_ns server_now(const struct server *server) {
    return timekeeper_at(&server->timekeeper, clock_monotonic());
}

/* --- telling --- */

static struct slice time_text(struct buf *text, hob_ns time_ns) {
    buf_reset(text);
    (void)text_put_time(text, time_ns);
    return buf_slice(text);
}

static void tell_jump(const struct server *server, const struct clock_jump *jump) {
    HOB_AUTO_BUF struct buf text = buf_make(TIME_TEXT_MAX);
    log_warn(
        "the clock jumped: running jobs keep what was left of their leases and timeouts",
        log_str("cause", clock_cause_word(jump->cause)),
        log_ms("by_ms", jump->by_ns),
        log_text("now", time_text(&text, server->timekeeper.now_ns))
    );
}

/* By hours or by years, it is all the same to the engine, and not to people. */
static void tell_behind(const struct server *server) {
    const struct timekeeper *keeper = &server->timekeeper;
    HOB_AUTO_BUF struct buf wall = buf_make(TIME_TEXT_MAX);
    HOB_AUTO_BUF struct buf now = buf_make(TIME_TEXT_MAX);
    log_error(
        "THE WALL CLOCK STANDS BEHIND the time that was reached. Time does not go back: jobs go on "
        "by the later time, 5 % slower until the clock has caught up; set the clock if it is wrong",
        log_text("wall", time_text(&wall, keeper->last.wall_ns)),
        log_text("reached", time_text(&now, keeper->now_ns)),
        log_ms("ahead_ms", (hob_ns)timekeeper_ahead(keeper))
    );
}

static void tell(const struct server *server, const struct clock_news *news) {
    if (news->jump.by_ns > 0) tell_jump(server, &news->jump);
    if (news->falls_behind) tell_behind(server);
    if (news->catches_up) log_info("the wall clock has caught up with the time of jobs");
}

/* --- turns --- */

void server_clock_init(struct server *server) {
    struct clock_reading reading = clock_read_all();
    server->wall_ns = reading.wall_ns;
    server->monotonic_ns = reading.monotonic_ns;
    timekeeper_init(&server->timekeeper, &reading, 0);
}

void server_clock_reached(struct server *server, hob_ns reached_ns) {
    struct clock_reading reading = clock_read_all();
    struct clock_news news;
    timekeeper_init(&server->timekeeper, &reading, reached_ns);
    server->host.now_ns = timekeeper_turn(&server->timekeeper, &reading, &news);
    tell(server, &news);
}

hob_ns server_clock_turn(struct server *server, struct clock_news *ret_news) {
    struct clock_reading reading = clock_read_all();
    return timekeeper_turn(&server->timekeeper, &reading, ret_news);
}

void server_clock_news(struct server *server, const struct clock_news *news) {
    tell(server, news);
    if (news->jump.by_ns == 0) return;
    struct command command = {
        .type = COMMAND_CLOCK_JUMP,
        .clock_jump = {.by_ns = news->jump.by_ns, .cause = news->jump.cause},
    };
    if (command.clock_jump.by_ns > CLOCK_JUMP_MAX_NS) {
        command.clock_jump.by_ns = CLOCK_JUMP_MAX_NS;
    }
    struct answer answer;
    space_apply(server->space, &command, &answer);
    hob_assert(answer.code == ANSWER_OK);
}

/* A turn each second, so that a server that was stopped can be told from one that had nothing to
 * do. */
static void on_tick(uv_timer_t *timer) {
    struct server *server = timer->data;
    net_turn(server->net);
}

void server_clock_open(struct server *server) {
    (void)uv_timer_init(net_loop(server->net), &server->tick);
    server->tick.data = server;
    (void)uv_timer_start(&server->tick, on_tick, TICK_MS, TICK_MS);
}

void server_clock_close(struct server *server) {
    uv_close((uv_handle_t *)&server->tick, NULL);
}
