/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes that wait for their server: `hob push --spool DIR`, `hob push --retry SPAN`, and `hob
 * spool DIR`, which sends what is there. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/print.h"
#include "client/courier.h"
#include "engine/states.h"
#include "os/clock.h"

/* A span that begins now becomes a point in time: the push may arrive tomorrow. */
static const struct {
    const char *span;
    const char *time;
} spans[CLI_FIXED_SPANS] = {{"DELAY", "AT"}, {"EXPIRESIN", "EXPIRES"}, {"DEADLINEIN", "DEADLINE"}};

_Static_assert((int)CLI_FIXED_KEY_BYTES >= (int)COURIER_KEY_BYTES, "a key has room");

static bool span_fix(struct slice *word, struct slice *value, size_t which, char *to) {
    hob_ns span;
    if (!text_duration(*value, NS_PER_MS, &span)) return false;
    HOB_AUTO_BUF struct buf time = buf_make(CLI_FIXED_TIME_BYTES);
    if (!text_put_time(&time, ns_add(clock_wall(), span))) return false;
    (void)snprintf(to, CLI_FIXED_TIME_BYTES, "%.*s", SLICE_ARG(buf_slice(&time)));
    *word = slice_str(spans[which].time);
    *value = slice_str(to);
    return true;
}

static struct slice key_of(const struct cli_request *request) {
    for (size_t i = 4; i + 1 < request->count; i++) {
        if (slice_equal(request->words[i], SLICE("KEY"))) return request->words[i + 1];
    }
    return SLICE_NONE;
}

/* The words behind PUSH, queue, kind and payload come as they were typed. What is no span stays,
 * and the server says so. */
void cli_request_fix(struct cli_request *request, struct cli_fixed *fixed) {
    for (size_t i = 4; i + 1 < request->count; i++) {
        for (size_t which = 0; which < hob_countof(spans); which++) {
            if (!slice_equal(request->words[i], slice_str(spans[which].span))) continue;
            struct slice *words = &request->words[i];
            (void)span_fix(&words[0], &words[1], which, fixed->times[which]);
        }
    }
    if (key_of(request).size > 0) return;
    courier_key(fixed->key);
    cli_word(request, "KEY");
    cli_word(request, fixed->key);
}

bool cli_names_are_valid(const struct cli_request *request, struct hob_error *err) {
    static const char *const sorts[] = {"queue", "kind"};
    for (size_t i = 0; i < hob_countof(sorts); i++) {
        struct slice name = request->words[i + 1];
        if (name_is_valid(name)) continue;
        size_t size = name.size < 60 ? name.size : 60;
        (void)fail(
            err, HOB_USAGE, "`%.*s`: the name of a %s " NAME_RULE, (int)size, name.bytes, sorts[i]
        );
        return false;
    }
    return true;
}

bool cli_courier(struct cli *cli, const char *spool, bool is_there, struct courier **ret_courier) {
    struct courier_options options = {.spool = spool, .spool_is_there = is_there};
    struct hob_error err = {0};
    if (!cli_span(cli, "retry", &options.patience_ns)) return false;
    const char *server = cli_server(cli);
    enum hob_status status = HOB_OK;
    if (!address_parse(slice_str(server), &options.address)) {
        status = fail(&err, HOB_USAGE, "`%s` is no address; wanted: HOST:PORT", server);
    }
    if (status == HOB_OK) status = cli_login_here(cli, &options.address, &err);
    if (status == HOB_OK) status = courier_open(&options, ret_courier, &err);
    if (status == HOB_OK) return true;
    cli->exit_code = cli_fail(status, "%s", err.text);
    return false;
}

void cli_tell_may_be_pushed(struct slice key) {
    if (key.size > 0) {
        (void)fprintf(
            stderr,
            "hob: it may have been pushed: push it again with --key %.*s, and it is one job\n",
            SLICE_ARG(key)
        );
    } else {
        (void)fprintf(
            stderr,
            "hob: it may have been pushed: look with `hob ls`. With --key KEY a second push is the "
            "same job, and --retry SPAN does that by itself\n"
        );
    }
}

int cli_push_certainly(
    struct cli *cli,
    struct cli_request *request,
    int (*pushed)(struct cli *cli, const struct resp_node *reply)
) {
    const char *spool = cli_value(cli, "spool");
    if (spool != NULL && cli_has(cli, "wait")) {
        return cli_usage(cli, "--spool and --wait: what is spooled has no end to wait for");
    }
    struct cli_fixed fixed;
    struct courier *courier;
    struct hob_error err = {0};
    cli_request_fix(request, &fixed);
    if (!cli_names_are_valid(request, &err)) return cli_fail(err.status, "%s", err.text);
    if (!cli_courier(cli, spool, false, &courier)) return cli->exit_code;
    const struct resp_node *reply;
    enum hob_status status = courier_push(courier, request->words, request->count, &reply, &err);
    int code = 0;
    if (status != HOB_OK) {
        code = cli_fail(status, "%s", err.text);
        if (courier_may_be_done(courier)) cli_tell_may_be_pushed(key_of(request));
    } else if (reply == NULL) {
        (void)fprintf(stderr, "hob: %s: the push waits in %s\n", courier_why(courier), spool);
    } else {
        code = pushed(cli, reply);
    }
    courier_close(courier);
    return code;
}

static bool spool_print(const struct cli *cli, const struct courier_report *report) {
    HOB_AUTO_BUF struct buf out = buf_make(4096);
    struct json_put put = json_put_to(&out);
    if (cli->json) {
        json_put_object(&put);
        json_put_key(&put, "sent");
        json_put_u64(&put, report->sent);
        json_put_key(&put, "refused");
        json_put_u64(&put, report->refused);
        json_put_key(&put, "waiting");
        json_put_u64(&put, report->waiting);
        json_put_object_end(&put);
    } else {
        (void)buf_printf(&out, "%" PRIu64 " sent", report->sent);
        if (report->refused > 0) (void)buf_printf(&out, ", %" PRIu64 " refused", report->refused);
        if (report->waiting > 0) (void)buf_printf(&out, ", %" PRIu64 " waiting", report->waiting);
    }
    (void)buf_put_char(&out, '\n');
    return cli_flush(&out);
}

int cmd_spool(struct cli *cli) {
    struct courier *courier;
    if (!cli_courier(cli, cli->args[0], true, &courier)) return cli->exit_code;
    struct courier_report report;
    struct hob_error err = {0};
    enum hob_status status = courier_send(courier, &report, &err);
    if (report.locked) {
        courier_close(courier);
        return cli_fail(HOB_CONFLICT, "another process is sending what is in %s", cli->args[0]);
    }
    bool told = spool_print(cli, &report);
    if (report.refused > 0) (void)fprintf(stderr, "hob: refused: %s\n", report.last);
    int code = told && report.refused == 0 ? 0 : status_exit_code(HOB_FAILED);
    if (status != HOB_OK) {
        code = cli_fail(status, "%s", err.text);
    } else if (report.waiting > 0) {
        int later = cli_fail(HOB_LATER, "%s; what is for it waits", courier_why(courier));
        if (code == 0) code = later;
    }
    courier_close(courier);
    return code;
}
