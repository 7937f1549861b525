/* SPDX-License-Identifier: Apache-2.0 */
/* System calls with their loops. Only `file_io_system` changes the disk; all else goes through the
 * table it is given. */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"

static int system_open(void *context, int dir, const char *name, int flags) {
    (void)context;
    return openat(dir, name, flags | O_CLOEXEC, 0600);
}

static ssize_t
system_write(void *context, int fd, const struct iovec *parts, int part_count, uint64_t offset) {
    (void)context;
    return pwritev(fd, parts, part_count, (off_t)offset);
}

static int system_truncate(void *context, int fd, uint64_t size) {
    (void)context;
    return ftruncate(fd, (off_t)size);
}

static int system_sync(void *context, int fd) {
    (void)context;
    return fdatasync(fd);
}

static int system_rename(void *context, int dir, const char *from, const char *to) {
    (void)context;
    return renameat(dir, from, dir, to);
}

static int system_unlink(void *context, int dir, const char *name) {
    (void)context;
    return unlinkat(dir, name, 0);
}

static int system_sync_dir(void *context, int dir) {
    (void)context;
    return fsync(dir);
}

const struct file_io file_io_system = {
    .open = system_open,
    .write = system_write,
    .truncate = system_truncate,
    .sync = system_sync,
    .rename = system_rename,
    .unlink = system_unlink,
    .sync_dir = system_sync_dir,
};

int file_open(const struct file_io *io, int dir, const char *name, int flags, int *ret_fd) {
    int fd;
    do {
        fd = io->open(io->context, dir, name, flags);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) return errno;
    *ret_fd = fd;
    return 0;
}

void file_close(int *fd) {
    if (*fd < 0) return;
    (void)close(*fd);
    *fd = -1;
}

int file_read(int fd, uint64_t offset, char *to, size_t size, size_t *ret_read) {
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(fd, to + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) break;
        done += (size_t)got;
    }
    *ret_read = done;
    return 0;
}

struct iovec file_part(const void *bytes, size_t size) {
    union {
        const void *in;
        void *out;
    } base = {.in = bytes};
    return (struct iovec){.iov_base = base.out, .iov_len = size};
}

int file_write(
    const struct file_io *io,
    int fd,
    struct iovec *parts,
    int part_count,
    uint64_t offset,
    uint64_t *ret_written
) {
    *ret_written = 0;
    while (part_count > 0) {
        if (parts->iov_len == 0) {
            parts++;
            part_count--;
            continue;
        }
        ssize_t put = io->write(io->context, fd, parts, part_count, offset + *ret_written);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return errno;
        if (put == 0) return EIO; /* a regular file never does that; a loop would never end */
        *ret_written += (uint64_t)put;
        size_t left = (size_t)put;
        while (left > 0 && left >= parts->iov_len) {
            left -= parts->iov_len;
            parts++;
            part_count--;
            hob_assert(left == 0 || part_count > 0);
        }
        if (left == 0) continue;
        parts->iov_base = (char *)parts->iov_base + left;
        parts->iov_len -= left;
    }
    return 0;
}

enum { ZEROS_BYTES = 256 * 1024 };
static const char zeros[ZEROS_BYTES];

int file_write_zeros(
    const struct file_io *io, int fd, uint64_t offset, uint64_t size, uint64_t *ret_written
) {
    *ret_written = 0;
    while (*ret_written < size) {
        uint64_t left = size - *ret_written;
        struct iovec part = file_part(zeros, left < ZEROS_BYTES ? (size_t)left : ZEROS_BYTES);
        uint64_t written;
        int failed = file_write(io, fd, &part, 1, offset + *ret_written, &written);
        *ret_written += written;
        if (failed != 0) return failed;
    }
    return 0;
}

int file_truncate(const struct file_io *io, int fd, uint64_t size) {
    int result;
    do {
        result = io->truncate(io->context, fd, size);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? errno : 0;
}

/* A sync that was interrupted is not repeated: only the first call of it reports what failed (see
 * fsyncgate). EINTR does not come from a local file system. */
int file_sync(const struct file_io *io, int fd) {
    return io->sync(io->context, fd) < 0 ? errno : 0;
}

int file_is_program(const char *path) {
    struct stat found = {0};
    if (stat(path, &found) != 0) return errno;
    if (!S_ISREG(found.st_mode) || (found.st_mode & 0111) == 0) return EACCES;
    return 0;
}

int file_of_memory(const char *label, struct slice bytes, int *ret_fd) {
    int fd = memfd_create(label, MFD_CLOEXEC);
    if (fd < 0) return errno;
    struct iovec part = file_part(bytes.bytes, bytes.size);
    uint64_t written = 0;
    int failed = file_write(&file_io_system, fd, &part, 1, 0, &written);
    if (failed != 0) {
        file_close(&fd);
        return failed;
    }
    *ret_fd = fd;
    return 0;
}

int file_mode(int fd, unsigned *ret_mode) {
    struct stat found = {0};
    if (fstat(fd, &found) != 0) return errno;
    *ret_mode = found.st_mode & 07777;
    return 0;
}

int file_size(int fd, uint64_t *ret_size) {
    struct stat info;
    if (fstat(fd, &info) < 0) return errno;
    *ret_size = (uint64_t)info.st_size;
    return 0;
}

void file_forget_cache(int fd) {
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

void file_read_ahead(int fd) {
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

int file_rename(const struct file_io *io, int dir, const char *from, const char *to) {
    return io->rename(io->context, dir, from, to) < 0 ? errno : 0;
}

int file_unlink(const struct file_io *io, int dir, const char *name) {
    return io->unlink(io->context, dir, name) < 0 ? errno : 0;
}
