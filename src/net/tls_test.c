/* SPDX-License-Identifier: Apache-2.0 */
/* Both sides in memory: what one puts out, the other takes, in pieces of any size. */
#include "net/tls.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/test.h"

enum { PLAIN_BYTES_MAX = 16 << 20 };

static char cert_path[] = "/tmp/hob-tls-cert-XXXXXX";
static char key_path[] = "/tmp/hob-tls-key-XXXXXX";
static char other_path[] = "/tmp/hob-tls-other-XXXXXX";

static FILE *make_file(char *path) {
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    FILE *file = fdopen(fd, "w");
    CHECK(file != NULL);
    return file;
}

/* A certificate for localhost that has signed itself. */
static void make_certificate(char *to_cert, char *to_key) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    (void)X509_set_version(cert, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    (void)X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    const unsigned char text[] = "hob";
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    (void)X509_set_issuer_name(cert, name);
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    (void)X509_add_ext(cert, names, -1);
    CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *file = make_file(to_cert);
    CHECK(PEM_write_X509(file, cert) == 1);
    (void)fclose(file);
    if (to_key != NULL) {
        file = make_file(to_key);
        CHECK(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
        (void)fclose(file);
    }
    X509_EXTENSION_free(names);
    X509_free(cert);
    EVP_PKEY_free(key);
}

struct pair {
    struct tls_context *contexts[2];
    struct tls *sides[2]; /* client, server */
    struct buf plain[2];
    enum tls_result results[2];
};

static void begin(struct pair *pair, const char *ca_path, const char *host) {
    struct hob_error err = {0};
    *pair = (struct pair){.plain = {buf_make(PLAIN_BYTES_MAX), buf_make(PLAIN_BYTES_MAX)}};
    enum hob_status status = tls_client_new(ca_path, NULL, NULL, &pair->contexts[0], &err);
    CHECK_EQUAL(status, HOB_OK);
    status = tls_server_new(cert_path, key_path, NULL, &pair->contexts[1], &err);
    CHECK_EQUAL(status, HOB_OK);
    pair->sides[0] = tls_connect(pair->contexts[0], host);
    pair->sides[1] = tls_accept(pair->contexts[1]);
}

static void end(struct pair *pair) {
    for (int i = 0; i < 2; i++) {
        tls_free(pair->sides[i]);
        tls_context_free(pair->contexts[i]);
        buf_deinit(&pair->plain[i]);
    }
}

/* Move what side @from has to say, @step bytes at a time; false when there was nothing. */
static bool move(struct pair *pair, int from, size_t step) {
    HOB_AUTO_BUF struct buf wire = buf_make(PLAIN_BYTES_MAX);
    tls_output(pair->sides[from], &wire);
    int to = 1 - from;
    for (size_t at = 0; at < wire.size; at += step) {
        size_t size = wire.size - at < step ? wire.size - at : step;
        struct slice piece = slice_of(wire.bytes + at, size);
        if (pair->results[to] != TLS_MORE) break;
        pair->results[to] = tls_take(pair->sides[to], piece, &pair->plain[to]);
    }
    return wire.size > 0;
}

static void talk(struct pair *pair, size_t step) {
    for (;;) {
        bool moved = move(pair, 0, step);
        if (!move(pair, 1, step) && !moved) return;
    }
}

static void say(struct pair *pair, int from, struct slice text) {
    for (size_t at = 0; at < text.size; at += TLS_RECORD_BYTES_MAX) {
        size_t size = text.size - at;
        if (size > TLS_RECORD_BYTES_MAX) size = TLS_RECORD_BYTES_MAX;
        CHECK(tls_put(pair->sides[from], slice_of(text.bytes + at, size)));
    }
}

TEST(both_sides_hear_what_the_other_says_however_it_is_cut) {
    static const size_t steps[] = {1, 7, 1000, 1 << 20};
    for (size_t i = 0; i < hob_countof(steps); i++) {
        struct pair pair;
        begin(&pair, cert_path, i % 2 == 0 ? "localhost" : "127.0.0.1");
        CHECK(!tls_is_up(pair.sides[1]));
        talk(&pair, steps[i]);
        CHECK(tls_is_up(pair.sides[0]));
        CHECK(tls_is_up(pair.sides[1]));
        say(&pair, 0, SLICE("question"));
        say(&pair, 1, SLICE("answer"));
        talk(&pair, steps[i]);
        CHECK(slice_equal(buf_slice(&pair.plain[1]), SLICE("question")));
        CHECK(slice_equal(buf_slice(&pair.plain[0]), SLICE("answer")));
        end(&pair);
    }
}

TEST(many_records_come_in_order) {
    struct pair pair;
    begin(&pair, cert_path, "localhost");
    talk(&pair, 4096);
    HOB_AUTO_BUF struct buf text = buf_make(PLAIN_BYTES_MAX);
    for (uint64_t i = 0; i < 100000; i++) (void)buf_put_u64(&text, i);
    say(&pair, 1, buf_slice(&text));
    talk(&pair, 4096);
    CHECK(slice_equal(buf_slice(&pair.plain[0]), buf_slice(&text)));
    end(&pair);
}

TEST(an_end_is_heard_and_what_was_said_before_it) {
    struct pair pair;
    begin(&pair, cert_path, "localhost");
    talk(&pair, 4096);
    say(&pair, 0, SLICE("last words"));
    tls_end(pair.sides[0]);
    tls_end(pair.sides[0]);
    talk(&pair, 4096);
    CHECK_EQUAL(pair.results[1], TLS_CLOSED);
    CHECK(slice_equal(buf_slice(&pair.plain[1]), SLICE("last words")));
    end(&pair);
}

TEST(a_certificate_of_somebody_else_is_not_believed) {
    struct pair pair;
    begin(&pair, other_path, "localhost");
    talk(&pair, 4096);
    CHECK_EQUAL(pair.results[0], TLS_FAILED);
    CHECK(strstr(tls_why(pair.sides[0]), "not to be trusted") != NULL);
    CHECK_EQUAL(pair.results[1], TLS_FAILED); /* it was told so, by an alert */
    end(&pair);
    begin(&pair, cert_path, "elsewhere.example");
    talk(&pair, 4096);
    CHECK_EQUAL(pair.results[0], TLS_FAILED);
    CHECK(strstr(tls_why(pair.sides[0]), "mismatch") != NULL);
    end(&pair);
}

TEST(what_is_no_tls_fails) {
    struct pair pair;
    begin(&pair, cert_path, "localhost");
    HOB_AUTO_BUF struct buf plain = buf_make(1 << 20);
    CHECK_EQUAL(
        tls_take(pair.sides[1], SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), &plain), TLS_FAILED
    );
    CHECK(tls_why(pair.sides[1])[0] != '\0');
    CHECK_EQUAL(plain.size, 0);
    end(&pair);
}

TEST(bytes_that_were_changed_on_the_way_are_refused) {
    struct pair pair;
    begin(&pair, cert_path, "localhost");
    talk(&pair, 4096);
    say(&pair, 0, SLICE("question"));
    HOB_AUTO_BUF struct buf wire = buf_make(1 << 20);
    tls_output(pair.sides[0], &wire);
    wire.bytes[wire.size - 1] ^= 1;
    HOB_AUTO_BUF struct buf plain = buf_make(1 << 20);
    CHECK_EQUAL(tls_take(pair.sides[1], buf_slice(&wire), &plain), TLS_FAILED);
    CHECK_EQUAL(plain.size, 0);
    end(&pair);
}

TEST(wrong_files_are_named) {
    struct tls_context *context = NULL;
    struct hob_error err = {0};
    enum hob_status status = tls_server_new("/nowhere", key_path, NULL, &context, &err);
    CHECK_EQUAL(status, HOB_CONFIG);
    CHECK(strstr(err.text, "/nowhere") != NULL);
    status = tls_server_new(cert_path, cert_path, NULL, &context, &err);
    CHECK_EQUAL(status, HOB_CONFIG);
    status = tls_server_new(cert_path, key_path, key_path, &context, &err);
    CHECK_EQUAL(status, HOB_CONFIG);
    status = tls_client_new("/nowhere", NULL, NULL, &context, &err);
    CHECK_EQUAL(status, HOB_CONFIG);
    CHECK(context == NULL);
}

TEST(files_are_made_first) {
    make_certificate(cert_path, key_path);
    make_certificate(other_path, NULL);
}

TEST(files_are_removed_last) {
    CHECK(unlink(cert_path) == 0);
    CHECK(unlink(key_path) == 0);
    CHECK(unlink(other_path) == 0);
}

TESTS(
    files_are_made_first,
    both_sides_hear_what_the_other_says_however_it_is_cut,
    many_records_come_in_order,
    an_end_is_heard_and_what_was_said_before_it,
    a_certificate_of_somebody_else_is_not_believed,
    what_is_no_tls_fails,
    bytes_that_were_changed_on_the_way_are_refused,
    wrong_files_are_named,
    files_are_removed_last
)
