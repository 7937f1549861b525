/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that is in force, and the reference, as text. */
#ifndef HOB_CONFIG_SHOW_H
#define HOB_CONFIG_SHOW_H

#include "base/buf.h"
#include "config/config.h"

/**
 * The effective values as YAML that reads back as the same configuration, from the same folder.
 *
 * @origin  say behind each value where it comes from
 *
 * Secrets are left out: `(redacted)` stands there, also for values below `env` and `headers` of a
 * kind whose names sound like secrets. References to secrets are shown as they are.
 */
void config_show(const struct config *config, bool origin, struct buf *out);

/** The reference of the file in Markdown: tables of all settings, queues, executors. */
void config_reference(struct config_readers readers, struct buf *out);

/** The JSON Schema of the file, for editors. */
void config_schema(struct config_readers readers, struct buf *out);

#endif
