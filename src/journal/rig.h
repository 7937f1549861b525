/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of journals: directories that go away, batches that can be recognised, files that can
 * be damaged. */
#ifndef HOB_JOURNAL_RIG_H
#define HOB_JOURNAL_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/journal.h"

struct rig_dir {
    char path[256];
};

/** A new empty directory in $TMPDIR, /dev/shm or /tmp. */
struct rig_dir rig_dir_make(void);

/** Remove it with the files in it. */
void rig_dir_remove(const struct rig_dir *dir);

/** The same by its path; one that is not there is fine. */
void rig_path_remove(const char *path);

/** Copy the segments and spares of @from into the empty @to. */
void rig_dir_copy(const struct rig_dir *from, const struct rig_dir *to);

/** The path of a file in @dir. */
struct rig_dir rig_file(const struct rig_dir *dir, const char *name);

/** The path of the file of a segment. */
struct rig_dir rig_segment(const struct rig_dir *dir, uint32_t segment);

/** A whole file; *ret_size its size. To be freed. */
char *rig_file_read(const char *path, size_t *ret_size);
void rig_file_write(const char *path, const void *bytes, size_t size);

/** Bytes that depend on @seed, so that no two batches are alike. */
void rig_bytes(char *bytes, size_t size, uint64_t seed);

/**
 * The batch that continues @journal with @bytes (borrowed), one effect for each 100 bytes begun.
 */
struct journal_batch rig_next(struct journal *journal, struct slice bytes);

/** Append the batch and wait for the answer. */
struct journal_done rig_append(struct journal *journal, const struct journal_batch *batch);

/** Append rig_bytes(size, seed); the answer must be JOURNAL_OK. Its address. */
uint64_t rig_append_ok(struct journal *journal, size_t size, uint64_t seed);

/** What a crash leaves: @dir without the mark of a clean end. */
void rig_unmark(const struct rig_dir *dir);

/** Open the journal in @dir with defaults but @segment_bytes; it must open. */
struct journal *rig_open(const struct rig_dir *dir, uint64_t segment_bytes);

/** Open as rig_open; the status and the error when it does not. */
enum hob_status
rig_try_open(const struct rig_dir *dir, struct journal **ret_journal, struct hob_error *err);

/** Wait for what another thread brings about, some seconds at most; false when it does not come. */
bool rig_until(bool (*there)(void *context), void *context);

/**
 * Read all batches and count them; each must be rig_bytes(size, its seq). The status that ended it.
 */
enum hob_status
rig_read_all(struct journal *journal, size_t size, uint64_t *ret_count, struct hob_error *err);

#endif
