/* SPDX-License-Identifier: Apache-2.0 */
/* A list is pushed by one command, so everything in it must stay where it is until the last job has
 * been read: rooms of the host that the next job uses again are copied here. */
#include "dialect/bulk.h"

#include "base/assert.h"
#include "dialect/complain.h"

/* clang-format off */
static const struct option rows[] = {
    {"ATOMIC", "atomic", OPTION_FLAG, offsetof(struct bulk_request, atomic), OPTION_NO_HAS, 0, 0,
     NULL},
    {"SPREAD", "spread", OPTION_SPAN, offsetof(struct bulk_request, spread_ns), OPTION_NO_HAS, 0,
     DELAY_MAX_NS, NULL},
};
/* clang-format on */
const struct option_set bulk_options = {.options = rows, .count = hob_countof(rows)};

bool bulk_count_fits(struct host *host, uint64_t count) {
    if (count >= 1 && count <= PUSH_ALL_JOBS_MAX) return true;
    buf_reset(&host->complaint);
    (void)buf_put_str(&host->complaint, "atomic: 1 to 10000 jobs are pushed at once, these are ");
    (void)buf_put_u64(&host->complaint, count);
    return false;
}

bool bulk_spread(
    struct host *host,
    const struct bulk_request *bulk,
    struct push_command *push,
    uint64_t at,
    uint64_t count
) {
    hob_assert(at < count);
    if (bulk->spread_ns == 0) return true;
    if (push->run_at_ns != 0 || push->delay_ns != 0 || push->debounce_ns != 0) {
        return complain(
            &host->complaint,
            "spread",
            SLICE_NONE,
            "for jobs without a time of their own: leave out delay, run_at and debounce"
        );
    }
    /* The span is up to ten years of ns, too much to be multiplied. */
    hob_ns step_ns = bulk->spread_ns / count;
    push->delay_ns = step_ns * at + bulk->spread_ns % count * at / count;
    return true;
}

struct bulk bulk_make(uint32_t capacity) {
    struct bulk bulk = {.capacity = capacity};
    hob_assert(capacity > 0);
    bulk.pushes = arena_alloc(&bulk.arena, capacity * sizeof *bulk.pushes);
    return bulk;
}

void bulk_deinit(struct bulk *bulk) {
    arena_reset(&bulk->arena);
}

static struct slice keep(struct bulk *bulk, struct slice bytes) {
    if (bytes.size == 0) return bytes;
    char *kept = arena_alloc(&bulk->arena, bytes.size);
    memcpy(kept, bytes.bytes, bytes.size);
    return slice_of(kept, bytes.size);
}

void bulk_add(struct bulk *bulk, const struct push_request *request) {
    hob_assert(bulk->count < bulk->capacity);
    struct push_command *push = &bulk->pushes[bulk->count++];
    *push = request->push;
    push->on_done = keep(bulk, push->on_done);
    push->unique = keep(bulk, push->unique);
}

void bulk_push(struct session *session, const struct bulk *bulk, struct answer *ret_answer) {
    struct command command = {
        .type = COMMAND_PUSH_ALL,
        .push_all = {.pushes = bulk->pushes, .count = bulk->count},
    };
    session_apply(session, &command, ret_answer);
}

void bulk_put_item(struct buf *to, uint32_t item) {
    (void)buf_put_str(to, "nothing was pushed: job ");
    (void)buf_put_u64(to, item);
    (void)buf_put_str(to, " of the list: ");
}
