/* SPDX-License-Identifier: Apache-2.0 */
/* Times, spans and sizes as people say them. Programs get the exact ones. */
#include "base/text.h"
#include "cli/print.h"

static const struct {
    hob_ns size;
    const char *name;
    const char *names;
} units[] = {
    {NS_PER_DAY, "day", "days"},
    {NS_PER_HOUR, "h", "h"},
    {NS_PER_MINUTE, "min", "min"},
    {NS_PER_SECOND, "s", "s"},
    {NS_PER_MS, "ms", "ms"},
};

static void put_unit(struct buf *out, hob_ns span, size_t unit) {
    uint64_t count = span / units[unit].size;
    (void)buf_printf(
        out, "%llu %s", (unsigned long long)count, count == 1 ? units[unit].name : units[unit].names
    );
}

/* The largest unit that is in @span. */
static size_t largest_unit(hob_ns span) {
    size_t unit = 0;
    while (unit + 1 < hob_countof(units) && span < units[unit].size) unit++;
    return unit;
}

void cli_put_span(struct buf *out, hob_ns span) {
    size_t unit = largest_unit(span);
    put_unit(out, span, unit);
    hob_ns rest = span % units[unit].size;
    if (unit < 2 && rest >= units[unit + 1].size) {
        (void)buf_put_char(out, ' ');
        put_unit(out, rest, unit + 1);
    }
}

/* The date of a time, without the time of day. */
static void put_date(struct buf *out, hob_ns at) {
    size_t start = out->size;
    (void)text_put_time(out, at);
    if (out->size > start + 10) out->size = start + 10;
}

void cli_put_when(struct buf *out, hob_ns at, hob_ns now) {
    bool past = at <= now;
    hob_ns span = past ? now - at : at - now;
    if (at == HOB_NEVER) {
        (void)buf_put_str(out, "never");
    } else if (span > 30 * NS_PER_DAY) {
        put_date(out, at);
    } else if (span < NS_PER_SECOND) {
        (void)buf_put_str(out, "now");
    } else {
        if (!past) (void)buf_put_str(out, "in ");
        put_unit(out, span, largest_unit(span));
        if (past) (void)buf_put_str(out, " ago");
    }
}

void cli_put_count(struct buf *out, uint64_t count) {
    char digits[32];
    size_t size = 0;
    do {
        if (size % 4 == 3) digits[size++] = ',';
        digits[size++] = (char)('0' + count % 10);
        count /= 10;
    } while (count > 0);
    while (size > 0) (void)buf_put_char(out, digits[--size]);
}

void cli_put_bytes(struct buf *out, uint64_t bytes) {
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double size = (double)bytes;
    size_t unit = 0;
    while (size >= 1024 && unit + 1 < hob_countof(names)) {
        size /= 1024;
        unit++;
    }
    (void)buf_printf(out, size < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", size, names[unit]);
}
