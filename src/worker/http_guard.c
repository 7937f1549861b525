/* SPDX-License-Identifier: Apache-2.0 */
/* The table of networks is that of the IANA special-purpose registries (IPv4: RFC 6890 and its
 * updates; IPv6: the same, with what embeds IPv4 addresses). It lists what is not public; of IPv6
 * nothing else is taken than 2000::/3, the only space that is given out for global unicast, and
 * NAT64 (64:ff9b::/96), whose embedded IPv4 address is looked at in its place. */
#include "worker/http_guard.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"

enum { V4_AT = 12, V4_BITS = 96, ADDRESS_BITS = 128, PORT_HTTP = 80, PORT_HTTPS = 443 };

struct network {
    const char *text; /* IPv4 with its own count of bits */
    uint8_t bits;
    const char *kind;
};

static const struct network inside_v4[] = {
    {"0.0.0.0", 8, "of this network (0.0.0.0/8)"},
    {"10.0.0.0", 8, "private"},
    {"100.64.0.0", 10, "of a carrier's NAT (100.64.0.0/10)"},
    {"127.0.0.0", 8, "loopback"},
    {"169.254.0.0", 16, "link-local"},
    {"172.16.0.0", 12, "private"},
    {"192.0.0.0", 24, "reserved for protocols"},
    {"192.0.2.0", 24, "for documentation"},
    {"192.88.99.0", 24, "a 6to4 relay"},
    {"192.168.0.0", 16, "private"},
    {"198.18.0.0", 15, "for benchmarks"},
    {"198.51.100.0", 24, "for documentation"},
    {"203.0.113.0", 24, "for documentation"},
    {"224.0.0.0", 4, "multicast"},
    {"255.255.255.255", 32, "broadcast"},
    {"240.0.0.0", 4, "reserved"},
};

static const struct network inside_v6[] = {
    {"::", 128, "unspecified"},
    {"::1", 128, "loopback"},
    {"::", 96, "an IPv4 address in disguise"},
    {"64:ff9b:1::", 48, "of a local NAT64"},
    {"100::", 64, "discarded"},
    {"2001::", 32, "Teredo"},
    {"2001::", 23, "reserved for protocols"},
    {"2001:db8::", 32, "for documentation"},
    {"2002::", 16, "6to4"},
    {"3fff::", 20, "for documentation"},
    {"fc00::", 7, "private (unique local)"},
    {"fe80::", 10, "link-local"},
    {"fec0::", 10, "site-local"},
    {"ff00::", 8, "multicast"},
};

static bool is_in(const struct guard_address *address, const uint8_t *network, unsigned bits) {
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;
    if (memcmp(address->bytes, network, whole) != 0) return false;
    if (rest == 0) return true;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));
    return (address->bytes[whole] & mask) == (network[whole] & mask);
}

static bool is_v4(const struct guard_address *address) {
    static const uint8_t mapped[V4_AT] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address->bytes, mapped, V4_AT) == 0;
}

static const char *v4_kind(const uint8_t *v4) {
    struct guard_address address = {0};
    memcpy(address.bytes, v4, 4);
    for (size_t i = 0; i < hob_countof(inside_v4); i++) {
        uint8_t network[4];
        int read = inet_pton(AF_INET, inside_v4[i].text, network);
        hob_assert(read == 1);
        if (is_in(&address, network, inside_v4[i].bits)) return inside_v4[i].kind;
    }
    return NULL;
}

const char *guard_address_kind(const struct guard_address *address) {
    static const uint8_t nat64[V4_AT] = {0x00, 0x64, 0xff, 0x9b};
    static const uint8_t global[1] = {0x20};
    if (is_v4(address)) return v4_kind(address->bytes + V4_AT);
    if (is_in(address, nat64, V4_BITS)) return v4_kind(address->bytes + V4_AT);
    for (size_t i = 0; i < hob_countof(inside_v6); i++) {
        uint8_t network[16];
        int read = inet_pton(AF_INET6, inside_v6[i].text, network);
        hob_assert(read == 1);
        if (is_in(address, network, inside_v6[i].bits)) return inside_v6[i].kind;
    }
    return is_in(address, global, 3) ? NULL : "reserved";
}

bool guard_address_parse(struct slice text, struct guard_address *ret_address) {
    char copy[INET6_ADDRSTRLEN];
    if (text.size == 0 || text.size >= sizeof copy) return false;
    memcpy(copy, text.bytes, text.size);
    copy[text.size] = '\0';
    if (strlen(copy) != text.size) return false;
    struct guard_address address = {.bytes = {[10] = 0xff, [11] = 0xff}};
    if (inet_pton(AF_INET, copy, address.bytes + V4_AT) != 1 &&
        inet_pton(AF_INET6, copy, address.bytes) != 1) {
        return false;
    }
    *ret_address = address;
    return true;
}

void guard_address_put(const struct guard_address *address, char ret_text[GUARD_TEXT_BYTES_MAX]) {
    char text[INET6_ADDRSTRLEN];
    bool v4 = is_v4(address);
    const void *from = v4 ? address->bytes + V4_AT : address->bytes;
    const char *put = inet_ntop(v4 ? AF_INET : AF_INET6, from, text, sizeof text);
    hob_assert(put != NULL);
    (void)snprintf(ret_text, GUARD_TEXT_BYTES_MAX, v4 ? "%s" : "[%s]", text);
}

/* Names are compared in lower case and without the dot of the root. */
static bool host_keep(struct slice host, char *to) {
    if (host.size > 1 && host.bytes[host.size - 1] == '.') host.size--;
    if (host.size == 0 || host.size > GUARD_HOST_BYTES_MAX) return false;
    for (size_t i = 0; i < host.size; i++) {
        char c = host.bytes[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!word && c != '.' && c != '-' && c != '_') return false;
        to[i] = c;
    }
    to[host.size] = '\0';
    return true;
}

/* ":8080" at the end of @text goes away, into the entry. False: no port stands there. */
static bool port_take(struct slice *text, struct guard_entry *entry) {
    const char *colon = memrchr(text->bytes, ':', text->size);
    if (colon == NULL) return true;
    bool bracketed = text->bytes[0] == '[';
    /* An IPv6 address without brackets has no port. */
    if (!bracketed && memchr(text->bytes, ':', text->size) != colon) return true;
    if (bracketed && text->bytes[text->size - 1] == ']') return true;
    size_t head = (size_t)(colon - text->bytes);
    uint64_t port = 0;
    struct slice digits = slice_of(colon + 1, text->size - head - 1);
    if (!text_u64(digits, 1, UINT16_MAX, &port)) return false;
    entry->port = (uint16_t)port;
    text->size = head;
    return true;
}

/* "/8" at the end of @text goes away; an address without it is a network of one. */
static bool bits_take(struct slice *text, uint64_t *ret_bits) {
    const char *slash = memchr(text->bytes, '/', text->size);
    *ret_bits = ADDRESS_BITS;
    if (slash == NULL) return true;
    size_t head = (size_t)(slash - text->bytes);
    if (!text_u64(slice_of(slash + 1, text->size - head - 1), 0, ADDRESS_BITS, ret_bits)) {
        return false;
    }
    text->size = head;
    return true;
}

bool guard_entry_parse(struct slice text, struct guard_entry *ret_entry) {
    struct guard_entry entry = {0};
    uint64_t bits = 0;
    if (text.size == 0 || !port_take(&text, &entry)) return false;
    if (text.size > 2 && text.bytes[0] == '[' && text.bytes[text.size - 1] == ']') {
        text = slice_of(text.bytes + 1, text.size - 2);
        if (!guard_address_parse(text, &entry.network) || is_v4(&entry.network)) return false;
        entry.bits = ADDRESS_BITS;
        *ret_entry = entry;
        return true;
    }
    bool has_bits = memchr(text.bytes, '/', text.size) != NULL;
    if (!bits_take(&text, &bits)) return false;
    if (guard_address_parse(text, &entry.network)) {
        bool v4 = is_v4(&entry.network) && memchr(text.bytes, ':', text.size) == NULL;
        if (v4 && has_bits && bits > 32) return false;
        entry.bits = (uint8_t)(v4 && has_bits ? bits + V4_BITS : bits);
    } else if (has_bits || !host_keep(text, entry.host)) {
        return false;
    }
    *ret_entry = entry;
    return true;
}

static bool entry_fits(
    const struct guard_entry *entry,
    const char *host,
    uint16_t port,
    const struct guard_address *address
) {
    if (entry->port != 0 && entry->port != port) return false;
    if (entry->host[0] != '\0') return strcmp(entry->host, host) == 0;
    return is_in(address, entry->network.bytes, entry->bits);
}

const char *guard_refusal(
    const struct guard *guard,
    const struct guard_target *target,
    const struct guard_address *address
) {
    char host[GUARD_HOST_BYTES_MAX + 1] = "";
    if (!host_keep(target->host, host)) host[0] = '\0';
    for (size_t i = 0; i < guard->allow_count; i++) {
        if (entry_fits(&guard->allow[i], host, target->port, address)) return NULL;
    }
    if (guard_address_kind(address) != NULL) return "has an address that is not public";
    if (!target->https && !guard->http) return "is plain http, which is not allowed";
    if (target->port != PORT_HTTPS && !(target->port == PORT_HTTP && guard->http)) {
        return "is on a port that is not allowed";
    }
    return NULL;
}
