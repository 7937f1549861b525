/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL between two memory BIOs. */
#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

/* TLS 1.2: forward secrecy and AEAD. What TLS 1.3 has is like that by itself. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct tls_context {
    SSL_CTX *ssl;
};

struct tls {
    SSL *ssl;
    BIO *in;
    BIO *out;
    bool is_client;
    bool is_ended;
    char host[256];
    char why[600];
};

/* The reason of the latest error of OpenSSL in this thread; the others are forgotten. */
static const char *reason(void) {
    unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    if (ERR_SYSTEM_ERROR(code)) return strerrordesc_np(ERR_GET_REASON(code));
    const char *text = code == 0 ? NULL : ERR_reason_error_string(code);
    return text == NULL ? "unknown reason" : text;
}

/* "http/1.1" for those who ask; RESP has no name there, and its clients do not ask. */
static int choose_protocol(
    SSL *ssl,
    const unsigned char **ret_name,
    unsigned char *ret_size,
    const unsigned char *offered,
    unsigned offered_size,
    void *context
) {
    (void)ssl;
    (void)context;
    static const unsigned char own[] = "\x08http/1.1";
    unsigned char *name = NULL;
    int found = SSL_select_next_proto(&name, ret_size, own, sizeof own - 1, offered, offered_size);
    if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_name = name;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *context_new(const SSL_METHOD *method) {
    SSL_CTX *ssl = SSL_CTX_new(method);
    if (ssl == NULL) hob_panic(__FILE__, __LINE__, "OpenSSL gives no context");
    bool good = SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1;
    hob_assert(good);
    good = SSL_CTX_set_cipher_list(ssl, CIPHERS) == 1;
    hob_assert(good);
    (void)SSL_CTX_set_options(
        ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE
    );
    /* An idle connection gives its buffers back. */
    (void)SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    return ssl;
}

static enum hob_status
load_own(SSL_CTX *ssl, const char *cert_path, const char *key_path, struct hob_error *err) {
    if (SSL_CTX_use_certificate_chain_file(ssl, cert_path) != 1) {
        return fail(err, HOB_CONFIG, "%s: no certificate in PEM: %s", cert_path, reason());
    }
    if (SSL_CTX_use_PrivateKey_file(ssl, key_path, SSL_FILETYPE_PEM) != 1) {
        return fail(err, HOB_CONFIG, "%s: no key for that certificate: %s", key_path, reason());
    }
    if (SSL_CTX_check_private_key(ssl) != 1) {
        return fail(err, HOB_CONFIG, "%s: not the key of the certificate %s", key_path, cert_path);
    }
    return HOB_OK;
}

static enum hob_status load_client_ca(SSL_CTX *ssl, const char *path, struct hob_error *err) {
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);
    if (names == NULL || SSL_CTX_load_verify_file(ssl, path) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return fail(err, HOB_CONFIG, "%s: no certificates in PEM: %s", path, reason());
    }
    SSL_CTX_set_client_CA_list(ssl, names);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return HOB_OK;
}

static struct tls_context *context_take(SSL_CTX *ssl) {
    struct tls_context *context = calloc(1, sizeof *context);
    if (context == NULL) hob_panic(__FILE__, __LINE__, "out of memory");
    context->ssl = ssl;
    return context;
}

enum hob_status tls_server_new(
    const char *cert_path,
    const char *key_path,
    const char *client_ca_path,
    struct tls_context **ret_context,
    struct hob_error *err
) {
    static const unsigned char session_name[] = "hob";
    SSL_CTX *ssl = context_new(TLS_server_method());
    enum hob_status status = load_own(ssl, cert_path, key_path, err);
    if (status == HOB_OK && client_ca_path != NULL) {
        status = load_client_ca(ssl, client_ca_path, err);
    }
    if (status != HOB_OK) {
        SSL_CTX_free(ssl);
        return status;
    }
    SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
    (void)SSL_CTX_set_session_id_context(ssl, session_name, sizeof session_name - 1);
    /* Tickets only: a cache here would grow with strangers. */
    (void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    *ret_context = context_take(ssl);
    return HOB_OK;
}

enum hob_status tls_client_new(
    const char *ca_path,
    const char *cert_path,
    const char *key_path,
    struct tls_context **ret_context,
    struct hob_error *err
) {
    SSL_CTX *ssl = context_new(TLS_client_method());
    enum hob_status status = HOB_OK;
    if (ca_path != NULL && SSL_CTX_load_verify_file(ssl, ca_path) != 1) {
        status = fail(err, HOB_CONFIG, "%s: no certificates in PEM: %s", ca_path, reason());
    } else if (ca_path == NULL && SSL_CTX_set_default_verify_paths(ssl) != 1) {
        status = fail(err, HOB_CONFIG, "the system's certificates cannot be read: %s", reason());
    }
    if (status == HOB_OK && cert_path != NULL) {
        status = load_own(ssl, cert_path, key_path == NULL ? cert_path : key_path, err);
    }
    if (status != HOB_OK) {
        SSL_CTX_free(ssl);
        return status;
    }
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    *ret_context = context_take(ssl);
    return HOB_OK;
}

void tls_context_free(struct tls_context *context) {
    if (context == NULL) return;
    SSL_CTX_free(context->ssl);
    free(context);
}

static struct tls *tls_new(struct tls_context *context) {
    struct tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL) hob_panic(__FILE__, __LINE__, "out of memory");
    tls->ssl = SSL_new(context->ssl);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (tls->ssl == NULL || tls->in == NULL || tls->out == NULL) {
        hob_panic(__FILE__, __LINE__, "out of memory");
    }
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    return tls;
}

struct tls *tls_accept(struct tls_context *context) {
    struct tls *tls = tls_new(context);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

static bool is_ip_address(const char *host) {
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

struct tls *tls_connect(struct tls_context *context, const char *host) {
    struct tls *tls = tls_new(context);
    tls->is_client = true;
    (void)snprintf(tls->host, sizeof tls->host, "%s", host);
    SSL_set_connect_state(tls->ssl);
    bool good = false;
    if (is_ip_address(host)) {
        good = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), host) == 1;
    } else {
        good = SSL_set_tlsext_host_name(tls->ssl, host) == 1 && SSL_set1_host(tls->ssl, host) == 1;
    }
    hob_assert(good);
    struct buf nothing = buf_make(1);
    (void)tls_take(tls, SLICE_NONE, &nothing);
    return tls;
}

void tls_free(struct tls *tls) {
    if (tls == NULL) return;
    SSL_free(tls->ssl); /* and its BIOs */
    free(tls);
}

bool tls_is_up(const struct tls *tls) {
    return SSL_is_init_finished(tls->ssl);
}

static enum tls_result failed(struct tls *tls) {
    long verified = SSL_get_verify_result(tls->ssl);
    const char *text = reason();
    if (tls->is_client && verified != X509_V_OK) {
        (void)snprintf(
            tls->why,
            sizeof tls->why,
            "the certificate of %s is not to be trusted: %s",
            tls->host,
            X509_verify_cert_error_string(verified)
        );
    } else {
        (void)snprintf(tls->why, sizeof tls->why, "%s", text);
    }
    return TLS_FAILED;
}

enum tls_result tls_take(struct tls *tls, struct slice wire, struct buf *plain) {
    ERR_clear_error();
    if (wire.size > 0) {
        hob_assert(wire.size <= INT_MAX);
        int taken = BIO_write(tls->in, wire.bytes, (int)wire.size);
        if (taken != (int)wire.size) hob_panic(__FILE__, __LINE__, "out of memory");
    }
    if (!tls_is_up(tls)) {
        int done = SSL_do_handshake(tls->ssl);
        if (done != 1) {
            int error = SSL_get_error(tls->ssl, done);
            return error == SSL_ERROR_WANT_READ ? TLS_MORE : failed(tls);
        }
    }
    for (;;) {
        char *room = buf_reserve(plain, TLS_RECORD_BYTES_MAX);
        if (room == NULL) {
            (void)snprintf(tls->why, sizeof tls->why, "more input than is allowed");
            return TLS_FAILED;
        }
        int size = SSL_read(tls->ssl, room, TLS_RECORD_BYTES_MAX);
        if (size > 0) {
            plain->size += (size_t)size;
            continue;
        }
        int error = SSL_get_error(tls->ssl, size);
        if (error == SSL_ERROR_WANT_READ) return TLS_MORE;
        return error == SSL_ERROR_ZERO_RETURN ? TLS_CLOSED : failed(tls);
    }
}

bool tls_put(struct tls *tls, struct slice plain) {
    hob_assert(plain.size > 0);
    hob_assert(plain.size <= TLS_RECORD_BYTES_MAX);
    ERR_clear_error();
    int put = SSL_write(tls->ssl, plain.bytes, (int)plain.size);
    if (put == (int)plain.size) return true;
    (void)failed(tls);
    return false;
}

void tls_end(struct tls *tls) {
    if (tls->is_ended) return;
    tls->is_ended = true;
    ERR_clear_error();
    if (tls_is_up(tls)) (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

size_t tls_output_size(const struct tls *tls) {
    return BIO_ctrl_pending(tls->out);
}

void tls_output(struct tls *tls, struct buf *wire) {
    size_t size = tls_output_size(tls);
    if (size == 0) return;
    char *room = buf_reserve(wire, size);
    if (room == NULL) return;
    int taken = BIO_read(tls->out, room, (int)size);
    hob_assert(taken == (int)size);
    wire->size += size;
}

const char *tls_why(const struct tls *tls) {
    return tls->why;
}
