/* SPDX-License-Identifier: Apache-2.0 */
/* Callbacks nest: a follow-up job may have callbacks of its own. So both directions walk with a
 * small stack of levels, from the outside in; a level is finished before the callback that it
 * belongs to. */
#include "dialect/ondone.h"

#include "base/assert.h"
#include "dialect/backoff.h"
#include "dialect/complain.h"
#include "dialect/members.h"
#include "dialect/uniqueby.h"
#include "engine/callback.h"
#include "engine/labels.h"

#define ON_DONE_ALLOWED                                                                     \
    "an object with success, failure, finished, each {\"url\": …} or {\"push\": {…}}, " \
    "or a list of these"

/* As Standard Webhooks advises: at once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h,
 * 24 h (spec, "Retry schedule"). */
static const struct backoff webhook_backoff = {
    .type = BACKOFF_LIST,
    .delay_count = 9,
    .delays_ns =
        {
            5 * NS_PER_SECOND,
            5 * NS_PER_MINUTE,
            30 * NS_PER_MINUTE,
            2 * NS_PER_HOUR,
            5 * NS_PER_HOUR,
            10 * NS_PER_HOUR,
            14 * NS_PER_HOUR,
            20 * NS_PER_HOUR,
            24 * NS_PER_HOUR,
        },
};
enum { WEBHOOK_ATTEMPTS = 10 };

/* --- from JSON --- */

struct level {
    struct json_walk whens; /* over the object */
    struct json_walk items; /* over the list of one `when` */
    bool in_list;
    enum callback_when when;
    struct buf out;
    struct callback open;
};

static bool refuse(struct host *host, struct slice given) {
    return complain(&host->complaint, "on_done", given, ON_DONE_ALLOWED);
}

enum step { STEP_VALUE, STEP_END, STEP_BAD };

/* The next callback of a level. */
static enum step level_next(struct host *host, struct level *level, struct json_value *ret_value) {
    for (;;) {
        if (level->in_list) {
            if (json_next_item(&level->items, ret_value)) return STEP_VALUE;
            level->in_list = false;
        }
        struct slice key;
        if (!json_next_member(&level->whens, &key, ret_value)) return STEP_END;
        if (!callback_when_parse(key, &level->when)) {
            (void)refuse(host, key);
            return STEP_BAD;
        }
        if (ret_value->type == JSON_IS_NULL) continue;
        if (ret_value->type != JSON_IS_ARRAY) return STEP_VALUE;
        level->items = json_walk(*ret_value);
        level->in_list = true;
    }
}

/* {"method":"POST","url":…,"secret":…,"headers":{…},"body": */
struct url_request {
    struct slice url;
    struct slice secret;
    struct slice headers;
};

static const struct option url_rows[] = {
    {NULL,
     "url",
     OPTION_TEXT,
     offsetof(struct url_request, url),
     OPTION_NO_HAS,
     1,
     CALLBACK_URL_BYTES_MAX,
     NULL},
    {NULL, "secret", OPTION_NAME, offsetof(struct url_request, secret), OPTION_NO_HAS, 0, 0, NULL},
    {NULL,
     "headers",
     OPTION_JSON,
     offsetof(struct url_request, headers),
     OPTION_NO_HAS,
     0,
     HEADERS_BYTES_MAX,
     NULL},
};
static const struct option_set url_options = {url_rows, hob_countof(url_rows)};

static bool url_is_sound(struct slice url) {
    static const char *const schemes[] = {"https://", "http://"};
    bool known = false;
    for (size_t i = 0; i < hob_countof(schemes); i++) {
        struct slice scheme = slice_str(schemes[i]);
        known = known || (url.size > scheme.size &&
                          slice_equal_nocase(slice_of(url.bytes, scheme.size), scheme));
    }
    for (size_t i = 0; i < url.size; i++) {
        if (url.bytes[i] <= ' ' || url.bytes[i] > '~') return false;
    }
    return known;
}

/* The members of the user's headers behind ours. */
static void put_url_headers(struct json_put *put, struct slice headers) {
    struct json_value object;
    struct json_value value;
    struct slice key;
    json_put_key(put, "headers");
    json_put_object(put);
    json_put_key(put, "content-type");
    json_put_str(put, "application/cloudevents+json");
    if (headers.size > 0 && json_parse(headers, &object, NULL)) {
        struct json_walk walk = json_walk(object);
        while (json_next_member(&walk, &key, &value)) {
            if (slice_equal_nocase(key, SLICE("content-type"))) continue;
            json_put_key_slice(put, key);
            json_put_raw(put, value.raw);
        }
    }
    json_put_object_end(put);
}

static bool take_url(struct host *host, struct json_value value, struct level *level) {
    struct url_request request = {.url = SLICE_NONE};
    struct json_walk walk = json_walk(value);
    struct json_value member;
    struct slice key;
    while (json_next_member(&walk, &key, &member)) {
        if (!member_put(host, url_options, key, member, &request)) return false;
    }
    if (!url_is_sound(request.url)) {
        return complain(
            &host->complaint, "on_done: url", request.url, "an http:// or https:// URL, in ASCII"
        );
    }
    const char *fault = headers_fault(request.headers);
    if (fault != NULL) {
        return complain(&host->complaint, "on_done: headers", request.headers, fault);
    }
    HOB_AUTO_BUF struct buf text = buf_make(ON_DONE_BYTES_MAX);
    struct json_put put = json_put_to(&text);
    json_put_object(&put);
    json_put_key(&put, "method");
    json_put_str(&put, "POST");
    json_put_key(&put, "url");
    json_put_text(&put, request.url);
    if (request.secret.size > 0) {
        json_put_key(&put, "secret");
        json_put_text(&put, request.secret);
    }
    put_url_headers(&put, request.headers);
    json_put_key(&put, "body");
    struct callback callback = {.when = level->when, .payload = CALLBACK_REQUEST};
    callback.push = (struct push_command){
        .queue = SLICE(CALLBACK_QUEUE),
        .kind = SLICE(CALLBACK_KIND),
        .payload = buf_slice(&text),
        .attempt_max = WEBHOOK_ATTEMPTS,
        .timeout_ns = NS_PER_MINUTE,
        .has_backoff = true,
        .backoff = webhook_backoff,
    };
    /* What does not fit is refused at the end. */
    (void)callback_put(&level->out, &callback);
    return true;
}

/* The template of a follow-up job; its own callbacks are left as JSON in *ret_nested. */
static bool take_push(
    struct host *host, struct json_value value, struct level *level, struct slice *ret_nested
) {
    struct push_request request = {.on_done = SLICE_NONE};
    struct json_walk walk = json_walk(value);
    struct json_value member;
    struct slice key;
    while (json_next_member(&walk, &key, &member)) {
        bool good = false;
        if (!member_bytes(host, "payload", key, member, &request.push.payload, &good)) {
            good = member_put(host, push_options, key, member, &request);
        }
        if (!good) return false;
    }
    bool is_named = request.push.queue.size > 0 && request.push.kind.size > 0;
    if (!is_named) {
        return complain(&host->complaint, "on_done: push", value.raw, "a job: queue and kind");
    }
    bool replaces = request.push.debounce_ns > 0 || request.push.merge != MERGE_NONE ||
                    request.push.on_conflict != CONFLICT_EXISTING;
    if (request.unique_by.size > 0 || replaces) {
        return complain(
            &host->complaint,
            "on_done: push",
            value.raw,
            "without unique_by, on_conflict, debounce and merge: a follow-up whose unique key is "
            "held is not pushed"
        );
    }
    if (request.push.parent != 0) {
        return complain(
            &host->complaint,
            "on_done: push",
            value.raw,
            "without parent: it is pushed by the end of its job, whose child it is"
        );
    }
    if (!unique_take(host, &request)) return false;
    level->open = (struct callback){
        .when = level->when,
        .payload = request.push.payload.size == 0 ? CALLBACK_EVENT : CALLBACK_OWN,
        .push = request.push,
    };
    *ret_nested = request.on_done;
    return true;
}

/* One callback: written when it is whole, else *ret_nested is what it still waits for. */
static bool take_callback(
    struct host *host, struct json_value value, struct level *level, struct slice *ret_nested
) {
    struct json_value push;
    struct json_value url;
    bool is_push = json_get(value, SLICE("push"), &push);
    *ret_nested = SLICE_NONE;
    if (is_push == json_get(value, SLICE("url"), &url)) return refuse(host, value.raw);
    if (!is_push) return take_url(host, value, level);
    struct json_walk walk = json_walk(value);
    struct json_value member;
    struct slice key;
    (void)json_next_member(&walk, &key, &member);
    if (json_next_member(&walk, &key, &member) || push.type != JSON_IS_OBJECT) {
        return refuse(host, value.raw);
    }
    if (!take_push(host, push, level, ret_nested)) return false;
    if (ret_nested->size == 0) (void)callback_put(&level->out, &level->open);
    return true;
}

static bool level_begin(struct host *host, struct slice json, struct level *level) {
    struct json_value object;
    if (!json_parse(json, &object, NULL) || object.type != JSON_IS_OBJECT) {
        return refuse(host, json);
    }
    level->whens = json_walk(object);
    level->in_list = false;
    level->out = buf_make(ON_DONE_BYTES_MAX);
    return true;
}

/* The innermost level is done: it belongs to the callback that is open around it. */
static void level_end(struct level *around, struct level *level) {
    around->open.push.on_done = buf_slice(&level->out);
    (void)callback_put(&around->out, &around->open);
    if (level->out.overflowed) around->out.overflowed = true;
    buf_deinit(&level->out);
}

/* True when all levels are done and the outermost one holds the callbacks. */
static bool walk_levels(struct host *host, struct level *levels, uint32_t *depth) {
    for (;;) {
        struct json_value value;
        struct slice nested;
        struct level *level = &levels[*depth];
        switch (level_next(host, level, &value)) {
        case STEP_BAD:
            return false;
        case STEP_END:
            if (*depth == 0) return true;
            level_end(level - 1, level);
            --*depth;
            continue;
        case STEP_VALUE:
            break;
        }
        if (!take_callback(host, value, level, &nested)) return false;
        if (nested.size == 0) continue;
        if (*depth + 1 == CALLBACKS_DEPTH_MAX) {
            return complain(&host->complaint, "on_done", nested, "nested at most 4 deep");
        }
        if (!level_begin(host, nested, level + 1)) return false;
        ++*depth;
    }
}

bool on_done_parse(struct host *host, struct slice json, struct slice *ret_on_done) {
    struct level levels[CALLBACKS_DEPTH_MAX] = {{.in_list = false}};
    uint32_t depth = 0;
    if (!level_begin(host, json, &levels[0])) return false;
    bool good = walk_levels(host, levels, &depth);
    if (good && levels[0].out.overflowed) {
        good = complain(&host->complaint, "on_done", json, "at most 16 KiB");
    }
    buf_reset(&host->on_done);
    if (good) (void)buf_put_slice(&host->on_done, buf_slice(&levels[0].out));
    for (uint32_t i = 0; i <= depth; i++) buf_deinit(&levels[i].out);
    *ret_on_done = buf_slice(&host->on_done);
    return good;
}

/* --- and back --- */

static void put_span(struct json_put *put, const char *name, hob_ns span) {
    json_put_key(put, name);
    json_put_u64(put, span / NS_PER_MS);
}

/* The request without what every request has. */
static void put_request(struct json_put *put, struct slice payload) {
    static const char *const shown[] = {"url", "secret", "headers"};
    HOB_AUTO_BUF struct buf text = buf_make(ON_DONE_BYTES_MAX + 16);
    (void)buf_put_slice(&text, payload);
    (void)buf_put_str(&text, "null}");
    struct json_value request;
    struct json_value member;
    if (!json_parse(buf_slice(&text), &request, NULL)) return;
    for (size_t i = 0; i < hob_countof(shown); i++) {
        if (!json_get(request, slice_str(shown[i]), &member)) continue;
        json_put_key(put, shown[i]);
        json_put_raw(put, member.raw);
    }
}

static void put_backoff(struct json_put *put, const struct backoff *backoff) {
    bool is_default = backoff->type == BACKOFF_EXPONENTIAL && backoff->base_ns == 0;
    if (is_default) return;
    HOB_AUTO_BUF struct buf spec = buf_make(1024);
    backoff_put(&spec, backoff);
    json_member_text(put, "backoff", buf_slice(&spec));
}

static void
put_limit(struct json_put *put, const char *at, hob_ns at_ns, const char *in, hob_ns in_ns) {
    if (at_ns != 0) put_span(put, at, at_ns);
    if (in_ns != 0) put_span(put, in, in_ns);
}

/* All of a template but its callbacks. */
static void put_template(struct json_put *put, const struct callback *callback) {
    const struct push_command *push = &callback->push;
    json_member_text(put, "queue", push->queue);
    json_member_text(put, "kind", push->kind);
    if (callback->payload == CALLBACK_OWN) {
        json_put_key(put, "payload");
        json_put_bytes(put, SLICE("payload"), push->payload);
    }
    json_member_text(put, "key", push->key);
    json_member_text(put, "ref", push->ref);
    json_member_text(put, "group", push->group);
    if (push->front) {
        json_put_key(put, "front");
        json_put_bool(put, true);
    }
    json_member_text(put, "limiters", push->limiters);
    json_member_text(put, "unique", push->unique);
    if (push->unique_scope != UNIQUE_DONE) {
        json_member_text(put, "unique_scope", slice_str(unique_scope_word(push->unique_scope)));
    }
    if (push->unique_for_ns != 0) put_span(put, "unique_for", push->unique_for_ns);
    if (push->priority != PRIORITY_DEFAULT) {
        json_put_key(put, "priority");
        json_put_u64(put, push->priority);
    }
    if (push->delay_ns != 0) put_span(put, "delay", push->delay_ns);
    if (push->run_at_ns != 0) put_span(put, "run_at", push->run_at_ns);
    if (push->attempt_max != 0) {
        json_put_key(put, "attempt_max");
        json_put_u64(put, push->attempt_max);
    }
    if (push->timeout_ns != 0) put_span(put, "timeout", push->timeout_ns);
    put_limit(put, "expires_at", push->expires_ns, "expires_in", push->expires_in_ns);
    put_limit(put, "deadline", push->deadline_ns, "deadline_in", push->deadline_in_ns);
    if (push->margin_ns != 0) put_span(put, "margin", push->margin_ns);
    if (push->has_keep) put_span(put, "keep", push->keep_ns);
    put_backoff(put, &push->backoff);
    json_member_text(put, "tags", push->tags);
    if (push->headers.size > 0) {
        json_put_key(put, "headers");
        json_put_raw(put, push->headers);
    }
    json_member_text(put, "content_type", push->content_type);
    json_member_text(put, "needs", push->needs);
    if (push->cost > 1) {
        json_put_key(put, "cost");
        json_put_u64(put, push->cost);
    }
}

struct shown {
    struct slice whole;
    struct slice rest;
    enum callback_when when; /* of the list that is being written */
    bool is_open;            /* the list was begun */
};

/* The next callback of a level in the order of `when`; the lists open and close on the way. */
static bool shown_next(struct json_put *put, struct shown *shown, struct callback *ret_callback) {
    bool bad = false;
    for (; shown->when < CALLBACK_WHEN_COUNT; shown->when++) {
        while (callback_next(&shown->rest, ret_callback, &bad)) {
            if (ret_callback->when != shown->when) continue;
            if (!shown->is_open) {
                json_put_key(put, callback_when_word(shown->when));
                json_put_array(put);
            }
            shown->is_open = true;
            return true;
        }
        if (shown->is_open) json_put_array_end(put);
        shown->is_open = false;
        shown->rest = shown->whole;
    }
    return false;
}

void on_done_put(struct json_put *put, struct slice on_done) {
    struct shown levels[CALLBACKS_DEPTH_MAX] = {{.whole = on_done, .rest = on_done}};
    uint32_t depth = 0;
    json_put_object(put);
    for (;;) {
        struct callback callback;
        if (!shown_next(put, &levels[depth], &callback)) {
            json_put_object_end(put);
            if (depth == 0) return;
            depth--;
            json_put_object_end(put); /* the template */
            json_put_object_end(put); /* the callback */
            continue;
        }
        json_put_object(put);
        if (callback.payload == CALLBACK_REQUEST) {
            put_request(put, callback.push.payload);
            json_put_object_end(put);
            continue;
        }
        json_put_key(put, "push");
        json_put_object(put);
        put_template(put, &callback);
        struct slice nested = callback.push.on_done;
        if (nested.size > 0 && depth + 1 < CALLBACKS_DEPTH_MAX) {
            json_put_key(put, "on_done");
            json_put_object(put);
            levels[++depth] = (struct shown){.whole = nested, .rest = nested};
            continue;
        }
        json_put_object_end(put);
        json_put_object_end(put);
    }
}
