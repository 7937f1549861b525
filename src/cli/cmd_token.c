/* SPDX-License-Identifier: Apache-2.0 */
/* `hob token …` and `hob audit`. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/print.h"

int cmd_token_create(struct cli *cli) {
    struct cli_request request = {0};
    hob_ns expires = 0;
    if (!cli_has(cli, "scope")) return cli_usage(cli, "--scope is missing: what may it do?");
    if (!cli_span(cli, "expires", &expires)) return cli->exit_code;
    cli_word(&request, "TOKEN");
    cli_word(&request, "CREATE");
    cli_word(&request, cli->args[0]);
    cli_request_options(&request, cli);
    cli_request_by(&request, cli);
    const struct resp_node *reply = cli_ask(cli, &request, 0);
    if (reply == NULL) return cli->exit_code;
    if (cli->json) {
        HOB_AUTO_BUF struct buf out = buf_make(1024);
        struct json_put put = json_put_to(&out);
        json_put_object(&put);
        json_put_key(&put, "name");
        json_put_str(&put, cli->args[0]);
        json_put_key(&put, "token");
        json_put_text(&put, reply->text);
        json_put_object_end(&put);
        (void)buf_put_char(&out, '\n');
        return cli_flush(&out) ? 0 : 1;
    }
    (void)printf("%.*s\n", SLICE_ARG(reply->text));
    (void)fprintf(stderr, "Keep it: it is not shown again.\n");
    return 0;
}

int cmd_token_ls(struct cli *cli) {
    static const struct cli_column columns[] = {
        {"name", "NAME", COLUMN_TEXT},
        {"scopes", "SCOPES", COLUMN_WORD},
        {"queues", "QUEUES", COLUMN_TEXT},
        {"created_at", "CREATED", COLUMN_WORD},
        {"expires_at", "EXPIRES", COLUMN_WORD},
        {"used_at", "USED", COLUMN_WORD},
        {"by", "BY", COLUMN_SPARSE},
    };
    struct cli_request request = {0};
    cli_word(&request, "TOKEN");
    cli_word(&request, "LIST");
    const struct resp_node *rows = cli_ask(cli, &request, 0);
    if (rows == NULL) return cli->exit_code;
    return cli_print_rows(cli, rows, columns, hob_countof(columns));
}

int cmd_token_revoke(struct cli *cli) {
    struct cli_request request = {0};
    cli_word(&request, "TOKEN");
    cli_word(&request, "REVOKE");
    cli_word(&request, cli->args[0]);
    if (cli_has(cli, "force")) cli_word(&request, "FORCE");
    if (cli_ask(cli, &request, 0) == NULL) return cli->exit_code;
    (void)fprintf(stderr, "token %s: revoked\n", cli->args[0]);
    return 0;
}

/* --- audit --- */

enum { OUT_BYTES_MAX = 64 * 1024 * 1024 };

static struct slice member(struct json_value object, const char *name, struct buf *room) {
    struct json_walk walk = json_walk(object);
    struct slice key;
    struct json_value value;
    while (json_next_member(&walk, &key, &value)) {
        struct slice text = value.raw;
        if (!json_key_is(key, slice_str(name))) continue;
        if (value.type == JSON_IS_STRING && !json_text(value, room, &text)) continue;
        return text;
    }
    return SLICE_NONE;
}

/* One line for people; a field that would fake another is escaped where it was written. */
static void put_line(struct buf *out, struct slice line) {
    static const char *const names[] = {
        "at", "who", "from", "what", "job", "queue", "token", "by", "why", "result"};
    struct json_value object;
    struct json_error error;
    if (!json_parse(line, &object, &error) || object.type != JSON_IS_OBJECT) return;
    HOB_AUTO_BUF struct buf room = buf_make(line.size + 1);
    (void)buf_reserve(&room, line.size + 1);
    for (size_t i = 0; i < hob_countof(names); i++) {
        struct slice text = member(object, names[i], &room);
        if (i > 0) (void)buf_put_char(out, '\t');
        for (size_t k = 0; k < text.size; k++) {
            unsigned char c = (unsigned char)text.bytes[k];
            bool is_control = c < ' ' || c == 0x7f;
            (void)buf_put(out, is_control ? "?" : text.bytes + k, 1);
        }
    }
    (void)buf_put_char(out, '\n');
}

int cmd_audit(struct cli *cli) {
    uint64_t limit = 100;
    if (!cli_number(cli, "limit", 1, 10000, &limit)) return cli->exit_code;
    char count[24];
    (void)snprintf(count, sizeof count, "%llu", (unsigned long long)limit);
    struct cli_request request = {0};
    cli_word(&request, "AUDIT");
    cli_word(&request, "COUNT");
    cli_word(&request, count);
    cli_request_options(&request, cli);
    const struct resp_node *lines = cli_ask(cli, &request, 0);
    if (lines == NULL) return cli->exit_code;
    HOB_AUTO_BUF struct buf out = buf_make(OUT_BYTES_MAX);
    const struct resp_node *line = lines->children_count == 0 ? NULL : resp_first(lines);
    for (size_t i = 0; i < lines->children_count; i++) {
        if (cli->json) {
            (void)buf_put_slice(&out, line->text);
            (void)buf_put_char(&out, '\n');
        } else {
            put_line(&out, line->text);
        }
        line = resp_next(line);
    }
    return cli_flush(&out) ? 0 : 1;
}
