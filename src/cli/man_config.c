/* SPDX-License-Identifier: Apache-2.0 */
/* hob.yaml(5): the page of the configuration file, out of the rows that read it. */
#include <string.h>

#include "cli/cli.h"
#include "cli/version.h"
#include "config/queues.h"
#include "worker/kinds.h"

static void put_bold(struct buf *out, const char *text) {
    (void)buf_put_str(out, "\\fB");
    cli_put_roff(out, slice_str(text), false);
    (void)buf_put_str(out, "\\fR");
}

static void put_filled(struct buf *out, const char *text) {
    cli_put_roff(out, slice_str(text), true);
}

/* What stands behind the colon. */
static void put_value(struct buf *out, const struct setting *setting) {
    bool list = setting_is_list(setting);
    (void)buf_put_str(out, list ? ": [\\fI" : ": \\fI");
    if (setting->type == SETTING_TYPE_BOOL) {
        (void)buf_put_str(out, "true\\fR|\\fIfalse");
    } else if (setting->type == SETTING_TYPE_CHOICE) {
        for (const char *c = setting->value; *c != '\0'; c++) {
            (void)(*c == ' ' ? buf_put_str(out, "\\fR|\\fI") : buf_put_char(out, *c));
        }
    } else {
        cli_put_roff(out, slice_str(setting->value), false);
    }
    (void)buf_put_str(out, list ? "\\fR, …]\n" : "\\fR\n");
}

static void put_setting(struct buf *out, const struct setting *setting) {
    (void)buf_put_str(out, ".TP\n");
    put_bold(out, strchr(setting->path, '.') + 1);
    put_value(out, setting);
    put_filled(out, setting->help);
    if (setting->fallback != NULL) {
        (void)buf_put_str(out, "; default: ");
        put_filled(out, setting->fallback);
    }
    (void)buf_put_str(out, ".\n");
    if (setting->flag != NULL) {
        (void)buf_put_str(out, "Flag \\fB\\-\\-");
        put_filled(out, setting->flag);
        (void)buf_put_str(out, "\\fR.\n");
    }
    if (setting->variable != NULL) {
        (void)buf_put_str(out, "Variable ");
        put_bold(out, setting->variable);
        (void)buf_put_str(out, ".\n");
    }
    if (setting->change == SETTING_RELOADS) (void)buf_put_str(out, "Taken over by a reload.\n");
}

static void put_settings(struct buf *out) {
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        size_t size = strcspn(settings[i].path, ".");
        if (setting_is_first_of(i, size)) {
            (void)buf_put_str(out, ".SS ");
            cli_put_roff(out, slice_of(settings[i].path, size), false);
            (void)buf_put_str(out, ":\n");
        }
        put_setting(out, &settings[i]);
    }
}

static void put_keys(struct buf *out, const struct yaml_key *keys, size_t count) {
    for (size_t i = 0; i < count; i++) {
        (void)buf_put_str(out, ".TP\n");
        put_bold(out, keys[i].name);
        (void)buf_put_str(out, ": \\fI");
        cli_put_roff(out, slice_str(keys[i].value == NULL ? "…" : keys[i].value), false);
        (void)buf_put_str(out, "\\fR\n");
        if (keys[i].help != NULL) put_filled(out, keys[i].help);
        (void)buf_put_str(out, keys[i].required ? "; required.\n" : ".\n");
    }
}

static void put_kinds(struct buf *out) {
    for (size_t i = 0; i < worker_readers.count; i++) {
        const struct kind_reader *reader = worker_readers.items[i];
        (void)buf_put_str(out, ".SS kinds: {NAME: {");
        if (reader->key == NULL) {
            (void)buf_put_str(out, "…}}\nA kind that is run by a program.\n");
        } else {
            (void)buf_printf(out, "%s: {…}}}\nA kind that is run as this says.\n", reader->key);
        }
        put_keys(out, reader->keys, reader->key_count);
    }
}

#define DESCRIPTION                                                                               \
    "One YAML file for `hob serve` and `hob work`: what `--config` names, else `HOB_CONFIG`, "    \
    "else "                                                                                       \
    "/etc/hob/hob.yaml when it is there. Every setting has a default; a flag goes before the "    \
    "variable of the environment, that before the file.\n\n"                                      \
    "A span of time has a unit: 250ms, 30s, 1h30m, 7d; a size too: 64KiB, 2GiB. Relative paths "  \
    "count from the folder of the file. Anchors, aliases, tags, unknown and repeated keys are "   \
    "refused. `hob config check` tells all that is wrong with a file.\n\n"                        \
    "SIGHUP has server and worker read it again: all of it, or when anything is wrong, nothing. " \
    "What a reload does not take over waits for a restart, and the log says so."

#define EXAMPLE                                                \
    "server:\n"                                                \
    "  data: /var/lib/hob\n"                                   \
    "  listen: [127.0.0.1:4620, \"unix:/run/hob/hob.sock\"]\n" \
    "worker:\n"                                                \
    "  queues: [images, default]\n"                            \
    "  slots: 4\n"                                             \
    "queues:\n"                                                \
    "  images: {order: lifo, keep: 1h:1000}\n"                 \
    "limiters:\n"                                              \
    "  stripe: {concurrency: 20, rate: 100/1s}\n"              \
    "kinds:\n"                                                 \
    "  resize: {run: [./resize.sh], timeout: 30s}\n"           \
    "secrets:\n"                                               \
    "  billing: file:billing.key\n"

#define SECRETS                                                                                    \
    "Kinds and jobs carry the names of secrets only. A value is `env:`VARIABLE, `file:`PATH, "     \
    "`credential:`NAME (of systemd's LoadCredential), or the secret itself; then the file should " \
    "be yours alone."

void cli_put_config_man(struct buf *out) {
    size_t count = 0;
    const struct yaml_key *keys = queue_keys(&count);
    (void)buf_printf(out, ".TH HOB.YAML 5 %s \"hob %s\"\n", HOB_DATE, HOB_VERSION);
    (void)buf_put_str(out, ".SH NAME\nhob.yaml \\- configuration of hob\n.SH DESCRIPTION\n");
    cli_put_roff_paragraphs(out, DESCRIPTION);
    (void)buf_put_str(out, ".SH SETTINGS\n");
    put_settings(out);
    (void)buf_put_str(out, ".SS queues: {NAME: {…}}\nSet at each start and reload.\n");
    put_keys(out, keys, count);
    keys = limiter_keys(&count);
    (void)buf_put_str(out, ".SS limiters: {NAME: {…}}\nThe same; * and ? in a name make a rule.\n");
    put_keys(out, keys, count);
    put_kinds(out);
    (void)buf_put_str(out, ".SS secrets: {NAME: VALUE}\n");
    cli_put_roff_paragraphs(out, SECRETS);
    (void)buf_put_str(out, ".SH EXAMPLES\n.EX\n");
    cli_put_roff(out, SLICE(EXAMPLE), false);
    (void)buf_put_str(out, ".EE\n.SH SEE ALSO\n");
    (void)buf_put_str(
        out, "\\fBhob\\fR(1), \\fBhob\\-config\\-check\\fR(1), \\fBhob\\-config\\-show\\fR(1)\n"
    );
}
