/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says while the server runs: settings of queues, at the start and at each
 * SIGHUP. The file wins for what it names; a queue or a setting that it does not name stays as it
 * is, also when an earlier file named it. Only what is different is changed, and each change is
 * logged. */
#include <signal.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/notify.h"
#include "server/private.h"

#define BY_CONFIG "hob.yaml"

struct queue_change {
    struct server *server;
    struct slice queue;
    const struct queue_view *now;
};

static void apply(struct queue_change *change, const struct command *command) {
    struct answer answer;
    space_apply(change->server->space, command, &answer);
    if (answer.code == ANSWER_OK) return;
    log_error(
        "a queue cannot be set as the configuration says",
        log_text("queue", change->queue),
        log_str("answer", answer_text(answer.code))
    );
}

static void
tell(struct queue_change *change, const char *setting, const char *old, const char *new) {
    log_info(
        "queue changed by the configuration",
        log_text("queue", change->queue),
        log_str("setting", setting),
        log_str("old", old),
        log_str("new", new)
    );
}

/* SPAN:N */
static const char *keep_text(struct buf *out, hob_ns span_ns, uint32_t count) {
    buf_reset(out);
    (void)text_put_duration(out, span_ns);
    (void)buf_printf(out, ":%u%c", count, '\0');
    return out->bytes;
}

/* True: it is another one, and that was logged. */
static bool keep_differs(
    struct queue_change *change,
    const char *setting,
    const struct queue_keep *keep,
    hob_ns now_ns,
    uint32_t now_count
) {
    if (!keep->is_set || (keep->span_ns == now_ns && keep->count == now_count)) return false;
    HOB_AUTO_BUF struct buf old = buf_make(100);
    HOB_AUTO_BUF struct buf new = buf_make(100);
    const char *before = keep_text(&old, now_ns, now_count);
    tell(change, setting, before, keep_text(&new, keep->span_ns, keep->count));
    return true;
}

/* The same of a number. */
static bool number_differs(
    struct queue_change *change,
    const char *setting,
    const struct queue_number *number,
    uint32_t now
) {
    if (!number->is_set || number->value == now) return false;
    char old[24];
    char new[24];
    (void)snprintf(old, sizeof old, "%u", now);
    (void)snprintf(new, sizeof new, "%u", number->value);
    tell(change, setting, old, new);
    return true;
}

static void set_queue(struct queue_change *change, const struct queue_config *queue) {
    static const char *const orders[] = {[QUEUE_FIFO] = "fifo", [QUEUE_LIFO] = "lifo"};
    static const char *const on_full[] = {
        [FULL_REJECT] = "reject",
        [FULL_DROP_OLDEST] = "drop_oldest",
        [FULL_DROP_NEWEST] = "drop_newest",
    };
    const struct queue_view *now = change->now;
    struct command command = {
        .type = COMMAND_QUEUE_SET,
        .queue_set =
            {
                .queue = change->queue,
                .order = queue->is_lifo ? QUEUE_LIFO : QUEUE_FIFO,
                .tier = queue->tier.value,
                .weight = queue->weight.value,
                .concurrency = queue->concurrency.value,
                .length = queue->length.value,
                .on_full = (enum on_full)queue->on_full.value,
                .keep_completed_ns = queue->keep.span_ns,
                .keep_completed_count = queue->keep.count,
                .keep_failed_ns = queue->keep_failed.span_ns,
                .keep_failed_count = queue->keep_failed.count,
            },
    };
    struct queue_set_command *set = &command.queue_set;
    set->has_order = queue->has_order && now->order != set->order;
    if (set->has_order) tell(change, "order", orders[now->order], orders[set->order]);
    set->has_keep_completed = keep_differs(
        change, "keep", &queue->keep, now->keep_completed_ns, now->keep_completed_count
    );
    set->has_keep_failed = keep_differs(
        change, "keep_failed", &queue->keep_failed, now->keep_failed_ns, now->keep_failed_count
    );
    set->has_tier = number_differs(change, "tier", &queue->tier, now->tier);
    set->has_weight = number_differs(change, "weight", &queue->weight, now->weight);
    set->has_concurrency =
        number_differs(change, "concurrency", &queue->concurrency, now->concurrency);
    set->has_length = number_differs(change, "length", &queue->length, now->length);
    set->has_on_full = queue->on_full.is_set && now->on_full != set->on_full;
    if (set->has_on_full) tell(change, "on_full", on_full[now->on_full], on_full[set->on_full]);
    bool changes = set->has_concurrency || set->has_order || set->has_tier || set->has_weight;
    changes = changes || set->has_length || set->has_on_full;
    changes = changes || set->has_keep_completed || set->has_keep_failed;
    if (changes) apply(change, &command);
}

static void set_paused(struct queue_change *change, const struct queue_config *queue) {
    if (!queue->has_paused || queue->is_paused == change->now->paused) return;
    struct command pause = {
        .type = COMMAND_PAUSE,
        .pause = {.queue = change->queue, .by = SLICE(BY_CONFIG)},
    };
    struct command resume = {.type = COMMAND_RESUME, .resume = {.queue = change->queue}};
    tell(
        change, "paused", queue->is_paused ? "false" : "true", queue->is_paused ? "true" : "false"
    );
    apply(change, queue->is_paused ? &pause : &resume);
}

static void set_all(struct server *server, const struct server_options *options) {
    if (options->queue_count == 0) return;
    net_turn(server->net);
    for (size_t i = 0; i < options->queue_count; i++) {
        const struct queue_config *queue = &options->queues[i];
        struct queue_view now = {
            .tier = QUEUE_TIER_DEFAULT,
            .weight = 1,
            .keep_completed_ns = KEEP_COMPLETED_DEFAULT_NS,
            .keep_completed_count = KEEP_COMPLETED_COUNT_DEFAULT,
            .keep_failed_ns = KEEP_FAILED_DEFAULT_NS,
            .keep_failed_count = KEEP_FAILED_COUNT_DEFAULT,
        };
        struct queue_change change = {
            .server = server, .queue = slice_str(queue->name), .now = &now};
        (void)engine_queue(space_engine(server->space), change.queue, &now);
        set_queue(&change, queue);
        set_paused(&change, queue);
    }
}

void server_queues_set(struct server *server) {
    set_all(server, server->options);
}

/* The certificate is read again from where it was, or from where it is now. Connections that are
 * open stay with the old one. */
static bool server_tls_reload(struct server *server, const struct server_options *next) {
    if (server->tls == NULL) {
        if (next->tls_cert_path != NULL) log_warn("TLS begins with a restart");
        return true;
    }
    struct tls_context *tls = NULL;
    struct hob_error err = {0};
    const char *cert = next->tls_cert_path;
    enum hob_status status = HOB_OK;
    if (cert == NULL || next->tls_key_path == NULL) {
        status = fail(&err, HOB_CONFIG, "TLS cannot be taken away while the server runs");
    } else {
        status = tls_server_new(cert, next->tls_key_path, next->tls_client_ca_path, &tls, &err);
    }
    if (status != HOB_OK) {
        log_error("the certificate stays as it is", log_str("error", err.text));
        return false;
    }
    net_tls_set(server->net, tls);
    tls_context_free(server->tls);
    server->tls = tls;
    log_info("certificate read again", log_str("file", cert));
    return true;
}

/* What can change while the server runs; the rest waits for a restart. */
static void take(struct server *server, const struct server_options *next) {
    struct server_options *now = &server->in_force;
    now->hosts = next->hosts;
    now->host_count = next->host_count;
    now->connections_max = next->connections_max;
    now->per_address_max = next->per_address_max;
    now->request_ns = next->request_ns;
    net_limits_set(
        server->net,
        next->connections_max,
        next->per_address_max,
        (uint32_t)(next->request_ns / NS_PER_MS)
    );
    set_all(server, next);
}

static void on_hangup(uv_signal_t *handle, int number) {
    (void)number;
    struct server *server = handle->data;
    const struct server_reload *reload = &server->options->reload;
    struct server_options next;
    if (server->host.is_stopping) return;
    if (reload->begin == NULL) {
        log_warn("this server has no configuration to reload");
        return;
    }
    notify_reloading(clock_monotonic());
    if (reload->begin(reload->context, &next)) {
        bool good = server_tls_reload(server, &next);
        if (good) take(server, &next);
        if (good) callbacks_reload(server, &next.callbacks);
        reload->end(reload->context, good);
    }
    notify_ready("serving");
}

void server_reload_open(struct server *server) {
    int code = uv_signal_init(net_loop(server->net), &server->hangup);
    hob_assert(code == 0);
    server->hangup.data = server;
    code = uv_signal_start(&server->hangup, on_hangup, SIGHUP);
    hob_assert(code == 0);
}

void server_reload_close(struct server *server) {
    uv_close((uv_handle_t *)&server->hangup, NULL);
}
