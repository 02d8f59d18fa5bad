/*
 * Weir's own workers. SPDX-License-Identifier: Apache-2.0
 *
 * A loop is cut into chunks, and each worker owns a run of neighbouring ones: its share. `unclaimed`
 * of a share counts down; whoever takes it from k to k - 1 runs the k-th chunk from the share's end.
 * A worker empties its own share first, then the others', nearest first. The loop is over when every
 * chunk has been run, whether or not every worker has woken up.
 *
 * A late worker can't touch a loop that is over: it reads `loop` only after it has claimed a chunk,
 * and a loop with a claimed chunk that is not yet counted as finished can't end. All counts are zero
 * between loops, so nothing is claimed then. In a loop whose shares are each for their own worker, the
 * mark WEIR_OWN is on the counts, where a late worker can't overlook it.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/futex.h"
#include "runtime/parts.h"
#include "runtime/team.h"

enum {
    SPIN_NS = 50000,        /* longer than the gaps between the calls of a training step */
    SPIN_CROWDED_NS = 2000, /* when there are more workers than CPUs */
    PAUSES_BETWEEN_CLOCKS = 32,
    NAP_NS = 100000,         /* until who waits for a loop looks again who holds it up; */
    LONGEST_NAP_NS = 3200000 /* each time twice as long */
};

bool weir_spin_while(const _Atomic uint32_t *word, uint32_t value, int64_t spin_ns) {
    const int64_t start = weir_now_ns();
    do {
        for (int i = 0; i < PAUSES_BETWEEN_CLOCKS; i++) {
            if (atomic_load_explicit(word, memory_order_acquire) != value) return true;
            weir_pause();
        }
    } while (weir_now_ns() - start < spin_ns);
    return false;
}

/* Chunks of this share that are left, including the one now claimed; 0: none. */
static uint32_t claim(struct share *share, int worker) {
    uint32_t left = atomic_load_explicit(&share->unclaimed, memory_order_relaxed);
    do {
        if ((left & ~WEIR_OWN) == 0 || ((left & WEIR_OWN) && share->worker != worker)) return 0;
    } while (!atomic_compare_exchange_weak_explicit(&share->unclaimed, &left, left - 1,
                                                    memory_order_acquire, memory_order_relaxed));
    return left & ~WEIR_OWN;
}

static uint32_t run_share(weir_team *team, int owner, int worker) {
    uint32_t ran = 0, left;
    while ((left = claim(&team->shares[owner], worker)) > 0) {
        atomic_store(&team->shares[worker].holds, true);
        /* The chunk before, maybe of another loop, may have changed it. The caller's are of one. */
        if (worker > 0) weir_denormals_flush();
        const int64_t end = weir_first_chunk(team->chunks, team->threads, owner + 1);
        weir_loop_part(&team->loop, team->chunks, end - left, worker);
        ran++;
    }
    return ran;
}

/* Runs chunks until none is left to claim. */
static void work(weir_team *team, int worker) {
    struct share *own = &team->shares[worker];
    uint32_t ran = 0;
    for (int i = worker; i < own->near_last; i++) ran += run_share(team, i, worker);
    for (int i = own->near_first; i < worker; i++) ran += run_share(team, i, worker);
    for (int i = own->near_last; i < team->threads; i++) ran += run_share(team, i, worker);
    for (int i = 0; i < own->near_first; i++) ran += run_share(team, i, worker);
    if (ran > 0) {
        atomic_store(&own->holds, false);
        const uint32_t before = atomic_fetch_sub(&team->unfinished, ran);
        if (before == ran && atomic_load(&team->caller_sleeps))
            weir_futex_wake(&team->unfinished, 1);
    }
    weir_team_go_home(team, worker);
}

/* How one who waits for others' chunks goes on: naps that double, and the core that it may lend. */
struct patience {
    int64_t nap_ns;
    int borrower; /* worker that has this thread's core, -1 none */
};

/* Looks whom to help; returns how long to sleep. */
static int64_t be_patient(weir_team *team, int worker, uint32_t epoch, struct patience *p) {
    if (p->borrower >= 0 && !atomic_load(&team->shares[p->borrower].away)) p->borrower = -1;
    if (p->borrower < 0 && team->lends)
        p->borrower = weir_team_lend(team, worker, epoch, p->nap_ns > NAP_NS);
    const int64_t nap_ns = p->nap_ns;
    if (p->nap_ns < LONGEST_NAP_NS) p->nap_ns *= 2;
    return nap_ns;
}

static void wait_for_loop(weir_team *team, int worker, uint32_t seen) {
    if (weir_spin_while(&team->epoch, seen, team->spin_ns)) return;
    atomic_fetch_add(&team->sleepers, 1);
    struct patience patience = {NAP_NS, -1};
    while (atomic_load(&team->epoch) == seen) {
        weir_team_go_home(team, worker); /* it may have been taken for one that still works */
        /* While others still run the loop, there may be one to help. */
        if (atomic_load(&team->unfinished) > 0)
            weir_futex_wait_for(&team->epoch, seen, be_patient(team, worker, seen, &patience));
        else
            weir_futex_wait(&team->epoch, seen);
    }
    atomic_fetch_sub(&team->sleepers, 1);
}

static void wait_for_chunks(weir_team *team) {
    const uint32_t epoch = atomic_load(&team->epoch);
    struct patience patience = {NAP_NS, -1};
    uint32_t left;
    while ((left = atomic_load_explicit(&team->unfinished, memory_order_acquire)) > 0) {
        /* Spinning would take the core from who has borrowed it. */
        if (patience.borrower < 0 && weir_spin_while(&team->unfinished, left, team->spin_ns))
            continue;
        const int64_t nap_ns = be_patient(team, 0, epoch, &patience);
        atomic_store(&team->caller_sleeps, 1);
        weir_futex_wait_for(&team->unfinished, left, nap_ns);
        atomic_store(&team->caller_sleeps, 0);
    }
}

static void *worker_main(void *arg) {
    struct share *share = arg;
    weir_team *team = share->team;
    const weir_runtime *runtime = team->runtime;
    atomic_store(&share->tid, (int)syscall(SYS_gettid));
    weir_enter(runtime, share->worker);
    for (uint32_t seen = 0;;) {
        wait_for_loop(team, share->worker, seen);
        seen = atomic_load(&team->epoch);
        if (atomic_load(&team->stop)) return NULL;
        work(team, share->worker);
    }
}

void weir_team_run(weir_team *team, const weir_loop *loop) {
    const int64_t units = weir_loop_units(loop),
                  most = (int64_t)team->threads * WEIR_CHUNKS_PER_WORKER;
    const weir_outside outside = weir_enter(loop->runtime, 0);
    if (units == 1 || team->threads == 1) {
        weir_loop_part(loop, 1, 0, 0);
        weir_leave(outside);
        return;
    }
    const int homeless = atomic_exchange(&team->homeless, 0);
    if (homeless > 0)
        weir_warn(&loop->runtime->options, "worker %d can't go back to its core; going on unbound",
                  homeless);
    const int cpu = sched_getcpu();
    if (cpu != team->caller_cpu && team->vacant_cpu >= 0) weir_team_make_room(team, cpu);
    team->loop = *loop;
    team->chunks = units < most ? units : most;
    atomic_store_explicit(&team->unfinished, (uint32_t)team->chunks, memory_order_release);
    for (int w = 0; w < team->threads; w++) {
        const int64_t chunks = weir_first_chunk(team->chunks, team->threads, w + 1) -
                               weir_first_chunk(team->chunks, team->threads, w);
        atomic_store_explicit(&team->shares[w].unclaimed,
                              (uint32_t)chunks | (loop->own ? WEIR_OWN : 0), memory_order_release);
    }
    atomic_fetch_add(&team->epoch, 1);
    const bool few = team->chunks < team->threads && !loop->own;
    if (atomic_load(&team->sleepers) > 0)
        weir_futex_wake(&team->epoch, few ? (int)team->chunks - 1 : team->threads - 1);
    work(team, 0);
    wait_for_chunks(team);
    weir_leave(outside);
}

/* Workers of one node are neighbours; see weir_placement_plan. */
static void find_near(weir_team *team, const weir_worker_info *workers) {
    for (int w = 0; w < team->threads; w++) {
        struct share *share = &team->shares[w];
        share->near_first = share->near_last = w;
        while (share->near_first > 0 && workers[share->near_first - 1].node == workers[w].node)
            share->near_first--;
        while (share->near_last < team->threads &&
               workers[share->near_last].node == workers[w].node)
            share->near_last++;
    }
}

/* Starts a thread that handles its own faults only: other signals are the program's, and so for the
 * program's threads. Profilers need SIGPROF everywhere. */
static int start_thread(struct share *share) {
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&blocked, own[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const int error = pthread_create(&share->thread, NULL, worker_main, share);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) return error;
    char name[16];
    snprintf(name, sizeof name, "weir-%d", share->worker);
    pthread_setname_np(share->thread, name); /* for top and perf; of no consequence if it fails */
    return 0;
}

/* Starts and binds worker w. Returns false when the system gives no more threads. */
static bool start_worker(weir_team *team, int w) {
    const weir_runtime *runtime = team->runtime;
    struct share *share = &team->shares[w];
    const int error = start_thread(share);
    if (error) {
        weir_warn(&runtime->options, "can't start thread %d of %d: %s; going on with %d", w + 1,
                  runtime->threads, strerror(error), w);
        return false;
    }
    weir_worker_info *place = &runtime->workers[w];
    if (place->os_cpu < 0 || weir_topology_synthetic(runtime->topology)) return true;
    if (weir_topology_bind(runtime->topology, share->thread, place->os_cpu) == WEIR_OK) {
        share->cpu = place->os_cpu;
    } else {
        weir_warn(&runtime->options, "worker %d: %s; going on unbound", w, weir_last_error());
        place->os_cpu = -1;
    }
    return true;
}

/* True when spinning takes time from those waited for. */
static bool is_crowded(const weir_runtime *runtime, int cores) {
    const weir_topology *topology = runtime->topology;
    const int granted = weir_topology_granted(topology);
    const int most = granted < cores ? granted : weir_topology_pus_allowed(topology);
    return runtime->threads > most || weir_topology_synthetic(topology);
}

weir_status weir_team_create(weir_runtime *runtime) {
    const size_t n = (size_t)runtime->threads;
    weir_team *team = aligned_alloc(_Alignof(weir_team), sizeof *team);
    struct share *shares = aligned_alloc(_Alignof(struct share), n * sizeof *shares);
    if (!team || !shares) {
        free(team);
        free(shares);
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for %d workers", runtime->threads);
    }
    memset(team, 0, sizeof *team);
    memset(shares, 0, n * sizeof *shares);
    team->caller_cpu = -1;
    int cores;
    weir_topology_cores(runtime->topology, &cores);
    team->vacant_cpu = runtime->threads <= cores ? runtime->workers[0].os_cpu : -1;
    const bool crowded = is_crowded(runtime, cores);
    team->spin_ns = crowded ? SPIN_CROWDED_NS : SPIN_NS;
    team->lends = !crowded && weir_team_can_watch((int)syscall(SYS_gettid));
    pthread_mutex_init(&team->moving, NULL);
    team->runtime = runtime;
    team->shares = shares;
    for (int w = 0; w < runtime->threads; w++) {
        shares[w].team = team;
        shares[w].worker = w;
        shares[w].cpu = -1;
        if (w > 0 && !start_worker(team, w)) runtime->threads = w;
    }
    team->threads = runtime->threads;
    find_near(team, runtime->workers);
    runtime->team = team;
    return WEIR_OK;
}

static void free_team(weir_team *team) {
    free(team->shares);
    free(team);
}

void weir_team_abandon(weir_team *team) {
    if (team) free_team(team); /* a thread that isn't here may hold the mutex: it is left alone */
}

void weir_team_destroy(weir_team *team) {
    if (!team) return;
    pthread_mutex_lock(&team->moving); /* from here on no one is moved, and threads may end */
    atomic_store(&team->stop, true);
    pthread_mutex_unlock(&team->moving);
    atomic_fetch_add(&team->epoch, 1);
    weir_futex_wake(&team->epoch, team->threads);
    for (int w = 1; w < team->threads; w++) pthread_join(team->shares[w].thread, NULL);
    pthread_mutex_destroy(&team->moving);
    free_team(team);
}
