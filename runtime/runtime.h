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

/*
 * Copies of what a parallel call only reads (weights), one on each node whose weir_node_info says
 * `replica`. Less than a page is not copied, and where there is no memory for a copy the source serves.
 */
enum { WEIR_REPLICAS_MAX = 64 }; /* NUMA nodes; on a machine with more nothing is copied */

typedef struct weir_replicas {
    const float *source; /* [floats] */
    int64_t floats;
    int nodes; /* 0: no copies */
    weir_runtime *runtime;
    float *copy[WEIR_REPLICAS_MAX];          /* of each node, NULL none */
    _Atomic int progress[WEIR_REPLICAS_MAX]; /* of the copying */
} weir_replicas;

/* Before the call; source must be complete. */
void weir_replicas_get(weir_runtime *runtime, const float *source, int64_t floats,
                       weir_replicas *replicas);
/* In the call, by a worker: the copy on its node, which the first to ask fills, and the source for
 * those who ask meanwhile. */
const float *weir_replica(weir_replicas *replicas, int worker);
/* After the call. */
void weir_replicas_put(weir_replicas *replicas);
/* NUMA nodes among which the workers are, at least 1. */
int weir_runtime_homes(const weir_runtime *runtime);

/* While muted, what fails on this thread leaves weir_last_error() as it is: for steps that a call can do
 * without. */
void weir_errors_mute(bool mute);

/* Makes this thread round to nearest, trap nothing and take denormals, read or made, for zero,
 * whatever it was set to before; returns what to restore. */
unsigned weir_denormals_flush(void);
void weir_denormals_restore(unsigned saved);

/* True when the CPU has it and the operating system saves its registers (cpuid and xgetbv). */
bool weir_cpu_has(weir_isa isa, const char **why_not);

#endif
