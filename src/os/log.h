/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a program: one line an event on stderr, for people on a terminal, as logfmt
 * (time= level= msg= key=value …) everywhere else. Only programs log; libraries answer and fail. */
#ifndef HOB_OS_LOG_H
#define HOB_OS_LOG_H

/**
 * Write one line.
 *
 * @event   what happened, a few words
 * @fields  a format for "key=value key=value", the caller quotes values with spaces; "" for none
 */
void log_info(const char *event, const char *fields, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *event, const char *fields, ...) __attribute__((format(printf, 2, 3)));
void log_error(const char *event, const char *fields, ...) __attribute__((format(printf, 2, 3)));

#endif
