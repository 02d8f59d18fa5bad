/* What weir-keras may use. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_KERAS_LIMITS_H
#define WEIR_KERAS_LIMITS_H

#include <stdint.h>

/*
 * For reading a file of so many bytes, of which up to `limit` bytes are unpacked: from here on this
 * process can't open, create or start anything, and memory and processor time are bounded.
 */
void limits_set(int64_t file_bytes, int64_t limit);

#endif
