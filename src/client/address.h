/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server is, as people write it: "HOST", "HOST:PORT", "[IPv6]:PORT", each also behind
 * "hob://", or behind "hobs://": with TLS; "unix:PATH" is a socket in the file system. Without a
 * port it is the native one. Names are looked up when a connection is made. */
#ifndef HOB_CLIENT_ADDRESS_H
#define HOB_CLIENT_ADDRESS_H

#include <stdbool.h>

#include "base/slice.h"

enum { ADDRESS_HOST_BYTES_MAX = 255, ADDRESS_PORT_DEFAULT = 4620 };

#define ADDRESS_DEFAULT "127.0.0.1:4620"

struct address {
    bool is_pipe; /* `host` is a path */
    bool tls;
    char host[ADDRESS_HOST_BYTES_MAX + 1];
    char port[6];                           /* digits, as getaddrinfo takes them */
    char text[ADDRESS_HOST_BYTES_MAX + 10]; /* "host:port", for messages */
    /* Not part of the text; borrowed as long as the address is in use. */
    const char *token;   /* to be shown; NULL: none */
    const char *ca_path; /* who has signed the server's certificate; NULL: whom the system trusts */
    const char *cert_path; /* what to show when the server asks; NULL: nothing */
    const char *key_path;
};

/** False: @text is no address; @ret_address is untouched. */
bool address_parse(struct slice text, struct address *ret_address);

#endif
