/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts lie in an array and are found by an index over name and port, whose hash is keyed, since
 * jobs choose the names. */
#include "worker/http_hosts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

enum { HOSTS_FIRST = 16, LINE_MAX_OF_LIMIT = 2 };

#define LINE_WAIT_NS  NS_PER_SECOND
#define PROBE_WAIT_NS NS_PER_SECOND

struct host_key {
    const char *name;
    uint16_t port;
};

static uint64_t key_hash(const struct http_hosts *hosts, const struct host_key *key) {
    struct siphash_key seed = hosts->key;
    seed.words[0] ^= key->port;
    return siphash(seed, slice_str(key->name));
}

static bool is_host(const void *context, uint32_t item, const void *key) {
    const struct http_hosts *hosts = context;
    const struct host_key *wanted = key;
    const struct http_host *host = hosts->items[item - 1];
    return host->port == wanted->port && strcmp(host->name, wanted->name) == 0;
}

void hosts_init(struct http_hosts *hosts, struct siphash_key key) {
    *hosts = (struct http_hosts){.key = key};
}

void hosts_deinit(struct http_hosts *hosts) {
    for (uint32_t i = 0; i < hosts->count; i++) {
        hob_assert(hosts->items[i]->under_way == 0);
        mem_free(&hosts->mem, hosts->items[i], sizeof *hosts->items[i]);
    }
    mem_free(&hosts->mem, hosts->items, hosts->capacity * sizeof(struct http_host *));
    index_deinit(&hosts->index, &hosts->mem);
    *hosts = (struct http_hosts){0};
}

/* Nothing is lost with it but addresses and failures, which are of a moment. */
static bool is_idle(const struct http_host *host, hob_ns now_ns) {
    return host->under_way == 0 && host->line_count == 0 && host->lookup != LOOKUP_RUNS &&
           host->paused_until_ns <= now_ns && host->open_until_ns <= now_ns;
}

static void hosts_sweep(struct http_hosts *hosts, hob_ns now_ns) {
    uint32_t at = 0;
    while (at < hosts->count) {
        struct http_host *host = hosts->items[at];
        if (!is_idle(host, now_ns)) {
            at++;
            continue;
        }
        struct host_key key = {.name = host->name, .port = host->port};
        index_remove(&hosts->index, &hosts->mem, key_hash(hosts, &key), at + 1);
        uint32_t last = --hosts->count;
        if (at != last) {
            struct http_host *moved = hosts->items[last];
            struct host_key moved_key = {.name = moved->name, .port = moved->port};
            uint64_t hash = key_hash(hosts, &moved_key);
            index_remove(&hosts->index, &hosts->mem, hash, last + 1);
            hosts->items[at] = moved;
            index_add(&hosts->index, &hosts->mem, hash, at + 1);
        }
        mem_free(&hosts->mem, host, sizeof *host);
    }
}

static bool hosts_make_room(struct http_hosts *hosts, hob_ns now_ns) {
    if (hosts->count == HOSTS_MAX) hosts_sweep(hosts, now_ns);
    if (hosts->count == HOSTS_MAX) return false;
    if (hosts->count < hosts->capacity) return true;
    uint32_t old = hosts->capacity;
    uint32_t capacity = old == 0 ? HOSTS_FIRST : old * 2;
    size_t each = sizeof(struct http_host *);
    hosts->items = mem_resize(&hosts->mem, hosts->items, old * each, capacity * each);
    hosts->capacity = capacity;
    return true;
}

struct http_host *
hosts_get(struct http_hosts *hosts, const char *name, uint16_t port, hob_ns now_ns) {
    struct host_key key = {.name = name, .port = port};
    uint64_t hash = key_hash(hosts, &key);
    uint32_t item = index_find(&hosts->index, hash, is_host, hosts, &key);
    if (item != 0) return hosts->items[item - 1];
    if (!hosts_make_room(hosts, now_ns)) return NULL;
    struct http_host *host = mem_zero_alloc(&hosts->mem, sizeof *host);
    (void)snprintf(host->name, sizeof host->name, "%s", name);
    host->port = port;
    link_init(&host->line);
    link_init(&host->lookup_line);
    hosts->items[hosts->count++] = host;
    index_add(&hosts->index, &hosts->mem, hash, hosts->count);
    return host;
}

enum host_answer host_ask(
    struct http_host *host, const struct host_limits *limits, hob_ns now_ns, hob_ns *ret_wait
) {
    if (host->paused_until_ns > now_ns) {
        *ret_wait = host->paused_until_ns - now_ns;
        return HOST_LATER;
    }
    if (host->open_until_ns != 0 && limits->breaker_failures > 0) {
        bool is_open = host->open_until_ns > now_ns;
        if (is_open || host->under_way > 0) {
            *ret_wait = is_open ? host->open_until_ns - now_ns : PROBE_WAIT_NS;
            return HOST_LATER;
        }
    }
    if (limits->at_once != 0 && host->under_way >= limits->at_once) {
        if (host->line_count < LINE_MAX_OF_LIMIT * limits->at_once) return HOST_WAIT;
        *ret_wait = LINE_WAIT_NS;
        return HOST_LATER;
    }
    host->under_way++;
    return HOST_GO;
}

void host_line_enter(struct http_host *host, struct link *link) {
    list_append(&host->line, link);
    host->line_count++;
}

void host_line_leave(struct http_host *host, struct link *link) {
    hob_assert(host->line_count > 0);
    link_remove(link);
    host->line_count--;
}

static void breaker_open(struct http_host *host, const struct host_limits *limits, hob_ns now_ns) {
    hob_ns span = host->open_span_ns * 2;
    if (span < limits->breaker_pause_ns) span = limits->breaker_pause_ns;
    hob_ns max =
        limits->breaker_pause_ns > HOST_BREAK_MAX_NS ? limits->breaker_pause_ns : HOST_BREAK_MAX_NS;
    host->open_span_ns = span < max ? span : max;
    host->open_until_ns = ns_add(now_ns, host->open_span_ns);
}

void host_end(
    struct http_host *host, const struct host_limits *limits, enum host_end end, hob_ns now_ns
) {
    hob_assert(host->under_way > 0);
    host->under_way--;
    if (end == HOST_WELL) {
        host->failures = 0;
        host->open_until_ns = 0;
        host->open_span_ns = 0;
    }
    if (end != HOST_BADLY) return;
    if (host->failures < UINT32_MAX) host->failures++;
    if (limits->breaker_failures == 0) return;
    /* What was sent before it opened says nothing new. */
    bool is_open = host->open_until_ns > now_ns;
    bool was_probe = host->open_until_ns != 0;
    if (!is_open && (was_probe || host->failures >= limits->breaker_failures)) {
        breaker_open(host, limits, now_ns);
    }
}

void host_pause(struct http_host *host, hob_ns now_ns, hob_ns wait_ns) {
    hob_ns until_ns = ns_add(now_ns, wait_ns);
    if (until_ns > host->paused_until_ns) host->paused_until_ns = until_ns;
}
