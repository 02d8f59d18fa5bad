/* How much memory this process holds. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_MEMORY_H
#define WEIR_CLI_MEMORY_H

#include <stdint.h>

/* Bytes that are resident now, or 0 where the system doesn't say. */
int64_t memory_now(void);
/* The most that were resident since memory_reset_peak(), or 0 where the system doesn't say. */
int64_t memory_peak(void);
void memory_reset_peak(void);

#endif
