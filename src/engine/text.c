/* SPDX-License-Identifier: Apache-2.0 */
/* Small strings that an object owns. Their bytes are counted, since a full record has to tell
 * them. */
#include "engine/core.h"

struct text text_new(struct engine *engine, struct slice slice) {
    if (slice.size == 0) return (struct text){0};
    struct text text = {.bytes = mem_alloc(&engine->mem, slice.size), .size = (uint32_t)slice.size};
    memcpy(text.bytes, slice.bytes, slice.size);
    engine->inline_bytes += slice.size;
    return text;
}

void text_free(struct engine *engine, struct text *text) {
    mem_free(&engine->mem, text->bytes, text->size);
    engine->inline_bytes -= text->size;
    *text = (struct text){0};
}

void text_set(struct engine *engine, struct text *text, struct slice slice) {
    struct text old = *text; /* @slice may point into it */
    *text = text_new(engine, slice);
    text_free(engine, &old);
}
