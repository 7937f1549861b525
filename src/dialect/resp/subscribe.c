/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions of a connection, and the messages that they bring.
 *
 * In RESP3 messages are pushes and the connection serves every command; in RESP2 a connection that
 * has a subscription serves only what changes it, PING, RESET and QUIT (resp_run asks
 * resp_is_listening), since a message could not be told from a reply.
 *
 * A message stands between two replies, never inside one: what comes up while a request is served
 * (a PUSH of this very connection) goes to session->pushes, and from there behind the reply.
 *
 * A reader that is slow costs no memory: session_event drops events while too much output waits,
 * and the next one that gets through is preceded by how many may have been missed. */
#include "base/assert.h"
#include "base/json_put.h"
#include "dialect/event_json.h"
#include "dialect/resp/channel.h"
#include "dialect/resp/core.h"

enum {
    SUBSCRIPTIONS_MAX = 1000, /* of one connection */
    SUBSCRIPTIONS_FIRST = 4,
    PUSHES_BYTES_MAX = BACKLOG_BYTES_MAX, /* that come up during one request */
};

struct subscription {
    bool is_pattern;
    bool is_foreign; /* a channel that is never told anything */
    uint16_t size;
    char bytes[CHANNEL_BYTES_MAX];
};

static struct slice name_of(const struct subscription *subscription) {
    return slice_of(subscription->bytes, subscription->size);
}

bool resp_is_listening(const struct resp_session *session) {
    return session->version == RESP2 && session->subscription_count > 0;
}

/* Where a message goes now. */
static struct buf *messages_to(struct resp_session *session) {
    return session->in_request ? &session->pushes : session->base.out;
}

void resp_pushes_begin(struct resp_session *session) {
    hob_assert(!session->in_request);
    session->in_request = true;
    if (session->pushes.max == 0) session->pushes = buf_make(PUSHES_BYTES_MAX);
}

void resp_pushes_end(struct resp_session *session) {
    hob_assert(session->in_request);
    session->in_request = false;
    if (session->pushes.size == 0) return;
    (void)buf_put_slice(session->base.out, buf_slice(&session->pushes));
    buf_deinit(&session->pushes);
}

struct buf *resp_push_begin(struct resp_session *session, size_t count) {
    struct buf *out = messages_to(session);
    resp_put_push(out, session->version, count);
    return out;
}

/* --- the list --- */

static struct subscription *find(struct resp_session *session, struct slice name, bool is_pattern) {
    for (uint32_t i = 0; i < session->subscription_count; i++) {
        struct subscription *at = &session->subscriptions[i];
        if (at->is_pattern == is_pattern && slice_equal(name_of(at), name)) return at;
    }
    return NULL;
}

/* Events are wanted as long as a subscription could be told one. */
void resp_listen(struct resp_session *session) {
    bool on = resp_follows(session);
    for (uint32_t i = 0; i < session->subscription_count; i++) {
        if (!session->subscriptions[i].is_foreign) on = true;
    }
    session_subscribe(&session->base, on);
    if (!on) session->missed_told = 0;
}

static void add(struct resp_session *session, struct slice name, bool is_pattern, bool is_foreign) {
    if (find(session, name, is_pattern) != NULL) return;
    uint32_t count = session->subscription_count;
    if (count == session->subscription_capacity) {
        uint32_t capacity = count == 0 ? SUBSCRIPTIONS_FIRST : count * 2;
        session->subscriptions = mem_resize(
            session->base.host->mem,
            session->subscriptions,
            count * sizeof *session->subscriptions,
            capacity * sizeof *session->subscriptions
        );
        session->subscription_capacity = capacity;
    }
    struct subscription *added = &session->subscriptions[count];
    added->is_pattern = is_pattern;
    added->is_foreign = is_foreign;
    added->size = (uint16_t)name.size;
    if (name.size > 0) memcpy(added->bytes, name.bytes, name.size);
    session->subscription_count = count + 1;
}

void resp_unsubscribe_all(struct resp_session *session) {
    mem_free(
        session->base.host->mem,
        session->subscriptions,
        session->subscription_capacity * sizeof *session->subscriptions
    );
    session->subscriptions = NULL;
    session->subscription_count = 0;
    session->subscription_capacity = 0;
    resp_listen(session);
}

/* --- commands --- */

/* "subscribe", the channel, how many there are now: in RESP3 a push too, as in Redis. */
static void confirm(struct resp_session *session, const char *word, struct slice name) {
    struct buf *out = resp_out(session);
    resp_put_push(out, session->version, 3);
    resp_put_bulk(out, slice_str(word));
    if (name.bytes == NULL) {
        resp_put_null(out, session->version);
    } else {
        resp_put_bulk(out, name);
    }
    resp_put_i64(out, session->subscription_count);
}

static bool has_room(struct resp_session *session, struct args args) {
    if (session->subscription_count + args.count <= SUBSCRIPTIONS_MAX) return true;
    resp_error(session, "LIMIT", SLICE("a connection has at most 1000 subscriptions"));
    return false;
}

static void put_message(
    struct resp_session *session,
    const struct subscription *to,
    struct slice name,
    struct slice text
) {
    struct buf *out = messages_to(session);
    size_t before = out->size;
    resp_put_push(out, session->version, to->is_pattern ? 4 : 3);
    resp_put_bulk(out, to->is_pattern ? SLICE("pmessage") : SLICE("message"));
    if (to->is_pattern) resp_put_bulk(out, name_of(to));
    resp_put_bulk(out, name);
    resp_put_bulk(out, text);
    if (!out->overflowed) return;
    out->size = before;
    out->overflowed = false;
    session->base.events_missed++;
}

static void put_gone(struct buf *text, uint64_t id) {
    struct json_put put = json_put_to(text);
    json_put_object(&put);
    json_put_key(&put, "type");
    json_put_str(&put, event_word(EVENT_DELETED));
    json_put_key(&put, "id");
    json_put_id(&put, id);
    json_put_object_end(&put);
}

static void put_over(struct buf *text, const struct job_view *job) {
    struct event event = {
        .type = EVENT_STATE,
        .id = job->id,
        .is_new = true, /* the state before is not known any more */
        .state = job->state,
        .queue = job->queue,
        .kind = job->kind,
        .attempt = job->attempt,
        .at_ns = job->state_ns,
        .worker = job->worker,
        .by = job->by,
        .why = job->why,
        .has_error = job->state == JOB_DISCARDED && job->error_count > 0,
    };
    if (event.has_error) {
        const struct job_error *error = &job->errors[job->error_count - 1];
        event.cause = error->cause;
        event.code = error->code;
        event.what = error->what;
        event.text = error->text;
    }
    event_json_put(text, &event);
}

/* Who subscribes to a job that is over or gone has missed the only message that would come: it
 * comes right behind the confirmation. */
static void tell_end(struct resp_session *session, struct slice name, uint64_t id) {
    struct host *host = session->base.host;
    HOB_AUTO_BUF struct buf text = buf_make(EVENT_JSON_BYTES_MAX);
    struct job_view job;
    struct host_stats stats;
    if (session_job(&session->base, id, &job)) {
        if (job_state_is_final(job.state)) put_over(&text, &job);
    } else {
        host->ops->stats(host->context, &stats);
        if (id < stats.engine.next_id) put_gone(&text, id);
    }
    if (text.size > 0) put_message(session, find(session, name, false), name, buf_slice(&text));
}

void resp_subscribe(struct resp_session *session, struct args args) {
    struct buf *complaint = &session->base.host->complaint;
    uint64_t id = 0;
    if (!has_room(session, args)) return;
    for (size_t i = 0; i < args.count; i++) {
        if (channel_parse(args.at[i], &id, complaint) != CHANNEL_NONE) continue;
        resp_refuse(session);
        return;
    }
    for (size_t i = 0; i < args.count; i++) {
        enum channel_type type = channel_parse(args.at[i], &id, complaint);
        add(session, args.at[i], false, type == CHANNEL_FOREIGN);
        confirm(session, "subscribe", args.at[i]);
        if (type == CHANNEL_JOB) tell_end(session, args.at[i], id);
    }
    resp_listen(session);
}

void resp_psubscribe(struct resp_session *session, struct args args) {
    if (!has_room(session, args)) return;
    for (size_t i = 0; i < args.count; i++) {
        if (args.at[i].size >= 1 && args.at[i].size <= CHANNEL_BYTES_MAX) continue;
        resp_error(session, "BADARG", SLICE("a pattern has 1 to 256 bytes"));
        return;
    }
    for (size_t i = 0; i < args.count; i++) {
        add(session, args.at[i], true, false);
        confirm(session, "psubscribe", args.at[i]);
    }
    resp_listen(session);
}

static void unsubscribe_one(
    struct resp_session *session, const char *word, struct slice name, bool is_pattern
) {
    struct subscription *found = find(session, name, is_pattern);
    /* The name may lie in the list itself: confirmed from a copy that does not move. */
    struct subscription gone = {.is_pattern = is_pattern};
    if (found != NULL) {
        gone = *found;
        session->subscription_count--;
        *found = session->subscriptions[session->subscription_count];
        name = name_of(&gone);
    }
    confirm(session, word, name);
}

static void
unsubscribe(struct resp_session *session, struct args args, const char *word, bool is_pattern) {
    for (size_t i = 0; i < args.count; i++) {
        unsubscribe_one(session, word, args.at[i], is_pattern);
    }
    bool any = args.count > 0;
    for (uint32_t i = session->subscription_count; args.count == 0 && i > 0; i--) {
        const struct subscription *at = &session->subscriptions[i - 1];
        if (at->is_pattern != is_pattern) continue;
        unsubscribe_one(session, word, name_of(at), is_pattern);
        any = true;
    }
    if (!any) confirm(session, word, SLICE_NONE);
    resp_listen(session);
}

void resp_unsubscribe(struct resp_session *session, struct args args) {
    unsubscribe(session, args, "unsubscribe", false);
}

void resp_punsubscribe(struct resp_session *session, struct args args) {
    unsubscribe(session, args, "punsubscribe", true);
}

/* --- messages --- */

static bool fits(const struct subscription *to, struct slice channel) {
    if (to->is_pattern) return channel_pattern_fits(name_of(to), channel);
    return slice_equal(name_of(to), channel);
}

/* Events were dropped since the last message: said on the first subscription, since every client
 * sorts what comes by channel. */
static void
tell_missed(struct resp_session *session, const struct subscription *to, struct slice name) {
    uint64_t missed = session->base.events_missed - session->missed_told;
    if (missed == 0) return;
    session->missed_told = session->base.events_missed;
    HOB_AUTO_BUF struct buf text = buf_make(128);
    struct json_put put = json_put_to(&text);
    json_put_object(&put);
    json_put_key(&put, "type");
    json_put_str(&put, "missed");
    json_put_key(&put, "events");
    json_put_u64(&put, missed);
    json_put_object_end(&put);
    put_message(session, to, name, buf_slice(&text));
}

void resp_event(struct session *base, const struct event *event) {
    struct resp_session *session = (struct resp_session *)base;
    if (event->type == EVENT_LOGGED) {
        if (resp_follows(session)) resp_logs_event(session, event);
        return;
    }
    if (!access_allows(base->access, SCOPE_READ, event->queue)) return;
    struct channels channels;
    channels_of_event(&channels, event);
    HOB_AUTO_BUF struct buf text = buf_make(EVENT_JSON_BYTES_MAX);
    for (uint32_t i = 0; i < session->subscription_count; i++) {
        const struct subscription *to = &session->subscriptions[i];
        for (uint32_t c = 0; c < channels.count; c++) {
            if (!fits(to, channels.names[c])) continue;
            tell_missed(session, to, channels.names[c]);
            if (text.size == 0) event_json_put(&text, event);
            put_message(session, to, channels.names[c], buf_slice(&text));
        }
    }
}
