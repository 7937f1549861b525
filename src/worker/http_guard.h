/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request of a job may go. Jobs name URLs, and whoever may push a job must not reach with
 * it what only this machine can reach (server-side request forgery). So a target is refused unless
 *
 *   - it is https, on port 443 (or http, where that is allowed, also on port 80), and
 *   - its address is one of the public internet,
 *
 * or an entry of the allow-list names it. An entry is one of
 *
 *     127.0.0.1    10.0.0.0/8    fd00::/8          an address or network, every port
 *     127.0.0.1:8080    [::1]:8080                 an address, one port
 *     internal.example    internal.example:8080    a host by its name, whatever its addresses are
 *
 * and opens both http and https. Pure: addresses are given, nothing is looked up. The caller asks
 * for each address of a name, and again for the address that is really connected to, so a name
 * that changes its address in between gains nothing. */
#ifndef HOB_WORKER_HTTP_GUARD_H
#define HOB_WORKER_HTTP_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { GUARD_HOST_BYTES_MAX = 253, GUARD_ALLOW_MAX = 256, GUARD_TEXT_BYTES_MAX = 64 };

/* An IPv6 address in the order of the network; IPv4 as ::ffff:a.b.c.d. */
struct guard_address {
    uint8_t bytes[16];
};

struct guard_entry {
    char host[GUARD_HOST_BYTES_MAX + 1]; /* lower case; "": a network */
    struct guard_address network;
    uint8_t bits;
    uint16_t port; /* 0: every port */
};

/* Zero allows https on port 443 of public addresses, and nothing else. */
struct guard {
    const struct guard_entry *allow;
    size_t allow_count;
    bool http; /* plain http to public addresses, too */
};

struct guard_target {
    bool https;
    struct slice host; /* as in the URL, without brackets */
    uint16_t port;
};

/** Read an entry of the allow-list. False: it is none. */
bool guard_entry_parse(struct slice text, struct guard_entry *ret_entry);

/** Read an IPv4 or IPv6 address in its usual text form. */
bool guard_address_parse(struct slice text, struct guard_address *ret_address);

/** The text of an address, in brackets when it is of IPv6. */
void guard_address_put(const struct guard_address *address, char ret_text[GUARD_TEXT_BYTES_MAX]);

/** What kind of inside address it is ("loopback", …), static; NULL: a public one. */
const char *guard_address_kind(const struct guard_address *address);

/**
 * May a request go to @target at @address? NULL: yes; else why not, static: the end of a sentence
 * that begins with "the target ".
 */
const char *guard_refusal(
    const struct guard *guard,
    const struct guard_target *target,
    const struct guard_address *address
);

#endif
