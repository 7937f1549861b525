/* SPDX-License-Identifier: Apache-2.0 */
/* The whole loader of the configuration, with the executors of the worker: whatever the bytes, it
 * ends with a configuration or with a reason; what it took is shown in a form that it takes again,
 * with the same values. */
#include "config/show.h"
#include "fuzz.h"
#include "worker/kinds.h"

static struct config *load(struct slice bytes, struct config_report *report) {
    struct config_input input = {.readers = worker_readers};
    struct config *config = NULL;
    enum hob_status status = config_load_bytes(&input, bytes, "f", "/etc", &config, report);
    FUZZ_CHECK((status == HOB_OK) == (config != NULL));
    FUZZ_CHECK((status == HOB_OK) == (report->error_count == 0));
    return config;
}

static void check_again(const struct config *config) {
    HOB_AUTO_BUF struct buf shown = buf_make((size_t)16 << 20);
    config_show(config, true, &shown);
    FUZZ_CHECK(!shown.overflowed);
    struct config_report report = {0};
    struct config *again = load(buf_slice(&shown), &report);
    if (again == NULL) { /* but for what was left out of it */
        FUZZ_CHECK(memmem(shown.bytes, shown.size, SECRET_REDACTED, 10) != NULL);
    } else {
        for (unsigned i = 0; i < SETTING_COUNT; i++) {
            FUZZ_CHECK(value_equal(&config->values[i], &again->values[i]));
        }
        FUZZ_CHECK(config->queue_count == again->queue_count);
        FUZZ_CHECK(config->worker.kind_count == again->worker.kind_count);
        FUZZ_CHECK(config->secret_count == again->secret_count);
    }
    config_free(again);
    report_deinit(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct config_report report = {0};
    /* Secrets in files depend on the machine. */
    if (size > 0 && memmem(data, size, "file:", 5) != NULL) return 0;
    struct config *config = load(slice_of(data, size), &report);
    if (config != NULL) check_again(config);
    config_free(config);
    report_deinit(&report);
    return 0;
}
