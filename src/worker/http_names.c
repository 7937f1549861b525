/* SPDX-License-Identifier: Apache-2.0 */
/* A lookup that runs cannot be ended; it holds its host until then (LOOKUP_RUNS) and is counted, so
 * that the table of hosts is not freed below it. */
#include "worker/http_names.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

struct lookup {
    uv_getaddrinfo_t request;
    struct http_host *host;
    size_t *lookups;
    hob_ns now_ns; /* when it was asked for */
};

static void address_keep(struct http_host *host, const struct sockaddr *socket) {
    struct guard_address address = {.bytes = {[10] = 0xff, [11] = 0xff}};
    if (host->address_count == HOST_ADDRESSES_MAX) return;
    if (socket->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)socket;
        memcpy(address.bytes + 12, &in->sin_addr, 4);
    } else if (socket->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)socket;
        memcpy(address.bytes, &in6->sin6_addr, 16);
    } else {
        return;
    }
    host->addresses[host->address_count++] = address;
}

static void on_found(uv_getaddrinfo_t *request, int code, struct addrinfo *found) {
    struct lookup *lookup = request->data;
    struct http_host *host = lookup->host;
    host->address_count = 0;
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        address_keep(host, at->ai_addr);
    }
    uv_freeaddrinfo(found);
    host->lookup = host->address_count > 0 ? LOOKUP_DONE : LOOKUP_FAILED;
    host->looked_up_ns = lookup->now_ns;
    (void)snprintf(
        host->lookup_error,
        sizeof host->lookup_error,
        "%s",
        code == 0 ? "it has no address" : uv_strerror(code)
    );
    (*lookup->lookups)--;
    free(lookup);
    struct link line;
    list_move(&line, &host->lookup_line);
    while (link_is_listed(&line)) {
        struct names_ask *ask = LINKED(line.next, struct names_ask, link);
        link_remove(&ask->link);
        ask->found(ask);
    }
}

bool names_ask(
    uv_loop_t *loop, struct http_host *host, hob_ns now_ns, size_t *lookups, struct names_ask *ask
) {
    bool known = host->lookup == LOOKUP_DONE || host->lookup == LOOKUP_FAILED;
    hob_ns keep_ns = host->lookup == LOOKUP_DONE ? NAMES_KEEP_NS : NAMES_KEEP_FAIL_NS;
    if (known && now_ns < ns_add(host->looked_up_ns, keep_ns)) return true;
    list_append(&host->lookup_line, &ask->link);
    if (host->lookup == LOOKUP_RUNS) return false;
    struct lookup *lookup = calloc(1, sizeof *lookup);
    hob_assert(lookup != NULL);
    lookup->request.data = lookup;
    lookup->host = host;
    lookup->lookups = lookups;
    lookup->now_ns = now_ns;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int code = uv_getaddrinfo(loop, &lookup->request, on_found, host->name, NULL, &hints);
    hob_assert(code == 0);
    host->lookup = LOOKUP_RUNS;
    (*lookups)++;
    return false;
}

void names_leave(struct names_ask *ask) {
    link_remove(&ask->link);
}
