/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: who may ask this space for what. The engine keeps them, as it keeps all that is durable,
 * and asks nobody for one: who shows a token, and what it allows, is looked at above. It knows the
 * SHA-256 of a token only, so that neither a journal nor a backup of it lets anybody in.
 *
 * One rule is made here, since here it cannot be gone round: while there are tokens, one of them
 * has the scope admin and no end, unless somebody insists. Else nobody could make a token any
 * more. */
#include "engine/core.h"

static struct token *token_find(const struct engine *engine, struct slice name) {
    for (uint32_t i = 0; i < engine->token_count; i++) {
        struct token *token = &engine->tokens[i];
        if (slice_equal(text_slice(token->name), name)) return token;
    }
    return NULL;
}

void token_view_fill(const struct token *token, struct token_view *ret_view) {
    *ret_view = (struct token_view){
        .name = text_slice(token->name),
        .hash = slice_of(token->hash, sizeof token->hash),
        .scopes = token->scopes,
        .queues = text_slice(token->queues),
        .by = text_slice(token->by),
        .created_ns = token->created_ns,
        .expires_ns = token->expires_ns,
        .used_ns = token->used_ns,
    };
}

bool engine_token_at(const struct engine *engine, uint32_t at, struct token_view *ret_view) {
    if (at >= engine->token_count) return false;
    token_view_fill(&engine->tokens[at], ret_view);
    return true;
}

/* --- what is sound --- */

/* Globs with one space between them, of the bytes of names, * and ?. */
static bool globs_are_sound(struct slice globs) {
    if (globs.size > TOKEN_QUEUES_BYTES_MAX) return false;
    uint32_t count = globs.size == 0 ? 0 : 1;
    size_t size = 0;
    for (size_t i = 0; i < globs.size; i++) {
        char c = globs.bytes[i];
        if (c == ' ') {
            if (size == 0 || i + 1 == globs.size) return false;
            count++;
            size = 0;
            continue;
        }
        /* A name must not begin with '-', a glob may: "*-low" cut at its star, say. */
        char both[2] = {'a', c};
        bool is_sound = c == '*' || c == '?' || name_is_valid(slice_of(both, sizeof both));
        if (!is_sound || ++size > NAME_BYTES_MAX) return false;
    }
    return count <= TOKEN_GLOBS_MAX;
}

static bool is_for_all(struct slice globs) {
    return globs.size == 0 || slice_equal(globs, SLICE("*"));
}

static bool token_is_sound(const struct token_view *token) {
    return name_is_valid(token->name) && token->hash.size == TOKEN_HASH_BYTES &&
           token->scopes != 0 && (token->scopes & ~(uint32_t)TOKEN_SCOPES) == 0 &&
           globs_are_sound(token->queues) && token->by.size <= WHY_BYTES_MAX &&
           ((token->scopes & TOKEN_ADMIN) == 0 || is_for_all(token->queues));
}

/* --- effects --- */

bool carry_token_put(struct engine *engine, const struct token_put_effect *put) {
    const struct token_view *view = &put->token;
    if (!token_is_sound(view)) return false;
    struct token *token = token_find(engine, view->name);
    if (token == NULL) {
        if (engine->token_count == TOKENS_MAX) return false;
        if (engine->token_count == engine->token_capacity) {
            uint32_t old = engine->token_capacity;
            engine->token_capacity = old == 0 ? 8 : old * 2;
            size_t each = sizeof *engine->tokens;
            engine->tokens =
                mem_resize(&engine->mem, engine->tokens, old * each, engine->token_capacity * each);
        }
        token = &engine->tokens[engine->token_count++];
        *token = (struct token){.name = text_new(engine, view->name)};
    }
    memcpy(token->hash, view->hash.bytes, sizeof token->hash);
    text_set(engine, &token->queues, view->queues);
    text_set(engine, &token->by, view->by);
    token->scopes = view->scopes;
    token->created_ns = view->created_ns;
    token->expires_ns = view->expires_ns;
    token->used_ns = view->used_ns;
    token->home = engine->home;
    return true;
}

static void token_free(struct engine *engine, struct token *token) {
    text_free(engine, &token->name);
    text_free(engine, &token->queues);
    text_free(engine, &token->by);
}

bool carry_token_drop(struct engine *engine, const struct token_drop_effect *drop) {
    struct token *token = token_find(engine, drop->name);
    if (token == NULL) return engine->replaying;
    token_free(engine, token);
    uint32_t behind = engine->token_count - (uint32_t)(token - engine->tokens) - 1;
    memmove(token, token + 1, behind * sizeof *token);
    engine->token_count--;
    return true;
}

bool restate_token(struct engine *engine, struct slice name, uint32_t home) {
    struct token *token = token_find(engine, name);
    if (token == NULL || token->home != home) return false;
    struct effect effect = {.type = EFFECT_TOKEN_PUT};
    token_view_fill(token, &effect.token_put.token);
    token->home = engine->home;
    engine->sink.effect(engine->sink.context, &effect);
    return true;
}

void tokens_free(struct engine *engine) {
    while (engine->token_count > 0) token_free(engine, &engine->tokens[--engine->token_count]);
    size_t each = sizeof *engine->tokens;
    mem_free(&engine->mem, engine->tokens, engine->token_capacity * each);
}

/* --- commands --- */

static bool is_lasting_admin(const struct token *token) {
    return (token->scopes & TOKEN_ADMIN) != 0 && token->expires_ns == 0;
}

void apply_token_put(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct token_put_command *put = &command->token_put;
    struct effect effect = {.type = EFFECT_TOKEN_PUT};
    struct token_view *view = &effect.token_put.token;
    *view = (struct token_view){
        .name = put->name,
        .hash = put->hash,
        .scopes = put->scopes,
        .queues = put->queues,
        .by = put->by,
        .created_ns = engine->now_ns,
        .expires_ns = put->expires_ns,
    };
    bool is_admin = (put->scopes & TOKEN_ADMIN) != 0;
    if (!name_is_valid(put->name)) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "name " NAME_RULE);
    } else if (is_admin && !is_for_all(put->queues)) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "the scope admin is for every queue");
    } else if (!token_is_sound(view)) {
        answer_set(
            answer,
            ANSWER_BAD_ARGUMENT,
            "a token has one scope at least, and at most 16 globs of queues, * and ? in them"
        );
    } else if (put->expires_ns != 0 && put->expires_ns <= engine->now_ns) {
        answer_set(answer, ANSWER_BAD_ARGUMENT, "expires has passed already");
    } else if (token_find(engine, put->name) != NULL) {
        answer_set(answer, ANSWER_EXISTS, "a token has this name: revoke it first");
    } else if (engine->token_count == TOKENS_MAX) {
        answer_set(answer, ANSWER_LIMIT, "tokens: 1000 at most");
    } else if (engine->token_count == 0 && (!is_admin || put->expires_ns != 0)) {
        answer_set(
            answer,
            ANSWER_CONFLICT,
            "the first token must have the scope admin and no end: else nobody could make another"
        );
    } else {
        emit(engine, &effect);
    }
}

void apply_token_drop(struct engine *engine, const struct command *command, struct answer *answer) {
    const struct token_drop_command *drop = &command->token_drop;
    const struct token *token = token_find(engine, drop->name);
    if (token == NULL) {
        answer_set(answer, ANSWER_NO_TOKEN, NULL);
        return;
    }
    uint32_t lasting = 0;
    for (uint32_t i = 0; i < engine->token_count; i++) {
        lasting += is_lasting_admin(&engine->tokens[i]) ? 1 : 0;
    }
    if (is_lasting_admin(token) && lasting == 1 && !drop->force) {
        answer_set(
            answer,
            ANSWER_CONFLICT,
            "it is the last one with the scope admin and no end: make another first, or force it"
        );
        return;
    }
    struct effect effect = {.type = EFFECT_TOKEN_DROP, .token_drop = {.name = drop->name}};
    emit(engine, &effect);
}

void apply_token_use(struct engine *engine, const struct command *command, struct answer *answer) {
    struct token *token = token_find(engine, command->token_use.name);
    if (token == NULL) {
        answer_set(answer, ANSWER_NO_TOKEN, NULL);
        return;
    }
    if (engine->now_ns < ns_add(token->used_ns, TOKEN_USE_STEP_NS)) return;
    struct effect effect = {.type = EFFECT_TOKEN_PUT};
    token_view_fill(token, &effect.token_put.token);
    effect.token_put.token.used_ns = engine->now_ns;
    emit(engine, &effect);
}
