/* SPDX-License-Identifier: Apache-2.0 */
/* From four sources to one set of values: defaults first, then what goes before them, each source
 * over the last. All are checked, also what another one hides. */
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/buf.h"
#include "config/sections.h"
#include "os/file.h"

/* Set a value from text that stands outside of the file. */
static enum hob_status take_text(
    struct config *config,
    enum setting_id id,
    const char *text,
    struct value value, /* origin and place */
    struct config_report *report
) {
    struct value_reading reading = {.arena = &config->arena, .variable = config->file.variable};
    if (!value_read_text(&reading, &settings[id], text, &value)) {
        return report_error(report, value.place, "%s", reading.why);
    }
    value.place = arena_text(&config->arena, slice_str(value.place));
    config->values[id] = value;
    return HOB_OK;
}

static void take_defaults(struct config *config) {
    struct config_report report = {0};
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        struct value value = {.origin = ORIGIN_DEFAULT, .place = "default"};
        config->values[i] = value;
        if (settings[i].fallback == NULL) continue;
        enum hob_status status =
            take_text(config, (enum setting_id)i, settings[i].fallback, value, &report);
        hob_assert(status == HOB_OK);
    }
}

static enum hob_status take_variables(
    struct config *config, const struct config_input *input, struct config_report *report
) {
    enum hob_status status = HOB_OK;
    for (unsigned i = 0; input->variable != NULL && i < SETTING_COUNT; i++) {
        if (settings[i].variable == NULL) continue;
        const char *text = input->variable(settings[i].variable);
        if (text == NULL || text[0] == '\0') continue;
        struct value value = {.origin = ORIGIN_VARIABLE, .place = settings[i].variable};
        enum hob_status one = take_text(config, (enum setting_id)i, text, value, report);
        if (one != HOB_OK) status = one;
    }
    return status;
}

static enum hob_status
take_flags(struct config *config, const struct config_input *input, struct config_report *report) {
    enum hob_status status = HOB_OK;
    for (size_t i = 0; i < input->flag_count; i++) {
        const struct config_flag *flag = &input->flags[i];
        char place[64] = "--";
        hob_assert(settings[flag->id].flag != NULL);
        (void)snprintf(place, sizeof place, "--%s", settings[flag->id].flag);
        struct value value = {.origin = ORIGIN_FLAG, .place = place};
        enum hob_status one = take_text(config, flag->id, flag->text, value, report);
        if (one != HOB_OK) status = one;
    }
    return status;
}

static enum hob_status
take_file(struct config *config, struct slice bytes, struct config_report *report) {
    config->file.arena = &config->arena;
    config->file.report = report;
    enum hob_status status = yaml_read_open(&config->file, bytes);
    if (status != HOB_OK) return status;
    config->has_document = true;
    return sections_read(&config->file, config);
}

enum { MODE_OTHERS_READ = 04 };

/* Files that settings name: those that hold a key are nobody else's to read. */
static void files_check(
    const struct config *config, const struct config_input *input, struct config_report *report
) {
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        bool is_key = settings[i].type == SETTING_TYPE_KEY_FILE;
        const struct value *value = &config->values[i];
        if ((!is_key && settings[i].type != SETTING_TYPE_FILE) || value->count == 0) continue;
        unsigned mode = 0;
        int fd = -1;
        int os_errno =
            file_open(&file_io_system, AT_FDCWD, value->words[0], O_RDONLY | O_NONBLOCK, &fd);
        if (os_errno == 0) os_errno = file_mode(fd, &mode);
        file_close(&fd);
        if (os_errno != 0 && input->is_thorough) {
            struct hob_error err = {0};
            (void)fail_errno(&err, HOB_CONFIG, os_errno, "cannot read %s", value->words[0]);
            report_warn(report, value->place, "%s", err.text);
        } else if (is_key && (mode & MODE_OTHERS_READ) != 0) {
            const char *path = value->words[0];
            report_warn(
                report, value->place, "others can read %s; better:  chmod o-r %s", path, path
            );
        }
    }
}

/* A setting that means nothing without another one. */
static enum hob_status pairs_check(const struct config *config, struct config_report *report) {
    static const struct {
        enum setting_id id;
        enum setting_id needed;
    } pairs[] = {
        {SETTING_SERVER_TLS_CERT, SETTING_SERVER_TLS_KEY},
        {SETTING_SERVER_TLS_KEY, SETTING_SERVER_TLS_CERT},
        {SETTING_SERVER_TLS_CLIENT_CA, SETTING_SERVER_TLS_CERT},
        {SETTING_WORKER_CERT, SETTING_WORKER_KEY},
        {SETTING_WORKER_KEY, SETTING_WORKER_CERT},
    };
    enum hob_status status = HOB_OK;
    for (size_t i = 0; i < hob_countof(pairs); i++) {
        const struct value *value = &config->values[pairs[i].id];
        if (value->count == 0 || config->values[pairs[i].needed].count > 0) continue;
        const char *path = settings[pairs[i].id].path;
        const char *needed = settings[pairs[i].needed].path;
        status = report_error(report, value->place, "`%s` needs `%s` beside it", path, needed);
    }
    return status;
}

/* What callbacks may be signed with is named elsewhere in the file. */
static enum hob_status granted_check(const struct config *config, struct config_report *report) {
    enum hob_status status = HOB_OK;
    size_t count = 0;
    const char *const *names = config_words(config, SETTING_CALLBACKS_SECRETS, &count);
    const char *place = config->values[SETTING_CALLBACKS_SECRETS].place;
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; k < config->secret_count && !found; k++) {
            found = strcmp(config->secrets[k].name, names[i]) == 0;
        }
        if (found) continue;
        status = report_error(report, place, "there is no secret `%s` below `secrets`", names[i]);
    }
    return status;
}

static void worker_fill(struct config *config) {
    struct worker_config *worker = &config->worker;
    worker->config = config;
    worker->queues = config_words(config, SETTING_WORKER_QUEUES, &worker->queue_count);
    worker->labels = config_words(config, SETTING_WORKER_LABELS, &worker->label_count);
    worker->slots = (uint32_t)config_number(config, SETTING_WORKER_SLOTS);
    worker->mode = (uint32_t)config_number(config, SETTING_WORKER_MODE);
}

/* @file: its name, folder and mode; NULL: there is no file. */
static enum hob_status load(
    const struct config_input *input,
    const struct yaml_read *file,
    struct slice bytes,
    struct config **ret_config,
    struct config_report *report
) {
    struct config *config = calloc(1, sizeof *config);
    hob_assert(config != NULL);
    config->holders = 1;
    config->file.variable = input->variable;
    enum hob_status status = HOB_OK;
    take_defaults(config);
    if (file != NULL) {
        config->path = arena_text(&config->arena, slice_str(file->name));
        config->file = *file;
        config->file.name = config->path;
        config->file.folder = arena_text(&config->arena, slice_str(file->folder));
        config->file.variable = input->variable;
        config->file.readers = &input->readers;
        config->file.is_thorough = input->is_thorough;
        config->file.runs_kinds = input->runs_kinds;
        status = take_file(config, bytes, report);
    }
    enum hob_status variables = take_variables(config, input, report);
    enum hob_status flags = take_flags(config, input, report);
    if (status == HOB_OK) status = variables;
    if (status == HOB_OK) status = flags;
    if (status == HOB_OK) status = pairs_check(config, report);
    if (status == HOB_OK) status = granted_check(config, report);
    if (status != HOB_OK) {
        config_free(config);
        return status;
    }
    files_check(config, input, report);
    config->file.report = NULL;
    config->file.readers = NULL;
    config->file.uses = NULL;
    worker_fill(config);
    *ret_config = config;
    return HOB_OK;
}

enum hob_status config_load_bytes(
    const struct config_input *input,
    struct slice bytes,
    const char *name,
    const char *folder,
    struct config **ret_config,
    struct config_report *report
) {
    struct yaml_read file = {.name = name, .folder = folder};
    return load(input, &file, bytes, ret_config, report);
}

enum hob_status config_parse(
    struct slice bytes,
    const char *name,
    const char *folder,
    struct config_readers readers,
    struct config **ret_config,
    struct config_report *report
) {
    struct config_input input = {.readers = readers};
    return config_load_bytes(&input, bytes, name, folder, ret_config, report);
}

static enum hob_status
file_load(const char *path, struct buf *bytes, unsigned *ret_mode, struct config_report *report) {
    struct hob_error err = {0};
    size_t size = 0;
    int fd = -1;
    int os_errno = file_open(&file_io_system, AT_FDCWD, path, O_RDONLY, &fd);
    if (os_errno == 0) os_errno = file_mode(fd, ret_mode);
    if (os_errno == 0) {
        os_errno = file_read(fd, 0, buf_reserve(bytes, bytes->max), bytes->max, &size);
    }
    file_close(&fd);
    bytes->size = size;
    if (os_errno == 0) return HOB_OK;
    (void)fail_errno(&err, HOB_CONFIG, os_errno, "cannot be read");
    return report_error(report, path, "%s", err.text);
}

enum hob_status config_load(
    const struct config_input *input, struct config **ret_config, struct config_report *report
) {
    if (input->path == NULL) return load(input, NULL, SLICE_NONE, ret_config, report);
    HOB_AUTO_BUF struct buf bytes = buf_make(YAML_BYTES_MAX + 1);
    char folder[PATH_MAX];
    struct yaml_read file = {.name = input->path, .folder = folder};
    enum hob_status status = file_load(input->path, &bytes, &file.mode, report);
    if (status != HOB_OK) return status;
    if (realpath(input->path, folder) == NULL) {
        return report_error(report, input->path, "this is no file");
    }
    char *last = strrchr(folder, '/');
    hob_assert(last != NULL);
    *(last == folder ? last + 1 : last) = '\0';
    return load(input, &file, buf_slice(&bytes), ret_config, report);
}

struct config *config_hold(struct config *config) {
    hob_assert(config->holders > 0);
    config->holders++;
    return config;
}

void config_free(struct config *config) {
    if (config == NULL) return;
    hob_assert(config->holders > 0);
    if (--config->holders > 0) return;
    if (config->has_document) yaml_read_close(&config->file);
    arena_reset(&config->arena);
    free(config);
}

const char *config_find(const char *flag, const char *(*variable)(const char *name)) {
    if (flag != NULL) return flag;
    const char *path = variable == NULL ? NULL : variable("HOB_CONFIG");
    if (path != NULL && path[0] != '\0') return path;
    int fd = -1;
    if (file_open(&file_io_system, AT_FDCWD, CONFIG_PATH_DEFAULT, O_RDONLY, &fd) == ENOENT) {
        return NULL;
    }
    file_close(&fd); /* a file that is there and cannot be read is told later */
    return CONFIG_PATH_DEFAULT;
}

const char *config_text(const struct config *config, enum setting_id id) {
    return config->values[id].count == 0 ? NULL : config->values[id].words[0];
}

const char *const *
config_words(const struct config *config, enum setting_id id, size_t *ret_count) {
    hob_assert(setting_is_list(&settings[id]));
    *ret_count = config->values[id].count;
    return config->values[id].words;
}

uint64_t config_number(const struct config *config, enum setting_id id) {
    return config->values[id].number;
}

bool config_bool(const struct config *config, enum setting_id id) {
    hob_assert(settings[id].type == SETTING_TYPE_BOOL);
    return config->values[id].number != 0;
}

const struct kind_config *config_kind(const struct worker_config *config, struct slice kind) {
    for (size_t i = 0; i < config->kind_count; i++) {
        if (slice_equal(slice_str(config->kinds[i].kind), kind)) return &config->kinds[i];
    }
    return NULL;
}
