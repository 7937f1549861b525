/* SPDX-License-Identifier: Apache-2.0 */
/* The audit trail: who did what to what, when, from where, why, and whether it was done. One line
 * of JSON for each control action (cancel, discard, retry, delete, update; pause, resume and
 * settings of queues; tokens), done or refused, for each wrong token that the throttle lets
 * through, and for the first thing on a connection that its token does not allow, in
 * DATA/audit.log:
 *
 *     {"at":"2026-03-01T09:30:00.250Z","who":"ops","from":"10.0.0.7:51234","what":"pause",
 *      "queue":"mail","by":"ann","why":"provider is down","result":"OK"}
 *
 * `who` is the name of the token that was shown, "owner" for a unix socket, "anybody" on a server
 * without tokens. It outlives jobs and queues. Lines are on the disk before the turn's replies
 * leave; a file is 16 MiB, and the last AUDIT_FILES are kept (audit.log.1 is the one before). */
#ifndef HOB_SERVER_AUDIT_H
#define HOB_SERVER_AUDIT_H

#include "base/buf.h"
#include "base/status.h"
#include "base/time.h"
#include "engine/answer.h"
#include "engine/command.h"

struct server;
struct client;

enum { AUDIT_FILE_BYTES = 16 * 1024 * 1024, AUDIT_FILES = 5 };

struct audit {
    int dir; /* DATA; -1: none */
    int fd;
    uint64_t size;
    struct buf lines; /* of this turn */
};

/** Open the trail in DATA. */
HOB_CHECK enum hob_status audit_open(struct server *server, struct hob_error *err);
void audit_close(struct server *server);

/** Is this a command that the trail tells of? */
bool audit_wants(const struct command *command);

/** Who this is: the name of the token that was shown, or owner, anybody, stranger. */
struct slice audit_who(const struct client *client);

/** One line. */
void audit_command(
    struct server *server,
    const struct client *client,
    const struct command *command,
    const struct answer *answer
);
void audit_login_refused(struct server *server, const struct client *client);
void audit_denied(struct server *server, const struct client *client);

/** The lines of this turn go to the disk. False: they could not; told in the log. */
bool audit_flush(struct server *server);

/** Append the latest lines, oldest first, that are not older than @since_ns; at most @count_max. */
HOB_CHECK enum hob_status audit_read(
    struct server *server,
    hob_ns since_ns,
    uint32_t count_max,
    struct buf *out,
    struct hob_error *err
);

#endif
