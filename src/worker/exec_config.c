/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a kind that is run by a program, one small reader each. */
#include "worker/exec_config.h"

#include "base/assert.h"
#include "base/buf.h"
#include "os/file.h"

struct exec_reading {
    struct exec_config *exec;
    struct kind_config *kind;
};

static enum hob_status read_run(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct exec_reading *reading = into;
    if (node->type != YAML_SEQUENCE_NODE) {
        return yaml_read_fail(
            read,
            node,
            "run is a list of words, like [./resize.sh, --width, \"640\"]: the program is started "
            "directly, never by a shell"
        );
    }
    const char **argv = NULL;
    size_t count = 0;
    enum hob_status status =
        yaml_read_words(read, node, "the words of a command", EXEC_WORDS_MAX, &argv, &count);
    if (status != HOB_OK) return status;
    if (argv[0][0] == '\0') return yaml_read_fail(read, node, "no program is named");
    if (strchr(argv[0], '/') != NULL) argv[0] = yaml_read_from_folder(read, slice_str(argv[0]));
    reading->exec->argv = argv;
    int os_errno = read->is_thorough && argv[0][0] == '/' ? file_is_program(argv[0]) : 0;
    if (os_errno != 0) {
        struct hob_error err;
        (void)fail_errno(&err, HOB_CONFIG, os_errno, "cannot start %s", argv[0]);
        yaml_read_warn(read, node, "%s", err.text);
    }
    return HOB_OK;
}

static enum hob_status read_timeout(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct exec_reading *reading = into;
    return yaml_read_span(read, node, KIND_TIMEOUT_MAX_NS, &reading->kind->timeout_ns);
}

static enum hob_status read_grace(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct exec_reading *reading = into;
    return yaml_read_span(read, node, KIND_GRACE_MAX_NS, &reading->kind->grace_ns);
}

static enum hob_status read_cwd(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct exec_reading *reading = into;
    return yaml_read_path(read, node, &reading->exec->cwd);
}

struct env_reading {
    const char **env;
    size_t count;
};

static enum hob_status
read_variable(struct yaml_read *read, yaml_node_t *key, yaml_node_t *item, void *into) {
    struct env_reading *reading = into;
    struct slice name;
    struct slice value;
    enum hob_status status = yaml_read_text(read, key, "the name of a variable", &name);
    if (status != HOB_OK) return status;
    if (name.size == 0 || memchr(name.bytes, '=', name.size) != NULL) {
        return yaml_read_fail(read, key, "the name of a variable has no `=` and is not empty");
    }
    if (name.size >= 4 && memcmp(name.bytes, "HOB_", 4) == 0) {
        return yaml_read_fail(read, key, "names that begin with HOB_ are set by the worker");
    }
    status = yaml_read_text(read, item, "the value of a variable", &value);
    if (status != HOB_OK) return status;
    HOB_AUTO_BUF struct buf pair = buf_make(name.size + value.size + 1);
    (void)buf_put_slice(&pair, name);
    (void)buf_put_char(&pair, '=');
    (void)buf_put_slice(&pair, value);
    reading->env[reading->count++] = arena_text(read->arena, buf_slice(&pair));
    return HOB_OK;
}

enum { VARIABLES_MAX = 1000 };

static enum hob_status read_env(struct yaml_read *read, yaml_node_t *node, void *into) {
    const struct exec_reading *reading = into;
    const char **env = arena_alloc(read->arena, (VARIABLES_MAX + 1) * sizeof *env);
    struct env_reading variables = {.env = env};
    reading->exec->env = env;
    return yaml_read_names(read, node, "each variable", VARIABLES_MAX, read_variable, &variables);
}

static const struct yaml_key exec_keys[] = {
    {.name = "run",
     .read = read_run,
     .required = true,
     .value = "[PROGRAM, WORD, …]",
     .help = "the program and its arguments; it is started directly, never by a shell"},
    {.name = "timeout",
     .read = read_timeout,
     .value = "SPAN",
     .help = "at most this long an attempt; the job's own timeout holds too"},
    {.name = "grace",
     .read = read_grace,
     .value = "SPAN",
     .help = "between SIGTERM and SIGKILL when it has to end; default 10s"},
    {.name = "cwd",
     .read = read_cwd,
     .value = "DIR",
     .help = "where the program runs; default: the folder of the file"},
    {.name = "env",
     .read = read_env,
     .value = "{NAME: VALUE, …}",
     .help = "added to the environment of the worker"},
};

static enum hob_status
read_exec(struct yaml_read *read, yaml_node_t *part, struct kind_config *kind) {
    static const char *const env_none[] = {NULL};
    struct exec_config *exec = arena_alloc(read->arena, sizeof *exec);
    exec->env = env_none;
    exec->cwd = arena_text(read->arena, slice_str(read->folder));
    kind->settings = exec;
    struct exec_reading reading = {.exec = exec, .kind = kind};
    return yaml_read_map(read, part, "a kind", exec_keys, hob_countof(exec_keys), &reading);
}

const struct kind_reader exec_reader = {
    .keys = exec_keys,
    .key_count = hob_countof(exec_keys),
    .read = read_exec,
};
