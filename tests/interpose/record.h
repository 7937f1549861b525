/* SPDX-License-Identifier: Apache-2.0 */
/* What a power cut can undo, as a log that lives in the page cache of the machine while a process
 * works: loss.c writes it, from inside the process; cut.c reads it, when the process was killed.
 *
 * Each record is this head, a path, a second path or a name in the folder of saved files, and the
 * bytes that are overwritten. A record is in the log before what it tells of is done, syncs
 * excepted, which are there afterwards. So a log that ends anywhere undoes too much at most by what
 * had not been done. */
#ifndef HOB_TEST_INTERPOSE_RECORD_H
#define HOB_TEST_INTERPOSE_RECORD_H

#include <stdint.h>

#define POWER_DIR_VARIABLE  "POWER_DIR" /* the directory whose files can be lost */
#define POWER_LOG_VARIABLE  "POWER_LOG" /* a directory on the same file system, for what is kept */
#define POWER_LOG_NAME      "log"
#define POWER_LIES_VARIABLE "POWER_LIES" /* set: no sync is worth anything */

enum power_kind {
    POWER_WRITE = 1, /* of `inode` from `offset` on: the bytes that were there, the old size */
    POWER_RESIZE,    /* the bytes from `offset` to the end that were there, the old size */
    POWER_SYNC,      /* all of `inode` before record `covers` is on the disk */
    POWER_CREATE,    /* in the directory `inode`: path */
    POWER_RENAME,    /* path, path; `saved`: number of the file that was replaced, 0: none */
    POWER_UNLINK,    /* path; `saved` */
    POWER_SYNC_DIR,  /* the directory `inode` before record `covers` */
};

struct power_record {
    uint32_t kind;
    uint32_t path_size;
    uint32_t other_size;
    uint32_t saved;
    uint64_t inode;
    uint64_t offset;
    uint64_t old_size;
    uint64_t covers;
    uint64_t bytes_size;
};

enum { POWER_PATH_MAX = 1024 };

#endif
