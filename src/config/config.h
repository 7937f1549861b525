/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of server and worker: one file, hob.yaml, with the environment and the flags
 * that go before it.
 *
 *     server: {data: /var/lib/hob, listen: 127.0.0.1:4620}     # settings: see settings.h
 *     worker: {queues: [images, default], slots: 4}
 *     queues:                       # applied at each start and reload: see queues.h
 *       images: {order: lifo}
 *     limiters:                     # the same: see limiters.h
 *       stripe: {concurrency: 20, rate: 100/1s}
 *     kinds:                        # how each kind of job is run: see kind.h
 *       resize: {run: [./resize.sh, --width, "640"]}
 *     secrets:                      # named here, so that no job and no log carries them
 *       billing: file:billing.key
 *
 * Relative paths count from the folder of the file. A configuration is read as a whole or not at
 * all, is never changed, and lives until the last one who holds it lets it go; so jobs that run go
 * on with the one they began with. */
#ifndef HOB_CONFIG_CONFIG_H
#define HOB_CONFIG_CONFIG_H

#include "config/kind.h"
#include "config/limiters.h"
#include "config/queues.h"
#include "config/secrets.h"
#include "config/value.h"

#define CONFIG_PATH_DEFAULT "/etc/hob/hob.yaml"

enum {
    CONFIG_SLOTS_MAX = 10000,
    CONFIG_QUEUES_MAX = 256, /* as many as one fetch may name */
    CONFIG_KINDS_MAX = 256,  /* as many as a worker may name */
};

struct config;

/* What a worker needs of it. */
struct worker_config {
    struct config *config; /* whose it is: hold that one as long as you use it */
    const char *const *queues;
    size_t queue_count;
    const char *const *labels; /* what its machine has, for jobs that need it */
    size_t label_count;
    uint32_t slots; /* 0: not said */
    uint32_t mode;  /* of its fetches: 0 weighted, 1 listed, 2 merged */
    const struct kind_config *kinds;
    size_t kind_count;
};

/* All that is in it lives as long as the configuration. */
struct config {
    struct value values[SETTING_COUNT];
    struct worker_config worker;
    const struct queue_config *queues;
    size_t queue_count;
    const struct limiter_config *limiters;
    size_t limiter_count;
    const struct secret_config *secrets;
    size_t secret_count;
    const char *path; /* of the file; NULL: none was read */
    /* Private. */
    size_t holders;
    struct arena arena;
    struct yaml_read file; /* its document stays, for config_show() */
    bool has_document;
};

/* The executors that may stand below `kinds:`. */
struct config_readers {
    const struct kind_reader *const *items;
    size_t count;
};

struct config_flag {
    enum setting_id id;
    const char *text;
};

/* Where values come from. */
struct config_input {
    const char *path;                          /* of the file; NULL: no file */
    const char *(*variable)(const char *name); /* as getenv; NULL: no environment */
    const struct config_flag *flags;
    size_t flag_count;
    struct config_readers readers;
    bool runs_kinds;  /* a worker: secrets that its kinds use must be readable */
    bool is_thorough; /* warn of what only this machine knows: programs that are not there */
};

/**
 * Read all sources into a new configuration with one holder.
 *
 * @report  gets all errors and warnings; zero, or a report to go on with
 *
 * Fails  HOB_CONFIG
 */
HOB_CHECK enum hob_status config_load(
    const struct config_input *input, struct config **ret_config, struct config_report *report
);

/** As config_load, but the file is @bytes: @name stands in messages, @folder is where it lies. */
HOB_CHECK enum hob_status config_load_bytes(
    const struct config_input *input,
    struct slice bytes,
    const char *name,
    const char *folder,
    struct config **ret_config,
    struct config_report *report
);

/** Only a file, only its bytes: for those who make a configuration for themselves. */
HOB_CHECK enum hob_status config_parse(
    struct slice bytes,
    const char *name,
    const char *folder,
    struct config_readers readers,
    struct config **ret_config,
    struct config_report *report
);

/** One more holder. */
struct config *config_hold(struct config *config);

/** One holder less; the last one frees it. NULL is fine. */
void config_free(struct config *config);

/** Which file: @flag, else the variable HOB_CONFIG, else CONFIG_PATH_DEFAULT if there is one, else
 * NULL. */
const char *config_find(const char *flag, const char *(*variable)(const char *name));

/* Values. The setting has the type that the function asks for. */

/** NULL: not set. */
const char *config_text(const struct config *config, enum setting_id id);
/** A list; NULL behind the last. */
const char *const *config_words(const struct config *config, enum setting_id id, size_t *ret_count);
/** A number, span (ns), size (bytes) or choice (from 0); 0: not set. */
uint64_t config_number(const struct config *config, enum setting_id id);
bool config_bool(const struct config *config, enum setting_id id);

/** How the kind is run; NULL: not known here. */
const struct kind_config *config_kind(const struct worker_config *config, struct slice kind);

#endif
