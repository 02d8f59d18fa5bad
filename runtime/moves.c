/*
 * Workers change cores while a loop runs. SPDX-License-Identifier: Apache-2.0
 *
 * A thread that shares its core with another program is off it for whole time slices, some
 * milliseconds, and whoever waits for its chunk wastes a core meanwhile. The system does not mend this
 * by itself: a pinned thread can't be moved, and balancing is too slow for others. So the one who waits
 * hands over its own core and sleeps.
 */
#define _GNU_SOURCE
#include <sched.h>

#include "runtime/futex.h"
#include "runtime/team.h"

enum {
    MOVE_NS = 1000000, /* between two moves of workers that make room */
    WATCH_NS = 20000,  /* a thread that runs nothing for so long has lost its core */
    RUNNING_NS = 2000  /* what it may have run for in that time */
};

void weir_team_make_room(weir_team *team, int cpu) {
    const weir_topology *topology = team->runtime->topology;
    const int core = weir_topology_cpu_of(topology, cpu);
    if (pthread_mutex_trylock(&team->moving) != 0) return;
    int w = 1;
    while (w < team->threads && (team->shares[w].cpu != core || core < 0)) w++;
    bool settled = true;
    if (w < team->threads) {
        /* Callers on different cores that take turns shall not drive workers to and fro. */
        const int64_t now = weir_now_ns();
        struct share *share = &team->shares[w];
        settled = now - team->moved_ns >= MOVE_NS;
        if (settled) {
            team->moved_ns = now;
            settled = weir_topology_bind(topology, share->thread, team->vacant_cpu) == WEIR_OK;
        }
        if (settled) {
            share->cpu = team->vacant_cpu;
            atomic_store(&share->away, false);
            team->vacant_cpu = core;
        }
    }
    if (settled) team->caller_cpu = cpu;
    pthread_mutex_unlock(&team->moving);
}

/*
 * Time that a thread has spent on cores, to the nanosecond also while it runs; -1 unknown. The clock
 * is made from its number as pthread_getcpuclockid() does, for the caller's thread may be gone before
 * a worker has looked: a number may be stale, a pthread_t may not.
 */
static int64_t time_of(const struct share *share) {
    enum { SCHEDULED = 2, ONE_THREAD = 4 };
    const clockid_t clock =
        (clockid_t)(~(unsigned)atomic_load(&share->tid) << 3 | SCHEDULED | ONE_THREAD);
    struct timespec t;
    if (clock_gettime(clock, &t) != 0) return -1;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* True when the thread that holds a chunk is kept off its core. */
static bool is_stalled(weir_team *team, const struct share *share) {
    const int64_t before = time_of(share);
    const uint32_t left = atomic_load(&team->unfinished);
    if (before < 0 || left == 0 || weir_spin_while(&team->unfinished, left, WATCH_NS)) return false;
    return atomic_load(&share->holds) && time_of(share) - before < RUNNING_NS;
}

/* A bound worker stays until it goes home; any other thread keeps its affinity and is only moved. */
static bool move_here(weir_team *team, struct share *share) {
    const weir_topology *topology = team->runtime->topology;
    const int here = sched_getcpu();
    if (here < 0 || pthread_mutex_trylock(&team->moving) != 0) return false;
    bool moved = false;
    if (!atomic_load(&share->away) && atomic_load(&share->holds)) {
        if (share->cpu < 0) {
            moved = weir_topology_pull(topology, atomic_load(&share->tid), here) == WEIR_OK;
        } else if (weir_topology_bind(topology, share->thread, here) == WEIR_OK) {
            atomic_store(&share->away, true);
            moved = true;
        }
    }
    pthread_mutex_unlock(&team->moving);
    return moved;
}

bool weir_team_lend(weir_team *team, int self) {
    if (!team->lends) return false;
    for (int w = 0; w < team->threads; w++) {
        struct share *share = &team->shares[w];
        if (w == self || !atomic_load(&share->holds) || atomic_load(&share->away)) continue;
        /* Here it matters where it runs: it touches memory for the first time. */
        if (atomic_load(&share->unclaimed) & WEIR_OWN) return false;
        if (is_stalled(team, share) && move_here(team, share)) return true;
        if (atomic_load(&team->unfinished) == 0) return false;
    }
    return false;
}

void weir_team_go_home(weir_team *team, int self) {
    struct share *share = &team->shares[self];
    if (!atomic_load(&share->away)) return;
    pthread_mutex_lock(&team->moving);
    if (atomic_load(&share->away)) {
        weir_topology_bind(team->runtime->topology, share->thread, share->cpu);
        atomic_store(&share->away, false);
    }
    pthread_mutex_unlock(&team->moving);
}
