/* SPDX-License-Identifier: Apache-2.0 */
#include "config/value.h"

#include "base/assert.h"
#include "base/test.h"

static const char *variable(const char *name) {
    return strcmp(name, "CREDENTIALS_DIRECTORY") == 0 ? "/run/credentials/hob" : NULL;
}

struct row {
    enum setting_type type;
    const char *text;
    const char *kept; /* NULL: refused */
};

static const struct row rows[] = {
    {SETTING_TYPE_TEXT, "any text", "any text"},
    {SETTING_TYPE_TEXT, "", NULL},
    {SETTING_TYPE_PATH, "a/b", "/etc/hob/a/b"},
    {SETTING_TYPE_PATH, "/a/b", "/a/b"},
    {SETTING_TYPE_FILE, "key", "/etc/hob/key"},
    {SETTING_TYPE_FILE, "credential:key", "/run/credentials/hob/key"},
    {SETTING_TYPE_KEY_FILE, "credential:", NULL},
    {SETTING_TYPE_KEY_FILE, "credential:../key", NULL},
    {SETTING_TYPE_ADDRESS, "localhost:4620", "localhost:4620"},
    {SETTING_TYPE_ADDRESS, "[::1]:0", "[::1]:0"},
    {SETTING_TYPE_ADDRESS, "unix:/run/a b", "unix:/run/a b"},
    {SETTING_TYPE_ADDRESS, "unix:", NULL},
    {SETTING_TYPE_ADDRESS, "localhost", NULL},
    {SETTING_TYPE_ADDRESS, ":4620", NULL},
    {SETTING_TYPE_ADDRESS, "::1:4620", NULL},
    {SETTING_TYPE_ADDRESS, "[]:4620", NULL},
    {SETTING_TYPE_ADDRESS, "[::1]4620", NULL},
    {SETTING_TYPE_ADDRESS, "h:65536", NULL},
    {SETTING_TYPE_ADDRESS, "h:-1", NULL},
    {SETTING_TYPE_ADDRESS, "a b:1", NULL},
    {SETTING_TYPE_NAME, "mail/a.b", "mail/a.b"},
    {SETTING_TYPE_NAME, "-mail", NULL},
    {SETTING_TYPE_NUMBER, "5", "5"},
    {SETTING_TYPE_NUMBER, "4", NULL},
    {SETTING_TYPE_NUMBER, "2001", NULL},
    {SETTING_TYPE_NUMBER, "05", NULL},
    {SETTING_TYPE_SPAN, "1000ns", "1us"},
    {SETTING_TYPE_SPAN, "2001ns", NULL},
    {SETTING_TYPE_SPAN, "5", NULL},
    {SETTING_TYPE_SIZE, "1kB", "1000B"},
    {SETTING_TYPE_SIZE, "1024", "1KiB"},
    {SETTING_TYPE_SIZE, "2KiB", NULL},
    {SETTING_TYPE_BOOL, "true", "true"},
    {SETTING_TYPE_BOOL, "True", NULL},
    {SETTING_TYPE_CHOICE, "two", "two"},
    {SETTING_TYPE_CHOICE, "tw", NULL},
    {SETTING_TYPE_CHOICE, "one two", NULL},
};

TEST(each_type_takes_what_is_valid_and_keeps_it_in_one_spelling) {
    for (size_t i = 0; i < hob_countof(rows); i++) {
        struct arena arena = {0};
        struct setting setting = {
            .path = "a.b", .type = rows[i].type, .min = 5, .max = 2000, .value = "one two three"};
        struct value_reading reading = {
            .folder = "/etc/hob", .arena = &arena, .variable = variable};
        struct slice item = slice_str(rows[i].text);
        struct value value = {0};
        bool taken = value_read(&reading, &setting, &item, 1, &value);
        if (taken != (rows[i].kept != NULL)) CHECK_STR(rows[i].text, "taken or not");
        if (taken) CHECK_STR(value.words[0], rows[i].kept);
        if (!taken) CHECK(strstr(reading.why, "wanted: ") != NULL);
        arena_reset(&arena);
    }
}

TEST(a_list_of_a_flag_is_divided_by_commas) {
    struct arena arena = {0};
    struct setting setting = {.type = SETTING_TYPE_PATTERNS, .min = 1, .max = 3, .value = "NAME"};
    struct value_reading reading = {.arena = &arena};
    struct value value = {0};
    CHECK(value_read_text(&reading, &setting, "a,b,c", &value));
    CHECK_EQUAL(value.count, 3);
    CHECK_STR(value.words[2], "c");
    CHECK(value.words[3] == NULL);
    CHECK(value_read_text(&reading, &setting, "mail.*,!mail.slow,-?", &value));
    CHECK_STR(value.words[1], "!mail.slow");
    CHECK(!value_read_text(&reading, &setting, "a,!", &value));
    CHECK(!value_read_text(&reading, &setting, "a,-b", &value));
    CHECK(!value_read_text(&reading, &setting, "a,,c", &value));
    CHECK(!value_read_text(&reading, &setting, "a,b,c,d", &value));
    CHECK_STR(reading.why, "wanted: a list of 1 to 3");
    CHECK_EQUAL(value.count, 3);
    arena_reset(&arena);
}

TEST(a_choice_is_a_number) {
    struct setting setting = {.type = SETTING_TYPE_CHOICE, .value = "one two three"};
    uint64_t at = 9;
    CHECK(setting_choice(&setting, SLICE("three"), &at));
    CHECK_EQUAL(at, 2);
    CHECK(!setting_choice(&setting, SLICE(""), &at));
}

TEST(all_rows_make_sense) {
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings[i];
        char wanted[200];
        setting_wanted(setting, wanted, sizeof wanted);
        CHECK(wanted[0] != '\0');
        CHECK(strchr(setting->path, '.') != NULL);
        CHECK(strlen(setting->path) < 60);
        CHECK(setting->variable == NULL || strncmp(setting->variable, "HOB_", 4) == 0);
        CHECK(setting->min <= setting->max);
        for (unsigned j = 0; j < i; j++) {
            CHECK(strcmp(settings[j].path, setting->path) != 0);
            if (setting->variable == NULL || settings[j].variable == NULL) continue;
            CHECK(strcmp(settings[j].variable, setting->variable) != 0);
        }
    }
}

TESTS(
    each_type_takes_what_is_valid_and_keeps_it_in_one_spelling,
    a_list_of_a_flag_is_divided_by_commas,
    a_choice_is_a_number,
    all_rows_make_sense
)
