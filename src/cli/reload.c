/* SPDX-License-Identifier: Apache-2.0 */
/* Values are compared in the one spelling that they are kept in, so 1024MiB and 1GiB are no
 * change. */
#include "cli/reload.h"

#include "base/buf.h"
#include "os/log.h"

void reload_refused(const char *why) {
    log_error("reload refused, the configuration in force stays", log_str("reason", why));
}

struct config *reload_read(const struct cli_settings *all) {
    struct config *config = NULL;
    struct config_report report = {0};
    enum hob_status status = config_load(&all->input, &config, &report);
    for (size_t i = 0; i < report.count; i++) {
        const struct finding *finding = &report.findings[i];
        struct log_field place = log_str("place", finding->place);
        if (finding->is_warning) {
            log_warn("configuration", place, log_str("warning", finding->text));
        } else {
            log_error("configuration", place, log_str("error", finding->text));
        }
    }
    if (status != HOB_OK) {
        log_error(
            "reload refused, the configuration in force stays",
            log_u64("errors", report.error_count)
        );
    }
    report_deinit(&report);
    return status == HOB_OK ? config : NULL;
}

static const char *put_words(struct buf *out, const struct value *value) {
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0) (void)buf_put_char(out, ',');
        (void)buf_put_str(out, value->words[i]);
    }
    if (value->count == 0) (void)buf_put_str(out, "-");
    (void)buf_put_char(out, '\0');
    return out->bytes;
}

static void tell_change(enum setting_id id, const struct value *old, const struct value *new) {
    HOB_AUTO_BUF struct buf before = buf_make(64 * 1024);
    HOB_AUTO_BUF struct buf after = buf_make(64 * 1024);
    struct log_field setting = log_str("setting", settings[id].path);
    struct log_field was = log_str("old", put_words(&before, old));
    struct log_field is = log_str("new", put_words(&after, new));
    struct log_field place = log_str("place", new->place);
    if (settings[id].change == SETTING_RELOADS) {
        log_info("setting changed", setting, was, is, place);
    } else {
        log_warn("setting changed in the file only: it needs a restart", setting, was, is, place);
    }
}

void reload_tell(
    const struct config *start,
    const struct config *now,
    const struct config *next,
    const char *other
) {
    uint64_t changes = 0;
    (void)log_set(NULL, config_text(next, SETTING_LOG_LEVEL));
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        if (setting_is_below(&settings[i], slice_str(other))) continue;
        const struct config *in_force = settings[i].change == SETTING_RELOADS ? now : start;
        const struct value *value = &in_force->values[i];
        if (value_equal(value, &next->values[i])) continue;
        tell_change((enum setting_id)i, value, &next->values[i]);
        changes++;
    }
    log_info("reloaded", log_str("config", next->path), log_u64("changes", changes));
}
