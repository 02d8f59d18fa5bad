/* Downloads by HTTP that can be resumed. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_DOWNLOAD_H
#define WEIR_TRAIN_DOWNLOAD_H

#include <stdint.h>

#include "weir/status.h"

/* Told how far a download is: bytes there, of how many (0: not known), and how many of them were
 * there before this attempt. */
typedef void download_progress_fn(void *user, int64_t done, int64_t total, int64_t before);

/*
 * Downloads url to path. What has arrived lies in path.part, from where an attempt goes on, this or
 * a later one, if the server can do that. path appears when all bytes are there. A connection that
 * breaks is tried again as long as bytes keep coming.
 * Errors: SYSTEM (no network, the server's answer, disk; says what to do), MEMORY.
 */
weir_status download_file(const char *url, const char *path, download_progress_fn *progress,
                          void *user);

#endif
