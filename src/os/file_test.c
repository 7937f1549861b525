/* SPDX-License-Identifier: Apache-2.0 */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"

static char path[] = "/tmp/hob-file-XXXXXX";

static int setup_dir(void) {
    int dir = -1;
    (void)memcpy(path + sizeof path - 7, "XXXXXX", 6);
    CHECK(mkdtemp(path) != NULL);
    CHECK_EQUAL(dir_open(path, false, &dir), 0);
    return dir;
}

static void remove_dir(int dir) {
    file_close(&dir);
    CHECK_EQUAL(rmdir(path), 0);
}

/* A disk that interrupts and takes three bytes at a time. */
static int calls;

static ssize_t
write_slowly(void *context, int fd, const struct iovec *parts, int part_count, uint64_t offset) {
    (void)context;
    (void)part_count;
    if (calls++ % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    size_t size = parts->iov_len < 3 ? parts->iov_len : 3;
    return pwrite(fd, parts->iov_base, size, (off_t)offset);
}

TEST(a_write_in_pieces_is_finished) {
    int dir = setup_dir();
    struct file_io io = file_io_system;
    io.write = write_slowly;
    int fd = -1;
    CHECK_EQUAL(file_open(&io, dir, "file", O_RDWR | O_CREAT, &fd), 0);
    char one[] = "one two";
    char two[] = "";
    char three[] = " three";
    struct iovec parts[] = {
        {.iov_base = one, .iov_len = 7},
        {.iov_base = two, .iov_len = 0},
        {.iov_base = three, .iov_len = 6},
    };
    uint64_t written;
    CHECK_EQUAL(file_write(&io, fd, parts, 3, 10, &written), 0);
    CHECK_EQUAL(written, 13);
    char got[64] = "";
    size_t size;
    CHECK_EQUAL(file_read(fd, 10, got, sizeof got, &size), 0);
    CHECK_EQUAL(size, 13);
    CHECK_BYTES(got, "one two three", 13);
    CHECK_EQUAL(file_write_zeros(&io, fd, 13, 4, &written), 0);
    CHECK_EQUAL(file_read(fd, 10, got, sizeof got, &size), 0);
    CHECK_BYTES(got, "one\0\0\0\0 three", 13);
    file_close(&fd);
    CHECK_EQUAL(fd, -1);
    CHECK_EQUAL(file_unlink(&io, dir, "file"), 0);
    remove_dir(dir);
}

static ssize_t
write_full(void *context, int fd, const struct iovec *parts, int part_count, uint64_t offset) {
    (void)context;
    if (offset < 5) return write_slowly(context, fd, parts, part_count, offset);
    errno = ENOSPC;
    return -1;
}

TEST(a_write_that_fails_tells_how_far_it_came) {
    int dir = setup_dir();
    struct file_io io = file_io_system;
    io.write = write_full;
    int fd = -1;
    CHECK_EQUAL(file_open(&io, dir, "file", O_RDWR | O_CREAT, &fd), 0);
    uint64_t written;
    CHECK_EQUAL(file_write_zeros(&io, fd, 0, 100, &written), ENOSPC);
    CHECK_EQUAL(written, 6);
    uint64_t size;
    CHECK_EQUAL(file_size(fd, &size), 0);
    CHECK_EQUAL(size, 6);
    file_close(&fd);
    CHECK_EQUAL(file_unlink(&io, dir, "file"), 0);
    CHECK_EQUAL(file_unlink(&io, dir, "file"), ENOENT);
    CHECK_EQUAL(file_open(&io, dir, "file", O_RDONLY, &fd), ENOENT);
    remove_dir(dir);
}

TEST(large_zeros_truncation_and_syncs_reach_the_file) {
    int dir = setup_dir();
    int fd = -1;
    const struct file_io *io = &file_io_system;
    CHECK_EQUAL(file_open(io, dir, "file", O_RDWR | O_CREAT, &fd), 0);
    uint64_t written;
    CHECK_EQUAL(file_write_zeros(io, fd, 0, 1000000, &written), 0);
    CHECK_EQUAL(file_sync(io, fd), 0);
    CHECK_EQUAL(file_truncate(io, fd, 500), 0);
    uint64_t size;
    CHECK_EQUAL(file_size(fd, &size), 0);
    CHECK_EQUAL(size, 500);
    file_forget_cache(fd);
    file_close(&fd);
    CHECK_EQUAL(file_rename(io, dir, "file", "other"), 0);
    CHECK_EQUAL(dir_sync(io, dir), 0);
    CHECK_EQUAL(file_unlink(io, dir, "other"), 0);
    remove_dir(dir);
}

static bool count_names(void *context, const char *name) {
    CHECK(strcmp(name, ".") != 0);
    return ++*(int *)context < 3;
}

TEST(a_listing_shows_each_name_until_it_is_enough) {
    int dir = setup_dir();
    const char *const names[] = {"a", "b", ".c", "d"};
    for (int i = 0; i < 4; i++) {
        int seen = 0;
        CHECK_EQUAL(dir_list(dir, count_names, &seen), 0);
        CHECK_EQUAL(seen, i < 3 ? i : 3);
        int fd = -1;
        CHECK_EQUAL(file_open(&file_io_system, dir, names[i], O_RDWR | O_CREAT, &fd), 0);
        file_close(&fd);
    }
    for (int i = 0; i < 4; i++) CHECK_EQUAL(file_unlink(&file_io_system, dir, names[i]), 0);
    remove_dir(dir);
}

TEST(a_directory_is_made_only_when_asked_for) {
    int dir = setup_dir();
    char below[64];
    (void)snprintf(below, sizeof below, "%s/sub", path);
    int sub = -1;
    CHECK_EQUAL(dir_open(below, false, &sub), ENOENT);
    CHECK_EQUAL(dir_open(below, true, &sub), 0);
    struct stat info;
    CHECK_EQUAL(fstat(sub, &info), 0);
    CHECK_EQUAL(info.st_mode & 0777, 0700);
    file_close(&sub);
    CHECK_EQUAL(dir_open(below, true, &sub), 0);
    file_close(&sub);
    CHECK_EQUAL(rmdir(below), 0);
    remove_dir(dir);
}

TEST(a_lock_is_taken_once_and_names_its_holder) {
    int dir = setup_dir();
    int first = -1;
    int second = -1;
    long holder = -1;
    CHECK_EQUAL(lock_take(dir, "LOCK", &first, &holder), 0);
    CHECK_EQUAL(lock_take(dir, "LOCK", &second, &holder), EWOULDBLOCK);
    CHECK_EQUAL(holder, getpid());
    file_close(&first);
    CHECK_EQUAL(lock_take(dir, "LOCK", &second, &holder), 0);
    file_close(&second);
    CHECK_EQUAL(file_unlink(&file_io_system, dir, "LOCK"), 0);
    remove_dir(dir);
}

TEST(a_permission_that_is_missing_names_the_owner) {
    struct hob_error err = {.os_errno = EACCES, .text = "cannot open it: Permission denied"};
    int dir = setup_dir();
    dir_owner_tell(path, &err);
    char self[32];
    (void)snprintf(self, sizeof self, "uid %u", (unsigned)geteuid());
    CHECK(strstr(err.text, "Permission denied. The directory is of ") != NULL);
    CHECK(strstr(err.text, self) != NULL);
    CHECK(strstr(err.text, "run it as the owner") != NULL);
    struct hob_error other = {.os_errno = ENOSPC, .text = "full"};
    dir_owner_tell(path, &other);
    CHECK_STR(other.text, "full");
    dir_owner_tell(path, NULL);
    remove_dir(dir);
}

TESTS(
    a_write_in_pieces_is_finished,
    a_write_that_fails_tells_how_far_it_came,
    large_zeros_truncation_and_syncs_reach_the_file,
    a_listing_shows_each_name_until_it_is_enough,
    a_directory_is_made_only_when_asked_for,
    a_lock_is_taken_once_and_names_its_holder,
    a_permission_that_is_missing_names_the_owner
)
