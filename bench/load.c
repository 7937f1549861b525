/* SPDX-License-Identifier: Apache-2.0 */
/* load: puts a queue server under load over loopback and says what it did, in one line of
 * key=value.
 *
 *     push   --jobs pushes over --conns connections         latency: push sent -> answered
 *     work   fetch and finish --jobs jobs that are there    latency: fetch sent -> finished
 *     life   producers and consumers at once                latency: push sent -> job received
 *
 * The same generator speaks RESP (Hob) and beanstalkd's protocol, so that both servers stand under
 * the same client. --verify counts a job that comes twice, or never, as an error. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "load_options.h"

enum {
    IN_BYTES_MAX = 64 * 1024 * 1024,
    OUT_BYTES_MAX = 64 * 1024 * 1024,
    READ_BYTES = 256 * 1024,
    EVENTS_MAX = 256,
    /* {"t":"20 digits","i":"10 digits","p":"…"}: when a payload was pushed, which one it is. */
    TIME_AT = 6,
    TIME_DIGITS = 20,
    NUMBER_AT = 33,
    NUMBER_DIGITS = 10,
    PAYLOAD_BYTES_MIN = 52,
};

_Noreturn static void die(const char *what) {
    (void)fprintf(stderr, "load: %s: %s\n", what, strerrordesc_np(errno));
    _exit(1);
}

hob_ns load_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (hob_ns)now.tv_sec * NS_PER_SECOND + (hob_ns)now.tv_nsec;
}

static uint32_t bucket_of(uint64_t value) {
    if (value < HISTOGRAM_STEPS) return (uint32_t)value;
    uint32_t shift = 58 - (uint32_t)__builtin_clzll(value); /* leaves 32 .. 63 */
    return (shift + 1) * HISTOGRAM_STEPS + (uint32_t)(value >> shift) - HISTOGRAM_STEPS;
}

static void histogram_add(struct histogram *histogram, uint64_t value) {
    histogram->buckets[bucket_of(value)]++;
    histogram->count++;
    if (value > histogram->max) histogram->max = value;
}

/* The lower end of the bucket in which the quantile lies. */
static uint64_t histogram_quantile(const struct histogram *histogram, double quantile) {
    uint64_t wanted = (uint64_t)((double)histogram->count * quantile);
    uint64_t passed = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        passed += histogram->buckets[i];
        if (passed <= wanted) continue;
        if (i < HISTOGRAM_STEPS) return i;
        uint64_t step = HISTOGRAM_STEPS + i % HISTOGRAM_STEPS;
        return step << (i / HISTOGRAM_STEPS - 1);
    }
    return histogram->max;
}

static void digits_put(char *to, uint32_t digits, uint64_t number) {
    while (digits > 0) {
        to[--digits] = (char)('0' + number % 10);
        number /= 10;
    }
}

static uint64_t digits_get(const char *from, uint32_t digits) {
    uint64_t number = 0;
    for (uint32_t i = 0; i < digits; i++) number = number * 10 + (uint64_t)(from[i] - '0');
    return number;
}

static void payload_init(struct load *load) {
    uint32_t size = load->options.size;
    load->payload = malloc(size);
    hob_assert(load->payload != NULL);
    memset(load->payload, 'x', size);
    if (size < PAYLOAD_BYTES_MIN) return;
    memcpy(load->payload, "{\"t\":\"", TIME_AT);
    memcpy(load->payload + TIME_AT + TIME_DIGITS, "\",\"i\":\"", 7);
    memcpy(load->payload + NUMBER_AT + NUMBER_DIGITS, "\",\"p\":\"", 7);
    memcpy(load->payload + size - 2, "\"}", 2);
}

void load_asked(
    struct load *load, struct connection *connection, enum request_type type, uint32_t count
) {
    if (connection->request_count == connection->request_capacity) {
        uint32_t capacity =
            connection->request_capacity == 0 ? 64 : connection->request_capacity * 2;
        struct request *requests = calloc(capacity, sizeof(*requests));
        hob_assert(requests != NULL);
        for (uint32_t i = 0; i < connection->request_count; i++) {
            uint32_t at = (connection->request_first + i) & (connection->request_capacity - 1);
            requests[i] = connection->requests[at];
        }
        free(connection->requests);
        connection->requests = requests;
        connection->request_first = 0;
        connection->request_capacity = capacity;
    }
    uint32_t at = connection->request_first + connection->request_count++;
    connection->requests[at & (connection->request_capacity - 1)] =
        (struct request){.type = type, .count = count, .sent_ns = load_now()};
    if (type == REQUEST_PUSH || type == REQUEST_FETCH) connection->open_count++;
    if (type == REQUEST_FETCH) load->fetching++;
}

struct request load_replied(struct load *load, struct connection *connection) {
    if (connection->request_count == 0) {
        load_error(load, SLICE("a reply to nothing"));
        _exit(1);
    }
    uint32_t at = connection->request_first & (connection->request_capacity - 1);
    connection->request_first++;
    connection->request_count--;
    struct request request = connection->requests[at];
    if (request.type == REQUEST_PUSH || request.type == REQUEST_FETCH) connection->open_count--;
    if (request.type == REQUEST_FETCH) load->fetching--;
    return request;
}

void load_error(struct load *load, struct slice reply) {
    load->errors++;
    if (load->errors > 3) return;
    int size = (int)(reply.size < 100 ? reply.size : 100);
    (void)fprintf(stderr, "load: not expected: %.*s\n", size, reply.bytes);
}

void load_accepted(struct load *load, const struct request *request) {
    load->accepted++;
    if (load->options.mode != LOAD_PUSH) return;
    histogram_add(&load->latency, load_now() - request->sent_ns);
}

void load_fetched(struct load *load, struct slice payload) {
    load->fetched++;
    if (payload.size != load->options.size || payload.size < PAYLOAD_BYTES_MIN) return;
    if (load->options.mode == LOAD_LIFE) {
        hob_ns pushed_ns = digits_get(payload.bytes + TIME_AT, TIME_DIGITS);
        histogram_add(&load->latency, load_now() - pushed_ns);
    }
    if (load->seen == NULL) return;
    uint64_t number = digits_get(payload.bytes + NUMBER_AT, NUMBER_DIGITS);
    if (number >= load->options.jobs) {
        load_error(load, SLICE("a job that was never pushed"));
        return;
    }
    uint8_t bit = (uint8_t)(1u << (number % 8));
    if ((load->seen[number / 8] & bit) != 0) load->duplicates++;
    load->seen[number / 8] |= bit;
}

void load_finished(struct load *load, const struct request *request, uint32_t count) {
    load->finished += count;
    if (load->options.mode != LOAD_WORK) return;
    hob_ns took_ns = load_now() - request->sent_ns;
    for (uint32_t i = 0; i < count; i++) histogram_add(&load->latency, took_ns);
}

bool load_wants_fetch(const struct load *load, const struct connection *connection) {
    bool is_life = load->options.mode == LOAD_LIFE;
    uint32_t open_max = load->protocol->fetches_many || is_life ? 1 : load->options.inflight;
    if (connection->open_count >= open_max) return false;
    return load->protocol->fetches_many || is_life ||
           load->fetched + load->fetching < load->options.jobs;
}

/* When the next push is due at --rate. */
static hob_ns push_due(const struct load *load) {
    return load->start_ns + load->pushed * NS_PER_SECOND / load->options.rate;
}

static bool may_push(const struct load *load) {
    const struct load_options *options = &load->options;
    if (load->pushed >= options->jobs) return false;
    if (options->mode != LOAD_LIFE) return true;
    if (load->pushed >= load->finished + options->backlog) return false;
    if (options->rate == 0) return true;
    return load_now() >= push_due(load);
}

/* Write as many requests as may be under way. */
static void fill(struct load *load, struct connection *connection) {
    const struct load_protocol *protocol = load->protocol;
    if (connection->is_producer) {
        while (connection->open_count < load->options.inflight && may_push(load)) {
            if (load->options.size >= PAYLOAD_BYTES_MIN) {
                digits_put(load->payload + TIME_AT, TIME_DIGITS, load_now());
                digits_put(load->payload + NUMBER_AT, NUMBER_DIGITS, load->pushed);
            }
            load->pushed++;
            protocol->push(load, connection, slice_of(load->payload, load->options.size));
        }
        return;
    }
    while (load_wants_fetch(load, connection)) protocol->fetch(load, connection);
}

static void watch(struct load *load, struct connection *connection, bool wants_write) {
    struct epoll_event event = {
        .events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.ptr = connection};
    int operation = connection->in.capacity == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(load->poll_fd, operation, connection->fd, &event) < 0) die("epoll_ctl");
    connection->wants_write = wants_write;
}

static void send_out(struct load *load, struct connection *connection) {
    struct buf *out = &connection->out;
    while (connection->out_at < out->size) {
        size_t left = out->size - connection->out_at;
        ssize_t sent = send(connection->fd, out->bytes + connection->out_at, left, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) break;
        if (sent < 0) die("send");
        connection->out_at += (size_t)sent;
    }
    bool is_empty = connection->out_at == out->size;
    if (is_empty) {
        buf_reset(out);
        connection->out_at = 0;
    }
    if (is_empty == connection->wants_write) watch(load, connection, !is_empty);
}

static void read_in(struct load *load, struct connection *connection) {
    char *room = buf_reserve(&connection->in, READ_BYTES);
    if (room == NULL) die("a reply is too large");
    ssize_t got = recv(connection->fd, room, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) die("recv");
    if (got == 0) {
        errno = ECONNRESET;
        die("the server closed a connection");
    }
    connection->in.size += (size_t)got;
    size_t used = 0;
    do {
        buf_consume(&connection->in, used);
        used = connection->in.size == 0 ? 0 : load->protocol->reply(load, connection);
    } while (used > 0);
}

static void dial(struct load *load, struct connection *connection) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)load->options.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int on = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0) die("socket");
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) < 0) die("connect");
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (fcntl(connection->fd, F_SETFL, O_NONBLOCK) < 0) die("fcntl");
    connection->in = buf_make(IN_BYTES_MAX);
    connection->out = buf_make(OUT_BYTES_MAX);
    watch(load, connection, false);
    load->protocol->setup(load, connection);
}

static bool is_done(const struct load *load) {
    uint64_t count = load->options.mode == LOAD_PUSH ? load->accepted : load->finished;
    return count + load->errors >= load->options.jobs;
}

static void loop(struct load *load) {
    struct epoll_event events[EVENTS_MAX];
    hob_ns give_up_ns = load->start_ns + load->options.timeout_s * NS_PER_SECOND;
    while (!is_done(load)) {
        for (uint32_t i = 0; i < load->connection_count; i++) {
            struct connection *connection = &load->connections[i];
            fill(load, connection);
            if (connection->out.size > 0 && !connection->wants_write) send_out(load, connection);
        }
        struct timespec wait = {.tv_nsec = 100 * NS_PER_MS};
        if (load->options.rate != 0 && load->pushed < load->options.jobs) {
            hob_ns now_ns = load_now();
            hob_ns due_ns = push_due(load);
            /* Behind a full backlog or window it is a reply that wakes, not the clock. */
            if (due_ns > now_ns) wait.tv_nsec = (long)(due_ns - now_ns);
        }
        int count = epoll_pwait2(load->poll_fd, events, EVENTS_MAX, &wait, NULL);
        if (count < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0) read_in(load, connection);
            if (connection->out.size > 0) send_out(load, connection);
        }
        if (load_now() < give_up_ns) continue;
        (void)fprintf(stderr, "load: gave up after %u s\n", load->options.timeout_s);
        load->errors++;
        break;
    }
    load->end_ns = load_now();
}

static uint64_t missing(const struct load *load) {
    uint64_t count = 0;
    for (uint64_t i = 0; load->seen != NULL && i < load->options.jobs; i++) {
        count += (load->seen[i / 8] & (1u << (i % 8))) == 0 ? 1 : 0;
    }
    return count;
}

static int report(const struct load *load) {
    static const char *const modes[] = {"push", "work", "life"};
    double seconds = (double)(load->end_ns - load->start_ns) / 1e9;
    uint64_t jobs = load->options.mode == LOAD_PUSH ? load->accepted : load->finished;
    uint64_t missing_count = missing(load);
    (void)printf(
        "protocol=%s mode=%s conns=%u inflight=%u jobs=%llu seconds=%.3f rate=%.0f p50_ms=%.3f "
        "p99_ms=%.3f max_ms=%.3f errors=%llu duplicates=%llu missing=%llu\n",
        load->protocol->name,
        modes[load->options.mode],
        load->options.connections,
        load->options.inflight,
        (unsigned long long)jobs,
        seconds,
        (double)jobs / seconds,
        (double)histogram_quantile(&load->latency, 0.50) / 1e6,
        (double)histogram_quantile(&load->latency, 0.99) / 1e6,
        (double)load->latency.max / 1e6,
        (unsigned long long)load->errors,
        (unsigned long long)load->duplicates,
        (unsigned long long)missing_count
    );
    return load->errors + load->duplicates + missing_count == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    struct load *load = calloc(1, sizeof(*load));
    hob_assert(load != NULL);
    load->protocol = load_options_parse(argc, argv, &load->options);
    if (load->protocol == NULL) return 2;
    const struct load_options *options = &load->options;
    bool is_life = options->mode == LOAD_LIFE;
    load->connection_count = options->connections + (is_life ? options->workers : 0);
    load->connections = calloc(load->connection_count, sizeof(*load->connections));
    load->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    hob_assert(load->connections != NULL);
    if (load->poll_fd < 0) die("epoll_create1");
    if (options->verify) {
        load->seen = calloc(1, options->jobs / 8 + 1);
        hob_assert(load->seen != NULL);
    }
    payload_init(load);
    for (uint32_t i = 0; i < load->connection_count; i++) {
        load->connections[i].number = i;
        load->connections[i].is_producer = options->mode != LOAD_WORK && i < options->connections;
        dial(load, &load->connections[i]);
    }
    load->start_ns = load_now();
    loop(load);
    return report(load);
}
