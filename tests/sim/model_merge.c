/* SPDX-License-Identifier: Apache-2.0 */
/* Pushes that become one job. What the generator makes is small and without spaces, so texts are
 * put together by hand, and sums are of whole numbers, each member a letter. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/json.h"
#include "tests/sim/model.h"

enum { LETTERS = 26, TEXT_BYTES_MAX = 1 << 20 };

static bool is_list(struct slice text) {
    return text.size > 0 && text.bytes[0] == '[';
}

/* What stands between the brackets; a single value is itself. */
static struct slice inside(struct slice text) {
    return is_list(text) ? slice_of(text.bytes + 1, text.size - 2) : text;
}

static void append(struct buf *out, struct slice held, struct slice given) {
    struct slice first = inside(held);
    struct slice second = inside(given);
    (void)buf_put_char(out, '[');
    (void)buf_put_slice(out, first);
    if (first.size > 0 && second.size > 0) (void)buf_put_char(out, ',');
    (void)buf_put_slice(out, second);
    (void)buf_put_char(out, ']');
}

struct members {
    bool has[LETTERS];
    long value[LETTERS];
    char order[LETTERS];
    uint32_t count;
};

static void take_member(struct members *members, char name, long value) {
    int at = name - 'a';
    if (!members->has[at]) members->order[members->count++] = name;
    members->has[at] = true;
    members->value[at] += value;
}

/* {"a":1,"b":-2} */
static void take_members(struct members *members, const char *text) {
    for (const char *at = strchr(text, '"'); at != NULL; at = strchr(at + 3, '"')) {
        take_member(members, at[1], strtol(at + 4, NULL, 10));
    }
}

static bool sum(struct buf *out, struct slice held, struct slice given) {
    struct buf first = buf_make(TEXT_BYTES_MAX);
    struct buf second = buf_make(TEXT_BYTES_MAX);
    (void)buf_put_slice(&first, held);
    (void)buf_put(&first, "", 1);
    (void)buf_put_slice(&second, given);
    (void)buf_put(&second, "", 1);
    bool is_object = first.bytes[0] == '{';
    bool is_number = first.bytes[0] == '-' || (first.bytes[0] >= '0' && first.bytes[0] <= '9');
    bool is_alike = second.bytes[0] == '{' ? is_object : is_number;
    if (is_alike && !is_object) {
        (void)buf_put_i64(out, strtol(first.bytes, NULL, 10) + strtol(second.bytes, NULL, 10));
    } else if (is_alike) {
        struct members members = {.count = 0};
        take_members(&members, first.bytes);
        take_members(&members, second.bytes);
        for (uint32_t i = 0; i < members.count; i++) {
            char name = members.order[i];
            (void)buf_printf(out, "%s\"%c\":", i == 0 ? "{" : ",", name);
            (void)buf_put_i64(out, members.value[name - 'a']);
        }
        (void)buf_put_str(out, members.count == 0 ? "{}" : "}");
    }
    buf_deinit(&first);
    buf_deinit(&second);
    return is_alike;
}

struct slice model_merge_begin(struct model *model, const struct push_command *push) {
    if (push->merge != MERGE_APPEND || is_list(push->payload)) return push->payload;
    struct buf text = buf_make(TEXT_BYTES_MAX);
    append(&text, SLICE_NONE, push->payload);
    struct slice copy = model_copy(model, buf_slice(&text));
    buf_deinit(&text);
    return copy;
}

static bool may_join(const struct model_job *holder, const struct push_command *push) {
    if (holder == NULL || holder->view.merged == 0) return false;
    enum job_state state = holder->view.state;
    if (state == JOB_RUNNING || job_state_is_final(state)) return false;
    return slice_equal(holder->view.queue, push->queue) &&
           slice_equal(holder->view.kind, push->kind);
}

/* The way may have been another before: then they may not fit. */
static bool join(const struct push_command *push, struct slice held, struct buf *out) {
    if (push->merge == MERGE_LAST) return buf_put_slice(out, push->payload);
    if (!json_valid(held)) return false; /* a replacing push or an update may have changed it */
    if (push->merge == MERGE_SUM) return sum(out, held, push->payload);
    append(out, held, push->payload);
    return true;
}

static void tell(
    struct model *model,
    struct model_job *holder,
    const struct push_command *push,
    struct slice payload
) {
    struct job_view *view = &holder->view;
    uint32_t max = push->merge_max == 0 ? MERGE_MAX_DEFAULT : push->merge_max;
    struct update_command update = {.id = view->id};
    update.has.payload = true;
    update.to.payload = payload;
    bool is_full = view->merged + 1 >= max;
    bool may_wait = view->state != JOB_RETRYABLE;
    if (push->debounce_ns != 0 && may_wait) {
        update.has.time = true;
        update.to.run_at_ns = model_debounce_until(model, push, view->created_ns);
    }
    if (is_full && may_wait) {
        update.has.time = true;
        update.to.run_at_ns = model->now_ns;
    }
    model_update_job(model, holder, &update);
    view->merged++;
    if (!is_full) return;
    view->unique = SLICE_NONE;
    view->unique_scope = UNIQUE_DONE;
}

void model_join(
    struct model *model,
    const struct push_command *push,
    struct model_job *holder,
    struct answer *answer
) {
    answer->code = ANSWER_UNIQUE;
    if (!may_join(holder, push)) return;
    bool is_body = holder->view.payload_body.id != 0;
    if (is_body && !model->reads_bodies && push->merge != MERGE_LAST) {
        answer->code = ANSWER_MEMORY;
        return;
    }
    struct buf text = buf_make(TEXT_BYTES_MAX);
    if (join(push, holder->text, &text)) {
        hob_assert(!text.overflowed);
        tell(model, holder, push, model_copy(model, buf_slice(&text)));
        answer->code = ANSWER_OK;
        answer->duplicate = true;
        if (push->key.size > 0) {
            model_key_set(model, push->key, false, holder->view.id, KEY_KEPT_NS);
        }
    }
    buf_deinit(&text);
}
