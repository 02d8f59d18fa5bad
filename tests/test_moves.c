/* Workers that lose their core to another program. SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/parts.h"

enum { HOGS = 6 };

static pid_t hogs[HOGS];
static cpu_set_t before; /* affinity of this thread when the tests began */

static void stay_on(int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
}

/* Processes that leave a seventh of the CPU to others. */
static void start_hogs(int cpu) {
    for (int i = 0; i < HOGS; i++) {
        hogs[i] = fork();
        assert_true(hogs[i] >= 0);
        if (hogs[i] > 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        stay_on(cpu);
        for (volatile unsigned n = 0;; n++) {}
    }
}

static void end_hogs(void) {
    for (int i = 0; i < HOGS; i++) {
        if (hogs[i] <= 0) continue;
        kill(hogs[i], SIGKILL);
        waitpid(hogs[i], NULL, 0);
        hogs[i] = 0;
    }
}

static int set_up(void **state) {
    (void)state;
    return sched_getaffinity(0, sizeof before, &before);
}

static int tear_down(void **state) {
    (void)state;
    end_hogs();
    return sched_setaffinity(0, sizeof before, &before);
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Two threads on two cores, this one pinned to its own; NULL where there are none. */
static weir_runtime *create_pair(weir_worker_info info[2]) {
    weir_runtime_options options = weir_runtime_options_default();
    options.threads = 2;
    options.threading = WEIR_THREADING_POOL;
    options.bind = WEIR_BIND_COMPACT;
    weir_runtime *runtime;
    assert_int_equal(weir_runtime_create(&options, &runtime), WEIR_OK);
    for (int w = 0; w < 2; w++)
        assert_int_equal(weir_runtime_worker(runtime, w, &info[w]), WEIR_OK);
    if (info[1].os_cpu >= 0 && info[0].os_cpu != info[1].os_cpu) {
        stay_on(info[0].os_cpu);
        return runtime;
    }
    weir_runtime_destroy(runtime);
    return NULL;
}

/* One item for each worker; that of worker 1 needs its core for `ns`. */
struct task {
    int64_t ns;
    _Atomic int met;
    int last_cpu;  /* of worker 1 */
    int cpus_left; /* in its affinity */
};

static void run_task(void *arg, int64_t begin, int64_t end, int worker) {
    struct task *task = arg;
    (void)begin, (void)end;
    task->met++;
    while (task->met < 2) sched_yield();
    if (worker != 1) return;
    const int64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start < task->ns) {}
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    task->cpus_left = CPU_COUNT(&set);
    task->last_cpu = sched_getcpu();
}

static void test_core_is_lent(void **state) {
    (void)state;
    weir_worker_info info[2];
    weir_runtime *runtime = create_pair(info);
    if (!runtime) skip();
    start_hogs(info[1].os_cpu);
    struct task task = {.ns = 40000000};
    assert_int_equal(weir_parallel_for(runtime, 2, 1, run_task, &task), WEIR_OK);
    end_hogs();
    assert_int_equal(task.last_cpu, info[0].os_cpu);
    /* It went home when its chunk was done. */
    task = (struct task){.ns = 0};
    assert_int_equal(weir_parallel_for(runtime, 2, 1, run_task, &task), WEIR_OK);
    assert_int_equal(task.last_cpu, info[1].os_cpu);
    assert_int_equal(task.cpus_left, 1);
    weir_runtime_destroy(runtime);
}

/* Whoever touches memory for the first time does it from its own core, however long that takes. */
static void test_own_share_stays(void **state) {
    (void)state;
    weir_worker_info info[2];
    weir_runtime *runtime = create_pair(info);
    if (!runtime) skip();
    start_hogs(info[1].os_cpu);
    struct task task = {.ns = 10000000};
    assert_int_equal(weir_parallel_own(runtime, 2, 1, run_task, &task), WEIR_OK);
    assert_int_equal(task.last_cpu, info[1].os_cpu);
    weir_runtime_destroy(runtime);
}

/* A worker that runs, however long, stays where it is. */
static void test_busy_worker_stays(void **state) {
    (void)state;
    weir_worker_info info[2];
    weir_runtime *runtime = create_pair(info);
    if (!runtime) skip();
    int stayed = 0;
    for (int round = 0; round < 5; round++) { /* another program may take the core once */
        struct task task = {.ns = 2000000};
        assert_int_equal(weir_parallel_for(runtime, 2, 1, run_task, &task), WEIR_OK);
        stayed += task.last_cpu == info[1].os_cpu;
    }
    assert_true(stayed > 0);
    weir_runtime_destroy(runtime);
}

struct roamer {
    _Atomic int tid, seen; /* bit k: was on CPU k */
    _Atomic bool stop;
};

static void *roam(void *arg) {
    struct roamer *roamer = arg;
    roamer->tid = (int)syscall(SYS_gettid);
    while (!roamer->stop) roamer->seen |= 1 << sched_getcpu();
    return NULL;
}

/* Moved to each of its CPUs, a thread keeps its affinity; to another it is not moved. */
static void test_pull(void **state) {
    (void)state;
    weir_topology *topology;
    assert_int_equal(weir_topology_load(&topology), WEIR_OK);
    int count;
    const weir_worker_info *cores = weir_topology_cores(topology, &count);
    if (count < 2 || cores[0].os_cpu > 30 || cores[1].os_cpu > 30) {
        weir_topology_free(topology);
        skip();
    }
    struct roamer roamer = {.tid = 0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, roam, &roamer), 0);
    while (roamer.tid == 0) sched_yield();
    cpu_set_t both, after;
    CPU_ZERO(&both);
    for (int i = 0; i < 2; i++) CPU_SET((size_t)cores[i].os_cpu, &both);
    assert_int_equal(sched_setaffinity(roamer.tid, sizeof both, &both), 0);
    for (int i = 0; i < 200 && roamer.seen != (1 << cores[0].os_cpu | 1 << cores[1].os_cpu); i++) {
        assert_int_equal(weir_topology_pull(topology, roamer.tid, cores[i % 2].os_cpu), WEIR_OK);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(roamer.seen, 1 << cores[0].os_cpu | 1 << cores[1].os_cpu);
    assert_int_equal(sched_getaffinity(roamer.tid, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&both, &after));
    CPU_CLR((size_t)cores[1].os_cpu, &both);
    sched_setaffinity(roamer.tid, sizeof both, &both);
    assert_int_equal(weir_topology_pull(topology, roamer.tid, cores[1].os_cpu), WEIR_ERROR_SYSTEM);
    roamer.stop = true;
    pthread_join(thread, NULL);
    weir_topology_free(topology);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_core_is_lent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_share_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_busy_worker_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pull, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("moves", tests, NULL, NULL);
}
