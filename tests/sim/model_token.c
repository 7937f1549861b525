/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, in the plainest way. */
#include "tests/sim/model.h"

static bool is_key(const struct token_view *token) {
    return (token->scopes & TOKEN_ADMIN) != 0 && token->expires_ns == 0;
}

static struct token_view *token(struct model *model, struct slice name) {
    for (uint32_t i = 0; i < model->token_count; i++) {
        if (slice_equal(model->tokens[i].name, name)) return &model->tokens[i];
    }
    return NULL;
}

static void put(struct model *model, const struct token_put_command *put, struct answer *answer) {
    bool is_admin = (put->scopes & TOKEN_ADMIN) != 0;
    if (token(model, put->name) != NULL) {
        answer->code = ANSWER_EXISTS;
    } else if (model->token_count >= TOKENS_MAX) {
        answer->code = ANSWER_LIMIT;
    } else if (model->token_count == 0 && !(is_admin && put->expires_ns == 0)) {
        answer->code = ANSWER_CONFLICT;
    } else {
        struct token_view *made = model_grow(
            &model->tokens, &model->token_count, &model->token_capacity, sizeof *model->tokens
        );
        *made = (struct token_view){
            .name = model_copy(model, put->name),
            .hash = model_copy(model, put->hash),
            .scopes = put->scopes,
            .queues = model_copy(model, put->queues),
            .by = model_copy(model, put->by),
            .created_ns = model->now_ns,
            .expires_ns = put->expires_ns,
        };
    }
}

static void drop(struct model *model, struct token_view *gone, bool force, struct answer *answer) {
    uint32_t keys = 0;
    for (uint32_t i = 0; i < model->token_count; i++) keys += is_key(&model->tokens[i]) ? 1 : 0;
    if (is_key(gone) && keys == 1 && !force) {
        answer->code = ANSWER_CONFLICT;
        return;
    }
    struct token_view *last = &model->tokens[--model->token_count];
    for (struct token_view *at = gone; at < last; at++) *at = *(at + 1);
}

void model_token_command(
    struct model *model, const struct command *command, struct answer *answer
) {
    if (command->type == COMMAND_TOKEN_PUT) {
        put(model, &command->token_put, answer);
        return;
    }
    bool is_use = command->type == COMMAND_TOKEN_USE;
    struct token_view *named =
        token(model, is_use ? command->token_use.name : command->token_drop.name);
    if (named == NULL) {
        answer->code = ANSWER_NO_TOKEN;
    } else if (!is_use) {
        drop(model, named, command->token_drop.force, answer);
    } else if (model->now_ns >= ns_add(named->used_ns, TOKEN_USE_STEP_NS)) {
        named->used_ns = model->now_ns;
    }
}
