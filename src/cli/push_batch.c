/* SPDX-License-Identifier: Apache-2.0 */
/* Words are kept by their places in one buffer, which moves while it grows. A batch goes when it
 * has so many jobs or bytes: then one request carries them, and what is sent again is one
 * request. */
#include "cli/push_batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "client/courier.h"

enum {
    JOBS_MAX = COURIER_ITEMS_MAX,
    BYTES_FULL = 4 * 1024 * 1024,
    LINE_BYTES_MAX = 40 * 1024 * 1024,
};

struct word {
    size_t at;
    size_t size;
};

struct push_batch {
    struct cli *cli;
    struct courier *courier;
    push_answer_fn *fn;
    void *context;
    struct buf bytes; /* of the words */
    size_t count;
    uint64_t numbers[JOBS_MAX];
    size_t word_counts[JOBS_MAX];
    struct word words[JOBS_MAX][CLI_REQUEST_WORDS_MAX];
    struct slice slices[JOBS_MAX][CLI_REQUEST_WORDS_MAX];
    struct courier_item items[JOBS_MAX];
};

bool push_batch_is_wanted(const struct cli *cli) {
    return cli_has(cli, "spool") || cli_has(cli, "retry");
}

bool push_batch_open(
    struct cli *cli, push_answer_fn *fn, void *context, struct push_batch **ret_batch
) {
    struct courier *courier;
    if (!cli_courier(cli, cli_value(cli, "spool"), false, &courier)) return false;
    struct push_batch *batch = calloc(1, sizeof *batch);
    hob_assert(batch != NULL);
    batch->cli = cli;
    batch->courier = courier;
    batch->fn = fn;
    batch->context = context;
    batch->bytes = buf_make(BYTES_FULL + LINE_BYTES_MAX);
    *ret_batch = batch;
    return true;
}

void push_batch_close(struct push_batch *batch) {
    if (batch == NULL) return;
    courier_close(batch->courier);
    buf_deinit(&batch->bytes);
    free(batch);
}

const char *push_batch_why(const struct push_batch *batch) {
    return courier_why(batch->courier);
}

bool push_batch_flush(struct push_batch *batch) {
    size_t count = batch->count;
    if (count == 0) return true;
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < batch->word_counts[i]; at++) {
            struct word word = batch->words[i][at];
            batch->slices[i][at] = slice_of(batch->bytes.bytes + word.at, word.size);
        }
        batch->items[i] =
            (struct courier_item){.words = batch->slices[i], .count = batch->word_counts[i]};
    }
    struct hob_error err = {0};
    enum hob_status status = courier_push_list(batch->courier, batch->items, count, &err);
    if (status != HOB_OK) {
        batch->cli->exit_code = cli_fail(
            status,
            "%s; lines %" PRIu64 " to %" PRIu64 " may or may not have been pushed",
            err.text,
            batch->numbers[0],
            batch->numbers[count - 1]
        );
    }
    for (size_t i = 0; i < count && status == HOB_OK; i++) {
        batch->fn(batch->context, batch->numbers[i], batch->items[i].reply);
    }
    batch->count = 0;
    buf_reset(&batch->bytes);
    return status == HOB_OK;
}

bool push_batch_add(struct push_batch *batch, struct cli_request *request, uint64_t number) {
    struct cli_fixed fixed;
    cli_request_fix(request, &fixed);
    size_t at = batch->count;
    batch->numbers[at] = number;
    batch->word_counts[at] = request->count;
    for (size_t i = 0; i < request->count; i++) {
        batch->words[at][i] = (struct word){batch->bytes.size, request->words[i].size};
        bool fits = buf_put_slice(&batch->bytes, request->words[i]);
        hob_assert(fits);
    }
    batch->count++;
    if (batch->count < JOBS_MAX && batch->bytes.size < BYTES_FULL) return true;
    return push_batch_flush(batch);
}
