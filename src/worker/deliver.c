/* SPDX-License-Identifier: Apache-2.0 */
/* As poor as it can be before it reads a byte: no new privileges, no core files, no other
 * descriptors, and it dies with its server. */
#include "worker/deliver.h"

#include <stdio.h>

#include "base/text.h"
#include "config/config.h"
#include "os/file.h"
#include "os/launch.h"
#include "os/log.h"
#include "worker/kinds.h"
#include "worker/worker.h"

enum { EXIT_WRONG = 64 };

enum { STOP_WAIT_MS = 2000 };

static int child_fail(const char *what, int os_errno) {
    log_error("callbacks cannot be delivered", log_str("error", what), log_i64("errno", os_errno));
    return EXIT_WRONG;
}

static bool config_take(struct config **ret_config, struct hob_error *err) {
    HOB_AUTO_BUF struct buf bytes = buf_make(YAML_BYTES_MAX + 1);
    struct config_report report = {0};
    char *room = buf_reserve(&bytes, bytes.max);
    int os_errno = file_read(DELIVER_FD_CONFIG, 0, room, bytes.max, &bytes.size);
    if (os_errno != 0) {
        (void)fail_errno(err, HOB_CONFIG, os_errno, "the configuration cannot be read");
        return false;
    }
    enum hob_status status =
        config_parse(buf_slice(&bytes), "callbacks", "/", worker_readers, ret_config, &report);
    if (status != HOB_OK) status = report_status(&report, err);
    report_deinit(&report);
    return status == HOB_OK;
}

int deliver_main(int argc, char **argv, const char *version) {
    uint64_t parent = 0;
    if (argc != 1 || !text_u64(slice_str(argv[0]), 1, INT32_MAX, &parent)) {
        (void)fprintf(stderr, "hob: %s is for the server's own use\n", DELIVER_WORD);
        return EXIT_WRONG;
    }
    const char *what = NULL;
    int os_errno = launch_harden(parent, DELIVER_FD_CONTROL, &what);
    if (os_errno != 0) return child_fail(what, os_errno);
    struct config *config = NULL;
    struct hob_error err = {0};
    if (!config_take(&config, &err)) return child_fail(err.text, 0);
    struct worker_options options = {
        .config = &config->worker,
        .server = {.text = "the server that started it"},
        .control_fd = DELIVER_FD_CONTROL,
        .fetch_fd = DELIVER_FD_FETCH,
        .stop_wait_ms = STOP_WAIT_MS,
        .name = DELIVER_QUEUE,
        .slots = config->worker.slots,
        .version = version,
    };
    enum hob_status status = worker_run(&options, &err);
    config_free(config);
    return status_exit_code(status);
}
