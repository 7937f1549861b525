/* SPDX-License-Identifier: Apache-2.0 */
/* Ids are gathered before anything is done to a job, so a wrong one is told before, and what a
 * filter finds is counted before. */
#include "cli/bulk_ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/progress.h"

enum { PAGE = 1000, LINE_MAX_BYTES = 64 };

void bulk_ids_deinit(struct bulk_ids *list) {
    free(list->ids);
    *list = (struct bulk_ids){0};
}

static bool add(struct cli *cli, struct bulk_ids *list, uint64_t id) {
    if (list->count == BULK_IDS_MAX) {
        cli->exit_code =
            cli_fail(HOB_FAILED, "more than %d jobs: do it in parts, with --limit", BULK_IDS_MAX);
        return false;
    }
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 1024 : list->capacity * 2;
        list->ids = reallocarray(list->ids, list->capacity, sizeof *list->ids);
        hob_assert(list->ids != NULL);
    }
    list->ids[list->count++] = id;
    return true;
}

static bool of_stdin(struct cli *cli, struct bulk_ids *list) {
    char line[LINE_MAX_BYTES];
    for (uint64_t number = 1; fgets(line, sizeof line, stdin) != NULL; number++) {
        struct slice word = slice_of(line, strcspn(line, " \t\r\n"));
        uint64_t id = 0;
        if (word.size == 0) continue;
        if (!text_u64(word, 1, INT64_MAX, &id)) {
            cli->exit_code = cli_usage(
                cli,
                "stdin, line %llu: `%.*s` is no id of a job; nothing was done",
                (unsigned long long)number,
                SLICE_ARG(word)
            );
            return false;
        }
        if (!add(cli, list, id)) return false;
    }
    if (ferror(stdin) == 0) return true;
    cli->exit_code = cli_fail(HOB_FAILED, "cannot read stdin; nothing was done");
    return false;
}

bool bulk_ids_of_words(struct cli *cli, struct bulk_ids *ret_list) {
    for (size_t i = 0; i < cli->arg_count; i++) {
        if (strcmp(cli->args[i], "-") == 0) {
            if (!of_stdin(cli, ret_list)) return false;
            continue;
        }
        struct slice word;
        uint64_t id = 0;
        if (!cli_id(cli, i, &word)) return false;
        bool parsed = text_u64(word, 1, INT64_MAX, &id);
        hob_assert(parsed);
        if (!add(cli, ret_list, id)) return false;
    }
    return true;
}

bool bulk_is_filtered(const struct cli *cli) {
    struct cli_request request = {0};
    cli_request_list(&request, cli, &cli_filter_options);
    return request.count > 0;
}

static void put_states(struct cli_request *request, const char *states) {
    for (const char *at = states; *at != '\0';) {
        size_t size = strcspn(at, ",");
        cli_word(request, "STATE");
        cli_word_slice(request, slice_of(at, size));
        at += size + (at[size] == ',');
    }
}

bool bulk_ids_of_filter(
    struct cli *cli, const char *states, uint64_t max, struct bulk_ids *ret_list
) {
    struct progress progress = progress_begin("jobs found", 0, cli->term.err && cli->term.smart);
    char before[24] = "0";
    do {
        char count[24];
        uint64_t left = max - ret_list->count;
        (void)snprintf(count, sizeof count, "%d", left < PAGE ? (int)left : PAGE);
        struct cli_request request = {0};
        cli_word(&request, "LS");
        cli_request_list(&request, cli, &cli_filter_options);
        if (!cli_has(cli, "state")) put_states(&request, states);
        cli_word(&request, "BEFORE");
        cli_word(&request, before);
        cli_word(&request, "COUNT");
        cli_word(&request, count);
        const struct resp_node *page = cli_ask(cli, &request, 0);
        if (page == NULL) return false;
        const struct resp_node *cursor = reply_item(page, 0);
        const struct resp_node *rows = reply_item(page, 1);
        hob_assert(cursor != NULL && rows != NULL);
        const struct resp_node *row = resp_first(rows);
        for (uint32_t i = 0; i < rows->children_count; i++, row = resp_next(row)) {
            if (!add(cli, ret_list, reply_u64(row, "id", 0))) return false;
        }
        (void)snprintf(before, sizeof before, "%.*s", SLICE_ARG(cursor->text));
        progress_tell(&progress, ret_list->count);
    } while (ret_list->count < max && strcmp(before, "0") != 0);
    progress_clear(&progress);
    return true;
}
