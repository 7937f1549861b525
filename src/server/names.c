/* SPDX-License-Identifier: Apache-2.0 */
/* Names compare as host names do: without case, with or without a dot at their end. Nothing is
 * looked up: who answers for a name is what rebinding changes. */
#include "server/names.h"

#include <uv.h>

#include "base/text.h"

enum { NAME_MAX_BYTES = 255 };

/* Without its port, if that is one; an IPv6 address stands in brackets. */
static bool cut_port(struct slice host, struct slice *ret_name) {
    const char *colon = NULL;
    bool bracketed = host.size > 0 && host.bytes[0] == '[';
    for (size_t i = host.size; i > 0 && colon == NULL; i--) {
        if (host.bytes[i - 1] == ':') colon = host.bytes + i - 1;
        if (host.bytes[i - 1] == ']') break;
    }
    *ret_name = host;
    if (colon != NULL) {
        uint64_t port = 0;
        ret_name->size = (size_t)(colon - host.bytes);
        struct slice digits = slice_of(colon + 1, host.size - ret_name->size - 1);
        if (!text_u64(digits, 1, UINT16_MAX, &port)) return false;
    }
    if (bracketed) {
        if (ret_name->size < 3 || ret_name->bytes[ret_name->size - 1] != ']') return false;
        *ret_name = slice_of(ret_name->bytes + 1, ret_name->size - 2);
    }
    /* What is looked at as a text must not end before its end. */
    return ret_name->size > 0 && ret_name->size <= NAME_MAX_BYTES &&
           memchr(ret_name->bytes, '\0', ret_name->size) == NULL;
}

/* IPv6 stands in brackets, without a zone: behind its % could be anything. */
static bool is_ip_address(struct slice name, bool bracketed) {
    char text[NAME_MAX_BYTES + 1] = {0};
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    memcpy(text, name.bytes, name.size);
    if (!bracketed) return uv_ip4_addr(text, 1, &in) == 0;
    return strchr(text, '%') == NULL && uv_ip6_addr(text, 1, &in6) == 0;
}

/* As a host name: without case, and with a dot at its end or not. */
static bool is_same(struct slice a, struct slice b) {
    if (a.size > 1 && a.bytes[a.size - 1] == '.') a.size--;
    return slice_equal_nocase(a, b);
}

static bool is_below_localhost(struct slice name) {
    struct slice local = SLICE("localhost");
    if (name.size > 1 && name.bytes[name.size - 1] == '.') name.size--;
    if (name.size < local.size) return false;
    size_t before = name.size - local.size;
    if (!slice_equal_nocase(slice_of(name.bytes + before, local.size), local)) return false;
    return before == 0 || name.bytes[before - 1] == '.';
}

bool names_hold(const struct server_options *options, struct slice host) {
    struct slice name;
    for (size_t i = 0; i < options->host_count; i++) {
        if (slice_equal(slice_str(options->hosts[i]), SLICE("*"))) return true;
    }
    if (!cut_port(host, &name)) return false;
    if (is_ip_address(name, host.bytes[0] == '[') || is_below_localhost(name)) return true;
    for (size_t i = 0; i < options->host_count; i++) {
        if (is_same(name, slice_str(options->hosts[i]))) return true;
    }
    for (size_t i = 0; i < options->listen_count; i++) {
        struct slice own;
        if (cut_port(slice_str(options->listen[i]), &own) && is_same(name, own)) return true;
    }
    return false;
}
