/* SPDX-License-Identifier: Apache-2.0 */
/* wrong_digest DIR: append the digest of a state that was not, in a batch that is whole in every
 * other way, as a server would have left it whose replay does something else than it did. */
#include <stdio.h>

#include "engine/engine.h"
#include "journal/journal.h"

static enum hob_status append(struct journal *journal, struct hob_error *err) {
    struct journal_info info;
    journal_info(journal, &info);
    struct effect effect = {.type = EFFECT_DIGEST};
    effect.digest = (struct digest_effect
    ){.digest = 1, .version = DIGEST_VERSION, .oldest_segment = info.first_segment, .jobs = 1};
    HOB_AUTO_BUF struct buf bytes = buf_make(1024);
    if (!effect_encode(&effect, &bytes)) return HOB_FAILED;
    struct journal_batch batch = {
        .seq = info.seq + 1,
        .first_pos = info.pos + 1,
        .effect_count = 1,
        .time_ns = NS_PER_SECOND,
        .prev_chain = info.chain,
        .bytes = buf_slice(&bytes),
    };
    batch.chain = journal_chain(&batch);
    journal_append(journal, &batch);
    struct journal_done done = {.result = JOURNAL_FAILED};
    enum hob_status status = journal_wait(journal, &done);
    if (status == HOB_OK && done.result != JOURNAL_OK) {
        *err = done.error;
        status = HOB_FAILED;
    }
    return status;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    struct journal *journal = NULL;
    struct journal_file_options options = {.path = argv[1]};
    struct hob_error err = {0};
    enum hob_status status = journal_file_open(&options, (struct journal_wake){0}, &journal, &err);
    if (status == HOB_OK) status = append(journal, &err);
    journal_close(journal);
    if (status != HOB_OK) (void)fprintf(stderr, "wrong_digest: %s\n", err.text);
    return status == HOB_OK ? 0 : 1;
}
