/* SPDX-License-Identifier: Apache-2.0 */
/* A reference is followed when the configuration is read, so that a missing secret is told then and
 * not by the first job that needs it. Server and worker share the file and may run as two users, so
 * a secret that cannot be read is a warning, and an error only where a kind that is run here uses
 * it. No message ever holds a secret. */
#include "config/secrets.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/nearest.h"
#include "config/config.h"
#include "os/file.h"

enum { MODE_OTHERS_READ = 04 };

static bool begins(struct slice text, const char *word, struct slice *ret_rest) {
    size_t size = strlen(word);
    if (text.size < size || memcmp(text.bytes, word, size) != 0) return false;
    *ret_rest = slice_of(text.bytes + size, text.size - size);
    return true;
}

static enum hob_status read_file(
    struct yaml_read *read, const yaml_node_t *node, const char *path, struct slice *ret_text
) {
    struct hob_error err = {0};
    HOB_AUTO_BUF struct buf bytes = buf_make(SECRET_BYTES_MAX + 1);
    unsigned mode = 0;
    size_t size = 0;
    int fd = -1;
    int os_errno = file_open(&file_io_system, AT_FDCWD, path, O_RDONLY | O_NONBLOCK, &fd);
    if (os_errno == 0) os_errno = file_mode(fd, &mode);
    if (os_errno == 0) {
        os_errno = file_read(fd, 0, buf_reserve(&bytes, SECRET_BYTES_MAX + 1), bytes.max, &size);
    }
    file_close(&fd);
    if (os_errno != 0) {
        (void)fail_errno(&err, HOB_CONFIG, os_errno, "cannot read %s", path);
        yaml_read_warn(read, node, "%s", err.text);
        return HOB_OK;
    }
    if (size > SECRET_BYTES_MAX) {
        return yaml_read_fail(read, node, "%s: more than 64 KiB are no secret", path);
    }
    if ((mode & MODE_OTHERS_READ) != 0) {
        yaml_read_warn(read, node, "others can read %s; better:  chmod o-r %s", path, path);
    }
    if (size > 0 && bytes.bytes[size - 1] == '\n') size--;
    if (size == 0) return yaml_read_fail(read, node, "%s is empty", path);
    *ret_text = slice_of(arena_text(read->arena, slice_of(bytes.bytes, size)), size);
    return HOB_OK;
}

static enum hob_status read_variable(
    struct yaml_read *read, const yaml_node_t *node, struct slice name, struct slice *ret_text
) {
    const char *variable = arena_text(read->arena, name);
    const char *text = read->variable == NULL ? NULL : read->variable(variable);
    if (text == NULL || text[0] == '\0') {
        yaml_read_warn(read, node, "the variable %s is not set", variable);
        return HOB_OK;
    }
    *ret_text = slice_str(arena_text(read->arena, slice_str(text)));
    return HOB_OK;
}

static enum hob_status read_credential(
    struct yaml_read *read, const yaml_node_t *node, struct slice name, struct slice *ret_text
) {
    const char *folder = read->variable == NULL ? NULL : read->variable("CREDENTIALS_DIRECTORY");
    if (folder == NULL) {
        yaml_read_warn(
            read, node, "CREDENTIALS_DIRECTORY is not set: systemd sets it (LoadCredential=)"
        );
        return HOB_OK;
    }
    if (name.size == 0 || name.size > 255 || memchr(name.bytes, '/', name.size) != NULL) {
        return yaml_read_fail(read, node, "wanted: credential:NAME");
    }
    HOB_AUTO_BUF struct buf path = buf_make(8192);
    (void)buf_printf(&path, "%s/%.*s", folder, SLICE_ARG(name));
    if (path.overflowed) return yaml_read_fail(read, node, "CREDENTIALS_DIRECTORY is too long");
    return read_file(read, node, arena_text(read->arena, buf_slice(&path)), ret_text);
}

static enum hob_status
read_value(struct yaml_read *read, const yaml_node_t *node, struct secret_config *secret) {
    static const char wanted[] = "env:NAME, file:PATH, credential:NAME, or the secret itself";
    struct slice text = SLICE_NONE;
    struct slice rest = SLICE_NONE;
    enum hob_status status = yaml_read_text(read, node, wanted, &text);
    if (status != HOB_OK) return status;
    if (text.size == 0) return yaml_read_fail(read, node, "wanted: %s", wanted);
    if (slice_equal(text, SLICE(SECRET_REDACTED))) {
        return yaml_read_fail(
            read, node, "`hob config show` left the secret out; wanted: %s", wanted
        );
    }
    secret->reference = arena_text(read->arena, text);
    if (begins(text, "env:", &rest)) return read_variable(read, node, rest, &secret->text);
    if (begins(text, "credential:", &rest)) {
        return read_credential(read, node, rest, &secret->text);
    }
    if (begins(text, "file:", &rest)) {
        return read_file(read, node, yaml_read_from_folder(read, rest), &secret->text);
    }
    secret->text = slice_str(secret->reference);
    secret->reference = NULL;
    if ((read->mode & MODE_OTHERS_READ) != 0) {
        yaml_read_warn(
            read,
            node,
            "others can read this file, and here is a secret; better:  chmod o-r %s",
            read->name
        );
    }
    return HOB_OK;
}

static enum hob_status
read_secret(struct yaml_read *read, yaml_node_t *name, yaml_node_t *value, void *into) {
    struct config *config = into;
    struct secret_config secret = {0};
    enum hob_status status = yaml_read_name(read, name, &secret.name);
    if (status == HOB_OK) status = read_value(read, value, &secret);
    if (status != HOB_OK) return status;
    ((struct secret_config *)config->secrets)[config->secret_count++] = secret;
    return HOB_OK;
}

enum hob_status secrets_read(struct yaml_read *read, yaml_node_t *node, void *into) {
    struct config *config = into;
    config->secrets = arena_alloc(read->arena, SECRETS_MAX * sizeof *config->secrets);
    return yaml_read_names(read, node, "each secret", SECRETS_MAX, read_secret, config);
}

/* The latest first. */
struct secret_use {
    struct secret_use *next;
    const yaml_node_t *node;
    struct slice name;
};

void yaml_read_uses_secret(struct yaml_read *read, const yaml_node_t *node, struct slice name) {
    struct secret_use *use = arena_alloc(read->arena, sizeof *use);
    use->next = read->uses;
    use->node = node;
    use->name = slice_str(arena_text(read->arena, name));
    read->uses = use;
}

static bool is_named(const struct config *config, struct slice name) {
    for (size_t i = 0; i < config->secret_count; i++) {
        if (slice_equal(slice_str(config->secrets[i].name), name)) return true;
    }
    return false;
}

enum hob_status secrets_check(struct yaml_read *read, const struct config *config) {
    enum hob_status status = HOB_OK;
    const char *names[SECRETS_MAX];
    for (size_t i = 0; i < config->secret_count; i++) names[i] = config->secrets[i].name;
    for (const struct secret_use *use = read->uses; use != NULL; use = use->next) {
        if (config_secret(config, use->name).size > 0) continue;
        if (is_named(config, use->name)) {
            if (!read->runs_kinds) continue;
            int size = (int)use->name.size;
            status = yaml_read_fail(
                read, use->node, "the secret `%.*s` cannot be read here", size, use->name.bytes
            );
            continue;
        }
        const char *meant = nearest_word(use->name, names, config->secret_count);
        status = yaml_read_fail(
            read,
            use->node,
            "there is no secret `%.*s` below `secrets`%s%s%s",
            SLICE_ARG(use->name),
            meant == NULL ? "" : "; did you mean `",
            meant == NULL ? "" : meant,
            meant == NULL ? "" : "`?"
        );
    }
    return status;
}

struct slice config_secret(const struct config *config, struct slice name) {
    for (size_t i = 0; i < config->secret_count; i++) {
        const struct secret_config *secret = &config->secrets[i];
        if (slice_equal(slice_str(secret->name), name)) return secret->text;
    }
    return SLICE_NONE;
}
