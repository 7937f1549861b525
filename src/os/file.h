/* SPDX-License-Identifier: Apache-2.0 */
/* Files and directories: the calls that a durable file format needs, without their traps (short
 * reads and writes, EINTR).
 *
 * They answer 0 or an errno; the caller knows what the file is for and makes the text (fail_errno).
 * Everything that changes the disk goes through a `struct file_io`, so that a test can count calls,
 * refuse the Nth, or undo what was never synced. */
#ifndef HOB_OS_FILE_H
#define HOB_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/slice.h"
#include "base/status.h"

/* The calls that change the disk, each as the system's own: -1 and errno on failure. */
struct file_io {
    void *context;
    int (*open)(void *context, int dir, const char *name, int flags);
    ssize_t (*write
    )(void *context, int fd, const struct iovec *parts, int part_count, uint64_t offset);
    int (*truncate)(void *context, int fd, uint64_t size);
    int (*sync)(void *context, int fd); /* data, and the size that is needed to read it back */
    int (*rename)(void *context, int dir, const char *from, const char *to);
    int (*unlink)(void *context, int dir, const char *name);
    int (*sync_dir)(void *context, int dir); /* creates, renames and unlinks so far */
};

extern const struct file_io file_io_system;

/** Open @name in the directory @dir; @flags as open(2). New files are 0600; no child process
 * inherits them. */
HOB_CHECK int
file_open(const struct file_io *io, int dir, const char *name, int flags, int *ret_fd);

/** Close unless *fd is -1; *fd becomes -1. Nothing is made durable by closing: sync first. */
void file_close(int *fd);

/** Read until @size bytes or the end of the file; *ret_read tells how many. */
HOB_CHECK int file_read(int fd, uint64_t offset, char *to, size_t size, size_t *ret_read);

/** A part for file_write, which only reads it. */
struct iovec file_part(const void *bytes, size_t size);

/** Write all of @parts (changed meanwhile); *ret_written counts what was written, on failure too.
 */
HOB_CHECK int file_write(
    const struct file_io *io,
    int fd,
    struct iovec *parts,
    int part_count,
    uint64_t offset,
    uint64_t *ret_written
);

/** Write zeros over @size bytes; *ret_written as in file_write. */
HOB_CHECK int file_write_zeros(
    const struct file_io *io, int fd, uint64_t offset, uint64_t size, uint64_t *ret_written
);

/** Make the file @size bytes long; what is added reads as zeros. */
HOB_CHECK int file_truncate(const struct file_io *io, int fd, uint64_t size);

/**
 * Make what was written durable. A failure is final: a later success proves nothing about these
 * bytes.
 */
HOB_CHECK int file_sync(const struct file_io *io, int fd);

/** The permissions of the file. */
HOB_CHECK int file_mode(int fd, unsigned *ret_mode);

/** Is there a file at @path that can be started as a program? 0, or why not. */
HOB_CHECK int file_is_program(const char *path);

/** How long the file is. */
HOB_CHECK int file_size(int fd, uint64_t *ret_size);

/** Drop the clean pages of a file, so that the next read comes from the device. Advice: it cannot
 * fail. */
void file_forget_cache(int fd);

/** Ask the system to read ahead; advice. */
void file_read_ahead(int fd);

/** A file of @bytes that lies in memory and has no name; it is closed by exec. */
HOB_CHECK int file_of_memory(const char *label, struct slice bytes, int *ret_fd);

/** Rename within @dir, over what @to was; durable after dir_sync. */
HOB_CHECK int file_rename(const struct file_io *io, int dir, const char *from, const char *to);
/** Remove a name; durable after dir_sync. */
HOB_CHECK int file_unlink(const struct file_io *io, int dir, const char *name);

/** Open a directory, made (0700, its parent synced) when @make says so and it is missing. */
HOB_CHECK int dir_open(const char *path, bool make, int *ret_dir);

/** When @err says "permission denied": add to its text who owns the directory and who we are. @err
 * may be NULL. */
void dir_owner_tell(const char *path, struct hob_error *err);

/** Make the creates, renames and unlinks in @dir durable. */
HOB_CHECK int dir_sync(const struct file_io *io, int dir);

/** Call @visit for each entry but "." and "..", in no order; it stops when @visit answers false. */
HOB_CHECK int dir_list(int dir, bool (*visit)(void *context, const char *name), void *context);

/**
 * Take the lock file @name in @dir for this process, made when missing, and write the process id
 * into it. The lock ends when *ret_fd is closed, however the process ends. EWOULDBLOCK: another
 * holds it; *ret_holder is its id, 0 if unknown.
 */
HOB_CHECK int lock_take(int dir, const char *name, int *ret_fd, long *ret_holder);

/** The process that holds the lock file: 0 none, -1 it is held and the id cannot be read. Changes
 * nothing. */
long lock_holder(int dir, const char *name);

#endif
