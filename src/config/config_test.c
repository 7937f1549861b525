/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "base/assert.h"
#include "base/buf.h"
#include "base/test.h"

/* An executor of its own: whatever stands in its part is `speed: N`. */

static enum hob_status read_speed(struct yaml_read *read, yaml_node_t *node, void *into) {
    return yaml_read_u64(read, node, 1, 9, into);
}

static const struct yaml_key speed_keys[] = {{"speed", read_speed, true, NULL, NULL}};

static enum hob_status
read_part(struct yaml_read *read, yaml_node_t *part, struct kind_config *kind) {
    uint64_t *speed = arena_alloc(read->arena, sizeof *speed);
    kind->settings = speed;
    return yaml_read_map(read, part, "a kind", speed_keys, hob_countof(speed_keys), speed);
}

static const struct kind_reader whole_reader = {.read = read_part};
static const struct kind_reader fly_reader = {.key = "fly", .read = read_part};
static const struct kind_reader *const both[] = {&whole_reader, &fly_reader};
static const struct config_readers readers = {both, hob_countof(both)};

static enum hob_status
parse(const char *text, struct config **config, struct config_report *report) {
    return config_parse(slice_str(text), "w.yaml", "/etc/hob", readers, config, report);
}

/* All that is told of @input and @text, one finding a line. */
static void check_told(const struct config_input *input, const char *text, const char *wanted) {
    struct config *config = NULL;
    struct config_report report = {0};
    HOB_AUTO_BUF struct buf told = buf_make(10000);
    struct slice bytes = slice_str(text);
    enum hob_status status = config_load_bytes(input, bytes, "w.yaml", "/etc", &config, &report);
    CHECK(status == (report.error_count == 0 ? HOB_OK : HOB_CONFIG));
    for (size_t i = 0; i < report.count; i++) {
        const struct finding *finding = &report.findings[i];
        const char *warning = finding->is_warning ? "warning: " : "";
        if (i > 0) (void)buf_put_char(&told, '\n');
        (void)buf_printf(&told, "%s: %s%s", finding->place, warning, finding->text);
    }
    (void)buf_put_char(&told, '\0');
    CHECK_STR(told.bytes, wanted);
    report_deinit(&report);
    config_free(config);
}

static void check_refused(const char *text, const char *wanted) {
    struct config_input input = {.readers = readers};
    check_told(&input, text, wanted);
}

TEST(a_full_configuration_is_read) {
    struct config *config = NULL;
    struct config_report report = {0};
    const char *text = "server:\n"
                       "  data: jobs\n"
                       "  listen: [127.0.0.1:4620, 'unix:/run/hob.sock']\n"
                       "  durability: interval\n"
                       "  sync_interval: 1m30s\n"
                       "  memory: 2048MiB\n"
                       "  connections: 50\n"
                       "  insecure: true\n"
                       "worker:\n"
                       "  server: jobs:4620\n"
                       "  name: w-1\n"
                       "  queues: [mail, a/b]\n"
                       "  slots: 7\n"
                       "kinds:\n"
                       "  resize: {speed: 3}\n"
                       "  bird: {fly: {speed: 4}}\n";
    CHECK(parse(text, &config, &report) == HOB_OK);
    size_t count = 0;
    CHECK_STR(config_text(config, SETTING_SERVER_DATA), "/etc/hob/jobs");
    CHECK_STR(config_words(config, SETTING_SERVER_LISTEN, &count)[1], "unix:/run/hob.sock");
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(config_number(config, SETTING_SERVER_DURABILITY), 1);
    CHECK_EQUAL(config_number(config, SETTING_SERVER_SYNC_INTERVAL), 90 * NS_PER_SECOND);
    CHECK_STR(config_text(config, SETTING_SERVER_MEMORY), "2GiB");
    CHECK_EQUAL(config_number(config, SETTING_SERVER_CONNECTIONS), 50);
    CHECK(config_bool(config, SETTING_SERVER_INSECURE));
    CHECK_STR(config_text(config, SETTING_WORKER_SERVER), "jobs:4620");
    CHECK_STR(config_text(config, SETTING_WORKER_NAME), "w-1");
    CHECK_EQUAL(config->worker.queue_count, 2);
    CHECK_STR(config->worker.queues[1], "a/b");
    CHECK_EQUAL(config->worker.slots, 7);
    CHECK_EQUAL(config->worker.kind_count, 2);
    const struct kind_config *bird = config_kind(&config->worker, SLICE("bird"));
    CHECK(bird != NULL && bird->reader == &fly_reader);
    CHECK_EQUAL(*(const uint64_t *)bird->settings, 4);
    CHECK(config_kind(&config->worker, SLICE("resize"))->reader == &whole_reader);
    CHECK(config_kind(&config->worker, SLICE("fish")) == NULL);
    config_free(config);
}

static const char *variables(const char *name) {
    if (strcmp(name, "HOB_WORKER_SLOTS") == 0) return "5";
    if (strcmp(name, "HOB_WORKER_QUEUES") == 0) return "a,b";
    if (strcmp(name, "HOB_WORKER_NAME") == 0) return ""; /* as if it were not set */
    if (strcmp(name, "BILLING") == 0) return "of-the-environment";
    return NULL;
}

TEST(flag_before_environment_before_file_before_default_and_each_tells_its_place) {
    struct config *config = NULL;
    struct config_report report = {0};
    const struct config_flag flags[] = {{SETTING_WORKER_SLOTS, "9"}};
    struct config_input input = {
        .readers = readers, .variable = variables, .flags = flags, .flag_count = 1};
    const char *text = "worker: {slots: 3, queues: c, name: w}\nserver: {memory: 1GiB}\n";
    CHECK(config_load_bytes(&input, slice_str(text), "w.yaml", "/", &config, &report) == HOB_OK);
    const struct value *values = config->values;
    CHECK_EQUAL(values[SETTING_WORKER_SLOTS].number, 9);
    CHECK_STR(values[SETTING_WORKER_SLOTS].place, "--slots");
    CHECK(values[SETTING_WORKER_SLOTS].origin == ORIGIN_FLAG);
    CHECK_EQUAL(config->worker.queue_count, 2);
    CHECK_STR(config->worker.queues[1], "b");
    CHECK_STR(values[SETTING_WORKER_QUEUES].place, "HOB_WORKER_QUEUES");
    CHECK_STR(values[SETTING_WORKER_NAME].place, "w.yaml:1:37");
    CHECK_STR(values[SETTING_SERVER_MEMORY].place, "w.yaml:2:18");
    CHECK_STR(values[SETTING_SERVER_SEGMENT].place, "default");
    CHECK_EQUAL(config_number(config, SETTING_SERVER_SEGMENT), 64 * SETTING_MIB);
    CHECK(config_text(config, SETTING_SERVER_DATA) == NULL);
    config_free(config);
}

TEST(what_another_source_hides_is_checked_too) {
    const struct config_flag flags[] = {
        {SETTING_WORKER_SLOTS, "9"}, {SETTING_SERVER_LISTEN, "127.0.0.1:4620,here"}};
    struct config_input input = {.readers = readers, .flags = flags, .flag_count = 2};
    check_told(
        &input,
        "worker: {slots: many}\n",
        "w.yaml:1:17: `many` is not it; wanted: a number from 1 to 10000\n"
        "--listen: `here` is not it; wanted: addresses: HOST:PORT or unix:PATH"
    );
}

TEST(all_that_is_wrong_is_told_at_once) {
    check_refused(
        "server: {durability: sometimes, listen: [], memory: 1kB, insecure: yes, tsl: x}\n"
        "worker: {slots: \"3\", slot: 3, queues: [-x]}\n"
        "queues: {mail: {order: random, keep: 1h}}\n"
        "kinds: {a: {sped: 3}, b: {speed: 3}, c: {fly: {speed: 10}}}\n"
        "kind: {}\n",
        "w.yaml:5:1: unknown key `kind` in the file; did you mean `kinds`?; allowed: log, "
        "server, callbacks, worker, queues, limiters, kinds, secrets\n"
        "w.yaml:1:22: `sometimes` is not it; wanted: one of always, interval, none\n"
        "w.yaml:1:41: wanted: a list of 1 to 16\n"
        "w.yaml:1:53: `1kB` is not it; wanted: a size, such as 512MiB or 2GiB, from 1MiB to 1TiB\n"
        "w.yaml:1:68: `yes` is not it; wanted: true or false\n"
        "w.yaml:1:73: unknown key `tsl` in server; allowed: data, listen, durability, memory, "
        "segment, connections, insecure, hosts, "
        "tls_cert, tls_key, tls_client_ca, tokens_on_sockets, sync_interval, "
        "connections_per_address, request_timeout\n"
        "w.yaml:2:17: wanted: a number from 1 to 10000, without quotes\n"
        "w.yaml:2:22: unknown key `slot` in worker; did you mean `slots`?; allowed: name, queues, "
        "mode, slots, labels, server, token_file, ca, client_cert, client_key\n"
        "w.yaml:2:39: `-x` is not it; wanted: names or globs (* any run, ? one byte), with a ! "
        "before what is excluded\n"
        "w.yaml:3:24: `random` is not it; wanted: fifo or lifo\n"
        "w.yaml:3:38: `1h` is not it; wanted: SPAN:N, such as 24h:100000: how long, and how many "
        "at most\n"
        "w.yaml:4:13: unknown key `sped` in a kind; did you mean `speed`?; allowed: speed\n"
        "w.yaml:4:12: a kind needs the key `speed`\n"
        "w.yaml:4:55: wanted: a number from 1 to 9"
    );
}

TEST(callbacks_are_granted_only_secrets_that_there_are) {
    static const char good[] = "callbacks: {secrets: [shop]}\nsecrets: {shop: s}\n";
    static const char bad[] = "callbacks: {secrets: [shop, shp]}\nsecrets: {shop: s}\n";
    struct config *config = NULL;
    struct config_report report = {0};
    struct hob_error err = {0};
    CHECK(parse(good, &config, &report) == HOB_OK);
    config_free(config);
    report_deinit(&report);
    CHECK(parse(bad, &config, &report) == HOB_CONFIG);
    CHECK(report_status(&report, &err) == HOB_CONFIG);
    CHECK(strstr(err.text, "there is no secret `shp` below `secrets`") != NULL);
    report_deinit(&report);
}

TEST(the_first_error_stands_for_all_where_there_is_room_for_one) {
    struct config *config = NULL;
    struct config_report report = {0};
    struct hob_error err = {0};
    CHECK(report_status(&report, &err) == HOB_OK);
    CHECK(parse("worker: {slots: 0, name: -}\n", &config, &report) == HOB_CONFIG);
    CHECK(report_status(&report, &err) == HOB_CONFIG);
    CHECK_STR(
        err.text,
        "w.yaml:1:17: `0` is not it; wanted: a number from 1 to 10000 (and 1 more: `hob config "
        "check` shows all)"
    );
    report_deinit(&report);
}

TEST(settings_of_queues_are_what_the_file_names) {
    struct config *config = NULL;
    struct config_report report = {0};
    const char *text = "queues:\n"
                       "  mail: {order: lifo, tier: 0, weight: 6, keep: 1h:1000}\n"
                       "  slow: {keep_failed: 7d:0, paused: true}\n";
    CHECK(parse(text, &config, &report) == HOB_OK);
    CHECK_EQUAL(config->queue_count, 2);
    const struct queue_config *mail = &config->queues[0];
    CHECK_STR(mail->name, "mail");
    CHECK(mail->tier.is_set && mail->weight.is_set);
    CHECK_EQUAL(mail->tier.value, 0);
    CHECK_EQUAL(mail->weight.value, 6);
    CHECK(mail->has_order && mail->is_lifo && mail->keep.is_set);
    CHECK(!mail->keep_failed.is_set && !mail->has_paused);
    CHECK_EQUAL(mail->keep.span_ns, NS_PER_HOUR);
    CHECK_EQUAL(mail->keep.count, 1000);
    const struct queue_config *slow = &config->queues[1];
    CHECK(!slow->has_order && slow->has_paused && slow->is_paused);
    CHECK_EQUAL(slow->keep_failed.span_ns, 7 * NS_PER_DAY);
    config_free(config);
}

TEST(rates_and_limiters_are_what_the_file_names) {
    struct config *config = NULL;
    struct config_report report = {0};
    const char *text =
        "queues:\n"
        "  mail: {rate: 100/1m, burst: 10, aging: 5m, group_concurrency: 2, group_rate: none,\n"
        "    group_order: park}\n"
        "limiters:\n"
        "  stripe: {concurrency: 20, rate: 3/1h}\n"
        "  customer-*: {concurrency: 1}\n";
    CHECK(parse(text, &config, &report) == HOB_OK);
    const struct queue_config *mail = &config->queues[0];
    CHECK(mail->rate.is_set && mail->rate.burst.is_set);
    CHECK_EQUAL(mail->rate.count, 100);
    CHECK_EQUAL(mail->rate.period_ns, NS_PER_MINUTE);
    CHECK_EQUAL(mail->rate.burst.value, 10);
    CHECK_EQUAL(mail->aging.span_ns, 5 * NS_PER_MINUTE);
    CHECK_EQUAL(mail->group_concurrency.value, 2);
    CHECK(mail->group_rate.is_set && !mail->group_rate.burst.is_set);
    CHECK_EQUAL(mail->group_rate.count, 0);
    CHECK_EQUAL(mail->group_order.value, 3);
    CHECK_EQUAL(config->limiter_count, 2);
    CHECK_STR(config->limiters[0].name, "stripe");
    CHECK_EQUAL(config->limiters[0].concurrency.value, 20);
    CHECK_EQUAL(config->limiters[0].rate.period_ns, NS_PER_HOUR);
    CHECK_STR(config->limiters[1].name, "customer-*");
    CHECK(!config->limiters[1].rate.is_set);
    config_free(config);
    check_refused(
        "queues: {a: {rate: 5}, b: {burst: 3}, c: {order: lifo, aging: 1h}, d: {group_order: x}}\n"
        "limiters: {'a b*': {}, c: {rate: 1/0s}, d: {rate: 1/3650d, burst: 2}, e: {rat: none}}\n",
        "w.yaml:1:20: `5` is not it; wanted: none, or N/SPAN as 100/1m: 1 to 1000000 in 1ms to "
        "3650d\n"
        "w.yaml:1:27: a burst needs `rate: N/SPAN` beside it\n"
        "w.yaml:1:42: only jobs of a fifo queue age\n"
        "w.yaml:1:85: `x` is not it; wanted: loose, block, skip or park\n"
        "w.yaml:2:12: a rule is a name of 1 to 200 bytes in which * and ? stand for others\n"
        "w.yaml:2:34: `1/0s` is not it; wanted: none, or N/SPAN as 100/1m: 1 to 1000000 in 1ms to "
        "3650d\n"
        "w.yaml:2:44: `rate`: a burst is worth at most 3650d\n"
        "w.yaml:2:75: unknown key `rat` in a limiter; did you mean `rate`?; allowed: concurrency, "
        "rate, burst"
    );
}

TEST(secrets_are_read_from_where_they_are) {
    struct config *config = NULL;
    struct config_report report = {0};
    struct config_input input = {.readers = readers, .variable = variables};
    const char *text = "secrets: {a: env:BILLING, b: 'plain words'}\n";
    CHECK(config_load_bytes(&input, slice_str(text), "w.yaml", "/", &config, &report) == HOB_OK);
    CHECK(slice_equal(config_secret(config, SLICE("a")), SLICE("of-the-environment")));
    CHECK(slice_equal(config_secret(config, SLICE("b")), SLICE("plain words")));
    CHECK_EQUAL(config_secret(config, SLICE("c")).size, 0);
    config_free(config);
    check_told(
        &input,
        "secrets: {a: env:NOBODY, b: file:/nonexistent, c: credential:x, d: (redacted), e: }\n",
        "w.yaml:1:14: warning: the variable NOBODY is not set\n"
        "w.yaml:1:29: warning: cannot read /nonexistent: No such file or directory\n"
        "w.yaml:1:51: warning: CREDENTIALS_DIRECTORY is not set: systemd sets it "
        "(LoadCredential=)\n"
        "w.yaml:1:68: `hob config show` left the secret out; wanted: env:NAME, file:PATH, "
        "credential:NAME, or the secret itself\n"
        "w.yaml:1:83: nothing is here; wanted: env:NAME, file:PATH, credential:NAME, or the "
        "secret itself"
    );
}

TEST(the_last_holder_frees_it) {
    struct config *config = NULL;
    struct config_report report = {0};
    CHECK(parse("kinds: {a: {speed: 2}}\n", &config, &report) == HOB_OK);
    struct config *second = config_hold(config);
    config_free(config);
    CHECK_EQUAL(*(const uint64_t *)second->worker.kinds[0].settings, 2);
    config_free(second);
    config_free(NULL);
}

TEST(the_keys_of_a_worker_do_not_stand_at_the_top_any_more) {
    check_refused(
        "slots: 3\nkinds: {a: {speed: 1}}\n",
        "w.yaml:1:8: `slots` of a worker stands under `worker` now; write:  worker: {slots: …}"
    );
    check_refused(
        "queues: [mail]\n",
        "w.yaml:1:9: `queues` of a worker stands under `worker` now; write:  worker: {queues: …}"
    );
}

TEST(a_kind_has_one_executor) {
    check_refused(
        "kinds: {a: {fly: {speed: 1}, speed: 2}}\n",
        "w.yaml:1:12: beside `fly` there is no other key of a kind"
    );
    check_refused("kinds: {a: {speed: 1}, a: {speed: 2}}\n", "w.yaml:1:24: `a` is here twice");
    check_refused("kinds: [a]\n", "w.yaml:1:8: wanted: `NAME: …` lines, one for each kind");
    check_refused("kinds: {a: x}\n", "w.yaml:1:12: a kind is written as `key: value` lines");
}

TEST(an_empty_file_is_all_default_and_a_missing_one_is_told) {
    check_refused("# nothing is said\n", "");
    check_refused("server:\nworker: ~\nkinds:\n", "");
    check_refused("worker: [a]\n", "w.yaml:1:9: `worker` is written as `key: value` lines");
    struct config *config = NULL;
    struct config_report report = {0};
    struct config_input input = {.path = "/nonexistent/w.yaml", .readers = readers};
    CHECK(config_load(&input, &config, &report) == HOB_CONFIG);
    CHECK_STR(report.findings[0].place, "/nonexistent/w.yaml");
    CHECK_STR(report.findings[0].text, "cannot be read: No such file or directory");
    report_deinit(&report);
}

TESTS(
    a_full_configuration_is_read,
    flag_before_environment_before_file_before_default_and_each_tells_its_place,
    what_another_source_hides_is_checked_too,
    all_that_is_wrong_is_told_at_once,
    callbacks_are_granted_only_secrets_that_there_are,
    the_first_error_stands_for_all_where_there_is_room_for_one,
    settings_of_queues_are_what_the_file_names,
    rates_and_limiters_are_what_the_file_names,
    secrets_are_read_from_where_they_are,
    the_last_holder_frees_it,
    the_keys_of_a_worker_do_not_stand_at_the_top_any_more,
    a_kind_has_one_executor,
    an_empty_file_is_all_default_and_a_missing_one_is_told
)
