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
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/team.h"

enum { HOGS = 6 };

static _Atomic int binds_left = -1; /* until binding is refused; -1: never */
static _Atomic int binds;           /* of all threads so far */

weir_status __real_weir_topology_bind(const weir_topology *topology, pthread_t thread, int os_cpu);
weir_status __wrap_weir_topology_bind(const weir_topology *topology, pthread_t thread, int os_cpu);
weir_status __wrap_weir_topology_bind(const weir_topology *topology, pthread_t thread, int os_cpu) {
    if (binds_left == 0 && os_cpu >= 0) {
        binds_left = -1;
        return weir_fail(WEIR_ERROR_SYSTEM, "can't bind to CPU %d: no", os_cpu);
    }
    if (binds_left > 0) binds_left--;
    binds++;
    return __real_weir_topology_bind(topology, thread, os_cpu);
}

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

static void sleep_ms(int ms) { nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL); }

static void keep_warning(void *user, const char *message) {
    char *kept = user;
    if (kept) strncat(kept, message, 1000 - strlen(kept));
}

/* Two threads on two cores, this one pinned to its own; NULL where there are none, or cores are not
 * lent. */
static weir_runtime *create_pair(weir_worker_info info[2], char *warnings) {
    weir_runtime_options options = weir_runtime_options_default();
    options.threads = 2;
    options.threading = WEIR_THREADING_POOL;
    options.bind = WEIR_BIND_COMPACT;
    options.warning = keep_warning;
    options.warning_user = warnings;
    weir_runtime *runtime;
    assert_int_equal(weir_runtime_create(&options, &runtime), WEIR_OK);
    for (int w = 0; w < 2; w++)
        assert_int_equal(weir_runtime_worker(runtime, w, &info[w]), WEIR_OK);
    if (info[1].os_cpu >= 0 && info[0].os_cpu != info[1].os_cpu && runtime->team->lends) {
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
    int last_cpu;    /* of worker 1 */
    int cpus_left;   /* in its affinity */
    int64_t took_ns; /* from its first to its last moment */
};

static void run_task(void *arg, int64_t begin, int64_t end, int worker) {
    struct task *task = arg;
    (void)begin, (void)end;
    task->met++;
    while (task->met < 2) sched_yield();
    if (worker != 1) return;
    const int64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID), first = clock_ns(CLOCK_MONOTONIC);
    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start < task->ns) {}
    task->took_ns = clock_ns(CLOCK_MONOTONIC) - first;
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    task->cpus_left = CPU_COUNT(&set);
    task->last_cpu = sched_getcpu();
}

static void test_core_is_lent(void **state) {
    (void)state;
    weir_worker_info info[2];
    weir_runtime *runtime = create_pair(info, NULL);
    if (!runtime) skip();
    start_hogs(info[1].os_cpu);
    struct task task = {.ns = 40000000};
    assert_int_equal(weir_parallel_for(runtime, 2, 1, run_task, &task), WEIR_OK);
    end_hogs();
    assert_int_equal(task.last_cpu, info[0].os_cpu);
    /* It went home when its chunk was done; another program may keep it off at once. */
    int home = 0;
    for (int round = 0; round < 20 && !home; round++) {
        task = (struct task){.ns = 0};
        assert_int_equal(weir_parallel_for(runtime, 2, 1, run_task, &task), WEIR_OK);
        assert_int_equal(task.cpus_left, 1);
        home = task.last_cpu == info[1].os_cpu;
    }
    assert_true(home);
    weir_runtime_destroy(runtime);
}

/* Whoever touches memory for the first time does it from its own core, however long that takes. */
static void test_own_share_stays(void **state) {
    (void)state;
    weir_worker_info info[2];
    weir_runtime *runtime = create_pair(info, NULL);
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
    weir_runtime *runtime = create_pair(info, NULL);
    if (!runtime) skip();
    int alone = 0, moved = 0;
    for (int round = 0; round < 20; round++) {
        struct task task = {.ns = 500000};
        const int before_it = binds;
        assert_int_equal(weir_parallel_for(runtime, 2, 1, run_task, &task), WEIR_OK);
        if (task.took_ns > task.ns + 400000) continue; /* another program had the core for long */
        alone++;
        moved += binds > before_it; /* one that had it for less than that may be a reason */
    }
    assert_true(moved <= alone / 2);
    if (alone == 0) print_message("the core was never free: nothing was tested\n");
    weir_runtime_destroy(runtime);
}

/* A worker that may not go home is left to the system, and the next caller is told. */
static void test_no_way_home(void **state) {
    (void)state;
    weir_worker_info info[2];
    char warnings[1024] = "";
    weir_runtime *runtime = create_pair(info, warnings);
    if (!runtime) skip();
    start_hogs(info[1].os_cpu);
    binds_left = 1; /* to the lent core */
    struct task task = {.ns = 40000000};
    assert_int_equal(weir_parallel_for(runtime, 2, 1, run_task, &task), WEIR_OK);
    for (int i = 0; i < 2000 && binds_left == 0; i++) sleep_ms(1); /* the worker goes home later */
    end_hogs();
    binds_left = -1;
    task = (struct task){.ns = 0};
    assert_int_equal(weir_parallel_for(runtime, 2, 1, run_task, &task), WEIR_OK);
    assert_non_null(strstr(warnings, "can't go back to its core"));
    weir_runtime_destroy(runtime);
}

struct caller {
    weir_runtime *runtime;
    _Atomic int failures;
};

static void spin_a_little(void *arg, int64_t begin, int64_t end, int worker) {
    (void)arg, (void)begin, (void)end, (void)worker;
    const int64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start < 200000) {}
}

static void *call_often(void *arg) {
    struct caller *caller = arg;
    for (int i = 0; i < 40; i++)
        caller->failures +=
            weir_parallel_for(caller->runtime, 4, 1, spin_a_little, NULL) != WEIR_OK;
    return NULL;
}

/* Several callers and several runtimes, whose workers are lent cores all the time; the end comes right
 * after a loan. */
static void test_many_callers(void **state) {
    (void)state;
    weir_worker_info info[2];
    for (int round = 0; round < 5; round++) {
        weir_runtime *runtimes[2];
        for (int i = 0; i < 2; i++) {
            runtimes[i] = create_pair(info, NULL);
            if (!runtimes[i]) skip();
            sched_setaffinity(0, sizeof before, &before); /* callers may be on any core */
        }
        start_hogs(info[1].os_cpu);
        pthread_t threads[4];
        struct caller callers[4];
        for (int i = 0; i < 4; i++) {
            callers[i] = (struct caller){.runtime = runtimes[i % 2]};
            assert_int_equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
        }
        for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
        for (int i = 0; i < 4; i++) assert_int_equal(callers[i].failures, 0);
        for (int i = 0; i < 2; i++) weir_runtime_destroy(runtimes[i]);
        end_hogs();
        cpu_set_t after;
        sched_getaffinity(0, sizeof after, &after);
        assert_true(CPU_EQUAL(&before, &after));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_core_is_lent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_share_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_busy_worker_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_way_home, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_callers, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("moves", tests, NULL, NULL);
}
