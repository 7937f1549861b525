/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h" /* before test.h: cmocka has a fail(), too */
#include "base/test.h"
#include "cli/cli.h"

static bool is_phrase(const char *text) {
    size_t size = strlen(text);
    return size > 0 && !(text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z') &&
           text[size - 1] != '.' && text[size - 1] != '\n';
}

static bool is_name(const char *text) {
    return text[0] >= 'a' && text[0] <= 'z' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz-") == strlen(text);
}

TEST(every_command_is_told_about_in_a_phrase) {
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *command = cli_command_at(i);
        CHECK(is_phrase(command->summary));
        CHECK(cli_command_find(command->name) == command);
        CHECK(command->args_min <= command->args_max);
        CHECK(command->args_max <= CLI_ARGS_MAX);
        /* What takes words says which. */
        CHECK((command->args_max > 0) == (command->synopsis[0] != '\0') || command->args_max == 0);
        if (command->examples != NULL) CHECK(strncmp(command->examples, " ", 1) != 0);
    }
}

TEST(every_option_is_told_about_and_means_one_thing) {
    for (size_t i = 0; i < cli_command_count(); i++) {
        const struct cli_command *command = cli_command_at(i);
        for (size_t k = 0; k < cli_option_count(command); k++) {
            const struct cli_option *option = cli_option_at(command, k);
            CHECK(is_name(option->name));
            CHECK(is_phrase(option->help));
            CHECK(option->letter != cli_help_option.letter);
            CHECK(option->value != NULL || (option->choices == NULL && !option->list));
            for (size_t other = k + 1; other < cli_option_count(command); other++) {
                const struct cli_option *second = cli_option_at(command, other);
                CHECK(strcmp(option->name, second->name) != 0);
                CHECK(option->letter == 0 || option->letter != second->letter);
            }
        }
    }
}

TEST(a_command_of_two_words_has_a_head) {
    for (size_t i = 0; i < cli_command_count(); i++) {
        const char *space = strchr(cli_command_at(i)->name, ' ');
        if (space == NULL) continue;
        char head[40] = "";
        memcpy(head, cli_command_at(i)->name, (size_t)(space - cli_command_at(i)->name));
        CHECK(cli_command_find(head) != NULL);
        CHECK(cli_command_is_inside(cli_command_at(i), cli_command_find(head)));
        CHECK(strchr(space + 1, ' ') == NULL);
    }
}

TEST(another_word_leads_to_a_command_and_hides_none) {
    for (size_t i = 0; i < cli_alias_count; i++) {
        const struct cli_alias *alias = &cli_aliases[i];
        const struct cli_command *command = cli_command_find(alias->command);
        CHECK(command != NULL);
        CHECK(cli_command_find(alias->word) == NULL);
        bool known = alias->option == NULL;
        for (size_t k = 0; !known && k < cli_option_count(command); k++) {
            known = strcmp(alias->option + 2, cli_option_at(command, k)->name) == 0;
        }
        CHECK(known);
    }
}

TEST(a_command_is_picked_by_one_word_or_two) {
    size_t used = 0;
    CHECK_STR(cli_command_pick("queues", "set", &used)->name, "queues set");
    CHECK_EQUAL(used, 2);
    CHECK_STR(cli_command_pick("queues", "mail", &used)->name, "queues");
    CHECK_EQUAL(used, 1);
    CHECK_STR(cli_command_pick("get", NULL, &used)->name, "get");
    CHECK(cli_command_pick("nothing", "set", &used) == NULL);
    CHECK(cli_command_pick("queues set", NULL, &used) == NULL);
}

TEST(a_slip_finds_the_command_that_was_meant) {
    CHECK_STR(cli_command_nearest("psuh", NULL), "push");
    CHECK_STR(cli_command_nearest("enqueu", NULL), "enqueue");
    CHECK_STR(cli_command_nearest("sett", cli_command_find("queues")), "set");
    CHECK(cli_command_nearest("zzzzz", NULL) == NULL);
}

/* --- parsing --- */

static bool parse(struct cli *cli, const char *command, const char **words, size_t count) {
    *cli = (struct cli){.command = cli_command_find(command)};
    return cli_parse(cli, words, count);
}

TEST(options_stand_anywhere_and_in_every_form) {
    struct cli cli;
    const char *words[] = {"-d", "5m", "mail", "--key=k=1", "send", "-p10", "-w", "--", "-1"};
    CHECK(parse(&cli, "push", words, hob_countof(words)));
    CHECK_EQUAL(cli.arg_count, 3);
    CHECK_STR(cli.args[0], "mail");
    CHECK_STR(cli.args[1], "send");
    CHECK_STR(cli.args[2], "-1");
    CHECK_STR(cli_value(&cli, "delay"), "5m");
    CHECK_STR(cli_value(&cli, "key"), "k=1");
    CHECK_STR(cli_value(&cli, "priority"), "10");
    CHECK_STR(cli_value(&cli, "wait"), "");
    CHECK(!cli_has(&cli, "ref"));
}

TEST(letters_share_a_hyphen) {
    struct cli cli;
    const char *words[] = {"-qn5"};
    CHECK(parse(&cli, "ls", words, 1));
    CHECK(cli.quiet);
    CHECK_STR(cli_value(&cli, "limit"), "5");
    const char *equals[] = {"-n=7", "-ojson"};
    CHECK(parse(&cli, "ls", equals, 2));
    CHECK_STR(cli_value(&cli, "limit"), "7");
    CHECK(cli.json);
}

TEST(a_list_goes_out_as_one_word_each) {
    struct cli cli;
    const char *words[] = {"--state", "running,available"};
    CHECK(parse(&cli, "ls", words, 2));
    struct cli_request request = {0};
    cli_request_options(&request, &cli);
    CHECK_EQUAL(request.count, 4);
    CHECK(slice_equal(request.words[0], SLICE("STATE")));
    CHECK(slice_equal(request.words[1], SLICE("running")));
    CHECK(slice_equal(request.words[3], SLICE("available")));
}

TEST(what_is_wrong_is_usage) {
    static const struct {
        const char *command;
        const char *words[3];
        size_t count;
    } wrong[] = {
        {"ls", {"--state", "rnning"}, 2},
        {"ls", {"--state", "running,"}, 2},
        {"ls", {"--limit"}, 1},
        {"ls", {"--quiet=yes"}, 1},
        {"ls", {"--frobnicate"}, 1},
        {"ls", {"-x"}, 1},
        {"ls", {"word"}, 1},
        {"get", {"1", "2"}, 2},
        {"get", {NULL}, 0},
        {"queues", {"sett"}, 1},
        {"queues set", {"q", "--order", "up"}, 3},
    };
    for (size_t i = 0; i < hob_countof(wrong); i++) {
        struct cli cli;
        const char *words[3];
        memcpy(words, wrong[i].words, sizeof words);
        CHECK(!parse(&cli, wrong[i].command, words, wrong[i].count));
        CHECK_EQUAL(cli.exit_code, 2);
    }
}

TESTS(
    every_command_is_told_about_in_a_phrase,
    every_option_is_told_about_and_means_one_thing,
    a_command_of_two_words_has_a_head,
    another_word_leads_to_a_command_and_hides_none,
    a_command_is_picked_by_one_word_or_two,
    a_slip_finds_the_command_that_was_meant,
    options_stand_anywhere_and_in_every_form,
    letters_share_a_hyphen,
    a_list_goes_out_as_one_word_each,
    what_is_wrong_is_usage
)
