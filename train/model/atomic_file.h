/* Files that are replaced in one step. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_ATOMIC_FILE_H
#define WEIR_TRAIN_ATOMIC_FILE_H

#include <stddef.h>

#include "weir/status.h"

typedef struct chunk {
    const void *data;
    size_t bytes;
} chunk;

/*
 * Writes the chunks one after the other into a file that appears under `path` complete and on disk,
 * or not at all: what was there stays. Errors: SYSTEM (names the path and the reason), MEMORY.
 */
weir_status weir_atomic_file_write(const char *path, const chunk *chunks, int count);

/* Whether a file can appear under `path`: its folder can be written to, and what is there already is
 * a plain file. A device, a link or a folder is never replaced. Errors: SYSTEM. */
weir_status weir_atomic_file_check(const char *path);

#endif
