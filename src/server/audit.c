/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are gathered while a turn runs and written at its end, with one sync: control actions are
 * rare, and who asks for many at once waits once. A line may tell of an action whose journal batch
 * was lost with the machine a moment later; never the other way round.
 *
 * A trail that cannot be written does not stop the server: it says so in its log, each time. */
#include "server/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/json_put.h"
#include "base/text.h"
#include "os/file.h"
#include "os/log.h"
#include "server/private.h"

enum { LINES_BYTES_MAX = 64 * 1024 * 1024 };

#define AUDIT_NAME "audit.log"

/* audit.log, audit.log.1, … */
static void name_of(uint32_t number, char name[32]) {
    if (number == 0) {
        (void)snprintf(name, 32, "%s", AUDIT_NAME);
    } else {
        (void)snprintf(name, 32, "%s.%u", AUDIT_NAME, number);
    }
}

static int open_file(struct audit *audit) {
    int flags = O_RDWR | O_CREAT | O_CLOEXEC;
    int code = file_open(&file_io_system, audit->dir, AUDIT_NAME, flags, &audit->fd);
    if (code == 0) code = file_size(audit->fd, &audit->size);
    return code;
}

enum hob_status audit_open(struct server *server, struct hob_error *err) {
    struct audit *audit = &server->audit;
    audit->lines = buf_make(LINES_BYTES_MAX);
    int code = dir_open(server->options->data_path, false, &audit->dir);
    if (code == 0) code = open_file(audit);
    if (code == 0) code = dir_sync(&file_io_system, audit->dir);
    if (code == 0) return HOB_OK;
    return fail_errno(
        err, HOB_FAILED, code, "cannot open %s/" AUDIT_NAME, server->options->data_path
    );
}

void audit_close(struct server *server) {
    struct audit *audit = &server->audit;
    (void)audit_flush(server);
    file_close(&audit->fd);
    file_close(&audit->dir);
    buf_deinit(&audit->lines);
}

/* --- writing --- */

static int rotate(struct audit *audit) {
    char from[32];
    char to[32];
    for (uint32_t number = AUDIT_FILES - 1; number > 0; number--) {
        name_of(number - 1, from);
        name_of(number, to);
        int code = file_rename(&file_io_system, audit->dir, from, to);
        if (code != 0 && code != ENOENT) return code;
    }
    file_close(&audit->fd);
    audit->size = 0;
    int code = open_file(audit);
    return code == 0 ? dir_sync(&file_io_system, audit->dir) : code;
}

static int write_lines(struct audit *audit) {
    if (audit->size >= AUDIT_FILE_BYTES) {
        int code = rotate(audit);
        if (code != 0) return code;
    }
    struct iovec part = file_part(audit->lines.bytes, audit->lines.size);
    uint64_t written = 0;
    int code = file_write(&file_io_system, audit->fd, &part, 1, audit->size, &written);
    if (code == 0) code = file_sync(&file_io_system, audit->fd);
    if (code == 0) audit->size += written;
    return code;
}

bool audit_flush(struct server *server) {
    struct audit *audit = &server->audit;
    if (audit->lines.size == 0 || audit->fd < 0) return true;
    int code = write_lines(audit);
    if (code != 0) {
        log_error("the audit trail cannot be written", log_str("error", strerrorname_np(code)));
    }
    buf_reset(&audit->lines);
    return code == 0;
}

/* --- lines --- */

static void put_member(struct json_put *put, const char *name, struct slice text) {
    if (text.size == 0) return;
    json_put_key(put, name);
    json_put_text(put, text);
}

static void put_job(struct json_put *put, uint64_t id) {
    json_put_key(put, "job");
    json_put_id(put, id);
}

struct slice audit_who(const struct client *client) {
    const struct access *access = client->session == NULL ? NULL : client->session->access;
    if (access_is_stranger(access)) return SLICE("stranger");
    if (access != NULL) return access->name;
    return conn_is_pipe(client->conn) ? SLICE("owner") : SLICE("anybody");
}

/* Time, who, where from, what; the rest is the caller's. */
static struct json_put begin(struct server *server, const struct client *client, const char *what) {
    struct json_put put = json_put_to(&server->audit.lines);
    HOB_AUTO_BUF struct buf at = buf_make(64);
    (void)text_put_time(&at, server->host.now_ns / NS_PER_MS * NS_PER_MS);
    char peer[NET_ADDRESS_BYTES_MAX];
    conn_peer(client->conn, peer);
    json_put_object(&put);
    put_member(&put, "at", buf_slice(&at));
    put_member(&put, "who", audit_who(client));
    put_member(&put, "from", slice_str(peer));
    put_member(&put, "what", slice_str(what));
    return put;
}

static void end(struct server *server, struct json_put *put, const char *result) {
    put_member(put, "result", slice_str(result));
    json_put_object_end(put);
    (void)buf_put_char(&server->audit.lines, '\n');
}

/* How the trail calls it; NULL: it is the daily work of programs, not told. No default: whoever
 * adds a command is asked here by the compiler. */
static const char *word_of(enum command_type type) {
    switch (type) {
    case COMMAND_CANCEL:
        return "cancel";
    case COMMAND_DISCARD:
        return "discard";
    case COMMAND_RETRY:
        return "retry";
    case COMMAND_DELETE:
        return "delete";
    case COMMAND_UPDATE:
        return "update";
    case COMMAND_PAUSE:
        return "pause";
    case COMMAND_RESUME:
        return "resume";
    case COMMAND_QUEUE_SET:
        return "queue set";
    case COMMAND_VALVE_SET:
        return "limit";
    case COMMAND_VALVE_PAUSE:
        return "pause";
    case COMMAND_VALVE_RESUME:
        return "resume";
    case COMMAND_GROUP_SKIP:
        return "skip";
    case COMMAND_TOKEN_PUT:
        return "token create";
    case COMMAND_TOKEN_DROP:
        return "token revoke";
    case COMMAND_PUSH:
    case COMMAND_PUSH_ALL:
    case COMMAND_FETCH:
    case COMMAND_ACK:
    case COMMAND_FAIL:
    case COMMAND_RELEASE:
    case COMMAND_EXTEND:
    case COMMAND_CHECKPOINT:
    case COMMAND_LOG:
    case COMMAND_PROGRESS:
    case COMMAND_WORKER_SET:
    case COMMAND_WORKER_BEAT:
    case COMMAND_WAIT:
    case COMMAND_TOKEN_USE:
    case COMMAND_FORGET:
    case COMMAND_CLOCK_JUMP:
    case COMMAND_TYPE_COUNT:
        return NULL;
    }
    return NULL;
}

bool audit_wants(const struct command *command) {
    return word_of(command->type) != NULL;
}

static void put_token(struct json_put *put, const struct token_put_command *token) {
    HOB_AUTO_BUF struct buf scopes = buf_make(128);
    for (enum scope scope = SCOPE_PUSH; scope <= SCOPE_ADMIN; scope++) {
        if ((token->scopes & 1u << scope) == 0) continue;
        if (scopes.size > 0) (void)buf_put_char(&scopes, ',');
        (void)buf_put_str(&scopes, scope_word(scope));
    }
    put_member(put, "token", token->name);
    put_member(put, "scopes", buf_slice(&scopes));
    put_member(put, "queues", token->queues);
    put_member(put, "by", token->by);
}

static void put_changed(struct buf *out, bool changed, const char *field) {
    if (!changed) return;
    if (out->size > 0) (void)buf_put_char(out, ',');
    (void)buf_put_str(out, field);
}

/* Which fields, and where the job went; not what is in them, which may be private. */
static void put_update(struct json_put *put, const struct update_command *update) {
    HOB_AUTO_BUF struct buf fields = buf_make(256);
    const struct update_fields *has = &update->has;
    put_changed(&fields, has->queue, "queue");
    put_changed(&fields, has->payload, "payload");
    put_changed(&fields, has->priority, "priority");
    put_changed(&fields, has->time, "run_at");
    put_changed(&fields, has->attempt_max, "attempt_max");
    put_changed(&fields, has->timeout, "timeout");
    put_changed(&fields, has->keep, "keep");
    put_changed(&fields, has->backoff, "backoff");
    put_changed(&fields, has->tags, "tags");
    put_changed(&fields, has->headers, "headers");
    put_changed(&fields, has->content_type, "content_type");
    put_changed(&fields, has->on_done, "on_done");
    put_job(put, update->id);
    put_member(put, "fields", buf_slice(&fields));
    if (has->queue) put_member(put, "queue", update->to.queue);
}

static void put_valve(struct json_put *put, const struct valve_name *valve) {
    static const char *const members[] = {
        [VALVE_QUEUE] = "queue",
        [VALVE_KIND] = "kind",
        [VALVE_GROUP] = "group",
        [VALVE_LIMITER] = "limiter",
    };
    if (valve->sort == VALVE_GROUP) put_member(put, "queue", valve->queue);
    put_member(put, members[valve->sort], valve->name);
}

static void put_object(struct json_put *put, const struct command *command) {
    struct slice by = SLICE_NONE;
    struct slice why = SLICE_NONE;
    if (command->type == COMMAND_PAUSE) {
        put_member(put, "queue", command->pause.queue);
        by = command->pause.by;
        why = command->pause.why;
    } else if (command->type == COMMAND_RESUME) {
        put_member(put, "queue", command->resume.queue);
    } else if (command->type == COMMAND_QUEUE_SET) {
        put_member(put, "queue", command->queue_set.queue);
    } else if (command->type == COMMAND_VALVE_SET) {
        put_valve(put, &command->valve_set.valve);
    } else if (command->type == COMMAND_VALVE_PAUSE) {
        put_valve(put, &command->valve_pause.valve);
        by = command->valve_pause.by;
        why = command->valve_pause.why;
    } else if (command->type == COMMAND_VALVE_RESUME) {
        put_valve(put, &command->valve_resume.valve);
    } else if (command->type == COMMAND_GROUP_SKIP) {
        put_valve(put, &command->group_skip.valve);
    } else if (command->type == COMMAND_TOKEN_PUT) {
        put_token(put, &command->token_put);
    } else if (command->type == COMMAND_TOKEN_DROP) {
        put_member(put, "token", command->token_drop.name);
    } else if (command->type == COMMAND_UPDATE) {
        put_update(put, &command->update);
    } else {
        put_job(put, command->cancel.id); /* and discard, retry, delete */
        by = command->cancel.by;
        why = command->cancel.why;
    }
    put_member(put, "by", by);
    put_member(put, "why", why);
}

void audit_command(
    struct server *server,
    const struct client *client,
    const struct command *command,
    const struct answer *answer
) {
    hob_assert(audit_wants(command));
    struct json_put put = begin(server, client, word_of(command->type));
    put_object(&put, command);
    end(server, &put, answer_word(answer->code));
}

void audit_login_refused(struct server *server, const struct client *client) {
    struct json_put put = begin(server, client, "login");
    end(server, &put, "NOAUTH");
}

void audit_denied(struct server *server, const struct client *client) {
    struct json_put put = begin(server, client, "denied");
    put_member(&put, "scope", slice_str(scope_word(client->session->scope)));
    end(server, &put, "NOPERM");
}

/* --- reading --- */

static int load(struct audit *audit, uint32_t number, struct buf *ret_bytes) {
    char name[32];
    name_of(number, name);
    int fd = -1;
    int code = file_open(&file_io_system, audit->dir, name, O_RDONLY | O_CLOEXEC, &fd);
    uint64_t size = 0;
    if (code == 0) code = file_size(fd, &size);
    size_t got = 0;
    buf_reset(ret_bytes);
    char *room = code == 0 ? buf_reserve(ret_bytes, size + 1) : NULL;
    if (room != NULL) code = file_read(fd, 0, room, size, &got);
    ret_bytes->size = got;
    file_close(&fd);
    return code;
}

/* Every line begins with its time, in one width: they compare as bytes. */
static bool is_older(struct slice line, struct slice since) {
    static const char head[] = "{\"at\":\"";
    size_t skip = sizeof head - 1;
    if (line.size < skip + since.size) return true;
    return memcmp(line.bytes + skip, since.bytes, since.size) < 0;
}

/* Where the last @count lines of @bytes begin that are not older; *ret_found of them. */
static size_t tail_of(struct slice bytes, struct slice since, uint32_t count, uint32_t *ret_found) {
    size_t begin = bytes.size;
    uint32_t found = 0;
    while (begin > 0 && found < count) {
        size_t at = begin - 1;
        while (at > 0 && bytes.bytes[at - 1] != '\n') {
            at--;
        }
        if (is_older(slice_of(bytes.bytes + at, begin - at), since)) break;
        begin = at;
        found++;
    }
    *ret_found = found;
    return begin;
}

/* The tail of file @number goes before what @out has. */
static int prepend(
    struct audit *audit,
    uint32_t number,
    struct slice since,
    uint32_t count,
    struct buf *out,
    uint32_t *ret_found
) {
    HOB_AUTO_BUF struct buf bytes = buf_make(AUDIT_FILE_BYTES + LINES_BYTES_MAX);
    int code = load(audit, number, &bytes);
    if (code != 0) return code;
    size_t from = tail_of(buf_slice(&bytes), since, count, ret_found);
    HOB_AUTO_BUF struct buf behind = *out;
    *out = buf_make(behind.max);
    (void)buf_put(out, bytes.bytes + from, bytes.size - from);
    (void)buf_put_slice(out, buf_slice(&behind));
    return 0;
}

enum hob_status audit_read(
    struct server *server,
    hob_ns since_ns,
    uint32_t count_max,
    struct buf *out,
    struct hob_error *err
) {
    (void)audit_flush(server);
    HOB_AUTO_BUF struct buf since = buf_make(64);
    (void)text_put_time(&since, since_ns / NS_PER_SECOND * NS_PER_SECOND);
    if (since.size > 0) since.size--; /* without its Z: some lines have a fraction there */
    for (uint32_t number = 0; number < AUDIT_FILES && count_max > 0; number++) {
        uint32_t found = 0;
        int code = prepend(&server->audit, number, buf_slice(&since), count_max, out, &found);
        if (code == ENOENT) break;
        if (code != 0) {
            return fail_errno(err, HOB_FAILED, code, "cannot read %s.%u", AUDIT_NAME, number);
        }
        count_max -= found;
    }
    return HOB_OK;
}
