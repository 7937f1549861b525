/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file of `hob work`:
 *
 *     server: 127.0.0.1:4620        # where the server is; --server and HOB_SERVER go before it
 *     name: images-1                # as `hob workers` shows it; default: host name and process id
 *     queues: [images, default]     # what to fetch from; default: default
 *     slots: 4                      # jobs at once; default: the processors of the machine
 *     kinds:                        # how each kind of job is run; no other kind is fetched
 *       resize:
 *         run: [./resize.sh, --width, "640"]   # a program and its arguments; never a shell
 *         timeout: 30s              # at most this long; the job's own timeout holds too
 *         grace: 10s                # between SIGTERM and SIGKILL
 *         cwd: /srv/images          # default: the folder of this file
 *         env: {LANG: C.UTF-8}      # added to the environment of the worker
 *
 * A program that is named with a slash but not from the root, and a `cwd`, are looked up from the
 * folder of the file; a bare name is looked up in PATH. */
#ifndef HOB_WORKER_CONFIG_H
#define HOB_WORKER_CONFIG_H

#include <stdint.h>

#include "base/status.h"
#include "base/time.h"
#include "client/arena.h"

enum {
    CONFIG_SLOTS_MAX = 1000,
    CONFIG_QUEUES_MAX = 256, /* as many as one fetch may name */
    CONFIG_KINDS_MAX = 256,  /* as many as a worker may name */
    CONFIG_WORDS_MAX = 1024, /* of a command */
};

struct kind_config {
    const char *kind;
    const char *const *argv; /* NULL at the end */
    const char *const *env;  /* NAME=value, NULL at the end */
    const char *cwd;
    hob_ns timeout_ns; /* 0: only the job's own */
    hob_ns grace_ns;
};

/* All texts live as long as the configuration. */
struct worker_config {
    const char *server; /* NULL: not said */
    const char *name;
    const char *const *queues;
    size_t queue_count;
    uint32_t slots; /* 0: not said */
    const struct kind_config *kinds;
    size_t kind_count;
    struct arena arena;
};

/**
 * Read the file at @path.
 *
 * Fails  HOB_CONFIG with file, line, column and what is allowed; then there is nothing to free
 */
HOB_CHECK enum hob_status
config_load(const char *path, struct worker_config *ret_config, struct hob_error *err);

/** As config_load, from @bytes; @name stands in messages, @folder is the folder of the file. */
HOB_CHECK enum hob_status config_parse(
    struct slice bytes,
    const char *name,
    const char *folder,
    struct worker_config *ret_config,
    struct hob_error *err
);

/** Free all texts. */
void config_deinit(struct worker_config *config);

/** How the kind is run; NULL: not known here. */
const struct kind_config *config_kind(const struct worker_config *config, struct slice kind);

#endif
