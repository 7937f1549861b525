/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of doc/guide/configuration.md, from the rows that read the file. */
#include <stdio.h>

#include "config/show.h"

/* The value of a setting as the reference writes it. */
static void put_value(struct buf *out, const struct setting *setting) {
    if (setting->type == SETTING_TYPE_BOOL) {
        (void)buf_put_str(out, "true, false");
    } else if (setting->type == SETTING_TYPE_CHOICE) {
        for (const char *c = setting->value; *c != '\0'; c++) {
            (void)(*c == ' ' ? buf_put_str(out, ", ") : buf_put_char(out, *c));
        }
    } else if (setting_is_list(setting)) {
        (void)buf_printf(out, "[%s, …]", setting->value);
    } else {
        (void)buf_put_str(out, setting->value);
    }
}

/* In a table a bar would end the cell. */
static void put_cell(struct buf *out, const char *text) {
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '|') (void)buf_put_char(out, '\\');
        (void)buf_put_char(out, *c);
    }
}

static void put_row(struct buf *out, const struct setting *setting) {
    (void)buf_printf(out, "| `%s` | `", setting->path);
    put_value(out, setting);
    (void)buf_printf(out, "` | %s | ", setting->help);
    if (setting->fallback != NULL) (void)buf_printf(out, "`%s`", setting->fallback);
    (void)buf_put_str(out, " | ");
    if (setting->flag != NULL) (void)buf_printf(out, "`--%s`", setting->flag);
    (void)buf_put_str(out, " | ");
    if (setting->variable != NULL) (void)buf_printf(out, "`%s`", setting->variable);
    const char *change = setting->change == SETTING_RELOADS ? "reload" : "restart";
    (void)buf_printf(out, " | %s |\n", change);
}

static void
put_keys(struct buf *out, const char *title, const struct yaml_key *keys, size_t count) {
    (void)buf_printf(out, "\n%s\n\n| key | value | what it is |\n|---|---|---|\n", title);
    for (size_t i = 0; i < count; i++) {
        const char *help = keys[i].help == NULL ? "" : keys[i].help;
        (void)buf_printf(out, "| `%s` | `", keys[i].name);
        put_cell(out, keys[i].value == NULL ? "…" : keys[i].value);
        (void)buf_put_str(out, "` | ");
        put_cell(out, help);
        (void)buf_printf(out, "%s |\n", keys[i].required ? "; required" : "");
    }
}

void config_reference(struct config_readers readers, struct buf *out) {
    static const char *const titles[] = {
        "| setting | value | what it is | default | flag | variable | changes with |",
        "|---|---|---|---|---|---|---|",
    };
    (void)buf_printf(out, "%s\n%s\n", titles[0], titles[1]);
    for (unsigned i = 0; i < SETTING_COUNT; i++) put_row(out, &settings[i]);
    size_t count = 0;
    const struct yaml_key *keys = queue_keys(&count);
    put_keys(out, "`queues: {NAME: {…}}`, each a queue:", keys, count);
    keys = limiter_keys(&count);
    put_keys(
        out,
        "`limiters: {NAME: {…}}`, each a limiter, or with * or ? in its name a rule:",
        keys,
        count
    );
    for (size_t i = 0; i < readers.count; i++) {
        const struct kind_reader *reader = readers.items[i];
        char title[200] = "`kinds: {NAME: {…}}`, a kind that is run by a program:";
        if (reader->key != NULL) {
            (void)snprintf(title, sizeof title, "`kinds: {NAME: {%s: {…}}}`:", reader->key);
        }
        put_keys(out, title, reader->keys, reader->key_count);
    }
}
