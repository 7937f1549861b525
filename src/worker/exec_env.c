/* SPDX-License-Identifier: Apache-2.0 */
/* Three lists become one in which each name stands once; the job's own variables come first and
 * win. */
#include "worker/exec_env.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/json.h"
#include "worker/exec_config.h"

enum { OWN_VARIABLES_MAX = 16 };

struct env {
    struct arena *arena;
    char **list;
    size_t count;
    size_t max;
};

static size_t list_length(const char *const *list) {
    size_t count = 0;
    while (list[count] != NULL) count++;
    return count;
}

static bool same_name(const char *a, const char *b) {
    while (*a == *b && *a != '=' && *a != '\0') {
        a++;
        b++;
    }
    return *a == *b;
}

static void env_add(struct env *env, char *variable) {
    for (size_t i = 0; i < env->count; i++) {
        if (same_name(env->list[i], variable)) return;
    }
    hob_assert(env->count < env->max);
    env->list[env->count++] = variable;
}

static void env_add_text(struct env *env, const char *name, struct slice value) {
    HOB_AUTO_BUF struct buf text = buf_make(4096);
    (void)buf_printf(&text, "%s=", name);
    (void)buf_put_slice(&text, value);
    env_add(env, arena_text(env->arena, buf_slice(&text)));
}

static void env_add_u64(struct env *env, const char *name, uint64_t value) {
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    env_add_text(env, name, slice_str(digits));
}

/* A header of the job, under @name, when there is one. */
static void
env_add_header(struct env *env, const char *name, struct slice headers, struct slice header) {
    struct json_value object;
    struct json_value value;
    HOB_AUTO_BUF struct buf text = buf_make(64 * 1024);
    if (headers.size == 0 || !json_parse(headers, &object, NULL)) return;
    if (!json_get(object, header, &value) || !json_decode(value, &text)) return;
    /* A variable ends at the first zero: a header has none, and who knows what a server says. */
    if (memchr(text.bytes, '\0', text.size) != NULL) return;
    env_add_text(env, name, buf_slice(&text));
}

char **
exec_env(struct arena *arena, const struct run_job *job, hob_ns now_ns, char *const *inherited) {
    const char *const *outer = (const char *const *)inherited;
    const char *const *config = ((const struct exec_config *)job->config->settings)->env;
    struct env env = {
        .arena = arena,
        .max = list_length(outer) + list_length(config) + OWN_VARIABLES_MAX,
    };
    env.list = arena_alloc(arena, (env.max + 1) * sizeof *env.list);
    env_add_text(&env, "HOB_JOB_ID", job->id);
    env_add_text(&env, "HOB_QUEUE", job->queue);
    env_add_text(&env, "HOB_KIND", job->kind);
    env_add_text(&env, "HOB_TOKEN", job->token);
    env_add_text(&env, "HOB_SERVER", slice_str(job->server));
    env_add_u64(&env, "HOB_ATTEMPT", job->attempt);
    env_add_u64(&env, "HOB_ATTEMPT_MAX", job->attempt_max);
    env_add_u64(&env, "HOB_DEADLINE", ns_add(now_ns, job->timeout_ns) / NS_PER_SECOND);
    env_add_u64(&env, "HOB_PROGRESS_FD", PROGRESS_FD);
    env_add_header(&env, "TRACEPARENT", job->headers, SLICE("traceparent"));
    env_add_header(&env, "TRACESTATE", job->headers, SLICE("tracestate"));
    for (size_t i = 0; config[i] != NULL; i++) {
        env_add(&env, arena_text(arena, slice_str(config[i])));
    }
    for (size_t i = 0; outer[i] != NULL; i++) {
        /* The worker's own trace is not that of the job. */
        if (same_name(outer[i], "TRACEPARENT=") || same_name(outer[i], "TRACESTATE=")) continue;
        env_add(&env, arena_text(arena, slice_str(outer[i])));
    }
    return env.list;
}
