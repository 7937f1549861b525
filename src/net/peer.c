/* SPDX-License-Identifier: Apache-2.0 */
/* Where connections come from, and how many from each place. Counters share a table by hash, so
 * that strangers cannot make it grow; two addresses that meet in it are counted as one. Loopback is
 * not counted: it is this machine, and all who come through a proxy on it. */
#include <netinet/in.h>
#include <stdio.h>

#include "net/private.h"

enum { NETWORK_BYTES = 8 }; /* of IPv6: a client has a /64 of its own */

/* What tells apart where it comes from. */
static struct slice bytes_of(const union peer *peer) {
    if (peer->any.sa_family == AF_INET6) {
        const struct in6_addr *address = &peer->in6.sin6_addr;
        bool is_whole = IN6_IS_ADDR_V4MAPPED(address) || IN6_IS_ADDR_LOOPBACK(address);
        return slice_of(address, is_whole ? sizeof *address : NETWORK_BYTES);
    }
    return slice_of(&peer->in.sin_addr, sizeof peer->in.sin_addr);
}

static bool is_loopback(const union peer *peer) {
    if (peer->any.sa_family == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&peer->in6.sin6_addr);
    return ntohl(peer->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool peer_take(struct conn *conn) {
    int size = sizeof conn->peer;
    if (conn->is_pipe) return true;
    if (uv_tcp_getpeername(&conn->uv.tcp, &conn->peer.any, &size) != 0) return false;
    conn->peer_hash = siphash(conn->net->peer_key, bytes_of(&conn->peer)) | 1;
    return true;
}

bool peer_count(struct conn *conn) {
    if (conn->is_pipe || is_loopback(&conn->peer)) return true;
    uint16_t *count = &conn->net->peers[conn->peer_hash % PEERS_MAX];
    if (*count >= conn->net->options.per_address_max || *count == UINT16_MAX) return false;
    ++*count;
    conn->is_counted = true;
    return true;
}

void peer_forget(struct conn *conn) {
    if (!conn->is_counted) return;
    conn->is_counted = false;
    conn->net->peers[conn->peer_hash % PEERS_MAX]--;
}

bool conn_is_pipe(const struct conn *conn) {
    return conn->is_pipe;
}

uint64_t conn_peer_hash(const struct conn *conn) {
    return conn->peer_hash;
}

void conn_peer(const struct conn *conn, char ret_address[NET_ADDRESS_BYTES_MAX]) {
    char host[64] = {0};
    if (conn->is_pipe) {
        (void)snprintf(ret_address, NET_ADDRESS_BYTES_MAX, "unix");
    } else if (conn->peer.any.sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = &conn->peer.in6;
        (void)uv_ip6_name(in6, host, sizeof host);
        (void)snprintf(ret_address, NET_ADDRESS_BYTES_MAX, "[%s]:%u", host, ntohs(in6->sin6_port));
    } else {
        const struct sockaddr_in *in = &conn->peer.in;
        (void)uv_ip4_name(in, host, sizeof host);
        (void)snprintf(ret_address, NET_ADDRESS_BYTES_MAX, "%s:%u", host, ntohs(in->sin_port));
    }
}
