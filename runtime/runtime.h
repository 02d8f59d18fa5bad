/* What kernels/ and validate/ may use of the runtime beside the public header. Internal.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_RUNTIME_INTERNAL_H
#define WEIR_RUNTIME_INTERNAL_H

#include "weir/runtime.h"

/* Scratch of one op call, 64-byte aligned, not zeroed, kept by the runtime for the next call (so a
 * training loop allocates nothing after its first step). Safe from several threads. NULL: no
 * memory. */
void *weir_scratch_get(weir_runtime *runtime, int64_t bytes);
void weir_scratch_put(weir_runtime *runtime, void *scratch); /* NULL is allowed */

/* Makes this thread round to nearest, trap nothing and take denormals, read or made, for zero,
 * whatever it was set to before; returns what to restore. */
unsigned weir_denormals_flush(void);
void weir_denormals_restore(unsigned saved);

/* True when the CPU has it and the operating system saves its registers (cpuid and xgetbv). */
bool weir_cpu_has(weir_isa isa, const char **why_not);

#endif
