/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a kind that is run by a program:
 *
 *     resize:
 *       run: [./resize.sh, --width, "640"]   # a program and its arguments; never a shell
 *       timeout: 30s           # at most this long; the job's own timeout holds too
 *       grace: 10s             # between SIGTERM and SIGKILL
 *       cwd: /srv/images       # default: the folder of the file
 *       env: {LANG: C.UTF-8}   # added to the environment of the worker
 *
 * A program that is named with a slash but not from the root, and a `cwd`, are looked up from the
 * folder of the file; a bare name is looked up in PATH. */
#ifndef HOB_WORKER_EXEC_CONFIG_H
#define HOB_WORKER_EXEC_CONFIG_H

#include "config/kind.h"

enum { EXEC_WORDS_MAX = 1024 };

struct exec_config {
    const char *const *argv; /* NULL at the end */
    const char *const *env;  /* NAME=value, NULL at the end */
    const char *cwd;
};

extern const struct kind_reader exec_reader;

#endif
