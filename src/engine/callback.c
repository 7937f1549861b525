/* SPDX-License-Identifier: Apache-2.0 */
/* A template travels in the bytes of a full record, so a field that a job gets is a field that a
 * template has. */
#include "engine/callback.h"

#include "base/assert.h"
#include "base/codec.h"
#include "engine/effect.h"

static const char *const when_words[CALLBACK_WHEN_COUNT] = {
    [CALLBACK_SUCCESS] = "success",
    [CALLBACK_FAILURE] = "failure",
    [CALLBACK_FINISHED] = "finished",
};

const char *callback_when_word(enum callback_when when) {
    hob_assert(when < CALLBACK_WHEN_COUNT);
    return when_words[when];
}

bool callback_when_parse(struct slice word, enum callback_when *ret_when) {
    for (enum callback_when when = 0; when < CALLBACK_WHEN_COUNT; when++) {
        if (!slice_equal(slice_str(when_words[when]), word)) continue;
        *ret_when = when;
        return true;
    }
    return false;
}

static struct job_view template_of(const struct push_command *push) {
    struct job_view view = {
        .queue = push->queue,
        .kind = push->kind,
        .payload = push->payload,
        .key = push->key,
        .ref = push->ref,
        .priority = push->has_priority ? push->priority : PRIORITY_DEFAULT,
        .attempt_max = push->attempt_max,
        .run_at_ns = push->run_at_ns,
        .timeout_ns = push->timeout_ns,
        .has_keep = push->has_keep,
        .keep_ns = push->keep_ns,
        .headers = push->headers,
        .tags = push->tags,
        .content_type = push->content_type,
        .on_done = push->on_done,
        .unique = push->unique,
        .unique_scope = push->unique_scope,
        .unique_for_ns = push->unique_for_ns,
        .version = 1,
        .expires_ns = push->expires_ns != 0 ? push->expires_ns : push->expires_in_ns,
        .group = push->group,
        .front = push->front,
        .deadline_ns = push->deadline_ns != 0 ? push->deadline_ns : push->deadline_in_ns,
        .margin_ns = push->margin_ns,
        .limiters = push->limiters,
        .needs = push->needs,
        .cost = push->cost,
    };
    if (push->has_backoff) view.backoff = push->backoff;
    return view;
}

/* A span, such as until when it expires, is counted from the push, so a template keeps the span
 * itself. No span is longer than DELAY_MAX_NS, and a time that is not lies before 1980. */
static struct push_command push_of_template(const struct job_view *view) {
    bool is_span = view->expires_ns <= DELAY_MAX_NS;
    bool deadline_is_span = view->deadline_ns <= DELAY_MAX_NS;
    return (struct push_command){
        .queue = view->queue,
        .kind = view->kind,
        .payload = view->payload,
        .key = view->key,
        .ref = view->ref,
        .has_priority = true,
        .priority = view->priority,
        .attempt_max = view->attempt_max,
        .run_at_ns = view->run_at_ns,
        .timeout_ns = view->timeout_ns,
        .has_keep = view->has_keep,
        .keep_ns = view->keep_ns,
        .has_backoff = true,
        .backoff = view->backoff,
        .headers = view->headers,
        .tags = view->tags,
        .content_type = view->content_type,
        .on_done = view->on_done,
        .expires_ns = is_span ? 0 : view->expires_ns,
        .expires_in_ns = is_span ? view->expires_ns : 0,
        .group = view->group,
        .front = view->front,
        .limiters = view->limiters,
        .unique = view->unique,
        .unique_scope = view->unique_scope,
        .unique_for_ns = view->unique_for_ns,
        .deadline_ns = deadline_is_span ? 0 : view->deadline_ns,
        .deadline_in_ns = deadline_is_span ? view->deadline_ns : 0,
        .margin_ns = view->margin_ns,
        .needs = view->needs,
        .cost = view->cost,
    };
}

bool callback_put(struct buf *out, const struct callback *callback) {
    hob_assert(callback->when < CALLBACK_WHEN_COUNT);
    hob_assert(callback->payload < CALLBACK_PAYLOAD_COUNT);
    size_t start = out->size;
    char *to = buf_reserve(out, 2 + VARINT_MAX_BYTES);
    if (to == NULL) return false;
    to[0] = (char)callback->when;
    to[1] = (char)callback->payload;
    out->size += 2 + varint_put(to + 2, callback->push.delay_ns);
    struct effect effect = {
        .type = EFFECT_JOB_PUT,
        .job_put.job = template_of(&callback->push),
    };
    if (effect_encode(&effect, out)) return true;
    out->size = start;
    return false;
}

/* The template at the start of @bytes; 0: there is none. */
static size_t take_template(struct slice bytes, struct push_command *ret_push) {
    struct effect_scratch scratch = {.logs = NULL};
    struct effect effect;
    size_t used = effect_decode(bytes, &scratch, &effect, NULL);
    effect_scratch_deinit(&scratch);
    if (used == 0 || effect.type != EFFECT_JOB_PUT) return 0;
    *ret_push = push_of_template(&effect.job_put.job);
    return used;
}

bool callback_next(struct slice *rest, struct callback *ret_callback, bool *ret_bad) {
    if (rest->size == 0) return false;
    struct reader reader = reader_of(*rest);
    uint64_t when = read_le(&reader, 1);
    uint64_t payload = read_le(&reader, 1);
    uint64_t delay_ns = read_varint(&reader);
    bool good = !reader.bad && when < CALLBACK_WHEN_COUNT && payload < CALLBACK_PAYLOAD_COUNT;
    struct slice bytes = slice_of(reader.at, reader_left(&reader));
    size_t used = good ? take_template(bytes, &ret_callback->push) : 0;
    if (used == 0) {
        *ret_bad = true;
        return false;
    }
    ret_callback->when = (enum callback_when)when;
    ret_callback->payload = (enum callback_payload)payload;
    ret_callback->push.delay_ns = delay_ns;
    *rest = slice_of(bytes.bytes + used, bytes.size - used);
    return true;
}
