/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown to a server. A token never comes from the command line, where every process of the
 * machine can read it: it comes from a file, or from the environment. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"

enum { TOKEN_FILE_BYTES_MAX = 1024 };

static const char *variable(const char *name) {
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody changes it */
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static const char *first_of(const char *value, const char *name) {
    return value != NULL ? value : variable(name);
}

/* The first line, without space around it. Kept until the program ends. */
static enum hob_status read_token(const char *path, const char **ret_token, struct hob_error *err) {
    static char token[TOKEN_FILE_BYTES_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, token, TOKEN_FILE_BYTES_MAX);
    int failed = errno;
    if (fd >= 0) (void)close(fd);
    if (got < 0) return fail_errno(err, HOB_CONFIG, failed, "cannot read the token file %s", path);
    token[got] = '\0';
    char *from = token + strspn(token, " \t");
    from[strcspn(from, " \t\r\n")] = '\0';
    if (from[0] == '\0') return fail(err, HOB_CONFIG, "%s: there is no token in it", path);
    *ret_token = from;
    return HOB_OK;
}

enum hob_status
cli_login(struct address *address, const struct cli_login *login, struct hob_error *err) {
    address->ca_path = login->ca;
    address->cert_path = login->cert;
    address->key_path = login->key;
    if (login->token_file != NULL) return read_token(login->token_file, &address->token, err);
    address->token = variable("HOB_TOKEN");
    return HOB_OK;
}

enum hob_status
cli_login_here(const struct cli *cli, struct address *address, struct hob_error *err) {
    const struct cli_login login = {
        .token_file = first_of(cli_common(cli, "token-file"), "HOB_TOKEN_FILE"),
        .ca = first_of(cli_common(cli, "ca"), "HOB_CA"),
        .cert = first_of(cli_common(cli, "client-cert"), "HOB_CLIENT_CERT"),
        .key = first_of(cli_common(cli, "client-key"), "HOB_CLIENT_KEY"),
    };
    return cli_login(address, &login, err);
}
