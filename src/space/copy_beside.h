/* SPDX-License-Identifier: Apache-2.0 */
/* What lies beside a journal in its directory: the secret of webhooks, statistics. Copied as it
 * is. */
#ifndef HOB_SPACE_COPY_BESIDE_H
#define HOB_SPACE_COPY_BESIDE_H

#include "base/status.h"

/** Write a plain file of @text into the directory @to, and sync both. */
HOB_CHECK enum hob_status
copy_mark(const char *to, const char *name, const char *text, struct hob_error *err);

/**
 * Copy the plain files of @from that are not the journal's own, each below 64 MiB, into @to, and
 * sync them. The mark of a backup is not copied. Directories, sockets and hidden files are left.
 */
HOB_CHECK enum hob_status copy_beside(const char *from, const char *to, struct hob_error *err);

#endif
