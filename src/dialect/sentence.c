/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's static text, made precise with what the answer carries. */
#include "dialect/sentence.h"

#include "base/text.h"
#include "dialect/bulk.h"
#include "engine/states.h"

void sentence_of_answer(struct buf *to, const struct answer *answer) {
    buf_reset(to);
    if (answer->item != 0) bulk_put_item(to, answer->item);
    bool is_state = answer->code == ANSWER_WRONG_STATE && answer->detail != NULL;
    if (is_state) {
        (void)buf_put_str(to, "the job is ");
        (void)buf_put_str(to, job_state_word(answer->state));
    } else {
        (void)buf_put_str(to, answer_text(answer->code));
    }
    if (answer->detail != NULL) {
        (void)buf_put_str(to, ": ");
        (void)buf_put_str(to, answer->detail);
    }
    if (answer->code == ANSWER_UNIQUE && answer->id != 0) {
        (void)buf_put_str(to, ": job ");
        (void)buf_put_u64(to, answer->id);
    }
    if (answer->retry_after_ns != 0) {
        (void)buf_put_str(to, " (try again in ");
        (void)text_put_duration(to, answer->retry_after_ns);
        (void)buf_put_char(to, ')');
    }
}
