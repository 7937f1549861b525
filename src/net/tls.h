/* SPDX-License-Identifier: Apache-2.0 */
/* TLS without sockets: bytes of the wire go in, plain bytes come out, and the other way round. Who
 * owns the socket moves the bytes.
 *
 *     tls_take(tls, wire, &plain)     what came; handshakes go on by this alone
 *     tls_put(tls, plain)             one record of what is to be sent
 *     tls_output(tls, &wire)          what must leave now: records, handshake, alerts
 *
 * TLS 1.2 and 1.3, ciphers with forward secrecy only, no renegotiation, no compression. Errors of a
 * peer are answers (TLS_FAILED, tls_why), not failures of this program. */
#ifndef HOB_NET_TLS_H
#define HOB_NET_TLS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"

enum {
    TLS_RECORD_BYTES_MAX = 16384, /* plain bytes of one record */
    TLS_FIRST_BYTE = 0x16,        /* of what every TLS client sends first: a handshake record */
};

struct tls;
struct tls_context;

/**
 * What a server shows and asks for.
 *
 * @cert_path       certificate and chain, PEM
 * @key_path        its key, PEM; must belong to it
 * @client_ca_path  who must have signed the certificate that each client has to show; NULL: none
 *                  is asked for
 *
 * Fails  HOB_CONFIG, with the file and what is wrong with it
 */
HOB_CHECK enum hob_status tls_server_new(
    const char *cert_path,
    const char *key_path,
    const char *client_ca_path,
    struct tls_context **ret_context,
    struct hob_error *err
);

/**
 * What a client believes and shows. The server's certificate is always verified, with its name.
 *
 * @ca_path              whom to believe; NULL: whom the system believes
 * @cert_path, key_path  what to show when the server asks; NULL: nothing
 */
HOB_CHECK enum hob_status tls_client_new(
    const char *ca_path,
    const char *cert_path,
    const char *key_path,
    struct tls_context **ret_context,
    struct hob_error *err
);

/** NULL is fine; connections that were begun with it live on. */
void tls_context_free(struct tls_context *context);

/** The server's side of a connection. */
struct tls *tls_accept(struct tls_context *context);

/** The client's side of one to @host, a name or an IP address; its first bytes are in the output.
 */
struct tls *tls_connect(struct tls_context *context, const char *host);

/** NULL is fine. */
void tls_free(struct tls *tls);

enum tls_result {
    TLS_MORE,   /* go on */
    TLS_CLOSED, /* the peer has said that it sends no more */
    TLS_FAILED, /* tls_why() tells; the output may hold an alert for the peer */
};

/** Take bytes of the wire; append what they say to @plain. */
enum tls_result tls_take(struct tls *tls, struct slice wire, struct buf *plain);

/** Is the handshake done? Only then may anything be sent. */
bool tls_is_up(const struct tls *tls);

/** Encrypt at most TLS_RECORD_BYTES_MAX bytes, as one record. False: the connection has failed. */
bool tls_put(struct tls *tls, struct slice plain);

/** Say that no more is sent; once. */
void tls_end(struct tls *tls);

/** How many bytes of output there are. */
size_t tls_output_size(const struct tls *tls);

/** Append the output to @wire and forget it. */
void tls_output(struct tls *tls, struct buf *wire);

/** Why it has failed, in words. Borrowed from @tls. */
const char *tls_why(const struct tls *tls);

#endif
