/* The pool, OpenMP, memory and forks. SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/parts.h"

static int failing_thread = -1; /* the pthread_create that fails, counted from 0; -1 none */
static bool bind_fails;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                          void *arg) {
    if (failing_thread == 0) return EAGAIN;
    if (failing_thread > 0) failing_thread--;
    return __real_pthread_create(thread, attr, start, arg);
}

weir_status __real_weir_topology_bind(const weir_topology *topology, pthread_t thread, int os_cpu);
weir_status __wrap_weir_topology_bind(const weir_topology *topology, pthread_t thread, int os_cpu);
weir_status __wrap_weir_topology_bind(const weir_topology *topology, pthread_t thread, int os_cpu) {
    if (bind_fails) return weir_fail(WEIR_ERROR_SYSTEM, "can't bind to CPU %d: no", os_cpu);
    return __real_weir_topology_bind(topology, thread, os_cpu);
}

/* Faults of memory. mmap64: what mmap is called with 64-bit file offsets, as meson sets them. */
static bool map_fails, huge_fails;

void *__real_mmap64(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t bytes, int protection, int flags, int fd, off_t offset) {
    if (!map_fails) return __real_mmap64(at, bytes, protection, flags, fd, offset);
    errno = ENOMEM;
    return MAP_FAILED;
}

int __real_madvise(void *at, size_t bytes, int advice);
int __wrap_madvise(void *at, size_t bytes, int advice);
int __wrap_madvise(void *at, size_t bytes, int advice) {
    if (!huge_fails || advice != MADV_HUGEPAGE) return __real_madvise(at, bytes, advice);
    errno = EINVAL; /* as a Linux without them says */
    return -1;
}

/* The allocation that fails, counted from 0; -1 none. Those of libhwloc are its own. */
static int failing_allocation = -1;

static bool allocation_fails(void) {
    if (failing_allocation < 0) return false;
    return failing_allocation-- == 0;
}

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes) { return allocation_fails() ? NULL : __real_malloc(bytes); }

void *__real_calloc(size_t n, size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes) {
    return allocation_fails() ? NULL : __real_calloc(n, bytes);
}

void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes) {
    return allocation_fails() ? NULL : __real_aligned_alloc(alignment, bytes);
}

static int64_t memory_limit; /* what the cgroup is said to allow; 0 no limit */

int64_t __wrap_weir_cgroup_memory(const char *root);
int64_t __wrap_weir_cgroup_memory(const char *root) {
    (void)root;
    return memory_limit;
}

static weir_runtime *create(int threads, weir_threading threading) {
    weir_runtime_options options = weir_runtime_options_default();
    options.threads = threads;
    options.threading = threading;
    weir_runtime *runtime;
    assert_int_equal(weir_runtime_create(&options, &runtime), WEIR_OK);
    assert_int_equal(weir_runtime_threads(runtime), threads);
    return runtime;
}

static void sleep_ns(long ns) {
    nanosleep(&(struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}, NULL);
}

/* ---- every item once ---- */

enum { MAX_COUNT = 5000, MAX_WORKERS = 64 };

struct visits {
    _Atomic int of[MAX_COUNT];
    int64_t count, grain;
    int threads;
    _Atomic int bad_ranges;
    _Atomic int busy[MAX_WORKERS]; /* no worker may run two ranges at a time */
};

static void visit(void *arg, int64_t begin, int64_t end, int worker) {
    struct visits *v = arg;
    bool bad = worker < 0 || worker >= v->threads || begin < 0 || begin >= end || end > v->count;
    bad |= begin % v->grain != 0 || (end - begin < v->grain && end != v->count);
    if (!bad) bad = atomic_fetch_add(&v->busy[worker], 1) != 0;
    if (bad) {
        atomic_fetch_add(&v->bad_ranges, 1);
        return;
    }
    for (int64_t i = begin; i < end; i++) atomic_fetch_add(&v->of[i], 1);
    atomic_fetch_sub(&v->busy[worker], 1);
}

static void check_visits(weir_runtime *runtime, int64_t count, int64_t grain) {
    static struct visits v;
    memset(&v, 0, sizeof v);
    v.count = count;
    v.grain = grain;
    v.threads = weir_runtime_threads(runtime);
    assert_int_equal(weir_parallel_for(runtime, count, grain, visit, &v), WEIR_OK);
    assert_int_equal(v.bad_ranges, 0);
    for (int i = 0; i < MAX_COUNT; i++) assert_int_equal(v.of[i], i < count);
}

static void check_all_sizes(weir_threading threading) {
    static const int64_t counts[] = {0, 1, 2, 3, 7, 8, 9, 64, 100, 1021, MAX_COUNT};
    static const int64_t grains[] = {1, 2, 3, 8, 64, 1000, MAX_COUNT, INT64_MAX};
    static const int threads[] = {1, 2, 3, 5, 8, 33};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        weir_runtime *runtime = create(threads[t], threading);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (size_t g = 0; g < sizeof grains / sizeof *grains; g++)
                check_visits(runtime, counts[c], grains[g]);
        weir_runtime_destroy(runtime);
    }
}

static void test_every_item_once(void **state) {
    (void)state;
    check_all_sizes(WEIR_THREADING_POOL);
}

static void test_every_item_once_openmp(void **state) {
    (void)state;
    if (!weir_openmp_available()) skip();
    check_all_sizes(WEIR_THREADING_OPENMP);
}

/* Many short loops: late workers meet the next loop. */
static void test_many_short_loops(void **state) {
    (void)state;
    weir_runtime *runtime = create(4, WEIR_THREADING_POOL);
    for (int i = 0; i < 3000; i++) {
        check_visits(runtime, 1 + i % 37, 1 + i % 3);
        if (i % 500 == 0) sleep_ns(1000000); /* the workers fall asleep */
    }
    weir_runtime_destroy(runtime);
}

static void sum_begins(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    atomic_fetch_add((_Atomic int64_t *)arg, end - begin);
}

static void test_huge_count(void **state) {
    (void)state;
    weir_runtime *runtime = create(3, WEIR_THREADING_POOL);
    static const int64_t grains[] = {1, 1000, INT64_MAX - 1, INT64_MAX};
    for (int i = 0; i < 4; i++) {
        _Atomic int64_t sum = 0;
        assert_int_equal(weir_parallel_for(runtime, INT64_MAX, grains[i], sum_begins, &sum),
                         WEIR_OK);
        assert_true(sum == INT64_MAX);
    }
    weir_runtime_destroy(runtime);
}

/* ---- who runs what ---- */

static void hold_first(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    _Atomic int64_t *rest = arg;
    if (begin == 0) {
        /* Ends only when the others have taken everything else, also of this worker's share. */
        for (int i = 0; i < 2000 && *rest > 0; i++) sleep_ns(1000000);
        if (end > 1) atomic_fetch_sub(rest, end - 1);
    } else {
        atomic_fetch_sub(rest, end - begin);
    }
}

static void test_idle_workers_steal(void **state) {
    (void)state;
    weir_runtime *runtime = create(2, WEIR_THREADING_POOL);
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    _Atomic int64_t rest = 7; /* 8 items, 8 chunks: a worker's share is 4 */
    assert_int_equal(weir_parallel_for(runtime, 8, 1, hold_first, &rest), WEIR_OK);
    clock_gettime(CLOCK_MONOTONIC, &b);
    assert_int_equal(rest, 0);
    assert_true(b.tv_sec - a.tv_sec < 2);
    weir_runtime_destroy(runtime);
}

struct nest {
    weir_runtime *runtime, *other;
    _Atomic int inner, elsewhere, wrong;
};

struct inner {
    struct nest *nest;
    int worker;
    pthread_t thread;
};

static void nested_body(void *arg, int64_t begin, int64_t end, int worker) {
    struct inner *inner = arg;
    struct nest *nest = inner->nest;
    if (worker != inner->worker || !pthread_equal(pthread_self(), inner->thread)) nest->wrong++;
    atomic_fetch_add(&nest->inner, (int)(end - begin));
}

static void other_body(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    atomic_fetch_add((_Atomic int *)arg, (int)(end - begin));
}

static void outer_body(void *arg, int64_t begin, int64_t end, int worker) {
    struct nest *nest = arg;
    for (int64_t i = begin; i < end; i++) {
        struct inner inner = {.nest = nest, .worker = worker, .thread = pthread_self()};
        if (weir_parallel_for(nest->runtime, 10, 1, nested_body, &inner) != WEIR_OK) nest->wrong++;
        if (weir_parallel_for(nest->other, 10, 1, other_body, &nest->elsewhere) != WEIR_OK)
            nest->wrong++;
    }
}

static void check_nested(weir_threading threading) {
    struct nest nest = {.runtime = create(3, threading), .other = create(2, threading)};
    assert_int_equal(weir_parallel_for(nest.runtime, 50, 1, outer_body, &nest), WEIR_OK);
    assert_int_equal(nest.wrong, 0);
    assert_int_equal(nest.inner, 500);
    assert_int_equal(nest.elsewhere, 500);
    weir_runtime_destroy(nest.runtime);
    weir_runtime_destroy(nest.other);
}

static void test_nested_runs_inline(void **state) {
    (void)state;
    check_nested(WEIR_THREADING_POOL);
    if (weir_openmp_available()) check_nested(WEIR_THREADING_OPENMP);
}

enum { CALLERS = 4, CALLS = 300 };

static void *call_often(void *arg) {
    weir_runtime *runtime = arg;
    intptr_t wrong = 0;
    for (int i = 0; i < CALLS; i++) {
        _Atomic int64_t sum = 0;
        wrong += weir_parallel_for(runtime, 100 + i, 3, sum_begins, &sum) != WEIR_OK;
        wrong += sum != 100 + i;
        void *scratch = weir_scratch_get(runtime, 1000 + i);
        if (scratch)
            memset(scratch, i, 1000);
        else
            wrong++;
        weir_scratch_put(runtime, scratch);
    }
    return (void *)wrong;
}

static void test_several_callers(void **state) {
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        weir_runtime *runtime = create(threads, WEIR_THREADING_POOL);
        pthread_t callers[CALLERS];
        for (int i = 0; i < CALLERS; i++)
            assert_int_equal(pthread_create(&callers[i], NULL, call_often, runtime), 0);
        for (int i = 0; i < CALLERS; i++) {
            void *wrong;
            pthread_join(callers[i], &wrong);
            assert_null(wrong);
        }
        weir_runtime_destroy(runtime);
    }
}

/* ---- what a thread is like inside ---- */

struct denormals {
    float tiny; /* a denormal number */
    _Atomic int kept;
};

static void use_denormals(void *arg, int64_t begin, int64_t end, int worker) {
    (void)end;
    (void)worker;
    struct denormals *d = arg;
    const volatile float tiny = d->tiny, half = 0.5F, smallest = 1.17549435e-38F;
    if (tiny * 1e20F != 0.0F) d->kept++;    /* denormals are zero */
    if (smallest * half != 0.0F) d->kept++; /* flush to zero */
    if (begin == 0) sleep_ns(1000000);      /* so that the others get some */
}

static void test_denormals(void **state) {
    (void)state;
#if defined(__x86_64__)
    for (int threads = 1; threads <= 4; threads++)
        for (int threading = 0; threading <= (weir_openmp_available() ? 1 : 0); threading++) {
            weir_runtime *runtime = create(threads, (weir_threading)threading);
            struct denormals d = {.tiny = 1e-40F};
            const volatile float tiny = d.tiny;
            assert_true(tiny * 0.5F != 0.0F);
            assert_int_equal(weir_parallel_for(runtime, 64, 1, use_denormals, &d), WEIR_OK);
            assert_int_equal(d.kept, 0);
            assert_true(tiny * 0.5F != 0.0F);
            weir_runtime_destroy(runtime);
        }
#else
    skip();
#endif
}

struct rounding {
    _Atomic int met, wrong;
    bool spoil; /* leave another mode behind */
};

/* Every worker of two gets one item. */
static void use_rounding(void *arg, int64_t begin, int64_t end, int worker) {
    (void)begin;
    (void)end;
    (void)worker;
    struct rounding *r = arg;
    const volatile float one = 1.0F, little = 0x1p-30F;
    if (one + little != one || one - little != one) r->wrong++;
    if (r->spoil) fesetround(FE_DOWNWARD);
    r->met++;
    for (int i = 0; i < 2000 && r->met < 2; i++) sleep_ns(1000000);
}

/* All workers round to nearest, whatever the caller and bodies before them set. */
static void test_rounding(void **state) {
    (void)state;
    for (int threading = 0; threading <= (weir_openmp_available() ? 1 : 0); threading++) {
        weir_runtime *runtime = create(2, (weir_threading)threading);
        for (int round = 0; round < 4; round++) {
            struct rounding r = {.spoil = round % 2 == 0};
            fesetround(FE_UPWARD);
            feclearexcept(FE_ALL_EXCEPT);
            const weir_status status = weir_parallel_for(runtime, 2, 1, use_rounding, &r);
            const int raised = fetestexcept(FE_ALL_EXCEPT);
            const volatile float one = 1.0F, little = 0x1p-30F, sum = one + little;
            fesetround(FE_TONEAREST);
            assert_int_equal(status, WEIR_OK);
            assert_int_equal(r.met, 2);
            assert_int_equal(r.wrong, 0);
            assert_true(sum > one); /* upward again */
            assert_int_equal(raised, 0);
        }
        weir_runtime_destroy(runtime);
    }
}

/* ---- where workers are ---- */

struct place {
    _Atomic int met;
    _Atomic int cpu[2];
    _Atomic bool takes_signals[2], takes_faults[2];
};

/* Returns when both workers are here. */
static void note_place(void *arg, int64_t begin, int64_t end, int worker) {
    (void)begin;
    (void)end;
    struct place *place = arg;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    place->takes_signals[worker] = !sigismember(&blocked, SIGINT);
    place->takes_faults[worker] = !sigismember(&blocked, SIGSEGV);
    place->cpu[worker] = sched_getcpu();
    place->met++;
    for (int i = 0; i < 2000 && place->met < 2; i++) sleep_ns(1000000);
}

static void test_workers_take_faults_only(void **state) {
    (void)state;
    weir_runtime *runtime = create(2, WEIR_THREADING_POOL);
    struct place place = {.met = 0};
    assert_int_equal(weir_parallel_for(runtime, 2, 1, note_place, &place), WEIR_OK);
    assert_int_equal(place.met, 2);
    assert_true(place.takes_signals[0]);
    assert_false(place.takes_signals[1]);
    assert_true(place.takes_faults[0] && place.takes_faults[1]);
    weir_runtime_destroy(runtime);
}

static void test_worker_makes_room(void **state) {
    (void)state;
    weir_runtime *runtime = create(2, WEIR_THREADING_POOL);
    weir_worker_info info[2];
    for (int w = 0; w < 2; w++)
        assert_int_equal(weir_runtime_worker(runtime, w, &info[w]), WEIR_OK);
    if (info[0].core == info[1].core || info[1].os_cpu < 0) {
        weir_runtime_destroy(runtime);
        skip();
    }
    cpu_set_t before, now, after;
    sched_getaffinity(0, sizeof before, &before);
    for (int round = 0; round < 4; round++) {
        const int mine = info[(round + 1) % 2].os_cpu, other = info[round % 2].os_cpu;
        CPU_ZERO(&now);
        CPU_SET((size_t)mine, &now);
        assert_int_equal(sched_setaffinity(0, sizeof now, &now), 0);
        sleep_ns(2000000); /* workers move at most once in a millisecond */
        struct place place = {.met = 0};
        assert_int_equal(weir_parallel_for(runtime, 2, 1, note_place, &place), WEIR_OK);
        assert_int_equal(place.met, 2);
        assert_int_equal(place.cpu[0], mine);
        assert_int_equal(place.cpu[1], other);
        sched_getaffinity(0, sizeof after, &after);
        assert_true(CPU_EQUAL(&now, &after)); /* the caller's affinity is its own */
    }
    sched_setaffinity(0, sizeof before, &before);
    weir_runtime_destroy(runtime);
}

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void test_idle_uses_no_cpu(void **state) {
    (void)state;
    weir_runtime *runtime = create(4, WEIR_THREADING_POOL);
    check_visits(runtime, 100, 1);
    sleep_ns(20000000);
    const double before = cpu_seconds();
    sleep_ns(200000000);
    assert_true(cpu_seconds() - before < 0.002);
    check_visits(runtime, 100, 1);
    weir_runtime_destroy(runtime);
}

/* ---- what goes wrong ---- */

static void test_argument_errors(void **state) {
    (void)state;
    weir_runtime *runtime = create(2, WEIR_THREADING_POOL);
    _Atomic int64_t sum = 0;
    assert_int_equal(weir_parallel_for(runtime, -1, 1, sum_begins, &sum), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), "count is -1"));
    assert_int_equal(weir_parallel_for(runtime, 1, 0, sum_begins, &sum), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), "grain is 0"));
    assert_int_equal(weir_parallel_for(runtime, 1, 1, NULL, &sum), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_parallel_for(NULL, 1, 1, sum_begins, &sum), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_runtime_create(NULL, NULL), WEIR_ERROR_ARGUMENT);
    assert_int_equal(sum, 0);
    weir_worker_info info;
    assert_int_equal(weir_runtime_worker(runtime, 2, &info), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_runtime_worker(runtime, -1, &info), WEIR_ERROR_ARGUMENT);
    weir_runtime_destroy(runtime);
    weir_runtime_destroy(NULL);
}

/* ThreadSanitizer can't start threads in the child of a threaded process. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
enum { CHILD_THREADS = 1 };
#else
enum { CHILD_THREADS = 2 };
#endif

static void in_child(weir_runtime *runtime) {
    _Atomic int64_t sum = 0;
    int wrong = weir_parallel_for(runtime, 10, 1, sum_begins, &sum) != WEIR_ERROR_STATE;
    wrong += strstr(weir_last_error(), "fork") == NULL;
    void *scratch = weir_scratch_get(runtime, 100);
    wrong += scratch == NULL;
    weir_scratch_put(runtime, scratch);
    weir_runtime_destroy(runtime);
    weir_runtime *own;
    weir_runtime_options options = weir_runtime_options_default();
    options.threads = CHILD_THREADS;
    wrong += weir_runtime_create(&options, &own) != WEIR_OK;
    wrong += weir_parallel_for(own, 10, 1, sum_begins, &sum) != WEIR_OK || sum != 10;
    weir_runtime_destroy(own);
    _exit(wrong);
}

static void test_fork(void **state) {
    (void)state;
    weir_runtime *runtime = create(3, WEIR_THREADING_POOL);
    check_visits(runtime, 100, 1);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) in_child(runtime);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    check_visits(runtime, 100, 1);
    weir_runtime_destroy(runtime);
}

static void keep_warning(void *user, const char *message) {
    char *kept = user;
    strncat(kept, message, 1000 - strlen(kept));
}

static weir_runtime *create_with_warnings(char *warnings) {
    weir_runtime_options options = weir_runtime_options_default();
    options.threads = 4;
    options.warning = keep_warning;
    options.warning_user = warnings;
    weir_runtime *runtime;
    assert_int_equal(weir_runtime_create(&options, &runtime), WEIR_OK);
    return runtime;
}

static void test_no_more_threads(void **state) {
    (void)state;
    for (int k = 0; k < 3; k++) {
        char warnings[1024] = "";
        failing_thread = k;
        weir_runtime *runtime = create_with_warnings(warnings);
        failing_thread = -1;
        assert_int_equal(weir_runtime_threads(runtime), k + 1);
        assert_non_null(strstr(warnings, "can't start thread"));
        check_visits(runtime, 1000, 1);
        weir_runtime_destroy(runtime);
    }
}

static void test_no_binding(void **state) {
    (void)state;
    char warnings[1024] = "";
    bind_fails = true;
    weir_runtime *runtime = create_with_warnings(warnings);
    bind_fails = false;
    assert_int_equal(weir_runtime_threads(runtime), 4);
    assert_non_null(strstr(warnings, "going on unbound"));
    weir_worker_info info;
    assert_int_equal(weir_runtime_worker(runtime, 1, &info), WEIR_OK);
    assert_int_equal(info.os_cpu, -1);
    check_visits(runtime, 1000, 1);
    weir_runtime_destroy(runtime);
}

/* ---- memory ---- */

static void test_tensors(void **state) {
    (void)state;
    weir_runtime *runtime = create(2, WEIR_THREADING_POOL);
    static const int64_t sizes[] = {0, 1, 15, 16, 17, 1000, 524287, 524288, 524289, 3000001};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (int round = 0; round < 3; round++) {
        float *tensors[SIZES];
        for (int i = 0; i < SIZES; i++) {
            assert_int_equal(weir_tensor_alloc(runtime, sizes[i], &tensors[i]), WEIR_OK);
            assert_non_null(tensors[i]);
            assert_int_equal((uintptr_t)tensors[i] % 64, 0);
            if (sizes[i] >= 524288) assert_int_equal((uintptr_t)tensors[i] % (2 << 20), 0);
            for (int64_t k = 0; k < sizes[i]; k++) assert_true(tensors[i][k] == 0.0F);
            memset(tensors[i], 0xff, 4 * (size_t)sizes[i]);
        }
        for (int i = round; i < SIZES; i++) weir_tensor_free(runtime, tensors[i]);
    }
    weir_tensor_free(runtime, NULL);
    weir_runtime_destroy(runtime); /* frees the rest: the leak checker knows */
}

static void test_no_memory(void **state) {
    (void)state;
    weir_runtime *runtime = create(2, WEIR_THREADING_POOL);
    static const int64_t sizes[] = {INT64_MAX, INT64_MAX / 4, INT64_MAX / 8, (int64_t)1 << 44};
    float *tensor;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(weir_tensor_alloc(runtime, sizes[i], &tensor), WEIR_ERROR_MEMORY);
        assert_null(tensor);
    }
    assert_non_null(strstr(weir_last_error(), "70368744177664 bytes"));
    assert_int_equal(weir_tensor_alloc(runtime, -1, &tensor), WEIR_ERROR_ARGUMENT);
    assert_null(weir_scratch_get(runtime, INT64_MAX));
    assert_null(weir_scratch_get(runtime, -1));
    weir_runtime_destroy(runtime);
}

/* Each is refused by itself, and the runtime goes on. */
static void test_memory_refused(void **state) {
    (void)state;
    weir_runtime *runtime = create(2, WEIR_THREADING_POOL);
    float *tensor;
    map_fails = true;
    assert_int_equal(weir_tensor_alloc(runtime, 1 << 20, &tensor), WEIR_ERROR_MEMORY);
    assert_non_null(strstr(weir_last_error(), "no memory for a tensor of 1048576 floats"));
    assert_null(tensor);
    assert_null(weir_scratch_get(runtime, 4 << 20));
    map_fails = false;
    assert_int_equal(weir_tensor_alloc(runtime, 1 << 20, &tensor), WEIR_OK);
    check_visits(runtime, 1000, 1);
    weir_runtime_destroy(runtime);
}

/* Whichever allocation of a new runtime and its first tensor fails, the status says so. */
static void test_every_allocation_refused(void **state) {
    (void)state;
    int k = 0;
    for (bool refused = true; refused; k++) {
        weir_runtime *runtime;
        float *tensor = NULL;
        weir_runtime_options options = weir_runtime_options_default();
        options.threads = 2;
        failing_allocation = k;
        weir_status status = weir_runtime_create(&options, &runtime);
        if (status != WEIR_OK) assert_null(runtime);
        if (status == WEIR_OK) status = weir_tensor_alloc(runtime, 100, &tensor);
        refused = failing_allocation < 0;
        failing_allocation = -1;
        assert_int_equal(status, refused ? WEIR_ERROR_MEMORY : WEIR_OK);
        assert_int_equal(tensor != NULL, !refused);
        if (refused) assert_non_null(strstr(weir_last_error(), "no memory"));
        weir_runtime_destroy(runtime); /* frees what there is: the leak checker knows */
    }
    assert_in_range(k, 8, 100);
}

static void test_cgroup_limits_memory(void **state) {
    (void)state;
    memory_limit = 64 << 20;
    weir_runtime *runtime = create(2, WEIR_THREADING_POOL);
    memory_limit = 0;
    float *tensors[3];
    for (int round = 0; round < 2; round++) { /* what is given back counts no more */
        assert_int_equal(weir_tensor_alloc(runtime, 6 << 20, &tensors[0]), WEIR_OK);
        assert_int_equal(weir_tensor_alloc(runtime, 6 << 20, &tensors[1]), WEIR_OK);
        assert_int_equal(weir_tensor_alloc(runtime, 6 << 20, &tensors[2]), WEIR_ERROR_MEMORY);
        assert_null(weir_scratch_get(runtime, 24 << 20));
        void *scratch = weir_scratch_get(runtime, 1 << 20);
        assert_non_null(scratch);
        weir_scratch_put(runtime, scratch);
        for (int i = 0; i < 2; i++) weir_tensor_free(runtime, tensors[i]);
    }
    weir_runtime_destroy(runtime);
}

static void test_no_huge_pages(void **state) {
    (void)state;
    char warnings[1024] = "";
    weir_runtime *runtime = create_with_warnings(warnings);
    warnings[0] = '\0';
    float *tensor;
    huge_fails = true;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(weir_tensor_alloc(runtime, 3 << 20, &tensor), WEIR_OK);
        for (int k = 0; k < 3 << 20; k++) assert_true(tensor[k] == 0.0F);
    }
    huge_fails = false;
    const char *said = strstr(warnings, "no huge pages");
    assert_non_null(said);
    assert_null(strstr(said + 1, "no huge pages")); /* once */
    weir_runtime_destroy(runtime);
}

/* ---- copies of weights ---- */

enum { WEIGHTS = 5000 };

struct readers {
    weir_replicas weights;
    _Atomic int met, damaged, copies;
};

static void read_weights(void *arg, int64_t begin, int64_t end, int worker) {
    struct readers *r = arg;
    (void)begin, (void)end;
    for (int round = 0; round < 2; round++) { /* whoever comes later may get the source at first */
        const float *w = weir_replica(&r->weights, worker);
        r->damaged += memcmp(w, r->weights.source, WEIGHTS * sizeof *w) != 0;
        r->met++;
        for (int i = 0; i < 2000 && r->met < 4; i++) sleep_ns(1000000);
        r->copies += round == 1 && w != r->weights.source;
    }
}

static void test_replicas(void **state) {
    (void)state;
    weir_runtime *runtime = create(4, WEIR_THREADING_POOL);
    float *weights;
    assert_int_equal(weir_tensor_alloc(runtime, WEIGHTS, &weights), WEIR_OK);
    for (int i = 0; i < WEIGHTS; i++) weights[i] = (float)i;
    if (runtime->homes == 1) { /* nothing is copied */
        struct readers r = {.met = 0};
        weir_replicas_get(runtime, weights, WEIGHTS, &r.weights);
        assert_ptr_equal(weir_replica(&r.weights, 0), weights);
        weir_replicas_put(&r.weights);
    }
    if (runtime->homes == 0) { /* not bound here */
        weir_runtime_destroy(runtime);
        skip();
    }
    /* As if there were several nodes. */
    runtime->binds = runtime->nodes[runtime->workers[0].node].replica = true;
    for (int round = 0; round < 3; round++) {
        struct readers r = {.met = 0};
        weights[0] = (float)round; /* a kept copy must not be taken for the new one */
        weir_replicas_get(runtime, weights, WEIGHTS, &r.weights);
        assert_int_equal(weir_parallel_for(runtime, 4, 1, read_weights, &r), WEIR_OK);
        weir_replicas_put(&r.weights);
        assert_int_equal(r.damaged, 0);
        assert_int_equal(r.copies, 4);
    }
    /* Memory that can't be had: the source serves. */
    struct readers r = {.met = 0};
    map_fails = true;
    weir_replicas_get(runtime, weights, WEIGHTS / 2, &r.weights);
    weir_replicas other;
    weir_replicas_get(runtime, weights, WEIGHTS, &other); /* the kept memory is in use */
    map_fails = false;
    assert_ptr_equal(weir_replica(&other, 0), weights);
    weir_replicas_put(&other);
    weir_replicas_put(&r.weights);
    weir_runtime_destroy(runtime);
}

/* ---- each worker its own share ---- */

struct owners {
    _Atomic int of[64]; /* worker that ran each item, + 1 */
};

static void note_owner(void *arg, int64_t begin, int64_t end, int worker) {
    struct owners *owners = arg;
    for (int64_t i = begin; i < end; i++) owners->of[i] = worker + 1;
    if (worker == 1) sleep_ns(300000); /* the others have nothing to do */
}

static void test_own_shares(void **state) {
    (void)state;
    weir_runtime *runtime = create(4, WEIR_THREADING_POOL);
    for (int round = 0; round < 200; round++) {
        const int count = round % 3 == 0 ? 64 : round % 3 == 1 ? 3 : 9;
        struct owners owners = {{0}};
        if (round % 50 == 0) sleep_ns(1000000); /* the workers fall asleep */
        assert_int_equal(weir_parallel_own(runtime, count, 1, note_owner, &owners), WEIR_OK);
        for (int i = 0; i < count; i++) {
            const int worker = owners.of[i] - 1;
            assert_true(worker >= 0);
            assert_true(i >= weir_share(count, 4, worker) && i < weir_share(count, 4, worker + 1));
        }
        check_visits(runtime, 1 + round % 37, 1); /* a loop with stealing right after it */
    }
    weir_runtime_destroy(runtime);
}

static void test_scratch_is_reused(void **state) {
    (void)state;
    weir_runtime *runtime = create(1, WEIR_THREADING_POOL);
    char *a = weir_scratch_get(runtime, 1000), *b = weir_scratch_get(runtime, 5000);
    assert_true(a != b);
    assert_int_equal((uintptr_t)a % 64 + (uintptr_t)b % 64, 0);
    weir_scratch_put(runtime, a);
    weir_scratch_put(runtime, b);
    assert_ptr_equal(weir_scratch_get(runtime, 900), a); /* the smallest that fits */
    assert_ptr_equal(weir_scratch_get(runtime, 900), b);
    char *c = weir_scratch_get(runtime, 0);
    assert_true(c && c != a && c != b);
    weir_scratch_put(runtime, a);
    char *d = weir_scratch_get(runtime, 100000); /* replaces a, which is too small */
    memset(d, 1, 100000);
    weir_scratch_put(runtime, d);
    assert_ptr_equal(weir_scratch_get(runtime, 1000), d);
    weir_scratch_put(runtime, NULL);
    weir_runtime_destroy(runtime);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_uses_no_cpu), /* before OpenMP's threads, which spin, exist */
        cmocka_unit_test(test_every_item_once),
        cmocka_unit_test(test_every_item_once_openmp),
        cmocka_unit_test(test_many_short_loops),
        cmocka_unit_test(test_huge_count),
        cmocka_unit_test(test_idle_workers_steal),
        cmocka_unit_test(test_nested_runs_inline),
        cmocka_unit_test(test_several_callers),
        cmocka_unit_test(test_denormals),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_workers_take_faults_only),
        cmocka_unit_test(test_worker_makes_room),
        cmocka_unit_test(test_argument_errors),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_no_more_threads),
        cmocka_unit_test(test_no_binding),
        cmocka_unit_test(test_tensors),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_memory_refused),
        cmocka_unit_test(test_every_allocation_refused),
        cmocka_unit_test(test_cgroup_limits_memory),
        cmocka_unit_test(test_no_huge_pages),
        cmocka_unit_test(test_replicas),
        cmocka_unit_test(test_own_shares),
        cmocka_unit_test(test_scratch_is_reused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
