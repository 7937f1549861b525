/* SPDX-License-Identifier: Apache-2.0 */
/* Templates and requests of HTTP jobs: the first byte says what kind of text it is, the text ends
 * at the first newline, the rest is the payload. What comes out is whole for the place where it
 * stands: JSON that was JSON stays JSON, a header has no line breaks, a URL leads where its
 * template says. */
#include "base/json.h"
#include "fuzz.h"
#include "worker/http_request.h"
#include "worker/http_template.h"
#include "worker/http_url.h"

static bool secret_find(const void *context, struct slice name, struct slice *ret_text) {
    (void)context;
    *ret_text = SLICE("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    return name.size > 0;
}

static void check_place(enum template_place place, struct slice text, struct slice out) {
    if (place == TEMPLATE_HEADER) {
        for (size_t i = 0; i < text.size; i++) {
            if (text.bytes[i] == '\n' || text.bytes[i] == '\r' || text.bytes[i] == '\0') return;
        }
        for (size_t i = 0; i < out.size; i++) {
            FUZZ_CHECK(out.bytes[i] != '\n' && out.bytes[i] != '\r' && out.bytes[i] != '\0');
        }
    }
    /* A host that stands in the template is the host that is asked. */
    const struct slice base = SLICE("https://host.example/");
    bool fixed = text.size >= base.size && memcmp(text.bytes, base.bytes, base.size) == 0;
    struct http_url url;
    char why[URL_WHY_BYTES_MAX];
    if (place == TEMPLATE_URL && fixed && http_url_parse(out, true, &url, why)) {
        FUZZ_CHECK(strcmp(url.host, "host.example") == 0);
        FUZZ_CHECK(url.port == 443);
        http_url_deinit(&url);
    }
}

static void
check_template(const struct http_source *source, enum template_place place, struct slice text) {
    struct arena arena = {0};
    struct template template;
    char why[TEMPLATE_WHY_BYTES_MAX];
    if (template_parse(text, place, &arena, &template, why)) {
        HOB_AUTO_BUF struct buf out = buf_make(1 << 20);
        bool put = template_put(&template, &source->values, &out, why);
        if (put) check_place(place, text, buf_slice(&out));
        bool json = place == TEMPLATE_JSON && template_is_json(&template);
        /* Values may nest deeper together than each alone, and keys may be long. */
        if (put && json && out.size < 60) FUZZ_CHECK(json_valid(buf_slice(&out)));
    }
    arena_reset(&arena);
}

static void check_request(const struct http_source *source) {
    const struct http_config config = {.timeout_ns = NS_PER_SECOND};
    struct http_request request;
    char why[REQUEST_WHY_BYTES_MAX];
    if (!http_request_make(&config, source, &request, why)) return;
    for (size_t i = 0; i < request.header_count; i++) {
        const struct http_header *header = &request.headers[i];
        for (size_t j = 0; j < header->value.size; j++) {
            FUZZ_CHECK(header->value.bytes[j] != '\n' && header->value.bytes[j] != '\r');
        }
        FUZZ_CHECK(memchr(header->name.bytes, ':', header->name.size) == NULL);
    }
    FUZZ_CHECK(http_method_is_valid(slice_str(request.method)));
    http_request_deinit(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    char *copy = malloc(size);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, data, size);
    const char *end = memchr(copy, '\n', size);
    size_t head = end == NULL ? size : (size_t)(end - copy);
    struct slice text = head == 0 ? SLICE_NONE : slice_of(copy + 1, head - 1);
    struct slice payload = slice_of(copy + head, size - head);
    struct http_source source = {
        .values =
            {
                .payload = payload,
                .id = SLICE("7"),
                .queue = SLICE("q"),
                .kind = SLICE("k"),
                .attempt = 1,
                .attempt_max = 25,
                .secret = secret_find,
            },
        .job_headers = payload,
        .version = "0",
    };
    check_template(&source, (enum template_place)((unsigned char)copy[0] % 6), text);
    check_request(&source);
    free(copy);
    return 0;
}
