/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that are pushed all or none: what each item will meet is looked for in the model and in all
 * items before it. */
#include "base/assert.h"
#include "tests/sim/model.h"

/* Which items will add a job. */
struct outlook {
    const struct push_command *pushes;
    bool adds[MODEL_LIST_MAX];
};

static bool key_is_known(struct model *model, const struct outlook *outlook, uint32_t at) {
    struct slice key = outlook->pushes[at].key;
    if (key.size == 0) return false;
    if (model_key_held(model, key, false) != NULL) return true;
    for (uint32_t i = 0; i < at; i++) {
        if (slice_equal(outlook->pushes[i].key, key)) return true;
    }
    return false;
}

static bool unique_is_held(struct model *model, const struct outlook *outlook, uint32_t at) {
    struct slice unique = outlook->pushes[at].unique;
    if (unique.size == 0) return false;
    if (model_unique_held_by(model, unique) != 0) return true;
    for (uint32_t i = 0; i < at; i++) {
        const struct push_command *before = &outlook->pushes[i];
        if (!outlook->adds[i] || before->unique_scope == UNIQUE_RUNNING) continue;
        if (slice_equal(before->unique, unique)) return true;
    }
    return false;
}

static bool is_full(struct model *model, const struct outlook *outlook, uint32_t at) {
    struct slice name = outlook->pushes[at].queue;
    uint32_t before = 0;
    for (uint32_t i = 0; i < at; i++) {
        before += outlook->adds[i] && slice_equal(outlook->pushes[i].queue, name) ? 1 : 0;
    }
    return model_length_refuses(model, name, before);
}

static enum answer_code
look(struct model *model, struct outlook *outlook, uint32_t at, struct answer *answer) {
    const struct push_command *push = &outlook->pushes[at];
    struct command one = {.type = COMMAND_PUSH, .push = *push};
    if (!model_arguments_are_valid(model, &one)) return ANSWER_BAD_ARGUMENT;
    bool is_plain = push->on_conflict == CONFLICT_EXISTING || push->on_conflict == CONFLICT_REJECT;
    is_plain = is_plain && push->merge == MERGE_NONE;
    if (!is_plain) return ANSWER_BAD_ARGUMENT;
    if (key_is_known(model, outlook, at)) return ANSWER_OK;
    if (unique_is_held(model, outlook, at)) {
        answer->id = model_unique_held_by(model, push->unique);
        return push->on_conflict == CONFLICT_REJECT ? ANSWER_UNIQUE : ANSWER_OK;
    }
    if (is_full(model, outlook, at)) return ANSWER_QUEUE_FULL;
    const struct model_job *parent = model_job(model, push->parent);
    if (push->parent != 0 && parent == NULL) return ANSWER_NO_JOB;
    if (push->parent != 0 && parent->view.state != JOB_RUNNING) {
        answer->state = parent->view.state;
        return ANSWER_WRONG_STATE;
    }
    outlook->adds[at] = true;
    return ANSWER_OK;
}

void model_push_all(
    struct model *model, const struct push_all_command *all, struct answer *answer
) {
    struct outlook outlook = {.pushes = all->pushes};
    hob_assert(all->count <= MODEL_LIST_MAX);
    if (all->count == 0) {
        answer->code = ANSWER_BAD_ARGUMENT;
        return;
    }
    for (uint32_t i = 0; i < all->count; i++) {
        answer->code = look(model, &outlook, i, answer);
        if (answer->code == ANSWER_OK) continue;
        answer->item = i + 1;
        return;
    }
    for (uint32_t i = 0; i < all->count; i++) {
        struct answer one = {.code = ANSWER_OK};
        model_push(model, &all->pushes[i], all->pushes[i].parent, &one);
        hob_assert(one.code == ANSWER_OK);
        hob_assert(one.duplicate != outlook.adds[i]);
        model->pushed[i] = (struct pushed){one.id, one.state, one.duplicate};
    }
    answer->pushed = model->pushed;
    answer->pushed_count = all->count;
}
