/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a worker. When the control connection is ready it registers; registered, with slots
 * free and the fetching connection ready, it fetches, for a short time each, so that it can end
 * soon; every few seconds it beats. */
#include "worker/worker.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "os/log.h"
#include "worker/private.h"

enum {
    FETCH_WAIT_MS = 5000,
    FETCH_COUNT_MAX = 1000,
    FETCH_AGAIN_MS = 500,
    FETCH_WORDS = 12,
    REGISTER_WORDS_MAX = 9, /* before the kinds */
    HOLDS_WORDS = 5,        /* before the leases */
    HOLDS_MARGIN_MS = 10000,
    LABELS_BYTES_MAX = 16 * 201,
};

static void worker_fetch(struct worker *worker);
static void worker_register(struct worker *worker);

static void worker_fail(struct worker *worker, enum hob_status status, struct slice text) {
    worker->status =
        fail(&worker->error, status, "the server refuses this worker: %.*s", SLICE_ARG(text));
    if (worker->stop_stage == 0) worker_stop(worker);
}

/* Names. Two workers that share one would keep each other's leases alive and take each other's jobs
 * away, so the first registration asks for one that nobody has: NAME, NAME.2, NAME.3 … */

static void name_next(struct worker *worker) {
    (void)snprintf(
        worker->name,
        sizeof worker->name,
        "%.*s.%u",
        WORKER_NAME_BYTES_MAX,
        worker->options.name,
        ++worker->names_tried
    );
}

/* What it holds. */

static void on_holds_told(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct worker *worker = context;
    worker->telling = false;
    if (node == NULL) return; /* again, when it has registered */
    if (node->type == RESP_FAILURE) log_warn("a beat was refused", log_text("reply", node->text));
    worker->unsure = false;
    worker_fetch(worker);
}

/* A beat that names its leases; the server ends the others, but for those that the fetch under way
 * may have brought. A lease cannot be older than the fetch that asked for it; the rest of the span
 * is for this beat itself to arrive. After a fetch that was lost none is under way. */
static void holds_tell(struct worker *worker) {
    if (worker->telling) return; /* what is fetched behind it must not be counted as lost */
    worker->telling = worker->unsure;
    uint64_t young_ms = 0;
    if (!worker->unsure) young_ms = HOLDS_MARGIN_MS;
    if (worker->fetching) young_ms += uv_now(worker->loop) - worker->fetched_ms;
    char young[24];
    (void)snprintf(young, sizeof young, "%llu", (unsigned long long)young_ms);
    size_t room = HOLDS_WORDS + 2 * (size_t)worker->job_count;
    struct slice *args = calloc(room, sizeof *args);
    hob_assert(args != NULL);
    size_t count = 0;
    args[count++] = SLICE("BEAT");
    args[count++] = slice_str(worker->name);
    args[count++] = SLICE("GRACE");
    args[count++] = slice_str(young);
    args[count++] = SLICE("HOLDS");
    for (struct workjob *job = worker->jobs; job != NULL; job = job->next) {
        args[count++] = slice_str(job->id_text);
        args[count++] = slice_str(job->token_text);
    }
    hob_assert(count <= room);
    client_reply_fn *told = worker->unsure ? on_holds_told : NULL;
    client_request(worker->control, args, count, 0, told, worker);
    free(args);
}

/* Registration. */

static void on_registered(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct worker *worker = context;
    if (node == NULL) return;
    if (reply_is_error(node, "EXISTS") && !worker->named) {
        name_next(worker);
        worker_register(worker);
    } else if (reply_is_error(node, "BADARG")) {
        worker_fail(worker, HOB_CONFIG, node->text);
    } else if (node->type == RESP_FAILURE) {
        log_warn("registration was refused", log_text("reply", node->text));
    } else {
        worker->registered = true;
        worker->named = true;
        log_info(
            "ready",
            log_str("worker", worker->name),
            log_str("server", worker->options.server.text),
            log_u64("slots", worker->options.slots),
            log_u64("kinds", worker->options.config->kind_count),
            log_u64("queues", worker->options.config->queue_count)
        );
        if (worker->unsure) holds_tell(worker);
        worker_fetch(worker);
    }
}

void worker_kinds_tell(
    struct worker *worker, const char *const *kinds, size_t kind_count, client_reply_fn *fn
) {
    struct slice args[REGISTER_WORDS_MAX + CONFIG_KINDS_MAX];
    char slots[12];
    char count_text[12];
    (void)snprintf(slots, sizeof slots, "%u", worker->options.slots);
    (void)snprintf(count_text, sizeof count_text, "%zu", kind_count);
    size_t count = 0;
    args[count++] = SLICE("WORKER");
    args[count++] = slice_str(worker->name);
    if (!worker->named) args[count++] = SLICE("FRESH");
    args[count++] = SLICE("SLOTS");
    args[count++] = slice_str(slots);
    HOB_AUTO_BUF struct buf labels = buf_make(LABELS_BYTES_MAX);
    const struct worker_config *config = worker->options.config;
    for (size_t i = 0; i < config->label_count; i++) {
        (void)buf_printf(&labels, "%s%s", i == 0 ? "" : ",", config->labels[i]);
    }
    if (labels.size > 0) {
        args[count++] = SLICE("LABELS");
        args[count++] = buf_slice(&labels);
    }
    args[count++] = SLICE("KINDS");
    args[count++] = slice_str(count_text);
    hob_assert(count <= REGISTER_WORDS_MAX);
    for (size_t i = 0; i < kind_count; i++) args[count++] = slice_str(kinds[i]);
    client_request(worker->control, args, count, 0, fn, worker);
}

static void worker_register(struct worker *worker) {
    const struct worker_config *config = worker->options.config;
    const char *kinds[CONFIG_KINDS_MAX];
    worker->registered = false;
    if (worker->stop_stage > 0) return;
    for (size_t i = 0; i < config->kind_count; i++) kinds[i] = config->kinds[i].kind;
    worker_kinds_tell(worker, kinds, config->kind_count, on_registered);
}

static void on_beat(uv_timer_t *timer) {
    struct worker *worker = timer->data;
    if (!client_is_ready(worker->control)) return;
    if (worker->named && (worker->registered || worker->stop_stage > 0)) {
        holds_tell(worker);
    } else {
        worker_register(worker);
    }
}

static void tell_all(struct worker *worker) {
    struct workjob *next = NULL;
    for (struct workjob *job = worker->jobs; job != NULL; job = next) {
        next = job->next;
        workjob_tell(job);
    }
}

static void on_tick(uv_timer_t *timer) {
    struct worker *worker = timer->data;
    if (worker->job_count == 0) (void)uv_timer_stop(timer);
    tell_all(worker);
}

void worker_tick_start(struct worker *worker) {
    if (uv_is_active((uv_handle_t *)&worker->tick)) return;
    (void)uv_timer_start(&worker->tick, on_tick, WORKER_TICK_MS, WORKER_TICK_MS);
}

/* Fetching. */

static void on_again(uv_timer_t *timer) {
    worker_fetch(timer->data);
}

static void jobs_start(struct worker *worker, const struct resp_node *array) {
    const struct resp_node *item = resp_first(array);
    for (uint32_t i = 0; i < array->children_count; i++) {
        workjob_start(worker, item);
        item = resp_next(item);
    }
}

static void on_fetched(void *context, const struct resp_node *node, struct slice raw) {
    (void)raw;
    struct worker *worker = context;
    worker->fetching = false;
    if (node == NULL) {
        worker->unsure = true;
        if (worker->registered && client_is_ready(worker->control)) holds_tell(worker);
    } else if (node->type == RESP_FAILURE) {
        if (!reply_is_error(node, "NOSLOT")) {
            log_warn("fetch was refused", log_text("reply", node->text));
        }
        (void)uv_timer_start(&worker->again, on_again, FETCH_AGAIN_MS, 0);
    } else if (node->type == RESP_ARRAY) {
        jobs_start(worker, node);
        worker_fetch(worker);
    }
    worker_close_if_idle(worker);
}

static void worker_fetch(struct worker *worker) {
    uint32_t slots = worker->options.slots;
    if (worker->fetching || !worker->registered || worker->stop_stage > 0) return;
    if (worker->unsure) return;
    if (worker->slots_taken >= slots || !client_is_ready(worker->fetcher)) return;
    if (uv_is_active((uv_handle_t *)&worker->again)) return;
    static const char *const modes[] = {"weighted", "listed", "merged"}; /* as the setting */
    const struct worker_config *config = worker->options.config;
    hob_assert(config->mode < hob_countof(modes));
    uint32_t free_count = slots - worker->slots_taken;
    if (free_count > FETCH_COUNT_MAX) free_count = FETCH_COUNT_MAX;
    struct slice args[FETCH_WORDS + CONFIG_QUEUES_MAX];
    char wanted[12];
    char wait[12];
    (void)snprintf(wanted, sizeof wanted, "%u", free_count);
    (void)snprintf(wait, sizeof wait, "%d", FETCH_WAIT_MS);
    size_t count = 0;
    args[count++] = SLICE("FETCH");
    args[count++] = slice_str(worker->name);
    args[count++] = SLICE("COUNT");
    args[count++] = slice_str(wanted);
    args[count++] = SLICE("WAIT");
    args[count++] = slice_str(wait);
    args[count++] = SLICE("MODE");
    args[count++] = slice_str(modes[config->mode]);
    args[count++] = SLICE("FORM");
    args[count++] = SLICE("map");
    args[count++] = SLICE("QUEUES");
    hob_assert(count < FETCH_WORDS);
    for (size_t i = 0; i < config->queue_count; i++) args[count++] = slice_str(config->queues[i]);
    worker->fetching = true;
    worker->fetched_ms = uv_now(worker->loop);
    client_request(worker->fetcher, args, count, 0, on_fetched, worker);
}

void worker_slot_free(struct worker *worker) {
    worker_fetch(worker);
    worker_close_if_idle(worker);
}

/* Connections. */

static void on_control_ready(void *context) {
    struct worker *worker = context;
    worker->away_said = false;
    worker_register(worker);
    tell_all(worker);
}

static void on_control_lost(void *context, const struct hob_error *why) {
    struct worker *worker = context;
    worker->registered = false;
    if (worker->options.control_fd != 0) {
        worker_server_gone(worker, why);
        return;
    }
    if (worker->away_said) return; /* one line for each time that it is away */
    worker->away_said = true;
    log_warn(
        "server away, trying again", log_str("error", why->text), log_u64("jobs", worker->job_count)
    );
}

/* ["lost", id, token, cause] */
static void on_pushed(void *context, const struct resp_node *push) {
    struct worker *worker = context;
    if (push->children_count < 4 || !slice_equal(reply_item(push, 0)->text, SLICE("lost"))) return;
    struct slice id = reply_item(push, 1)->text;
    struct slice token = reply_item(push, 2)->text;
    for (struct workjob *job = worker->jobs; job != NULL; job = job->next) {
        bool same = slice_equal(id, slice_str(job->id_text)) &&
                    slice_equal(token, slice_str(job->token_text));
        if (!same) continue;
        char why[64];
        struct slice cause = reply_item(push, 3)->text;
        if (cause.size > 20) cause.size = 20;
        (void)snprintf(why, sizeof why, "the server took it away: %.*s", SLICE_ARG(cause));
        workjob_lose(job, why);
        return;
    }
}

/* The kind list of a registration is replaced by the next one. */
void worker_change(struct worker *worker, const struct worker_change *change) {
    if (worker->stop_stage > 0) return;
    struct config *old = worker->options.config->config;
    config_hold(change->config->config);
    worker->options.config = change->config;
    worker->options.slots = change->slots;
    config_free(old);
    if (client_is_ready(worker->control)) worker_register(worker);
}

static void on_fetcher_lost(void *context, const struct hob_error *why) {
    struct worker *worker = context;
    if (worker->options.fetch_fd != 0) worker_server_gone(worker, why);
}

static void on_fetcher_ready(void *context) {
    worker_fetch(context);
}

static void timer_open(struct worker *worker, uv_timer_t *timer) {
    int code = uv_timer_init(worker->loop, timer);
    hob_assert(code == 0);
    timer->data = worker;
    worker->timers_open++;
}

struct worker *worker_start(uv_loop_t *loop, const struct worker_options *options) {
    hob_assert(options->slots > 0);
    struct worker *worker = calloc(1, sizeof *worker);
    hob_assert(worker != NULL);
    worker->loop = loop;
    worker->options = *options;
    config_hold(options->config->config);
    /* Still this binary when the file was replaced by a newer one meanwhile. */
    if (options->launcher == NULL) worker->options.launcher = "/proc/self/exe";
    (void)snprintf(worker->name, sizeof worker->name, "%s", options->name);
    worker->names_tried = 1;
    hob_assert(options->version != NULL);
    worker->executors = (struct executors){.loop = loop, .version = options->version};
    timer_open(worker, &worker->tick);
    timer_open(worker, &worker->beat);
    timer_open(worker, &worker->again);
    timer_open(worker, &worker->stopping);
    struct client_options control = {
        .loop = loop,
        .address = options->server,
        .fd = options->control_fd,
        .reconnect = true,
        .events =
            {
                .context = worker,
                .ready = on_control_ready,
                .lost = on_control_lost,
                .pushed = on_pushed,
            },
    };
    struct client_options fetcher = control;
    fetcher.fd = options->fetch_fd;
    fetcher.events = (struct client_events
    ){.context = worker, .ready = on_fetcher_ready, .lost = on_fetcher_lost};
    worker->control = client_open(&control);
    worker->fetcher = client_open(&fetcher);
    (void)uv_timer_start(&worker->beat, on_beat, WORKER_BEAT_MS, WORKER_BEAT_MS);
    return worker;
}
