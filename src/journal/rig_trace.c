/* SPDX-License-Identifier: Apache-2.0 */
/* A state is a vector of choices: one digit for the directory, one for the length of each file, one
 * for each sector that has more than one possible content. Counting through the vector makes all
 * states. Sectors whose writes changed nothing (zeros over zeros) are no choice. */
#include "journal/rig_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"

enum { VERSIONS_MAX = 4, SECTORS = TRACE_FILE_BYTES_MAX / TRACE_SECTOR_BYTES, CHANGES_MAX = 32 };

/* --- recording --- */

static uint32_t file_of(struct rig_trace *trace, int fd) {
    struct stat info;
    int failed = fstat(fd, &info);
    hob_assert(failed == 0);
    for (uint32_t i = 0; i < trace->file_count; i++) {
        if (trace->inodes[i] == info.st_ino) return i;
    }
    hob_assert(trace->file_count < TRACE_FILES_MAX);
    trace->inodes[trace->file_count] = info.st_ino;
    return trace->file_count++;
}

static struct trace_op *op_add(struct rig_trace *trace, enum trace_type type) {
    if (trace->op_count == trace->op_capacity) {
        trace->op_capacity = trace->op_capacity == 0 ? 256 : trace->op_capacity * 2;
        trace->ops = reallocarray(trace->ops, trace->op_capacity, sizeof *trace->ops);
        hob_assert(trace->ops != NULL);
    }
    struct trace_op *op = &trace->ops[trace->op_count++];
    *op = (struct trace_op){.type = type};
    return op;
}

static int trace_open(void *context, int dir, const char *name, int flags) {
    struct rig_trace *trace = context;
    bool existed = faccessat(dir, name, F_OK, 0) == 0;
    int fd = openat(dir, name, flags | O_CLOEXEC, 0600);
    if (fd < 0) return fd;
    hob_assert(!existed || (flags & O_TRUNC) == 0);
    (void)pthread_mutex_lock(&trace->lock);
    uint32_t file = file_of(trace, fd);
    if (!existed) {
        struct trace_op *op = op_add(trace, TRACE_CREATE);
        op->file = file;
        (void)snprintf(op->from, sizeof op->from, "%s", name);
    }
    (void)pthread_mutex_unlock(&trace->lock);
    return fd;
}

/* How much of a write of @size bytes comes to the disk; 0: it is full. */
static size_t trace_room(struct rig_trace *trace, size_t size, int part_count) {
    if (trace->is_full) {
        trace->is_full = false;
        return 0;
    }
    if (trace->full_each == 0 || part_count < 2) return size;
    if (++trace->frames % trace->full_each != 0) return size;
    trace->is_full = true;
    /* Different parts of frames; now and then all but the last byte of what is behind it. */
    size_t part = (size_t)(trace->frames * 577 % size);
    return part == 0 || trace->frames / trace->full_each % 2 == 0 ? size - 1 : part;
}

static ssize_t
trace_write(void *context, int fd, const struct iovec *parts, int part_count, uint64_t offset) {
    struct rig_trace *trace = context;
    size_t size = 0;
    for (int i = 0; i < part_count; i++) size += parts[i].iov_len;
    char *bytes = malloc(size + 1);
    hob_assert(bytes != NULL);
    size_t at = 0;
    for (int i = 0; i < part_count; i++) {
        if (parts[i].iov_len > 0) memcpy(bytes + at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
    (void)pthread_mutex_lock(&trace->lock);
    size = trace_room(trace, size, part_count);
    if (size == 0) {
        (void)pthread_mutex_unlock(&trace->lock);
        free(bytes);
        errno = ENOSPC;
        return -1;
    }
    ssize_t put = pwrite(fd, bytes, size, (off_t)offset);
    hob_assert(put == (ssize_t)size);
    uint32_t file = file_of(trace, fd);
    struct trace_op *op = op_add(trace, TRACE_WRITE);
    op->file = file;
    op->offset = offset;
    op->size = size;
    op->bytes = bytes;
    (void)pthread_mutex_unlock(&trace->lock);
    return put;
}

/* The runs that are recorded never make a file shorter. */
static int trace_truncate(void *context, int fd, uint64_t size) {
    (void)context;
    (void)fd;
    (void)size;
    errno = EIO;
    return -1;
}

static int trace_sync(void *context, int fd) {
    struct rig_trace *trace = context;
    (void)pthread_mutex_lock(&trace->lock);
    uint32_t file = file_of(trace, fd);
    op_add(trace, TRACE_SYNC)->file = file;
    (void)pthread_mutex_unlock(&trace->lock);
    return 0;
}

static int trace_rename(void *context, int dir, const char *from, const char *to) {
    struct rig_trace *trace = context;
    (void)pthread_mutex_lock(&trace->lock);
    /* what is renamed over lives on */
    char hidden[TRACE_NAME_BYTES];
    (void)snprintf(hidden, sizeof hidden, ".gone.%llu", (unsigned long long)trace->hidden++);
    (void)renameat(dir, to, dir, hidden);
    int done = renameat(dir, from, dir, to);
    hob_assert(done == 0);
    struct trace_op *op = op_add(trace, TRACE_RENAME);
    (void)snprintf(op->from, sizeof op->from, "%s", from);
    (void)snprintf(op->to, sizeof op->to, "%s", to);
    (void)pthread_mutex_unlock(&trace->lock);
    return 0;
}

static int trace_unlink(void *context, int dir, const char *name) {
    struct rig_trace *trace = context;
    (void)pthread_mutex_lock(&trace->lock);
    char hidden[TRACE_NAME_BYTES];
    (void)snprintf(hidden, sizeof hidden, ".gone.%llu", (unsigned long long)trace->hidden++);
    int done = renameat(dir, name, dir, hidden);
    hob_assert(done == 0);
    struct trace_op *op = op_add(trace, TRACE_UNLINK);
    (void)snprintf(op->from, sizeof op->from, "%s", name);
    (void)pthread_mutex_unlock(&trace->lock);
    return 0;
}

static int trace_sync_dir(void *context, int dir) {
    (void)dir;
    struct rig_trace *trace = context;
    (void)pthread_mutex_lock(&trace->lock);
    (void)op_add(trace, TRACE_SYNC_DIR);
    (void)pthread_mutex_unlock(&trace->lock);
    return 0;
}

struct start_visit {
    struct rig_trace *trace;
    int dir;
    const struct rig_dir *path;
};

static bool start_visit(void *context, const char *name) {
    struct start_visit *visit = context;
    struct rig_trace *trace = visit->trace;
    if (strcmp(name, "LOCK") == 0 || name[0] == '.') return true;
    int fd = openat(visit->dir, name, O_RDONLY | O_CLOEXEC);
    hob_assert(fd >= 0);
    uint32_t file = file_of(trace, fd);
    (void)close(fd);
    hob_assert(file == trace->start_count);
    (void)snprintf(trace->start_names[file], TRACE_NAME_BYTES, "%s", name);
    trace->start_bytes[file] =
        rig_file_read(rig_file(visit->path, name).path, &trace->start_size[file]);
    trace->start_count++;
    return true;
}

void rig_trace_init(struct rig_trace *trace, const struct rig_dir *dir) {
    *trace = (struct rig_trace){
        .io =
            {
                .context = trace,
                .open = trace_open,
                .write = trace_write,
                .truncate = trace_truncate,
                .sync = trace_sync,
                .rename = trace_rename,
                .unlink = trace_unlink,
                .sync_dir = trace_sync_dir,
            },
    };
    int failed = pthread_mutex_init(&trace->lock, NULL);
    hob_assert(failed == 0);
    struct start_visit visit = {.trace = trace, .dir = -1, .path = dir};
    failed = dir_open(dir->path, false, &visit.dir);
    if (failed == 0) failed = dir_list(visit.dir, start_visit, &visit);
    hob_assert(failed == 0);
    file_close(&visit.dir);
}

void rig_trace_deinit(struct rig_trace *trace) {
    for (size_t i = 0; i < trace->op_count; i++) free(trace->ops[i].bytes);
    for (uint32_t i = 0; i < trace->start_count; i++) free(trace->start_bytes[i]);
    free(trace->ops);
    (void)pthread_mutex_destroy(&trace->lock);
    *trace = (struct rig_trace){0};
}

void rig_trace_note(struct rig_trace *trace, struct trace_note note) {
    (void)pthread_mutex_lock(&trace->lock);
    op_add(trace, TRACE_NOTE)->note = note;
    (void)pthread_mutex_unlock(&trace->lock);
}

/* --- the disk at a cut --- */

struct disk_file {
    char *now; /* with all writes */
    size_t now_size;
    size_t synced_size;
    char *versions[SECTORS][VERSIONS_MAX]; /* of a sector: [0] synced; borrowed or owned blocks */
    uint8_t version_count[SECTORS];        /* 0: only what `now` has */
};

struct name {
    char text[TRACE_NAME_BYTES];
    uint32_t file;
};

struct directory {
    struct name names[TRACE_FILES_MAX];
    uint32_t count;
};

enum digit_type { DIGIT_DIRECTORY, DIGIT_LENGTH, DIGIT_SECTOR };

struct digit {
    enum digit_type type;
    uint32_t file;
    uint32_t sector;
    uint32_t count;
    uint32_t value;
};

struct rig_states {
    struct disk_file files[TRACE_FILES_MAX];
    uint32_t file_count;
    struct directory directories[CHANGES_MAX + 1]; /* [0] synced, then after each change */
    uint32_t directory_count;
    struct digit *digits;
    size_t digit_count;
    struct trace_note note;
    bool exhaustive;
    uint64_t left;
    uint64_t made;
    uint64_t random;
};

static void *owned(size_t size) {
    void *block = calloc(1, size);
    hob_assert(block != NULL);
    return block;
}

static void file_synced(struct disk_file *file) {
    for (size_t sector = 0; sector < SECTORS; sector++) {
        for (uint8_t i = 0; i < file->version_count[sector]; i++) free(file->versions[sector][i]);
        file->version_count[sector] = 0;
    }
    file->synced_size = file->now_size;
}

static void version_add(struct disk_file *file, size_t sector, const char *bytes) {
    uint8_t count = file->version_count[sector];
    for (uint8_t i = 0; i < count; i++) {
        if (memcmp(file->versions[sector][i], bytes, TRACE_SECTOR_BYTES) == 0) return;
    }
    hob_assert(count < VERSIONS_MAX);
    file->versions[sector][count] = owned(TRACE_SECTOR_BYTES);
    memcpy(file->versions[sector][count], bytes, TRACE_SECTOR_BYTES);
    file->version_count[sector]++;
}

static void file_written(struct disk_file *file, const struct trace_op *op) {
    if (file->now == NULL) file->now = owned(TRACE_FILE_BYTES_MAX);
    hob_assert(op->offset + op->size <= TRACE_FILE_BYTES_MAX);
    size_t first = (size_t)(op->offset / TRACE_SECTOR_BYTES);
    size_t end = (size_t)((op->offset + op->size + TRACE_SECTOR_BYTES - 1) / TRACE_SECTOR_BYTES);
    for (size_t i = first; i < end; i++) version_add(file, i, file->now + i * TRACE_SECTOR_BYTES);
    memcpy(file->now + op->offset, op->bytes, op->size);
    for (size_t i = first; i < end; i++) version_add(file, i, file->now + i * TRACE_SECTOR_BYTES);
    if (file->now_size < op->offset + op->size) file->now_size = (size_t)(op->offset + op->size);
}

static uint32_t name_find(const struct directory *directory, const char *text) {
    uint32_t i = 0;
    while (i < directory->count && strcmp(directory->names[i].text, text) != 0) i++;
    return i;
}

static void name_remove(struct directory *directory, const char *text) {
    uint32_t at = name_find(directory, text);
    if (at < directory->count) directory->names[at] = directory->names[--directory->count];
}

static void name_add(struct directory *directory, const char *text, uint32_t file) {
    hob_assert(directory->count < TRACE_FILES_MAX);
    struct name *name = &directory->names[directory->count++];
    (void)snprintf(name->text, sizeof name->text, "%s", text);
    name->file = file;
}

static void directory_change(struct rig_states *states, const struct trace_op *op) {
    hob_assert(states->directory_count <= CHANGES_MAX);
    struct directory *next = &states->directories[states->directory_count];
    *next = states->directories[states->directory_count - 1];
    states->directory_count++;
    if (op->type == TRACE_CREATE) name_add(next, op->from, op->file);
    if (op->type == TRACE_UNLINK) name_remove(next, op->from);
    if (op->type != TRACE_RENAME) return;
    uint32_t at = name_find(next, op->from);
    hob_assert(at < next->count);
    uint32_t file = next->names[at].file;
    name_remove(next, op->from);
    name_remove(next, op->to);
    name_add(next, op->to, file);
}

static void states_take(struct rig_states *states, const struct trace_op *op) {
    switch (op->type) {
    case TRACE_CREATE:
        if (states->files[op->file].now == NULL) {
            states->files[op->file].now = owned(TRACE_FILE_BYTES_MAX);
        }
        directory_change(states, op);
        break;
    case TRACE_RENAME:
    case TRACE_UNLINK:
        directory_change(states, op);
        break;
    case TRACE_WRITE:
        file_written(&states->files[op->file], op);
        break;
    case TRACE_SYNC:
        file_synced(&states->files[op->file]);
        break;
    case TRACE_SYNC_DIR:
        states->directories[0] = states->directories[states->directory_count - 1];
        states->directory_count = 1;
        break;
    case TRACE_NOTE:
        states->note = op->note;
        break;
    }
}

static void digit_add(struct rig_states *states, struct digit digit) {
    if (digit.count < 2) return;
    states->digits = reallocarray(states->digits, states->digit_count + 1, sizeof *states->digits);
    hob_assert(states->digits != NULL);
    states->digits[states->digit_count++] = digit;
}

static void digits_gather(struct rig_states *states) {
    digit_add(states, (struct digit){.type = DIGIT_DIRECTORY, .count = states->directory_count});
    for (uint32_t i = 0; i < states->file_count; i++) {
        const struct disk_file *file = &states->files[i];
        uint32_t lengths = file->synced_size < file->now_size ? 2 : 1;
        digit_add(states, (struct digit){.type = DIGIT_LENGTH, .file = i, .count = lengths});
        for (uint32_t sector = 0; sector < SECTORS; sector++) {
            uint32_t count = file->version_count[sector];
            digit_add(
                states,
                (struct digit){.type = DIGIT_SECTOR, .file = i, .sector = sector, .count = count}
            );
        }
    }
}

struct rig_states *rig_states_new(
    const struct rig_trace *trace,
    size_t cut,
    uint64_t exhaustive_max,
    uint64_t drawn,
    uint64_t seed
) {
    struct rig_states *states = owned(sizeof *states);
    states->directory_count = 1;
    states->file_count = trace->file_count;
    for (uint32_t i = 0; i < trace->start_count; i++) {
        struct disk_file *file = &states->files[i];
        file->now = owned(TRACE_FILE_BYTES_MAX);
        hob_assert(trace->start_size[i] <= TRACE_FILE_BYTES_MAX);
        memcpy(file->now, trace->start_bytes[i], trace->start_size[i]);
        file->now_size = file->synced_size = trace->start_size[i];
        name_add(&states->directories[0], trace->start_names[i], i);
    }
    hob_assert(cut <= trace->op_count);
    for (size_t i = 0; i < cut; i++) states_take(states, &trace->ops[i]);
    digits_gather(states);
    uint64_t all = 1;
    for (size_t i = 0; i < states->digit_count && all <= exhaustive_max; i++) {
        all *= states->digits[i].count;
    }
    states->exhaustive = all <= exhaustive_max;
    states->left = states->exhaustive ? all : drawn;
    states->random = seed;
    return states;
}

void rig_states_free(struct rig_states *states) {
    for (uint32_t i = 0; i < TRACE_FILES_MAX; i++) {
        file_synced(&states->files[i]);
        free(states->files[i].now);
    }
    free(states->digits);
    free(states);
}

static uint64_t draw(struct rig_states *states) {
    states->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t value = states->random;
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* The next vector: one counts on, or draws; the first two that are drawn are the extremes. */
static void digits_next(struct rig_states *states) {
    for (size_t i = 0; i < states->digit_count; i++) {
        struct digit *digit = &states->digits[i];
        if (!states->exhaustive) {
            digit->value = (uint32_t)(draw(states) % digit->count);
            if (states->made == 0) digit->value = 0;
            if (states->made == 1) digit->value = digit->count - 1;
        } else if (states->made > 0) {
            digit->value = (digit->value + 1) % digit->count;
            if (digit->value != 0) return;
        }
    }
}

static bool empty_visit(void *context, const char *name) {
    int done = unlinkat(*(const int *)context, name, 0);
    hob_assert(done == 0);
    return true;
}

static void directory_empty(const struct rig_dir *into) {
    int dir = -1;
    int failed = dir_open(into->path, false, &dir);
    if (failed == 0) failed = dir_list(dir, empty_visit, &dir);
    hob_assert(failed == 0);
    file_close(&dir);
}

bool rig_states_next(struct rig_states *states, const struct rig_dir *into) {
    if (states->left == 0) return false;
    states->left--;
    digits_next(states);
    states->made++;
    directory_empty(into);
    const struct directory *directory = &states->directories[states->directory_count - 1];
    for (size_t i = 0; i < states->digit_count; i++) {
        const struct digit *digit = &states->digits[i];
        if (digit->type == DIGIT_DIRECTORY) directory = &states->directories[digit->value];
    }
    for (uint32_t n = 0; n < directory->count; n++) {
        uint32_t at = directory->names[n].file;
        const struct disk_file *file = &states->files[at];
        char *bytes = owned(TRACE_FILE_BYTES_MAX);
        memcpy(bytes, file->now, TRACE_FILE_BYTES_MAX);
        size_t size = file->now_size;
        for (size_t i = 0; i < states->digit_count; i++) {
            const struct digit *digit = &states->digits[i];
            if (digit->type == DIGIT_DIRECTORY || digit->file != at) continue;
            if (digit->type == DIGIT_LENGTH && digit->value == 0) size = file->synced_size;
            if (digit->type != DIGIT_SECTOR) continue;
            const char *version = file->versions[digit->sector][digit->value];
            memcpy(bytes + (size_t)digit->sector * TRACE_SECTOR_BYTES, version, TRACE_SECTOR_BYTES);
        }
        rig_file_write(rig_file(into, directory->names[n].text).path, bytes, size);
        free(bytes);
    }
    return true;
}

bool rig_states_exhaustive(const struct rig_states *states) {
    return states->exhaustive;
}

struct trace_note rig_states_note(const struct rig_states *states) {
    return states->note;
}
