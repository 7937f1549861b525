/* SPDX-License-Identifier: Apache-2.0 */
/* Small values as people and protocols write them: whole numbers, spans of time, sizes, points in
 * time. Parsers take the whole slice or nothing, never skip space, and leave the result untouched
 * when they answer false. What is printed here reads back as the same value. */
#ifndef HOB_BASE_TEXT_H
#define HOB_BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/time.h"

/** Decimal digits without sign, space or leading zero, in min..max. */
bool text_u64(struct slice text, uint64_t min, uint64_t max, uint64_t *ret_value);

/** As text_u64, with an optional '-'. */
bool text_i64(struct slice text, int64_t min, int64_t max, int64_t *ret_value);

/**
 * A span: numbers with units, from large to small, each at most once: "250ms", "30s", "1h30m",
 * "7d". Units are d h m s ms us ns. A plain number counts in @unit (NS_PER_SECOND, …; 0: a plain
 * number other than 0 is refused). False past 64 bits.
 */
bool text_duration(struct slice text, hob_ns unit, hob_ns *ret_span);

/** The same way back, exactly: "1h30m", "0s"; "never" for HOB_NEVER. */
bool text_put_duration(struct buf *out, hob_ns span);

/**
 * A size in bytes: "8MiB", "64KiB", "500MB", "100B", or a plain number. Units: B kB MB GB TB KiB
 * MiB GiB TiB.
 */
bool text_size(struct slice text, uint64_t *ret_bytes);

/** The same way back, exactly, in the largest binary unit that divides it: "8MiB", "1000B". */
bool text_put_size(struct buf *out, uint64_t bytes);

/**
 * A point in time by RFC 3339: "2026-03-01T09:30:00Z", "2026-03-01T10:30:00.25+01:00". Lower-case t
 * and z and a space for T are taken too; a leap second (":60") is the second after it. False before
 * 1970, past the year 2554, and for more than nine digits of fraction.
 */
bool text_time(struct slice text, hob_ns *ret_time);

/**
 * The same way back, in UTC, with 0, 3, 6 or 9 digits of fraction: "2026-03-01T09:30:00.250Z".
 * "never" for HOB_NEVER.
 */
bool text_put_time(struct buf *out, hob_ns time);

#endif
