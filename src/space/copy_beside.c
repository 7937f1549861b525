/* SPDX-License-Identifier: Apache-2.0 */
/* These files are small, and replaced by rename when they change, so a copy of one is whole. */
#include "space/copy_beside.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "journal/inspect.h"
#include "os/file.h"
#include "space/copy.h"

enum { FILE_BYTES_MAX = 64 * 1024 * 1024 };

struct beside {
    int from;
    int to;
    int failed; /* errno of the first file that could not be copied */
    char name[256];
};

/* The whole file; *ret_plain is false for what is no plain file, or too large. */
static int file_take(int fd, struct buf *bytes, bool *ret_plain) {
    uint64_t size = 0;
    *ret_plain = false;
    int failed = file_size(fd, &size);
    if (failed != 0 || size > FILE_BYTES_MAX) return failed;
    char *to = buf_reserve(bytes, (size_t)size + 1);
    size_t got = 0;
    failed = file_read(fd, 0, to, (size_t)size, &got);
    if (failed == EISDIR) return 0;
    bytes->size = got;
    *ret_plain = failed == 0;
    return failed;
}

static int file_give(int dir, const char *name, struct slice bytes) {
    int fd = -1;
    uint64_t written;
    struct iovec part = file_part(bytes.bytes, bytes.size);
    int failed = file_open(&file_io_system, dir, name, O_WRONLY | O_CREAT | O_EXCL, &fd);
    if (failed == 0 && bytes.size > 0) {
        failed = file_write(&file_io_system, fd, &part, 1, 0, &written);
    }
    if (failed == 0) failed = file_sync(&file_io_system, fd);
    file_close(&fd);
    return failed;
}

static bool beside_visit(void *context, const char *name) {
    struct beside *beside = context;
    if (journal_inspect_owns(name) || name[0] == '.') return true;
    if (strcmp(name, COPY_BACKUP_MARK) == 0) return true;
    HOB_AUTO_BUF struct buf bytes = buf_make((size_t)FILE_BYTES_MAX + 1);
    int fd = -1;
    bool plain = false;
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
    int failed = file_open(&file_io_system, beside->from, name, flags, &fd);
    if (failed == ENXIO || failed == ELOOP || failed == ENOENT) return true;
    if (failed == 0) failed = file_take(fd, &bytes, &plain);
    file_close(&fd);
    if (failed == 0 && plain) failed = file_give(beside->to, name, buf_slice(&bytes));
    if (failed == 0) return true;
    beside->failed = failed;
    size_t size = strnlen(name, sizeof beside->name - 1);
    memcpy(beside->name, name, size);
    return false;
}

enum hob_status
copy_mark(const char *to, const char *name, const char *text, struct hob_error *err) {
    int dir = -1;
    int failed = dir_open(to, false, &dir);
    if (failed == 0) failed = file_give(dir, name, slice_str(text));
    if (failed == 0) failed = dir_sync(&file_io_system, dir);
    file_close(&dir);
    if (failed == 0) return HOB_OK;
    return fail_errno(err, HOB_DISK, failed, "cannot write %s/%s", to, name);
}

enum hob_status copy_beside(const char *from, const char *to, struct hob_error *err) {
    struct beside beside = {.from = -1, .to = -1};
    int failed = dir_open(from, false, &beside.from);
    if (failed == 0) failed = dir_open(to, false, &beside.to);
    if (failed == 0) failed = dir_list(beside.from, beside_visit, &beside);
    if (failed == 0) failed = beside.failed;
    if (failed == 0) failed = dir_sync(&file_io_system, beside.to);
    file_close(&beside.from);
    file_close(&beside.to);
    if (failed == 0) return HOB_OK;
    return fail_errno(err, HOB_DISK, failed, "cannot copy %s/%s", from, beside.name);
}
