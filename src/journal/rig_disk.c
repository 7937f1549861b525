/* SPDX-License-Identifier: Apache-2.0 */
/* What a sector holds after a power cut is what it held after some of the writes to it, in order:
 * so each sector draws one number, and the writes from that number on are undone, last first.
 * Changes of the directory are kept up to some point. */
#include "journal/rig_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"

enum { SECTOR_BYTES = 512, PAGE_BYTES = 4096 };

static uint64_t mixed(uint64_t value) {
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static uint64_t draw(struct rig_disk *disk) {
    disk->random += UINT64_C(0x9e3779b97f4a7c15);
    return mixed(disk->random);
}

/* Count a call; true when the process is dead. */
static bool crashed(struct rig_disk *disk) {
    disk->calls++;
    return disk->crash_at != 0 && disk->calls >= disk->crash_at;
}

static uint64_t size_of(int fd, uint64_t *ret_inode) {
    struct stat info;
    int failed = fstat(fd, &info);
    hob_assert(failed == 0);
    *ret_inode = (uint64_t)info.st_ino;
    return (uint64_t)info.st_size;
}

static void *grown(void *old, size_t count, size_t each_bytes) {
    void *block = reallocarray(old, count, each_bytes);
    hob_assert(block != NULL);
    return block;
}

/* Remember what @size bytes at @offset are about to replace. */
static void write_note(struct rig_disk *disk, int fd, uint64_t offset, size_t size) {
    struct rig_write write = {.fd = dup(fd), .offset = offset, .size = size};
    hob_assert(write.fd >= 0);
    uint64_t file_bytes = size_of(fd, &write.inode);
    if (offset < file_bytes) {
        uint64_t there = file_bytes - offset;
        write.old_size = there < size ? (size_t)there : size;
        write.old = grown(NULL, write.old_size, 1);
        ssize_t got = pread(fd, write.old, write.old_size, (off_t)offset);
        hob_assert(got == (ssize_t)write.old_size);
    }
    disk->writes = grown(disk->writes, disk->write_count + 1, sizeof *disk->writes);
    disk->writes[disk->write_count++] = write;
}

static void write_drop(struct rig_write *write) {
    (void)close(write->fd);
    free(write->old);
}

/* How many of @size bytes are really written, and with which errno it ends (0: all of them are). */
static size_t write_allowed(
    struct rig_disk *disk, bool dead, int fd, uint64_t offset, size_t size, int *ret_failed
) {
    *ret_failed = 0;
    if (dead) {
        *ret_failed = EIO;
        return disk->calls == disk->crash_at ? (size_t)(draw(disk) % (size + 1)) : 0;
    }
    uint64_t inode;
    uint64_t file_bytes = size_of(fd, &inode);
    if (offset + size > file_bytes) {
        uint64_t growth = offset + size - file_bytes;
        if (growth > disk->space_bytes) {
            uint64_t missing = growth - disk->space_bytes;
            if (missing >= size) {
                *ret_failed = ENOSPC;
                return 0;
            }
            size -= (size_t)missing;
            growth = disk->space_bytes;
        }
        disk->space_bytes -= growth;
    }
    return size;
}

static ssize_t disk_write_locked(
    struct rig_disk *disk, int fd, const struct iovec *parts, int part_count, uint64_t offset
) {
    bool dead = crashed(disk);
    size_t size = 0;
    for (int i = 0; i < part_count; i++) size += parts[i].iov_len;
    hob_assert(size > 0);
    if (disk->choppy && !dead) {
        if (draw(disk) % 3 == 0) {
            errno = EINTR;
            return -1;
        }
        size = 1 + (size_t)(draw(disk) % size);
    }
    if (disk->torn && !dead) {
        disk->torn = false;
        errno = ENOSPC;
        return -1;
    }
    if (disk->tears && !dead && part_count > 1) {
        disk->tears = false;
        if (disk->tear_at == 0) {
            errno = ENOSPC;
            return -1;
        }
        disk->torn = disk->tear_at < size;
        if (disk->torn) size = disk->tear_at;
    }
    int failed;
    size = write_allowed(disk, dead, fd, offset, size, &failed);
    if (size > 0) write_note(disk, fd, offset, size);
    size_t left = size;
    uint64_t at = offset;
    for (int i = 0; i < part_count && left > 0; i++) {
        size_t step = parts[i].iov_len < left ? parts[i].iov_len : left;
        ssize_t put = pwrite(fd, parts[i].iov_base, step, (off_t)at);
        hob_assert(put == (ssize_t)step);
        left -= step;
        at += step;
    }
    if (failed == 0) return (ssize_t)size;
    errno = failed;
    return -1;
}

static ssize_t
disk_write(void *context, int fd, const struct iovec *parts, int part_count, uint64_t offset) {
    struct rig_disk *disk = context;
    (void)pthread_mutex_lock(&disk->lock);
    ssize_t put = disk_write_locked(disk, fd, parts, part_count, offset);
    int failed = errno;
    (void)pthread_mutex_unlock(&disk->lock);
    errno = failed;
    return put;
}

/* The calls that need no picture of what was before share one shape: count, then do or die. */
static bool alive(struct rig_disk *disk) {
    (void)pthread_mutex_lock(&disk->lock);
    bool dead = crashed(disk);
    (void)pthread_mutex_unlock(&disk->lock);
    errno = EIO;
    return !dead;
}

static int disk_open(void *context, int dir, const char *name, int flags) {
    if (!alive(context)) return -1;
    return openat(dir, name, flags | O_CLOEXEC, 0600);
}

static int disk_truncate(void *context, int fd, uint64_t size) {
    if (!alive(context)) return -1;
    return ftruncate(fd, (off_t)size);
}

/* The system takes and forgets pages, so a write that is forgotten falls into its pages: each may
 * be written again, and so reach the disk, without the others. */
static void write_split(struct rig_disk *disk, size_t index) {
    struct rig_write whole = disk->writes[index];
    uint64_t page_end = (whole.offset / PAGE_BYTES + 1) * PAGE_BYTES;
    if (whole.size == 0 || whole.offset + whole.size <= page_end) return;
    size_t first = (size_t)(page_end - whole.offset);
    size_t left = whole.old_size > first ? whole.old_size - first : 0;
    struct rig_write rest = whole;
    rest.fd = dup(whole.fd);
    hob_assert(rest.fd >= 0);
    rest.offset = page_end;
    rest.size = whole.size - first;
    rest.old_size = left;
    rest.old = left == 0 ? NULL : grown(NULL, left, 1);
    if (left > 0) memcpy(rest.old, whole.old + first, left);
    disk->writes[index].size = first;
    if (left > 0) disk->writes[index].old_size = first;
    disk->writes = grown(disk->writes, disk->write_count + 1, sizeof *disk->writes);
    size_t behind = disk->write_count - index - 1;
    memmove(&disk->writes[index + 2], &disk->writes[index + 1], behind * sizeof *disk->writes);
    disk->writes[index + 1] = rest;
    disk->write_count++;
}

static void writes_forget(struct rig_disk *disk, uint64_t inode) {
    for (size_t i = 0; i < disk->write_count; i++) {
        if (disk->writes[i].inode != inode) continue;
        write_split(disk, i);
        disk->writes[i].forgotten = true;
    }
}

/* What was forgotten reaches the disk only when its pages are written again. */
static bool write_stays(const struct rig_disk *disk, size_t index) {
    const struct rig_write *write = &disk->writes[index];
    if (!write->forgotten) return false;
    uint64_t first_page = write->offset / PAGE_BYTES;
    uint64_t last_page = (write->offset + write->size - 1) / PAGE_BYTES;
    for (size_t i = index + 1; i < disk->write_count; i++) {
        const struct rig_write *later = &disk->writes[i];
        if (later->inode != write->inode || later->forgotten || later->size == 0) continue;
        bool covers = later->offset / PAGE_BYTES <= first_page &&
                      (later->offset + later->size - 1) / PAGE_BYTES >= last_page;
        if (covers) return false;
    }
    return true;
}

static int disk_sync(void *context, int fd) {
    struct rig_disk *disk = context;
    if (!alive(disk)) return -1;
    (void)pthread_mutex_lock(&disk->lock);
    bool fails = disk->sync_fails;
    disk->sync_fails = false;
    uint64_t inode;
    (void)size_of(fd, &inode);
    size_t kept = 0;
    if (fails && disk->forgets) writes_forget(disk, inode);
    for (size_t i = 0; i < disk->write_count && !fails; i++) {
        disk->writes[i].stays = disk->writes[i].inode != inode || write_stays(disk, i);
    }
    for (size_t i = 0; i < disk->write_count && !fails; i++) {
        if (disk->writes[i].stays) {
            disk->writes[kept++] = disk->writes[i];
        } else {
            write_drop(&disk->writes[i]);
        }
    }
    if (!fails) disk->write_count = kept;
    disk->syncs++;
    (void)pthread_mutex_unlock(&disk->lock);
    errno = EIO;
    return fails ? -1 : 0;
}

static int change(struct rig_disk *disk, int dir, const char *from, const char *to) {
    if (renameat(dir, from, dir, to) < 0) return -1;
    (void)pthread_mutex_lock(&disk->lock);
    struct rig_change done = {.dir = dup(dir)};
    (void)snprintf(done.from, sizeof done.from, "%s", from);
    (void)snprintf(done.to, sizeof done.to, "%s", to);
    disk->changes = grown(disk->changes, disk->change_count + 1, sizeof *disk->changes);
    disk->changes[disk->change_count++] = done;
    (void)pthread_mutex_unlock(&disk->lock);
    return 0;
}

static int disk_rename(void *context, int dir, const char *from, const char *to) {
    if (!alive(context)) return -1;
    return change(context, dir, from, to);
}

static int disk_unlink(void *context, int dir, const char *name) {
    struct rig_disk *disk = context;
    if (!alive(disk)) return -1;
    char hidden[64];
    (void)snprintf(hidden, sizeof hidden, ".gone.%llu", (unsigned long long)disk->calls);
    return change(disk, dir, name, hidden);
}

/* Make the changes from @first on undone, last first, or final. */
static void changes_end(struct rig_disk *disk, size_t first) {
    while (disk->change_count > 0) {
        const struct rig_change *last = &disk->changes[--disk->change_count];
        int failed = 0;
        if (disk->change_count >= first) {
            failed = renameat(last->dir, last->to, last->dir, last->from);
        } else if (strncmp(last->to, ".gone.", 6) == 0) {
            failed = unlinkat(last->dir, last->to, 0);
        }
        hob_assert(failed == 0);
        (void)close(last->dir);
    }
}

static int disk_sync_dir(void *context, int dir) {
    (void)dir;
    struct rig_disk *disk = context;
    if (!alive(disk)) return -1;
    (void)pthread_mutex_lock(&disk->lock);
    changes_end(disk, disk->change_count);
    (void)pthread_mutex_unlock(&disk->lock);
    return 0;
}

void rig_disk_init(struct rig_disk *disk, uint64_t seed) {
    *disk = (struct rig_disk){
        .io =
            {
                .context = disk,
                .open = disk_open,
                .write = disk_write,
                .truncate = disk_truncate,
                .sync = disk_sync,
                .rename = disk_rename,
                .unlink = disk_unlink,
                .sync_dir = disk_sync_dir,
            },
        .space_bytes = UINT64_MAX,
        .random = mixed(seed + 1),
    };
    int failed = pthread_mutex_init(&disk->lock, NULL);
    hob_assert(failed == 0);
}

void rig_disk_space(struct rig_disk *disk, uint64_t bytes) {
    (void)pthread_mutex_lock(&disk->lock);
    disk->space_bytes = bytes;
    (void)pthread_mutex_unlock(&disk->lock);
}

void rig_disk_fail_sync(struct rig_disk *disk) {
    (void)pthread_mutex_lock(&disk->lock);
    disk->sync_fails = true;
    (void)pthread_mutex_unlock(&disk->lock);
}

void rig_disk_chop(struct rig_disk *disk) {
    (void)pthread_mutex_lock(&disk->lock);
    disk->choppy = true;
    (void)pthread_mutex_unlock(&disk->lock);
}

void rig_disk_tear(struct rig_disk *disk, size_t bytes) {
    (void)pthread_mutex_lock(&disk->lock);
    disk->tears = true;
    disk->tear_at = bytes;
    (void)pthread_mutex_unlock(&disk->lock);
}

uint64_t rig_disk_calls(struct rig_disk *disk) {
    (void)pthread_mutex_lock(&disk->lock);
    uint64_t calls = disk->calls;
    (void)pthread_mutex_unlock(&disk->lock);
    return calls;
}

uint64_t rig_disk_syncs(struct rig_disk *disk) {
    (void)pthread_mutex_lock(&disk->lock);
    uint64_t syncs = disk->syncs;
    (void)pthread_mutex_unlock(&disk->lock);
    return syncs;
}

void rig_disk_settle(struct rig_disk *disk) {
    changes_end(disk, disk->change_count);
    for (size_t i = 0; i < disk->write_count; i++) write_drop(&disk->writes[i]);
    free(disk->writes);
    free(disk->changes);
    (void)pthread_mutex_destroy(&disk->lock);
    *disk = (struct rig_disk){0};
}

/* Undo the sectors of write number @index that drew a number up to it. */
static void write_undo(const struct rig_disk *disk, size_t index, uint64_t salt) {
    const struct rig_write *write = &disk->writes[index];
    /* Of a file only its order counts, so that a seed is the same run on each machine. */
    uint64_t file = 0;
    while (disk->writes[file].inode != write->inode) file++;
    static const char zeros[SECTOR_BYTES];
    uint64_t end = write->offset + write->size;
    for (uint64_t at = write->offset; at < end;) {
        uint64_t sector = at / SECTOR_BYTES;
        uint64_t next = (sector + 1) * SECTOR_BYTES;
        size_t size = (size_t)((next < end ? next : end) - at);
        uint64_t kept = mixed(salt ^ mixed(file + 1) ^ sector) % (disk->write_count + 1);
        if (kept <= index) {
            size_t back = (size_t)(at - write->offset);
            size_t known = back < write->old_size ? write->old_size - back : 0;
            if (known > size) known = size;
            ssize_t put = 0;
            if (known > 0) put = pwrite(write->fd, write->old + back, known, (off_t)at);
            hob_assert(put == (ssize_t)known);
            put = 0;
            if (known < size) put = pwrite(write->fd, zeros, size - known, (off_t)(at + known));
            hob_assert(put == (ssize_t)(size - known));
        }
        at += size;
    }
}

void rig_disk_power_cut(struct rig_disk *disk) {
    uint64_t salt = draw(disk);
    bool all = draw(disk) % 4 == 0; /* now and then nothing that was not synced is there */
    bool shrink = draw(disk) % 2 == 0;
    changes_end(disk, all ? 0 : (size_t)(draw(disk) % (disk->change_count + 1)));
    for (size_t i = disk->write_count; i-- > 0;) {
        const struct rig_write *write = &disk->writes[i];
        if (all) {
            ssize_t put = pwrite(write->fd, write->old, write->old_size, (off_t)write->offset);
            hob_assert(put == (ssize_t)write->old_size);
        } else {
            write_undo(disk, i, salt);
        }
        /* the length of a file is lost as easily as what it holds */
        if (write->old_size < write->size && (all || shrink)) {
            int failed = ftruncate(write->fd, (off_t)(write->offset + write->old_size));
            hob_assert(failed == 0);
        }
    }
    rig_disk_settle(disk);
}
