/* A file out of an archive. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_UNPACK_H
#define WEIR_TRAIN_UNPACK_H

#include <stdint.h>

#include "weir/status.h"

/*
 * Writes the archive's file called `name` (in whatever folder) to path. Errors: FORMAT (not an
 * archive, damaged, no such file in it, larger than most_bytes), SYSTEM, MEMORY. path may then hold
 * a part of it.
 */
weir_status unpack_file(const char *archive, const char *name, int64_t most_bytes,
                        const char *path);

#endif
