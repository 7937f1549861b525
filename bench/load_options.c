/* SPDX-License-Identifier: Apache-2.0 */
/* One table of number options; the few words that are no numbers are read by name. */
#include "load_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

struct number_option {
    const char *name;
    uint64_t min;
    uint64_t max;
    size_t offset;
    bool is_wide;
};

#define NARROW(member) offsetof(struct load_options, member), false
#define WIDE(member)   offsetof(struct load_options, member), true

static const struct number_option numbers[] = {
    {"--port", 1, 65535, NARROW(port)},
    {"--conns", 1, 100000, NARROW(connections)},
    {"--workers", 1, 100000, NARROW(workers)},
    {"--inflight", 1, 1000, NARROW(inflight)},
    {"--jobs", 1, UINT64_C(9999999999), WIDE(jobs)},
    {"--size", 1, 1000000, NARROW(size)},
    {"--backlog", 1, UINT64_C(9999999999), WIDE(backlog)},
    {"--rate", 0, 10000000, WIDE(rate)},
    {"--timeout", 1, 86400, NARROW(timeout_s)},
};

static const char usage[] =
    "usage: load --port N --mode push|work|life [--protocol resp|beanstalkd] [--conns N]\n"
    "            [--inflight N] [--jobs N] [--size BYTES] [--queue NAME] [--verify]\n"
    "            [--workers N] [--backlog JOBS] [--rate JOBS_A_SECOND] [--timeout SECONDS]\n";

static bool number_set(struct load_options *options, const char *name, const char *text) {
    for (size_t i = 0; i < hob_countof(numbers); i++) {
        const struct number_option *number = &numbers[i];
        if (strcmp(number->name, name) != 0) continue;
        char *end = NULL;
        errno = 0;
        unsigned long long value = strtoull(text, &end, 10);
        bool is_number = errno == 0 && end != text && *end == '\0' && text[0] != '-';
        if (!is_number || value < number->min || value > number->max) return false;
        char *member = (char *)options + number->offset;
        uint32_t narrow = (uint32_t)value;
        uint64_t wide = value;
        if (number->is_wide) {
            memcpy(member, &wide, sizeof(wide));
        } else {
            memcpy(member, &narrow, sizeof(narrow));
        }
        return true;
    }
    return false;
}

static bool word_set(
    struct load_options *options, const struct load_protocol **protocol, const char *const *words
) {
    static const char *const modes[] = {"push", "work", "life"};
    if (strcmp(words[0], "--queue") == 0) {
        options->queue = words[1];
        return true;
    }
    if (strcmp(words[0], "--protocol") == 0) {
        *protocol = NULL;
        if (strcmp(words[1], load_resp.name) == 0) *protocol = &load_resp;
        if (strcmp(words[1], load_beanstalkd.name) == 0) *protocol = &load_beanstalkd;
        return *protocol != NULL;
    }
    if (strcmp(words[0], "--mode") != 0) return number_set(options, words[0], words[1]);
    for (size_t i = 0; i < hob_countof(modes); i++) {
        if (strcmp(words[1], modes[i]) != 0) continue;
        options->mode = (enum load_mode)i;
        return true;
    }
    return false;
}

const struct load_protocol *
load_options_parse(int argc, char **argv, struct load_options *ret_options) {
    const struct load_protocol *protocol = &load_resp;
    *ret_options = (struct load_options){
        .mode = LOAD_PUSH,
        .connections = 50,
        .workers = 0,
        .inflight = 1,
        .jobs = 100000,
        .size = 100,
        .backlog = 1000,
        .timeout_s = 600,
        .queue = "bench",
    };
    int at = 1;
    bool is_good = true;
    while (at < argc && is_good) {
        const char *words[2] = {argv[at], at + 1 < argc ? argv[at + 1] : ""};
        if (strcmp(words[0], "--verify") == 0) {
            ret_options->verify = true;
            at++;
            continue;
        }
        is_good = at + 1 < argc && word_set(ret_options, &protocol, words);
        if (!is_good) (void)fprintf(stderr, "load: %s %s\n", words[0], words[1]);
        at += 2;
    }
    is_good = is_good && ret_options->port != 0;
    if (!is_good) (void)fputs(usage, stderr);
    if (ret_options->workers == 0) ret_options->workers = ret_options->connections;
    return is_good ? protocol : NULL;
}
