/* A fast checksum, to notice that a file has changed by accident. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_CHECKSUM_H
#define WEIR_TRAIN_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Of the bytes, on top of `start` (0, or the checksum of what came before). The value depends on the
 * machine's byte order. */
uint64_t weir_checksum_add(uint64_t start, const void *data, size_t bytes);

#endif
