/* The pool's workers, as pool.c and moves.c see them. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TEAM_H
#define WEIR_TEAM_H

#include <stdatomic.h>
#include <time.h>

#include "runtime/parts.h"

/* Mark on the counts of a loop whose shares are each for their own worker. */
#define WEIR_OWN UINT32_C(0x80000000)

/* A worker and its share of the loop under way. */
struct share {
    _Alignas(2 * WEIR_CACHE_LINE) _Atomic uint32_t unclaimed;
    _Atomic bool holds; /* from the first chunk that it claimed in a loop to its last */
    _Atomic bool away;  /* on a lent core, to go back to cpu when its chunks are done */
    weir_team *team;    /* the rest: what the worker's thread is told at its start */
    int worker;
    int near_first, near_last; /* workers on the same node */
    _Atomic int tid;           /* the system's number of the thread; not of share 0, like thread */
    pthread_t thread;
    int cpu; /* bound to, -1 not bound; under team->moving */
};

struct weir_team {
    _Alignas(2 * WEIR_CACHE_LINE) _Atomic uint32_t epoch; /* counts loops; a futex */
    _Atomic uint32_t sleepers;
    weir_loop loop;
    int64_t chunks;
    _Alignas(2 * WEIR_CACHE_LINE) _Atomic uint32_t unfinished; /* chunks; a futex */
    _Atomic uint32_t caller_sleeps;
    _Alignas(2 * WEIR_CACHE_LINE) const weir_runtime *runtime;
    _Atomic bool stop;
    int threads;
    int64_t spin_ns;
    bool lends;           /* cores are lent: see weir_team_lend */
    _Atomic int homeless; /* a worker that could not go back to its core, not yet reported; or 0 */
    int caller_cpu, vacant_cpu; /* see weir_team_make_room */
    int64_t moved_ns;
    pthread_mutex_t moving; /* held while a worker is moved */
    struct share *shares;   /* [threads] */
};

static inline int64_t weir_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Waits while *word == value: spins for a while, then returns false. */
bool weir_spin_while(const _Atomic uint32_t *word, uint32_t value, int64_t spin_ns);

/* ---- moves.c ---- */

/*
 * The caller runs where the system puts it: its affinity is its own. A worker bound to the same core
 * would share it while another core is idle, so that worker is moved to the core that is free.
 * Called by the caller, which is on `cpu` now.
 */
void weir_team_make_room(weir_team *team, int cpu);
/* Whether the system tells how long the thread with this number, the calling one, has run. */
bool weir_team_can_watch(int tid);
/*
 * For a worker that has nothing to do while loop `epoch` is not over: when another holds chunks and has
 * lost its core to another program, it gets this thread's core, which the caller of this function then
 * leaves by sleeping. anywhere: also a worker of another NUMA node. Returns the worker that was moved
 * here, or -1. (A worker that waits for something itself can't be told from one without a core; to move
 * it does no harm.)
 */
int weir_team_lend(weir_team *team, int self, uint32_t epoch, bool anywhere);
/* For a worker that holds no chunk: back to its own core if it is on a lent one. */
void weir_team_go_home(weir_team *team, int self);

#endif
