/* SPDX-License-Identifier: Apache-2.0 */
/* A library that is put before the C library of a server (LD_PRELOAD) and writes down what its disk
 * would lose if the power went now: for each change of a file what was there before, for each name
 * that is made, moved or removed the name, and each sync, which ends the danger for what came
 * before it. The changes themselves are made at once, so the server works as ever; killed with
 * kill -9, it leaves its files as the page cache has them, and power_cut then takes back what no
 * sync had covered.
 *
 * One lock is held around a record and its change: the order of the log is that of the changes.
 * Only the calls that Hob makes are here; a test of the tests says when that is no longer so. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "record.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static uint64_t record_count;
static uint32_t saved_count;
static const char *watched; /* NULL: nothing is */
static const char *log_dir;
static bool lies; /* syncs answer at once, and cover nothing */

static int (*real_openat)(int, const char *, int, ...);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_renameat)(int, const char *, int, const char *);
static int (*real_unlinkat)(int, const char *, int);

static void *real(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) abort();
    return function;
}

__attribute__((constructor)) static void begin(void) {
    *(void **)&real_openat = real("openat64");
    *(void **)&real_pwrite = real("pwrite64");
    *(void **)&real_pwritev = real("pwritev64");
    *(void **)&real_ftruncate = real("ftruncate64");
    *(void **)&real_fsync = real("fsync");
    *(void **)&real_fdatasync = real("fdatasync");
    *(void **)&real_renameat = real("renameat");
    *(void **)&real_unlinkat = real("unlinkat");
    watched = getenv(POWER_DIR_VARIABLE);
    log_dir = getenv(POWER_LOG_VARIABLE);
    lies = getenv(POWER_LIES_VARIABLE) != NULL;
    if (watched == NULL || log_dir == NULL) {
        watched = NULL;
        return;
    }
    char path[POWER_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/" POWER_LOG_NAME, log_dir);
    log_fd = real_openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0) abort();
}

/* The path behind a descriptor, when it is below the watched directory or that itself. */
static bool path_of(int fd, char *path, size_t size) {
    char link[64];
    if (watched == NULL) return false;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0) return false;
    path[length] = '\0';
    size_t prefix = strlen(watched);
    return strncmp(path, watched, prefix) == 0 && (path[prefix] == '/' || path[prefix] == '\0');
}

static bool path_in(int dir, const char *name, char *path, size_t size) {
    if (!path_of(dir, path, size) || strchr(name, '/') != NULL) return false;
    size_t length = strlen(path);
    (void)snprintf(path + length, size - length, "/%s", name);
    return true;
}

static void
append(struct power_record record, const char *path, const char *other, const void *bytes) {
    record.path_size = (uint32_t)strlen(path);
    record.other_size = (uint32_t)strlen(other);
    const struct {
        const void *bytes;
        size_t size;
    } parts[] = {
        {&record, sizeof record},
        {path, record.path_size},
        {other, record.other_size},
        {bytes, record.bytes_size},
    };
    char *line = malloc(sizeof record + record.path_size + record.other_size + record.bytes_size);
    if (line == NULL) abort();
    size_t size = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        memcpy(line + size, parts[i].bytes, parts[i].size);
        size += parts[i].size;
    }
    /* In one write, which kill -9 does not cut. */
    if (write(log_fd, line, size) != (ssize_t)size) abort();
    free(line);
    record_count++;
}

/* What lies in [offset, offset + size) of the file now goes to the log. */
static void keep_bytes(int fd, enum power_kind kind, off_t offset, size_t size) {
    char path[POWER_PATH_MAX];
    char self[64];
    struct stat stat;
    int kept_errno = errno;
    if (!path_of(fd, path, sizeof path) || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
        errno = kept_errno;
        return;
    }
    size_t there = 0;
    if (offset < stat.st_size) {
        there = (size_t)(stat.st_size - offset);
        if (there > size) there = size;
    }
    char *bytes = malloc(there + 1);
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int reader = real_openat(AT_FDCWD, self, O_RDONLY | O_CLOEXEC);
    if (bytes == NULL || reader < 0 || pread(reader, bytes, there, offset) != (ssize_t)there) {
        abort();
    }
    (void)close(reader);
    struct power_record record = {
        .kind = kind,
        .inode = stat.st_ino,
        .offset = (uint64_t)offset,
        .old_size = (uint64_t)stat.st_size,
        .bytes_size = there,
    };
    append(record, path, "", bytes);
    free(bytes);
    errno = kept_errno;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset) {
    (void)pthread_mutex_lock(&lock);
    keep_bytes(fd, POWER_WRITE, offset, size);
    ssize_t result = real_pwrite(fd, bytes, size, offset);
    (void)pthread_mutex_unlock(&lock);
    return result;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) {
    size_t size = 0;
    for (int i = 0; i < count; i++) size += parts[i].iov_len;
    (void)pthread_mutex_lock(&lock);
    keep_bytes(fd, POWER_WRITE, offset, size);
    ssize_t result = real_pwritev(fd, parts, count, offset);
    (void)pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate64(int fd, off_t size) {
    (void)pthread_mutex_lock(&lock);
    keep_bytes(fd, POWER_RESIZE, size, SIZE_MAX);
    int result = real_ftruncate(fd, size);
    (void)pthread_mutex_unlock(&lock);
    return result;
}

static int sync_with(int (*sync)(int), int fd) {
    char path[POWER_PATH_MAX];
    struct stat stat;
    if (!path_of(fd, path, sizeof path) || fstat(fd, &stat) != 0) return sync(fd);
    if (lies) return 0;
    (void)pthread_mutex_lock(&lock);
    uint64_t covers = record_count;
    (void)pthread_mutex_unlock(&lock);
    int result = sync(fd);
    if (result != 0) return result;
    struct power_record record = {
        .kind = S_ISDIR(stat.st_mode) ? POWER_SYNC_DIR : POWER_SYNC,
        .inode = stat.st_ino,
        .covers = covers,
    };
    (void)pthread_mutex_lock(&lock);
    append(record, path, "", "");
    (void)pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int fd) {
    return sync_with(real_fsync, fd);
}

int fdatasync(int fd) {
    return sync_with(real_fdatasync, fd);
}

static uint64_t inode_of(int dir) {
    struct stat stat;
    return fstat(dir, &stat) == 0 ? stat.st_ino : 0;
}

/* A file that loses this name gets another one, so that it can come back. */
static uint32_t save(int dir, const char *name) {
    char to[POWER_PATH_MAX];
    (void)snprintf(to, sizeof to, "%s/%u", log_dir, ++saved_count);
    return linkat(dir, name, AT_FDCWD, to, 0) == 0 ? saved_count : 0;
}

int openat64(int dir, const char *name, int flags, ...) {
    va_list args;
    va_start(args, flags);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): started above */
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    char path[POWER_PATH_MAX];
    bool changes = (flags & (O_CREAT | O_TRUNC)) != 0;
    if (!changes || !path_in(dir, name, path, sizeof path)) {
        return real_openat(dir, name, flags, mode);
    }
    (void)pthread_mutex_lock(&lock);
    bool existed = faccessat(dir, name, F_OK, 0) == 0;
    if (existed && (flags & O_TRUNC) != 0) {
        int old = real_openat(dir, name, O_RDONLY | O_CLOEXEC);
        if (old >= 0) keep_bytes(old, POWER_RESIZE, 0, SIZE_MAX);
        if (old >= 0) (void)close(old);
    }
    struct power_record record = {.kind = POWER_CREATE, .inode = inode_of(dir)};
    if (!existed) append(record, path, "", "");
    int result = real_openat(dir, name, flags, mode);
    (void)pthread_mutex_unlock(&lock);
    return result;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    char from_path[POWER_PATH_MAX];
    char to_path[POWER_PATH_MAX];
    if (!path_in(from_dir, from, from_path, sizeof from_path) ||
        !path_in(to_dir, to, to_path, sizeof to_path)) {
        return real_renameat(from_dir, from, to_dir, to);
    }
    (void)pthread_mutex_lock(&lock);
    struct power_record record = {
        .kind = POWER_RENAME,
        .inode = inode_of(to_dir),
        .saved = save(to_dir, to),
    };
    append(record, from_path, to_path, "");
    int result = real_renameat(from_dir, from, to_dir, to);
    (void)pthread_mutex_unlock(&lock);
    return result;
}

int unlinkat(int dir, const char *name, int flags) {
    char path[POWER_PATH_MAX];
    if (!path_in(dir, name, path, sizeof path)) return real_unlinkat(dir, name, flags);
    (void)pthread_mutex_lock(&lock);
    struct power_record record = {
        .kind = POWER_UNLINK,
        .inode = inode_of(dir),
        .saved = save(dir, name),
    };
    append(record, path, "", "");
    int result = real_unlinkat(dir, name, flags);
    (void)pthread_mutex_unlock(&lock);
    return result;
}
