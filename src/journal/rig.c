/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the journal's tests; any surprise in them ends the test. */
#include "journal/rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/test.h"
#include "os/clock.h"
#include "os/file.h"

struct rig_dir rig_dir_make(void) {
    const char *parent = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): no thread yet */
    /* memory where there is some: these tests are about what is written, not about the device */
    if (parent == NULL) parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    struct rig_dir dir;
    int size = snprintf(dir.path, sizeof dir.path, "%s/hob-journal-XXXXXX", parent);
    hob_assert(size > 0 && (size_t)size < sizeof dir.path);
    char *made = mkdtemp(dir.path);
    hob_assert(made != NULL);
    return dir;
}

static DIR *dir_stream(const struct rig_dir *dir) {
    DIR *stream = opendir(dir->path);
    hob_assert(stream != NULL);
    return stream;
}

static const struct dirent *next(DIR *stream) {
    return readdir(stream); /* NOLINT(concurrency-mt-unsafe): the stream is the caller's alone */
}

void rig_path_remove(const char *path) {
    DIR *stream = opendir(path);
    if (stream == NULL) return;
    for (const struct dirent *entry; (entry = next(stream)) != NULL;) {
        (void)unlinkat(dirfd(stream), entry->d_name, 0);
    }
    (void)closedir(stream);
    int failed = rmdir(path);
    hob_assert(failed == 0);
}

void rig_dir_remove(const struct rig_dir *dir) {
    rig_path_remove(dir->path);
}

void rig_dir_copy(const struct rig_dir *from, const struct rig_dir *to) {
    DIR *stream = dir_stream(from);
    for (const struct dirent *entry; (entry = next(stream)) != NULL;) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "LOCK") == 0) continue;
        /* What a crash leaves has no mark of a clean end. */
        if (strcmp(entry->d_name, "MARK") == 0) continue;
        size_t size;
        char *bytes = rig_file_read(rig_file(from, entry->d_name).path, &size);
        rig_file_write(rig_file(to, entry->d_name).path, bytes, size);
        free(bytes);
    }
    (void)closedir(stream);
}

void rig_unmark(const struct rig_dir *dir) {
    (void)unlink(rig_file(dir, "MARK").path);
}

struct rig_dir rig_file(const struct rig_dir *dir, const char *name) {
    struct rig_dir file;
    int size = snprintf(file.path, sizeof file.path, "%s/%s", dir->path, name);
    hob_assert(size > 0 && (size_t)size < sizeof file.path);
    return file;
}

struct rig_dir rig_segment(const struct rig_dir *dir, uint32_t segment) {
    char name[40];
    (void)snprintf(name, sizeof name, "%020u.seg", (unsigned)segment);
    return rig_file(dir, name);
}

char *rig_file_read(const char *path, size_t *ret_size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    hob_assert(fd >= 0);
    struct stat info;
    int failed = fstat(fd, &info);
    hob_assert(failed == 0);
    char *bytes = malloc((size_t)info.st_size + 1);
    hob_assert(bytes != NULL);
    ssize_t got = read(fd, bytes, (size_t)info.st_size);
    hob_assert(got == info.st_size);
    (void)close(fd);
    *ret_size = (size_t)got;
    return bytes;
}

void rig_file_write(const char *path, const void *bytes, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    hob_assert(fd >= 0);
    ssize_t put = write(fd, bytes, size);
    hob_assert(put == (ssize_t)size);
    /* not O_TRUNC: ext4 takes that for a replacement and writes the file to the disk */
    int failed = ftruncate(fd, (off_t)size);
    hob_assert(failed == 0);
    (void)close(fd);
}

void rig_bytes(char *bytes, size_t size, uint64_t seed) {
    uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes[i] = (char)(state >> 32);
    }
}

struct journal_batch rig_next(struct journal *journal, struct slice bytes) {
    struct journal_info info;
    journal_info(journal, &info);
    struct journal_batch batch = {
        .seq = info.seq + 1,
        .first_pos = info.pos + 1,
        .effect_count = (uint32_t)((bytes.size + 99) / 100),
        .time_ns = (info.seq + 1) * NS_PER_MS,
        .prev_chain = info.chain,
        .bytes = bytes,
    };
    batch.chain = journal_chain(&batch);
    return batch;
}

struct journal_done rig_append(struct journal *journal, const struct journal_batch *batch) {
    struct journal_done done = {.result = JOURNAL_UNKNOWN};
    journal_append(journal, batch);
    enum hob_status status = journal_wait(journal, &done);
    CHECK_EQUAL(status, HOB_OK);
    CHECK_EQUAL(done.seq, batch->seq);
    return done;
}

uint64_t rig_append_ok(struct journal *journal, size_t size, uint64_t seed) {
    char *bytes = malloc(size);
    hob_assert(bytes != NULL);
    rig_bytes(bytes, size, seed);
    struct journal_batch batch = rig_next(journal, slice_of(bytes, size));
    struct journal_done done = rig_append(journal, &batch);
    free(bytes);
    if (done.result != JOURNAL_OK) CHECK_STR(done.error.text, "");
    CHECK_EQUAL(done.result, JOURNAL_OK);
    CHECK(done.address != 0);
    return done.address;
}

static int sync_not(void *context, int fd) {
    (void)context;
    (void)fd;
    return 0;
}

static enum hob_status open_unsynced(
    const struct rig_dir *dir,
    uint64_t segment_bytes,
    struct journal **ret_journal,
    struct hob_error *err
) {
    /* The system, but nothing is synced: the tests end sooner than the power does. */
    static struct file_io io;
    io = file_io_system;
    io.sync = sync_not;
    io.sync_dir = sync_not;
    struct journal_file_options options = {
        .path = dir->path,
        .segment_bytes = segment_bytes,
        .io = &io,
    };
    return journal_file_open(&options, (struct journal_wake){0}, ret_journal, err);
}

struct journal *rig_open(const struct rig_dir *dir, uint64_t segment_bytes) {
    struct hob_error err = {0};
    struct journal *journal = NULL;
    enum hob_status status = open_unsynced(dir, segment_bytes, &journal, &err);
    if (status != HOB_OK) CHECK_STR(err.text, "");
    CHECK_EQUAL(status, HOB_OK);
    return journal;
}

enum hob_status
rig_try_open(const struct rig_dir *dir, struct journal **ret_journal, struct hob_error *err) {
    *ret_journal = NULL;
    return open_unsynced(dir, UINT64_C(64) * 1024, ret_journal, err);
}

bool rig_until(bool (*there)(void *context), void *context) {
    hob_ns deadline = ns_add(clock_monotonic(), 20 * NS_PER_SECOND);
    while (clock_monotonic() < deadline) {
        if (there(context)) return true;
        (void)sched_yield();
    }
    return false;
}

enum hob_status
rig_read_all(struct journal *journal, size_t size, uint64_t *ret_count, struct hob_error *err) {
    char *wanted = malloc(size);
    hob_assert(wanted != NULL);
    *ret_count = 0;
    struct journal_cursor *cursor = NULL;
    enum hob_status status = journal_read_open(journal, 0, &cursor, err);
    while (status == HOB_OK) {
        struct journal_entry entry;
        status = journal_read_next(journal, cursor, &entry, err);
        if (status != HOB_OK) break;
        *ret_count += 1;
        rig_bytes(wanted, size, entry.batch.seq);
        CHECK_EQUAL(entry.batch.bytes.size, size);
        CHECK_BYTES(entry.batch.bytes.bytes, wanted, size);
    }
    journal_read_close(journal, cursor);
    free(wanted);
    return status;
}
