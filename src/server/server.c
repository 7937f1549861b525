/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a server: check what was asked, recover, listen, say `ready`, serve, stop.
 *
 * Time is clock.c's affair. */
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "base/assert.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "os/file.h"
#include "os/log.h"
#include "os/notify.h"
#include "os/self.h"
#include "server/private.h"
#include "space/copy.h"

void server_check(struct server *server) {
    const struct hob_error *failure = space_failure(server->space);
    if (failure == NULL) return;
    log_error(
        "the journal has failed: ending at once, unanswered requests are unknown",
        log_str("error", failure->text)
    );
    self_exit_now(status_exit_code(failure->status));
}

/* --- turns --- */

static void turn_begin(void *context) {
    struct server *server = context;
    struct clock_news news;
    server->host.now_ns = server_clock_turn(server, &news);
    metrics_turn(&server->metrics, server->host.now_ns);
    space_turn_begin(server->space, server->host.now_ns);
    server_clock_news(server, &news);
}

static void on_due(uv_timer_t *timer) {
    struct server *server = timer->data;
    hob_ns due_ns = server->due_ns;
    server->due_ns = HOB_NEVER;
    net_turn(server->net);
    hob_ns now_ns = server->host.now_ns;
    server->metrics.timer_lag_ns = now_ns > due_ns ? now_ns - due_ns : 0;
}

/* Wake up for the next turn that time alone asks for. */
static void set_due(struct server *server) {
    hob_ns due = space_due(server->space);
    if (due == server->due_ns) return;
    server->due_ns = due;
    if (due == HOB_NEVER) {
        (void)uv_timer_stop(&server->due);
        return;
    }
    hob_ns now = server->host.now_ns;
    if (due <= now) {
        server->due_ns = HOB_NEVER;
        net_again(server->net);
        return;
    }
    /* Rounded up: a turn that comes too early finds nothing to do and must come again. */
    uint64_t ms = (due - now + NS_PER_MS - 1) / NS_PER_MS;
    (void)uv_timer_start(&server->due, on_due, ms, 0);
}

static uint64_t turn_end(void *context) {
    struct server *server = context;
    if (server->return_count > 0) server_returns_apply(server);
    if (server->tokens_changed) {
        server->tokens_changed = false;
        door_sync(server);
    }
    (void)audit_flush(server);
    story_turn_end(&server->story, server->host.now_ns);
    uint64_t seq = space_turn_end(server->space);
    server_check(server);
    metrics_turn_end(&server->metrics, seq);
    host_trim(&server->host);
    set_due(server);
    return seq;
}

static uint64_t durable(void *context) {
    struct server *server = context;
    (void)space_poll(server->space);
    server_check(server);
    uint64_t seq = space_durable(server->space);
    if (server->metrics.pending_count > 0) {
        metrics_durable(&server->metrics, seq, server_now(server));
    }
    return seq;
}

static void on_wake(void *context) {
    struct server *server = context;
    net_wake(server->net);
}

static void on_beat(uv_timer_t *timer) {
    door_expire(timer->data);
    clients_beat(timer->data);
    struct server *server = timer->data;
    story_beat(&server->story, server_now(server));
    descriptors_beat(server, server_now(server));
}

/* --- stopping --- */

static void on_stop_late(uv_timer_t *timer) {
    struct server *server = timer->data;
    log_warn(
        "some clients did not take their last replies",
        log_u64("connections", net_connections(server->net))
    );
    net_abort(server->net);
}

void server_stop_now(struct server *server) {
    clients_finish(server);
    net_end(server->net);
    (void)uv_timer_start(&server->stop, on_stop_late, STOP_MS, 0);
}

static void on_signal(uv_signal_t *handle, int number) {
    struct server *server = handle->data;
    if (server->host.is_stopping) {
        log_warn("ending at once", log_i64("signal", number));
        self_exit_now(128 + number);
    }
    log_info(
        "stopping", log_i64("signal", number), log_u64("connections", net_connections(server->net))
    );
    server->host.is_stopping = true;
    notify_stopping();
    if (callbacks_end(server)) {
        net_listen_end(server->net); /* what is connected is served until it has ended */
    } else {
        server_stop_now(server);
    }
}

static void handles_open(struct server *server) {
    static const int numbers[] = {SIGTERM, SIGINT};
    uv_loop_t *loop = net_loop(server->net);
    uv_timer_t *timers[] = {&server->due, &server->beat, &server->stop};
    for (size_t i = 0; i < hob_countof(timers); i++) {
        (void)uv_timer_init(loop, timers[i]);
        timers[i]->data = server;
    }
    (void)uv_timer_start(&server->beat, on_beat, BEAT_MS, BEAT_MS);
    server_clock_open(server);
    statistics_keep_open(server);
    server_reload_open(server);
    for (size_t i = 0; i < hob_countof(numbers); i++) {
        (void)uv_signal_init(loop, &server->signals[i]);
        server->signals[i].data = server;
        (void)uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
}

static void handles_close(struct server *server) {
    uv_close((uv_handle_t *)&server->due, NULL);
    uv_close((uv_handle_t *)&server->beat, NULL);
    uv_close((uv_handle_t *)&server->stop, NULL);
    server_clock_close(server);
    server_reload_close(server);
    statistics_keep_close(server);
    for (size_t i = 0; i < hob_countof(server->signals); i++) {
        uv_close((uv_handle_t *)&server->signals[i], NULL);
    }
}

/* --- starting --- */

static enum hob_status open_tls(struct server *server, struct hob_error *err) {
    const struct server_options *options = server->options;
    if ((options->tls_cert_path == NULL) != (options->tls_key_path == NULL)) {
        return fail(err, HOB_CONFIG, "--tls-cert and --tls-key belong together");
    }
    if (options->tls_client_ca_path != NULL && options->tls_cert_path == NULL) {
        return fail(err, HOB_CONFIG, "--tls-client-ca needs --tls-cert and --tls-key");
    }
    if (options->tls_cert_path == NULL) return HOB_OK;
    enum hob_status status = tls_server_new(
        options->tls_cert_path,
        options->tls_key_path,
        options->tls_client_ca_path,
        &server->tls,
        err
    );
    if (status == HOB_OK) net_tls_set(server->net, server->tls);
    return status;
}

/* A server changes its directory; a backup should stay what it is. */
static enum hob_status
refuse_backup(const struct server_options *options, int dir, struct hob_error *err) {
    int fd = -1;
    int failed = file_open(&file_io_system, dir, COPY_BACKUP_MARK, O_RDONLY, &fd);
    file_close(&fd);
    if (failed != 0) return HOB_OK;
    return fail(
        err,
        HOB_CONFIG,
        "%s is a backup: `hob restore %s NEW` and serve NEW. If this is to be no backup any more, "
        "remove " COPY_BACKUP_MARK " from it",
        options->data_path,
        options->data_path
    );
}

/* A wrong path makes an empty server that looks like a healthy one; so it is told, and a
 * configuration that is refused makes none. */
static enum hob_status
look_at_directory(const struct server_options *options, bool *ret_is_new, struct hob_error *err) {
    int dir = -1;
    int failed = dir_open(options->data_path, false, &dir);
    enum hob_status status = HOB_OK;
    *ret_is_new = failed == ENOENT;
    if (*ret_is_new) status = server_addresses_check(options, false, err);
    if (failed == 0) status = refuse_backup(options, dir, err);
    file_close(&dir);
    return status;
}

static void tell_directory(const struct server_options *options, bool is_new, bool is_empty) {
    if (is_new) {
        log_warn(
            "there was no data directory: a new one is made, without jobs. Is it the right path?",
            log_str("data", options->data_path)
        );
    } else if (is_empty) {
        log_info(
            "there was no journal in the data directory: a new one begins, without jobs",
            log_str("data", options->data_path)
        );
    }
}

static enum hob_status
open_journal(struct server *server, struct journal **ret_journal, struct hob_error *err) {
    const struct server_options *options = server->options;
    struct journal_file_options file = {
        .path = options->data_path,
        .segment_bytes = options->segment_bytes,
        .no_sync = options->durability == DURABILITY_NONE,
    };
    if (options->durability == DURABILITY_INTERVAL) {
        file.sync_interval_ns =
            options->sync_interval_ns == 0 ? NS_PER_SECOND : options->sync_interval_ns;
    }
    struct journal_wake wake = {.call = on_wake, .context = server};
    return journal_file_open(&file, wake, ret_journal, err);
}

static uint64_t memory_max(const struct server_options *options) {
    if (options->memory_max_bytes != 0) return options->memory_max_bytes;
    uint64_t total = uv_get_total_memory();
    uint64_t allowed = uv_get_constrained_memory(); /* of a cgroup; 0 when unknown */
    if (allowed != 0 && allowed < total) total = allowed;
    return total / 4 * 3;
}

static enum hob_status open_space(struct server *server, struct hob_error *err) {
    struct journal *journal = NULL;
    bool is_new = false;
    enum hob_status status = look_at_directory(server->options, &is_new, err);
    if (status == HOB_OK) status = open_journal(server, &journal, err);
    if (status != HOB_OK) return status;
    struct space_options options = {
        .sink =
            {
                .context = server,
                .answer = clients_answer,
                .notice = clients_notice,
                .event = clients_event,
            },
        .hash_key = {.words = {entropy_u64(), entropy_u64()}},
        .memory_max_bytes = memory_max(server->options),
    };
    struct space_recovery recovery = {0};
    status = space_open(journal, &options, server->wall_ns, &server->space, &recovery, err);
    if (status != HOB_OK) return status;
    tell_directory(server->options, is_new, recovery.batches == 0);
    hob_ns took_ns = clock_monotonic() - server->monotonic_ns;
    log_info(
        "recovered",
        log_u64("jobs", recovery.jobs),
        log_u64("batches", recovery.batches),
        log_u64("effects", recovery.effects),
        log_u64("bytes", recovery.bytes),
        log_u64("digests", recovery.digests),
        log_u64("digests_compared", recovery.compared),
        log_ms("dur_ms", took_ns),
        log_u64("memory_max", options.memory_max_bytes)
    );
    server_clock_reached(server, space_now(server->space));
    if (recovery.cut_bytes > 0) {
        log_warn(
            "the journal ended in a write that was never finished and never acknowledged: cut",
            log_u64("bytes", recovery.cut_bytes),
            log_str("note", recovery.cut_note)
        );
    }
    return HOB_OK;
}

static enum hob_status listen_all(struct server *server, struct hob_error *err) {
    size_t used = 0;
    for (size_t i = 0; i < server_listen_count(server->options); i++) {
        char address[NET_ADDRESS_BYTES_MAX];
        enum hob_status status =
            net_listen(server->net, server_listen_at(server->options, i), address, err);
        if (status != HOB_OK) return status;
        log_info("listening", log_str("address", address));
        int size =
            snprintf(server->listen + used, sizeof server->listen - used, "listen=%s ", address);
        if (size > 0 && used + (size_t)size < sizeof server->listen) used += (size_t)size;
    }
    return HOB_OK;
}

static void say_ready(const struct server *server) {
    (void)printf(
        "ready hob %s %spid=%ld data=%s\n",
        server->options->version,
        server->listen,
        self_id(),
        server->options->data_path
    );
    (void)fflush(stdout);
}

static enum hob_status check_door(const struct server *server, struct hob_error *err) {
    struct token_view token;
    bool has_tokens = engine_token_at(space_engine(server->space), 0, &token);
    enum hob_status status = server_addresses_check(server->options, has_tokens, err);
    if (status == HOB_OK) server_addresses_warn(server->options, has_tokens);
    return status;
}

static enum hob_status serve(struct server *server, struct hob_error *err) {
    enum hob_status status = open_tls(server, err);
    if (status == HOB_OK) status = open_space(server, err);
    if (status == HOB_OK) status = check_door(server, err);
    if (status == HOB_OK) status = audit_open(server, err);
    if (status == HOB_OK) statistics_keep_load(server);
    if (status == HOB_OK) status = listen_all(server, err);
    if (status != HOB_OK) return status;
    door_sync(server);
    descriptors_open(server);
    handles_open(server);
    log_info("serving", log_str("data", server->options->data_path));
    server_settings_set(server);
    status = callbacks_open(server, err);
    if (status == HOB_OK) {
        say_ready(server);
        notify_ready("serving");
        net_run(server->net);
    }
    callbacks_close(server);
    handles_close(server);
    if (status == HOB_OK) status = space_flush(server->space, err);
    if (status == HOB_OK) statistics_keep_end(server);
    if (status == HOB_OK) log_info("stopped");
    return status;
}

static void server_deinit(struct server *server) {
    /* The journal may wake the loop until it is closed. */
    space_close(server->space);
    net_free(server->net);
    audit_close(server);
    door_deinit(server);
    tls_context_free(server->tls);
    host_deinit(&server->host);
    metrics_deinit(&server->metrics);
    statistics_deinit(&server->statistics);
    mem_free(&server->mem, server->clients, server->client_capacity * sizeof(struct client *));
    mem_free(&server->mem, server->returns, server->return_capacity * sizeof *server->returns);
}

/* A handshake is a small request: ten seconds, or less when requests have less. */
static uint32_t handshake_ms(const struct server_options *options) {
    enum { HANDSHAKE_MS = 10000 };
    uint64_t request_ms = options->request_ns / NS_PER_MS;
    return request_ms != 0 && request_ms < HANDSHAKE_MS ? (uint32_t)request_ms : HANDSHAKE_MS;
}

static enum hob_status run(const struct server_options *options, struct hob_error *err) {
    struct server server = {
        .in_force = *options,
        .due_ns = HOB_NEVER,
        .audit = {.dir = -1, .fd = -1},
    };
    server.options = &server.in_force;
    server_clock_init(&server);
    link_init(&server.workers);
    link_init(&server.subscribers);
    struct siphash_key metrics_key = {.words = {entropy_u64(), entropy_u64()}};
    story_init(&server.story, log_write);
    metrics_init(&server.metrics, &server.mem, metrics_key);
    statistics_init(&server.statistics, &server.mem, metrics_key);
    host_init(&server.host, &server_host_ops, &server, &server.mem);
    server.host.version = options->version;
    server.host.epoch = server.wall_ns / NS_PER_MS;
    struct net_options net = {
        .handler =
            {
                .context = &server,
                .opened = client_opened,
                .input = client_input,
                .late = client_late,
                .plain = client_plain,
                .insecure = client_insecure,
                .closed = client_closed,
                .turn_begin = turn_begin,
                .turn_end = turn_end,
                .durable = durable,
            },
        .connections_max = options->connections_max,
        .per_address_max = options->per_address_max,
        .request_ms = (uint32_t)(options->request_ns / NS_PER_MS),
        .handshake_ms = handshake_ms(options),
        .output_bytes_max = OUT_BYTES_MAX,
    };
    self_ignore_broken_pipes();
    self_steady_memory();
    enum hob_status status = server_addresses_read(options, err);
    if (status == HOB_OK) status = net_new(&net, &server.net, err);
    if (status == HOB_OK) status = serve(&server, err);
    server_deinit(&server);
    return status;
}

int server_run(const struct server_options *options) {
    hob_assert(options->data_path != NULL);
    hob_assert(options->durability < DURABILITY_COUNT);
    struct hob_error err = {0};
    enum hob_status status = run(options, &err);
    if (status == HOB_OK) return 0;
    log_error("cannot serve", log_str("error", err.text));
    /* A supervisor knows 65, 74 and 78 as reasons not to try again; all else may pass. */
    bool lasting = status == HOB_CORRUPT || status == HOB_DISK || status == HOB_CONFIG;
    return lasting ? status_exit_code(status) : 1;
}
