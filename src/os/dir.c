/* SPDX-License-Identifier: Apache-2.0 */
/* Directories and the lock file in them. A lock is flock(2): it belongs to the open file, so it
 * ends with the process and a second open in the same process is refused too. The process id in the
 * file is for people; it decides nothing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"

/* A new directory is durable when its parent is synced. */
static int parent_sync(int dir) {
    int parent = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) return errno;
    int failed = fsync(parent) < 0 ? errno : 0;
    (void)close(parent);
    return failed;
}

int dir_open(const char *path, bool make, int *ret_dir) {
    bool made = make && mkdir(path, 0700) == 0;
    if (make && !made && errno != EEXIST) return errno;
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return errno;
    int failed = made ? parent_sync(dir) : 0;
    if (failed != 0) {
        (void)close(dir);
        return failed;
    }
    *ret_dir = dir;
    return 0;
}

/* "hob (uid 104)", or the number alone. */
static void user_name(uid_t user, char *to, size_t size) {
    char room[1024];
    struct passwd entry;
    struct passwd *found = NULL;
    bool named = getpwuid_r(user, &entry, room, sizeof room, &found) == 0 && found != NULL;
    (void)snprintf(to, size, "%.40s%suid %u", named ? found->pw_name : "", named ? ", " : "", user);
}

void dir_owner_tell(const char *path, struct hob_error *err) {
    if (err == NULL || (err->os_errno != EACCES && err->os_errno != EPERM)) return;
    struct stat found;
    char owner[64] = "?";
    char self[64];
    if (stat(path, &found) == 0) user_name(found.st_uid, owner, sizeof owner);
    user_name(geteuid(), self, sizeof self);
    size_t used = strlen(err->text);
    (void)snprintf(
        err->text + used,
        sizeof err->text - used,
        ". The directory is of %s, this is %s: run it as the owner",
        owner,
        self
    );
}

int dir_sync(const struct file_io *io, int dir) {
    return io->sync_dir(io->context, dir) < 0 ? errno : 0;
}

int dir_list(int dir, bool (*visit)(void *context, const char *name), void *context) {
    int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0) return errno;
    DIR *stream = fdopendir(own); /* owns `own` from here */
    if (stream == NULL) {
        int failed = errno;
        (void)close(own);
        return failed;
    }
    int failed = 0;
    for (;;) {
        errno = 0;
        /* readdir is safe here: the stream belongs to this call alone */
        const struct dirent *entry = readdir(stream); /* NOLINT(concurrency-mt-unsafe) */
        if (entry == NULL) {
            failed = errno;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (!visit(context, entry->d_name)) break;
    }
    (void)closedir(stream);
    return failed;
}

static long holder_read(int fd) {
    char text[24] = "";
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    if (size <= 0) return 0;
    long holder = strtol(text, NULL, 10);
    return holder > 0 ? holder : 0;
}

static int holder_write(int fd) {
    char text[24];
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0) return errno;
    return pwrite(fd, text, (size_t)size, 0) < 0 ? errno : 0;
}

int lock_take(int dir, const char *name, int *ret_fd, long *ret_holder) {
    int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    int failed = flock(fd, LOCK_EX | LOCK_NB) < 0 ? errno : 0;
    if (failed == EWOULDBLOCK) *ret_holder = holder_read(fd);
    /* A full disk must not keep a journal from being opened: acks free space. The id is only for
     * people. */
    if (failed == 0) {
        int unwritten = holder_write(fd);
        if (unwritten != 0 && unwritten != ENOSPC && unwritten != EDQUOT) failed = unwritten;
    }
    if (failed != 0) {
        (void)close(fd);
        return failed;
    }
    *ret_fd = fd;
    return 0;
}

long lock_holder(int dir, const char *name) {
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    long holder = 0;
    if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        holder = holder_read(fd);
        if (holder == 0) holder = -1;
    }
    (void)close(fd);
    return holder;
}
