/*
 * Workers change cores while a loop runs. SPDX-License-Identifier: Apache-2.0
 *
 * A worker that shares its core with another program is off it for whole time slices, some
 * milliseconds, and whoever waits for its chunk wastes a core meanwhile. The system does not mend this,
 * for the worker is bound. So the one who waits hands over its own core and sleeps. A thread that is not
 * bound, such as the caller, is the system's to move.
 */
#define _GNU_SOURCE
#include <sched.h>

#include "runtime/futex.h"
#include "runtime/team.h"

enum {
    MOVE_NS = 1000000, /* between two moves of workers that make room */
    WATCH_NS = 20000,  /* a thread that runs nothing for so long has lost its core */
    RUNNING_NS = 2000, /* what it may have run for in that time */
    WATCHED_MOST = 8   /* workers in one look */
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
 * Time that a thread has spent on cores, to the nanosecond also while it runs; -1 unknown. The clock is
 * made from the thread's number as pthread_getcpuclockid() does: the thread may have ended with its
 * runtime, and a number may be stale, a pthread_t may not.
 */
static int64_t time_of(int tid) {
    enum { SCHEDULED = 2, ONE_THREAD = 4 };
    const clockid_t clock = (clockid_t)(~(unsigned)tid << 3 | SCHEDULED | ONE_THREAD);
    struct timespec t;
    if (clock_gettime(clock, &t) != 0) return -1;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool weir_team_can_watch(int tid) {
    for (int round = 0; round < 3; round++) { /* this thread may lose its core too */
        const int64_t before = time_of(tid), start = weir_now_ns();
        while (weir_now_ns() - start < WATCH_NS) weir_pause();
        if (before >= 0 && time_of(tid) - before > RUNNING_NS) return true;
    }
    return false;
}

/* Binds a worker that holds a chunk to this thread's core. */
static bool move_here(weir_team *team, struct share *share) {
    const weir_topology *topology = team->runtime->topology;
    const int here = sched_getcpu();
    if (weir_topology_cpu_of(topology, here) < 0 || pthread_mutex_trylock(&team->moving) != 0)
        return false;
    bool moved = false;
    if (!team->stop && share->cpu >= 0 && !atomic_load(&share->away) &&
        atomic_load(&share->holds)) {
        atomic_store(&share->away, true); /* before it can run here, be done and look */
        moved = weir_topology_bind(topology, share->thread, here) == WEIR_OK;
        /* One that was done before it saw that it is away would not go home by itself. */
        if (moved && !atomic_load(&share->holds))
            moved = weir_topology_bind(topology, share->thread, share->cpu) != WEIR_OK;
        if (!moved) atomic_store(&share->away, false);
    }
    pthread_mutex_unlock(&team->moving);
    return moved;
}

/* Whether a worker may be moved to where worker `self` is: first those of the same node. */
static bool is_candidate(const weir_team *team, int w, int self, bool anywhere) {
    const struct share *share = &team->shares[w], *own = &team->shares[self];
    if (w == self || !atomic_load(&share->holds) || atomic_load(&share->away)) return false;
    return anywhere || (w >= own->near_first && w < own->near_last);
}

int weir_team_lend(weir_team *team, int self, uint32_t epoch, bool anywhere) {
    int watched[WATCHED_MOST], n = 0;
    int64_t before[WATCHED_MOST];
    for (int w = 1; w < team->threads && n < WATCHED_MOST; w++) {
        if (!is_candidate(team, w, self, anywhere)) continue;
        /* Here it matters where it runs: it touches memory for the first time. */
        if (atomic_load(&team->shares[w].unclaimed) & WEIR_OWN) return -1;
        before[n] = time_of(atomic_load(&team->shares[w].tid));
        watched[n++] = w;
    }
    const uint32_t left = atomic_load(&team->unfinished);
    if (n == 0 || left == 0 || weir_spin_while(&team->unfinished, left, WATCH_NS)) return -1;
    for (int i = 0; i < n; i++) {
        struct share *share = &team->shares[watched[i]];
        const int64_t ran = time_of(atomic_load(&share->tid)) - before[i];
        if (atomic_load(&team->epoch) != epoch) return -1;
        if (before[i] < 0 || ran < 0 || ran >= RUNNING_NS) continue;
        weir_errors_mute(true);
        const bool moved = move_here(team, share);
        weir_errors_mute(false);
        if (moved) return watched[i];
    }
    return -1;
}

void weir_team_go_home(weir_team *team, int self) {
    struct share *share = &team->shares[self];
    if (!atomic_load(&share->away)) return;
    const weir_topology *topology = team->runtime->topology;
    pthread_mutex_lock(&team->moving);
    if (atomic_load(&share->away) &&
        weir_topology_bind(topology, share->thread, share->cpu) != WEIR_OK) {
        /* No longer allowed there: the system shall find a place, and the next caller is told. */
        weir_topology_bind(topology, share->thread, -1);
        share->cpu = -1;
        atomic_store(&team->homeless, self);
    }
    atomic_store(&share->away, false);
    pthread_mutex_unlock(&team->moving);
}
