/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes that wait for their server: `hob push --spool DIR`, `hob push --retry SPAN`, and `hob
 * spool DIR`, which sends what is there. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/print.h"
#include "client/courier.h"
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

static bool has_key(const struct cli_request *request) {
    for (size_t i = 4; i + 1 < request->count; i++) {
        if (slice_equal(request->words[i], SLICE("KEY"))) return true;
    }
    return false;
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
    if (has_key(request)) return;
    courier_key(fixed->key);
    cli_word(request, "KEY");
    cli_word(request, fixed->key);
}

bool cli_courier(struct cli *cli, const char *spool, struct courier **ret_courier) {
    struct courier_options options = {.spool = spool};
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
    cli_request_fix(request, &fixed);
    if (!cli_courier(cli, spool, &courier)) return cli->exit_code;
    const struct resp_node *reply;
    struct hob_error err = {0};
    enum hob_status status = courier_push(courier, request->words, request->count, &reply, &err);
    int code = 0;
    if (status != HOB_OK) {
        code = cli_fail(status, "%s", err.text);
    } else if (reply == NULL) {
        (void)fprintf(stderr, "hob: the server is away: the push waits in %s\n", spool);
    } else {
        code = pushed(cli, reply);
    }
    courier_close(courier);
    return code;
}

int cmd_spool(struct cli *cli) {
    struct courier *courier;
    if (!cli_courier(cli, cli->args[0], &courier)) return cli->exit_code;
    struct courier_report report;
    struct hob_error err = {0};
    enum hob_status status = courier_send(courier, &report, &err);
    courier_close(courier);
    if (report.locked) {
        return cli_fail(HOB_CONFLICT, "another process is sending what is in %s", cli->args[0]);
    }
    HOB_AUTO_BUF struct buf out = buf_make(4096);
    struct json_put put = json_put_to(&out);
    if (cli->json) {
        json_put_object(&put);
        json_put_key(&put, "sent");
        json_put_u64(&put, report.sent);
        json_put_key(&put, "refused");
        json_put_u64(&put, report.refused);
        json_put_object_end(&put);
    } else {
        (void)buf_printf(&out, "%" PRIu64 " sent", report.sent);
        if (report.refused > 0) (void)buf_printf(&out, ", %" PRIu64 " refused", report.refused);
    }
    (void)buf_put_char(&out, '\n');
    bool told = cli_flush(&out);
    if (report.refused > 0) (void)fprintf(stderr, "hob: refused: %s\n", report.last);
    if (status != HOB_OK) return cli_fail(status, "%s", err.text);
    return told && report.refused == 0 ? 0 : status_exit_code(HOB_FAILED);
}
