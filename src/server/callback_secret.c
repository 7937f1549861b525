/* SPDX-License-Identifier: Apache-2.0 */
/* DATA/webhook-secret: the secret that callbacks are signed with unless they name another. It is
 * made at the first start and never changed by the server; receivers get it from the file. */
#include <errno.h>
#include <fcntl.h>

#include "base/base64.h"
#include "os/entropy.h"
#include "os/file.h"
#include "os/log.h"
#include "server/private.h"
#include "worker/http_sign.h"

enum { NEW_KEY_BYTES = 32, OTHERS_MODE = 077 };

#define SECRET_FILE "webhook-secret"

static int secret_make(int dir) {
    struct sign_key key = {.size = NEW_KEY_BYTES};
    HOB_AUTO_BUF struct buf text = buf_make(200);
    int fd = -1;
    uint64_t written = 0;
    entropy_fill(key.bytes, key.size);
    sign_key_put(&text, &key);
    (void)buf_put_char(&text, '\n');
    struct iovec part = file_part(text.bytes, text.size);
    /* Under its name it is whole or not there. */
    const struct file_io *io = &file_io_system;
    int failed = file_open(io, dir, SECRET_FILE ".new", O_WRONLY | O_CREAT | O_TRUNC, &fd);
    if (failed == 0) failed = file_write(io, fd, &part, 1, 0, &written);
    if (failed == 0) failed = file_sync(io, fd);
    file_close(&fd);
    if (failed == 0) failed = file_rename(io, dir, SECRET_FILE ".new", SECRET_FILE);
    if (failed == 0) failed = dir_sync(io, dir);
    return failed;
}

static int secret_read(int dir, struct buf *text) {
    int fd = -1;
    unsigned mode = 0;
    int failed = file_open(&file_io_system, dir, SECRET_FILE, O_RDONLY, &fd);
    if (failed != 0) return failed;
    char *room = buf_reserve(text, text->max);
    failed = file_read(fd, 0, room, text->max, &text->size);
    if (failed == 0) failed = file_mode(fd, &mode);
    file_close(&fd);
    if (failed == 0 && (mode & OTHERS_MODE) != 0) {
        log_warn("others can read the secret of callbacks", log_str("file", SECRET_FILE));
    }
    while (text->size > 0 && text->bytes[text->size - 1] == '\n') text->size--;
    return failed;
}

enum hob_status callback_secret_load(
    const char *data_path, char ret_secret[SECRET_TEXT_MAX], struct hob_error *err
) {
    HOB_AUTO_BUF struct buf text = buf_make(SECRET_TEXT_MAX - 1);
    struct sign_key key;
    int dir = -1;
    int failed = dir_open(data_path, false, &dir);
    if (failed == 0) failed = secret_read(dir, &text);
    if (failed == ENOENT) {
        failed = secret_make(dir);
        if (failed == 0) failed = secret_read(dir, &text);
    }
    file_close(&dir);
    if (failed != 0) {
        return fail_errno(err, HOB_DISK, failed, "%s/" SECRET_FILE, data_path);
    }
    if (!sign_key_parse(buf_slice(&text), &key)) {
        return fail(
            err,
            HOB_CONFIG,
            "%s/" SECRET_FILE " is no secret: " SIGN_SECRET_PREFIX
            " and the base64 of 24 to 64 bytes; without the file a new one is made",
            data_path
        );
    }
    memcpy(ret_secret, text.bytes, text.size);
    ret_secret[text.size] = '\0';
    return HOB_OK;
}
