/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as recovery reads them: effects one after another, carried out by an engine. Whatever they
 * say, they are carried out or refused; the engine's own check must hold after each that was
 * carried out, and what it then holds must survive the way through its own full records. */
#include <stdint.h>

#include "engine/engine.h"

static void ignore_body(void *context, uint64_t body_id) {
    (void)context;
    (void)body_id;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct engine_options options = {.sink = {.body_drop = ignore_body}, .hash_key = {{1, 2}}};
    struct engine *engine = engine_new(&options);
    struct effect_scratch scratch = {0};
    struct slice rest = slice_of(bytes, size);
    struct effect effect;
    struct hob_error err;
    while (rest.size > 0) {
        size_t used = effect_decode(rest, &scratch, &effect, &err);
        if (used == 0) break;
        if (engine_replay(engine, &effect, &err) != HOB_OK) break;
        rest = slice_of(rest.bytes + used, rest.size - used);
    }
    if (engine_replay_end(engine, 1, 1, ignore_body, NULL, &err) == HOB_OK) {
        engine_check(engine);
        (void)engine_digest(engine);
    }
    engine_free(engine);
    effect_scratch_deinit(&scratch);
    return 0;
}
