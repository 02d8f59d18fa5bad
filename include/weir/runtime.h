/* The runtime: topology, workers, arenas. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_RUNTIME_H
#define WEIR_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Instruction sets of the kernels, from the slowest. WEIR_ISA_SCALAR is the double-precision
 * oracle. */
typedef enum weir_isa {
    WEIR_ISA_AUTO = -1, /* environment variable WEIR_ISA if set, else the best available */
    WEIR_ISA_SCALAR = 0,
    WEIR_ISA_GENERIC,
    WEIR_ISA_AVX2,
    WEIR_ISA_AVX512,
    WEIR_ISA_COUNT
} weir_isa;

/* Who runs the parallel calls. */
typedef enum weir_threading {
    WEIR_THREADING_AUTO = -1, /* environment variable WEIR_THREADING if set, else the pool */
    WEIR_THREADING_POOL = 0,  /* Weir's own pinned workers */
    WEIR_THREADING_OPENMP     /* the OpenMP runtime this build was linked with */
} weir_threading;

/* Where workers are pinned. */
typedef enum weir_bind {
    WEIR_BIND_AUTO = -1,   /* environment variable WEIR_BIND if set, else compact; under a cgroup's
                              CPU quota none, for the cores are shared with other groups */
    WEIR_BIND_COMPACT = 0, /* fill a NUMA node's cores before the next node's */
    WEIR_BIND_SPREAD,      /* round-robin over NUMA nodes */
    WEIR_BIND_NONE         /* leave the threads to the operating system */
} weir_bind;

/* Told about what went wrong without ending the call (a worker that could not be pinned, ...). */
typedef void weir_warning_fn(void *user, const char *message);

/* All zero bits are NOT the defaults: start from weir_runtime_options_default(). */
typedef struct weir_runtime_options {
    int threads;              /* 0: environment variable WEIR_THREADS, else one per allowed core */
    weir_isa isa;             /* default WEIR_ISA_AUTO */
    weir_threading threading; /* default WEIR_THREADING_AUTO */
    weir_bind bind;           /* default WEIR_BIND_AUTO */
    weir_warning_fn *warning; /* may be NULL */
    void *warning_user;
} weir_runtime_options;

/* Functions that return a weir_status refuse a NULL runtime (ARGUMENT). The others need one, except
 * where they say so. */
typedef struct weir_runtime weir_runtime;

WEIR_API weir_runtime_options weir_runtime_options_default(void);

/*
 * Creates a runtime. options may be NULL (defaults). The calling thread is worker 0 of every
 * parallel call, so threads - 1 threads are started.
 * Errors: ARGUMENT (bad value, also of an environment variable: WEIR_ISA, WEIR_THREADS, WEIR_BIND,
 * WEIR_THREADING, HWLOC_SYNTHETIC, HWLOC_XMLFILE), UNSUPPORTED (instruction set or OpenMP not
 * available), SYSTEM (the machine's topology can't be read), MEMORY.
 * A thread that can't be started or pinned is a warning; the runtime then has fewer workers.
 */
WEIR_API weir_status weir_runtime_create(const weir_runtime_options *options,
                                         weir_runtime **runtime);
/* Ends the workers and frees the arenas. NULL is allowed. No call may be in flight. */
WEIR_API void weir_runtime_destroy(weir_runtime *runtime);

WEIR_API int weir_runtime_threads(const weir_runtime *runtime);
WEIR_API weir_isa weir_runtime_isa(const weir_runtime *runtime);

/* Part [begin, end) of a parallel loop, run by worker `worker` (0 .. threads - 1). */
typedef void weir_range_fn(void *arg, int64_t begin, int64_t end, int worker);

/*
 * for (i = 0; i < count; i++) body(i), in parallel: fn is called on disjoint ranges that cover
 * [0, count); a range is at least `grain` long (except the last) and its begin is a multiple of
 * grain. Returns when all is done. Which worker gets which range is not determined, so fn must give
 * the same result for any split. While fn runs, its thread rounds to nearest, traps no exception and
 * takes denormals, read or made, for zero; afterwards the calling thread has its own floating-point
 * mode and exception flags again. A call from inside fn runs inline. Several threads may call at
 * the same time (they take turns); so fn may call another runtime, but not in a circle.
 * Errors: ARGUMENT (count < 0, grain < 1, fn NULL), STATE (runtime used in a forked child).
 */
WEIR_API weir_status weir_parallel_for(weir_runtime *runtime, int64_t count, int64_t grain,
                                       weir_range_fn *fn, void *arg);

/*
 * Memory for tensors, 64-byte aligned, owned by the runtime until weir_tensor_free or destroy.
 * Zeroed. Pages are first touched by the workers that get the matching part of a static split, so a
 * batch-major tensor lies on the nodes that will use it. On a machine with several nodes that have
 * workers, a tensor of 64 KiB or more is cut into one run of pages for each, which is bound to it
 * (to the nearest with memory, where it has none); from 16 MiB for each node on, the cuts are at
 * 2 MiB, elsewhere at 64 KiB. Memory that can't be bound, and huge pages that can't be had, are a
 * warning, once.
 * Errors: ARGUMENT (floats < 0), MEMORY (also when all memory of the runtime would be more than the
 * machine has or the cgroup allows: the system would end the process), STATE (runtime used in a
 * forked child).
 */
WEIR_API weir_status weir_tensor_alloc(weir_runtime *runtime, int64_t floats, float **tensor);
/* The runtime must be the one that gave the tensor. A NULL tensor is allowed. */
WEIR_API void weir_tensor_free(weir_runtime *runtime, float *tensor);

/* ---- what the machine is: `weir info` ---- */

typedef struct weir_worker_info {
    int worker;
    int node;   /* logical index of the NUMA node, -1 unknown */
    int core;   /* logical index of the core, -1 unknown */
    int os_cpu; /* operating-system index of the processing unit it is bound to, -1 not bound */
} weir_worker_info;

/* A NUMA node and what the plan puts there. Workers of a node are neighbours, and so are the samples
 * of a batch and the pages of a tensor that they own. */
typedef struct weir_node_info {
    int node;                  /* logical index */
    int os_node;               /* the operating system's index */
    int64_t memory_bytes;      /* 0: it has none */
    int cores_allowed;         /* 0: none, or none that this process may use */
    int first_worker, workers; /* placed here; 0 workers also where they are not bound */
    int arena;    /* node that holds what its workers own: this one, or the nearest that has memory;
                  -1 without workers, or when there is no such node */
    bool replica; /* its workers read their own copy of weights, which lies on `arena`; false where
                     there is one copy for all, as on a machine with one node */
} weir_node_info;

typedef struct weir_machine_info {
    char cpu_model[64];
    bool isa_available[WEIR_ISA_COUNT]; /* built in, and the CPU and operating system can run it */
    const char *isa_why_not[WEIR_ISA_COUNT]; /* reason when not available, else NULL; static */
    int packages, numa_nodes, cores, pus;
    int cores_allowed, pus_allowed;        /* by affinity and cgroup */
    double cpu_quota;                      /* CPUs granted by the cgroup's quota, 0: no limit */
    int64_t memory_limit_bytes;            /* granted by the cgroup, 0: no limit */
    int64_t l1d_bytes, l2_bytes, l3_bytes; /* of one instance, 0 unknown */
    int64_t memory_bytes; /* of all NUMA nodes, or what the operating system has if that is more */
    char hwloc_version[16];
    bool synthetic; /* topology comes from HWLOC_SYNTHETIC or HWLOC_XMLFILE: nothing is bound */
} weir_machine_info;

/* Describes this machine (or the one in HWLOC_SYNTHETIC / HWLOC_XMLFILE). Errors: ARGUMENT (info
 * NULL, or one of these variables can't be read), SYSTEM, MEMORY. */
WEIR_API weir_status weir_machine_describe(weir_machine_info *info);
/*
 * Where worker `worker` of the runtime was placed. Worker 0 is the calling thread, whose affinity is
 * left alone: its place is the core that is kept free for it. Where the operating system runs the
 * caller on another worker's core, that worker moves to the core kept free. A worker that another
 * program keeps off its core is lent that of a worker who waits, for the rest of a call.
 * Errors: ARGUMENT.
 */
WEIR_API weir_status weir_runtime_worker(const weir_runtime *runtime, int worker,
                                         weir_worker_info *info);

/* NUMA nodes of the machine that the runtime was planned for. */
WEIR_API int weir_runtime_nodes(const weir_runtime *runtime);
/* Node i, 0 <= i < weir_runtime_nodes(). Errors: ARGUMENT. */
WEIR_API weir_status weir_runtime_node(const weir_runtime *runtime, int i, weir_node_info *info);
/*
 * The items [begin, end) of `count` that the workers of node i own before any of them takes from
 * another: samples of a batch, or pages of a tensor. Empty for a node without workers.
 * Errors: ARGUMENT (also count < 0).
 */
WEIR_API weir_status weir_runtime_node_share(const weir_runtime *runtime, int i, int64_t count,
                                             int64_t *begin, int64_t *end);

WEIR_API weir_threading weir_runtime_threading(const weir_runtime *runtime);
WEIR_API weir_bind weir_runtime_bind(const weir_runtime *runtime);
WEIR_API const char *weir_isa_name(weir_isa isa); /* "scalar", "generic", "avx2", "avx512" */
WEIR_API const char *weir_threading_name(weir_threading threading); /* "pool", "openmp" */
WEIR_API const char *weir_bind_name(weir_bind bind); /* "compact", "spread", "none" */
WEIR_API const char *weir_version(void);

#ifdef __cplusplus
}
#endif
#endif
