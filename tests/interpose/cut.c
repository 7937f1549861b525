/* SPDX-License-Identifier: Apache-2.0 */
/* power_cut DIR LOG SEED all|some: the power goes. Takes back from the files in DIR what the log in
 * LOG (loss.c) tells and no sync covered, and empties LOG. The process that wrote them is dead.
 *
 * `all`: everything that is not covered. `some`: the disk had begun to write, in any order. Each
 * sector of 512 bytes is then as it was before all, after all, or after some of the writes to it;
 * each size likewise; of the names in a directory the last changes are missing, from a drawn one
 * on, as on a file system with a journal. A file's sync does not cover its name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record.h"

enum { SECTOR_BYTES = 512, FILES_MAX = 4096 };

struct entry {
    struct power_record record;
    char path[POWER_PATH_MAX];
    char other[POWER_PATH_MAX];
    const char *bytes;
};

struct file {
    uint64_t inode;
    uint64_t durable; /* records before this one are on the disk */
    char path[POWER_PATH_MAX];
    int fd;
};

static struct entry *entries;
static size_t entry_count;
static struct file files[FILES_MAX];
static size_t file_count;
static uint64_t seed;
static bool all;
static uint64_t bytes_undone;
static uint64_t names_undone;

static void die(const char *what, const char *path) {
    (void)fprintf(stderr, "power_cut: %s %s: %s\n", what, path, strerrordesc_np(errno));
    _exit(1);
}

static uint64_t mix(uint64_t a, uint64_t b) {
    uint64_t x = seed ^ (a * UINT64_C(0x9e3779b97f4a7c15)) ^ (b * UINT64_C(0xc2b2ae3d27d4eb4f));
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* From which record on a thing loses its changes: none of them, all, or from one in between. */
static uint64_t cut_at(uint64_t durable, uint64_t a, uint64_t b) {
    uint64_t drawn = mix(a, b);
    if (all || drawn % 3 == 0) return durable;
    if (drawn % 3 == 1) return entry_count;
    return durable + drawn / 3 % (entry_count - durable + 1);
}

static struct file *file_of(uint64_t inode) {
    for (size_t i = 0; i < file_count; i++) {
        if (files[i].inode == inode) return &files[i];
    }
    if (file_count == FILES_MAX) die("too many files", "");
    files[file_count] = (struct file){.inode = inode, .fd = -1};
    return &files[file_count++];
}

static void log_read(const char *log_dir) {
    char path[POWER_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/" POWER_LOG_NAME, log_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    if (fd < 0 || fstat(fd, &stat) != 0) return; /* nothing was ever changed */
    if (stat.st_size == 0) return;
    const char *at = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED) die("cannot read", path);
    const char *end = at + stat.st_size;
    size_t capacity = 0;
    while ((size_t)(end - at) >= sizeof(struct power_record)) {
        struct entry entry = {0};
        memcpy(&entry.record, at, sizeof entry.record);
        const struct power_record *record = &entry.record;
        size_t names = record->path_size + record->other_size;
        if ((size_t)(end - at) < sizeof *record + names + record->bytes_size) break;
        at += sizeof *record;
        memcpy(entry.path, at, record->path_size);
        memcpy(entry.other, at + record->path_size, record->other_size);
        entry.bytes = at + names;
        at = entry.bytes + record->bytes_size;
        if (entry_count == capacity) {
            capacity = capacity == 0 ? 1024 : 2 * capacity;
            entries = realloc(entries, capacity * sizeof *entries);
            if (entries == NULL) die("no memory", "");
        }
        entries[entry_count++] = entry;
    }
}

/* Where each file is now, whatever its name was. */
static void files_find(const char *path) {
    DIR *dir = opendir(path);
    if (dir == NULL) return;
    const struct dirent *found;
    /* One thread reads this stream. */
    while ((found = readdir(dir)) != NULL) { // NOLINT(concurrency-mt-unsafe)
        struct file *file = file_of(found->d_ino);
        (void)snprintf(file->path, sizeof file->path, "%s/%s", path, found->d_name);
    }
    (void)closedir(dir);
}

static void syncs_take(void) {
    for (size_t i = 0; i < entry_count; i++) {
        const struct power_record *record = &entries[i].record;
        if (record->kind != POWER_SYNC && record->kind != POWER_SYNC_DIR) continue;
        struct file *file = file_of(record->inode);
        if (record->covers > file->durable) file->durable = record->covers;
    }
}

static void bytes_undo(const struct file *file, size_t index, const struct entry *entry) {
    uint64_t at = entry->record.offset;
    uint64_t end = at + entry->record.bytes_size;
    const char *bytes = entry->bytes;
    while (at < end) {
        uint64_t sector = at / SECTOR_BYTES;
        uint64_t size = (sector + 1) * SECTOR_BYTES - at;
        if (size > end - at) size = end - at;
        if (index >= cut_at(file->durable, file->inode, sector)) {
            if (pwrite(file->fd, bytes, size, (off_t)at) != (ssize_t)size) die("write", file->path);
            bytes_undone += size;
        }
        at += size;
        bytes += size;
    }
}

static void data_undo(void) {
    for (size_t i = entry_count; i-- > 0;) {
        const struct entry *entry = &entries[i];
        if (entry->record.kind != POWER_WRITE && entry->record.kind != POWER_RESIZE) continue;
        struct file *file = file_of(entry->record.inode);
        if (i < file->durable || file->path[0] == '\0') continue;
        if (file->fd < 0) file->fd = open(file->path, O_WRONLY | O_CLOEXEC);
        if (file->fd < 0) die("cannot open", file->path);
        bytes_undo(file, i, entry);
        if (i < cut_at(file->durable, file->inode, UINT64_MAX)) continue;
        if (ftruncate(file->fd, (off_t)entry->record.old_size) != 0) die("resize", file->path);
    }
}

static bool is_there(const char *path) {
    return access(path, F_OK) == 0;
}

static void saved_back(const char *log_dir, uint32_t saved, const char *path) {
    char from[POWER_PATH_MAX];
    (void)snprintf(from, sizeof from, "%s/%u", log_dir, saved);
    if (saved != 0 && !is_there(path) && link(from, path) != 0) die("cannot bring back", path);
}

static void name_undo(const char *log_dir, const struct entry *entry) {
    names_undone++;
    switch ((enum power_kind)entry->record.kind) {
    case POWER_CREATE:
        (void)unlink(entry->path);
        break;
    case POWER_RENAME:
        if (is_there(entry->path)) break; /* it was never done */
        if (rename(entry->other, entry->path) != 0) die("cannot rename back", entry->other);
        saved_back(log_dir, entry->record.saved, entry->other);
        break;
    case POWER_UNLINK:
        saved_back(log_dir, entry->record.saved, entry->path);
        break;
    case POWER_WRITE:
    case POWER_RESIZE:
    case POWER_SYNC:
    case POWER_SYNC_DIR:
        break;
    }
}

static void names_undo(const char *log_dir) {
    for (size_t i = entry_count; i-- > 0;) {
        const struct entry *entry = &entries[i];
        uint32_t kind = entry->record.kind;
        if (kind != POWER_CREATE && kind != POWER_RENAME && kind != POWER_UNLINK) continue;
        uint64_t durable = file_of(entry->record.inode)->durable;
        if (i < cut_at(durable, entry->record.inode, 0)) continue;
        name_undo(log_dir, entry);
    }
}

static void log_empty(const char *log_dir) {
    DIR *dir = opendir(log_dir);
    if (dir == NULL) die("cannot open", log_dir);
    const struct dirent *found;
    while ((found = readdir(dir)) != NULL) { // NOLINT(concurrency-mt-unsafe)
        if (found->d_name[0] != '.') (void)unlinkat(dirfd(dir), found->d_name, 0);
    }
    (void)closedir(dir);
}

int main(int argc, char **argv) {
    if (argc != 5) {
        (void)fprintf(stderr, "usage: power_cut DIR LOG SEED all|some\n");
        return 2;
    }
    seed = strtoull(argv[3], NULL, 10);
    all = strcmp(argv[4], "all") == 0;
    log_read(argv[2]);
    files_find(argv[1]);
    files_find(argv[2]);
    syncs_take();
    data_undo();
    names_undo(argv[2]);
    log_empty(argv[2]);
    (void)printf(
        "%zu changes, undone: %" PRIu64 " bytes, %" PRIu64 " names\n",
        entry_count,
        bytes_undone,
        names_undone
    );
    return 0;
}
