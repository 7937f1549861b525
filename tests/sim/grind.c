/* SPDX-License-Identifier: Apache-2.0 */
/* Grinds: runs of commands for one job that reach limits which lie too far for chance. One job gets
 * a long lease and is given back more than RELEASES_FREE_MAX times, or logs more than its head and
 * tail may hold, in bytes or in chunks. Time stands still meanwhile. */
#include "base/assert.h"
#include "engine/logline.h"
#include "tests/sim/generate.h"

enum {
    RELEASES = 2 * (RELEASES_FREE_MAX + 20), /* each with its fetch */
    LARGE_LOGS = 40,
    EVEN_LOG_BYTES = 4096, /* both limits of bytes are whole numbers of it, and met exactly */
    EVEN_LOGS = (LOG_HEAD_BYTES_MAX + LOG_TAIL_BYTES_MAX) / EVEN_LOG_BYTES + 20,
    MANY_LOGS = 2 * LOG_CHUNKS_MAX + 100,
    OPENING = 4, /* commands that make a job and lease it */
};

void grind_begin(struct generator *generator) {
    uint32_t times = generator->swarm.grinds_once_in;
    if (times == 0 || generator->grind != GRIND_NOTHING) return;
    if (!dice_once_in(&generator->dice, times)) return;
    generator->grind = (enum grind)dice_between(&generator->dice, 1, GRIND_COUNT - 1);
    generator->grind_at = 0;
}

/* The lease that was given last. */
static struct lease_ref last_lease(const struct model *model) {
    struct lease_ref lease = {.id = 0};
    for (uint32_t i = 0; i < model->job_count; i++) {
        const struct job_view *job = &model->jobs[i]->view;
        bool is_later = job->state == JOB_RUNNING && job->token > lease.token;
        if (is_later) lease = (struct lease_ref){.id = job->id, .token = job->token};
    }
    return lease;
}

static void fetch_one(struct generator *generator, struct command *command) {
    command->type = COMMAND_FETCH;
    command->fetch = (struct fetch_command){
        .worker = generator->workers[0],
        .queues = generator->queues,
        .queue_count = 1,
        .mode = FETCH_LISTED,
        .lease_ns = LEASE_MAX_NS,
    };
}

/* A job that runs before all others of its queue, and a worker that takes it. */
static void open_up(struct generator *generator, struct command *command) {
    if (generator->grind_at == 0) {
        command->type = COMMAND_RESUME;
        command->resume.queue = generator->queues[0];
    } else if (generator->grind_at == 1) {
        command->type = COMMAND_WORKER_SET;
        command->worker_set = (struct worker_set_command){.worker = generator->workers[0]};
    } else if (generator->grind_at == 2) {
        command->type = COMMAND_PUSH;
        command->push = (struct push_command){
            .queue = generator->queues[0],
            .kind = generator->kinds[0],
            .has_priority = true,
            .attempt_max = 3,
        };
    } else {
        fetch_one(generator, command);
    }
}

static void
give_back(struct generator *generator, const struct model *model, struct command *command) {
    struct lease_ref lease = last_lease(model);
    const struct model_job *job = model_job(model, lease.id);
    if (generator->grind_at % 2 != 0 || job == NULL) {
        fetch_one(generator, command);
        return;
    }
    command->type = COMMAND_RELEASE;
    command->release = (struct release_command){.lease = lease};
    /* A delay would end the grind; past the limit it shows whether the delay is kept. */
    bool is_past = job->view.releases >= RELEASES_FREE_MAX;
    if (is_past && dice_once_in(&generator->dice, 6)) {
        command->release.delay_ns = 7 * NS_PER_SECOND;
    }
}

/* The bytes of one line around a text of this size. */
static void log_put(struct generator *generator, hob_ns at_ns, size_t size, struct buf *out) {
    struct log_line line = {
        .at_ns = at_ns / NS_PER_MS * NS_PER_MS,
        .level = LOG_INFO,
        .text = generate_bytes(generator, size),
    };
    buf_reset(out);
    bool fits = log_line_put(out, &line);
    hob_assert(fits);
}

static void
add_log(struct generator *generator, const struct model *model, struct command *command) {
    struct buf out = buf_make(LOG_CHUNK_BYTES_MAX);
    size_t size = 3;
    if (generator->grind == GRIND_LARGE_LOGS) size = dice_between(&generator->dice, 1, 60000);
    if (generator->grind == GRIND_EVEN_LOGS) size = EVEN_LOG_BYTES - 16;
    log_put(generator, model->now_ns, size, &out);
    if (generator->grind == GRIND_EVEN_LOGS) {
        log_put(generator, model->now_ns, size + EVEN_LOG_BYTES - out.size, &out);
        hob_assert(out.size == EVEN_LOG_BYTES);
    }
    char *entries = memcpy(generate_room(generator, out.size), out.bytes, out.size);
    command->type = COMMAND_LOG;
    command->log.lease = last_lease(model);
    command->log.entries = slice_of(entries, out.size);
    buf_deinit(&out);
}

void grind_command(
    struct generator *generator, const struct model *model, struct command *ret_command
) {
    static const uint32_t lengths[GRIND_COUNT] = {
        [GRIND_RELEASES] = RELEASES,
        [GRIND_LARGE_LOGS] = LARGE_LOGS,
        [GRIND_EVEN_LOGS] = EVEN_LOGS,
        [GRIND_MANY_LOGS] = MANY_LOGS};
    uint64_t request = ret_command->request;
    *ret_command = (struct command){.request = request};
    if (generator->grind_at < OPENING) {
        open_up(generator, ret_command);
    } else if (generator->grind == GRIND_RELEASES) {
        give_back(generator, model, ret_command);
    } else {
        add_log(generator, model, ret_command);
    }
    generator->grind_at++;
    if (generator->grind_at >= lengths[generator->grind]) generator->grind = GRIND_NOTHING;
}
