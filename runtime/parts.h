/* What the files of runtime/ share among themselves. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_RUNTIME_PARTS_H
#define WEIR_RUNTIME_PARTS_H

#include <pthread.h>

#include "runtime/runtime.h"

enum { WEIR_CACHE_LINE = 64 };

/* ---- cpu.c ---- */

void weir_cpu_model(char *model, size_t bytes);

/* What cpuid and xgetbv say of an x86-64. */
typedef struct weir_x86 {
    bool avx2, fma, avx512f;
    bool osxsave;   /* the operating system saves what `saved` says */
    unsigned saved; /* XCR0 */
} weir_x86;

/* NULL when such a machine can run AVX2 or AVX-512 kernels, else the reason. */
const char *weir_x86_why_not(const weir_x86 *x86, weir_isa isa);

/* ---- quota.c ---- */

/* CPUs that the cgroup of this process may use at a time (version 1 or 2), 0: no limit. root is ""
 * except in tests: the directory that stands for /. */
double weir_cgroup_quota(const char *root);
/* Bytes of memory that the cgroup of this process may use, 0: no limit. */
int64_t weir_cgroup_memory(const char *root);

/* ---- topology.c: the only user of hwloc ---- */

typedef struct weir_topology weir_topology;

/* The cores that this thread may run on. Errors: SYSTEM, MEMORY. */
weir_status weir_topology_load(weir_topology **topology);
void weir_topology_free(weir_topology *topology);
/* Fills all of info but the CPU's model and instruction sets. */
void weir_topology_describe(const weir_topology *topology, weir_machine_info *info);
/* CPUs this process is granted: its allowed cores, or the cgroup's quota (rounded) if less. */
int weir_topology_granted(const weir_topology *topology);
/* Places of workers, one for each allowed core, in the machine's order. */
const weir_worker_info *weir_topology_cores(const weir_topology *topology, int *count);
/* Processing units that this thread may run on; a synthetic topology counts its own. */
int weir_topology_pus_allowed(const weir_topology *topology);
/* For each allowed processing unit the next one of its core, in a circle. */
const int *weir_topology_siblings(const weir_topology *topology);
/* The processing unit that stands for the core of os_cpu (they differ between SMT siblings);
 * -1: none that is allowed. */
int weir_topology_cpu_of(const weir_topology *topology, int os_cpu);
/* True when threads can't be bound: the topology is not this machine's. */
bool weir_topology_synthetic(const weir_topology *topology);
/* Binds a thread to a processing unit, or with -1 to all that are allowed. Errors: MEMORY, SYSTEM. */
weir_status weir_topology_bind(const weir_topology *topology, pthread_t thread, int os_cpu);
/* The machine's NUMA nodes, without what depends on a runtime. */
const weir_node_info *weir_topology_nodes(const weir_topology *topology, int *count);
/* The node itself if this process may have its memory, else the nearest such node; -1: none. */
int weir_topology_memory_of(const weir_topology *topology, int node);
/* Pages of this range, whose ends are on pages, will come from the node when they are first touched,
 * or from another one when it has no more. Errors: SYSTEM. */
weir_status weir_topology_bind_memory(const weir_topology *topology, void *memory, int64_t bytes,
                                      int node);

/* ---- placement.c ---- */

/*
 * Where each of `threads` workers goes, given one place for each core. Workers of a node are
 * neighbours, so that a static split of a range gives a node one piece. More workers than cores wrap
 * round, to siblings[os_cpu] of the same cores.
 */
weir_status weir_placement_plan(const weir_worker_info *cores, int core_count, const int *siblings,
                                weir_bind bind, int threads, weir_worker_info *workers);

/* ---- options.c ---- */

/* NULL when the instruction set can be used, else the reason. */
const char *weir_isa_why_not(weir_isa isa);
/* Checks the options and replaces AUTO and 0: by the environment's value if set, else by the default.
 * threads and bind, whose defaults depend on the machine, may stay 0 and AUTO. */
weir_status weir_options_resolve(weir_runtime_options *options);
/* Sends a message to the options' warning function, if any. */
__attribute__((format(printf, 2, 3))) void weir_warn(const weir_runtime_options *options,
                                                     const char *format, ...);

/* ---- loop.c: what pool.c and pool_openmp.c share ---- */

typedef struct weir_loop {
    const weir_runtime *runtime;
    int64_t count, grain; /* both at least 1 */
    weir_range_fn *fn;
    void *arg;
    bool own; /* each worker runs its own share only, however long the others take */
} weir_loop;

enum { WEIR_CHUNKS_PER_WORKER = 4 }; /* room for balance, at the price of a call each */

/* Part `part` of `parts` of `count` begins here; the parts differ in length by at most 1. */
static inline int64_t weir_split(int64_t count, int64_t parts, int64_t part) {
    const int64_t rest = count % parts;
    return count / parts * part + (part < rest ? part : rest);
}

/* The first of `chunks` neighbouring chunks that `worker` owns. When there are fewer than workers, they
 * are spread over all, so that each node gets its part. */
static inline int64_t weir_first_chunk(int64_t chunks, int threads, int worker) {
    return (chunks * worker + threads - 1) / threads;
}

/* Where the share of `worker` begins when the pool cuts up a loop over `count` items. */
static inline int64_t weir_share(int64_t count, int threads, int worker) {
    const int64_t most = (int64_t)threads * WEIR_CHUNKS_PER_WORKER;
    const int64_t chunks = count < most ? count : most;
    return chunks ? weir_split(count, chunks, weir_first_chunk(chunks, threads, worker)) : 0;
}

/* Pieces of `grain` items that the loop can be cut into. */
static inline int64_t weir_loop_units(const weir_loop *loop) {
    return (loop->count - 1) / loop->grain + 1;
}

/* Calls the body on part `part` of `parts`; does nothing when that part is empty. */
void weir_loop_part(const weir_loop *loop, int64_t parts, int64_t part, int worker);

/* What a thread was before it ran a loop's body. */
typedef struct weir_outside {
    const weir_runtime *runtime;
    int worker;
    unsigned denormals;
} weir_outside;

/* From here to weir_leave this thread is `worker` of runtime and flushes denormals. */
weir_outside weir_enter(const weir_runtime *runtime, int worker);
void weir_leave(weir_outside outside);
/* The worker of runtime that this thread is at the moment, -1 none. */
int weir_inside(const weir_runtime *runtime);

/* ---- pool.c and pool_openmp.c ---- */

typedef struct weir_team weir_team;

/* Starts runtime->threads - 1 threads, and lowers runtime->threads when some can't be started.
 * Errors: MEMORY. */
weir_status weir_team_create(weir_runtime *runtime);
void weir_team_destroy(weir_team *team); /* NULL is allowed */
/* The same in the child of a fork, where the threads don't exist. */
void weir_team_abandon(weir_team *team);
void weir_team_run(weir_team *team, const weir_loop *loop);

bool weir_openmp_available(void);
void weir_openmp_run(int threads, const weir_loop *loop);

/* ---- fork.c ---- */

/* How many forks lie between the first process and this one. */
unsigned weir_fork_count(void);
/* Guards the arenas of all runtimes. One lock, so that fork() can take it: a child never finds it
 * locked by a thread that it doesn't have. */
void weir_memory_lock(void);
void weir_memory_unlock(void);

/* ---- runtime.c ---- */

/* weir_parallel_for, but each worker runs its own share. */
weir_status weir_parallel_own(weir_runtime *runtime, int64_t count, int64_t grain,
                              weir_range_fn *fn, void *arg);

/* ---- arena.c ---- */

typedef struct weir_arena {
    struct weir_block *tensors; /* in use */
    struct weir_block *scratch; /* in use and free */
    int64_t bytes;              /* of all blocks */
    int64_t most;               /* bytes that this process can have */
    bool warned_huge, warned_node;
} weir_arena;

/* weir_scratch_get from the memory of a node, -1 any. */
void *weir_scratch_on(weir_runtime *runtime, int64_t bytes, int node);

/* Finds out how much memory there is. */
void weir_arena_create(weir_arena *arena);

void weir_arena_destroy(weir_arena *arena);

struct weir_runtime {
    weir_runtime_options options; /* resolved: no AUTO, no 0 */
    int threads;
    weir_worker_info *workers; /* [threads] */
    weir_node_info *nodes;     /* [node_count] */
    int node_count;
    int homes;  /* nodes that have workers; 0 when none is known */
    bool binds; /* memory can be bound to several homes */
    weir_topology *topology;
    weir_team *team; /* NULL with OpenMP */
    pthread_mutex_t turn;
    unsigned born; /* weir_fork_count() at creation */
    weir_arena arena;
};

#endif
