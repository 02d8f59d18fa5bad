/* exp, tanh and sigmoid of every float, on all cores. SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "validate/check.h"
#include "validate/ulp.h"

enum { CHUNK = 1 << 22, MAX_WORKERS = 64 };

/* The bound that bounds.c takes for granted. */
static const double ULP_ALLOWED = 2;

typedef struct job {
    const weir_kernels *kernels;
    ulp_function function;
    atomic_llong next; /* first index that no worker has taken */
    bool progress;
    pthread_mutex_t lock;
    ulp_result result;
} job;

static void progress_show(const job *j, int64_t done) {
    if (!j->progress) return;
    fprintf(stderr, "\r%s %3d %%", ulp_name(j->function), (int)(100 * done / ULP_FLOATS));
    if (done >= ULP_FLOATS) fprintf(stderr, "\r               \r");
}

static void *work(void *arg) {
    job *j = arg;
    for (;;) {
        int64_t begin = atomic_fetch_add(&j->next, CHUNK), end = begin + CHUNK + 1;
        if (begin >= ULP_FLOATS) return NULL;
        if (end > ULP_FLOATS) end = ULP_FLOATS; /* one float of overlap: the order across chunks */
        ulp_result r = ulp_measure(j->kernels, j->function, begin, end, 1);
        pthread_mutex_lock(&j->lock);
        ulp_merge(&j->result, &r);
        progress_show(j, end);
        pthread_mutex_unlock(&j->lock);
    }
}

static bool function_run(weir_isa isa, ulp_function f, int workers) {
    job j = {.kernels = weir_kernels_get(isa), .function = f, .progress = isatty(STDERR_FILENO)};
    pthread_t thread[MAX_WORKERS];
    int started = 0;
    pthread_mutex_init(&j.lock, NULL);
    while (started < workers - 1 && !pthread_create(&thread[started], NULL, work, &j)) started++;
    work(&j);
    while (started) pthread_join(thread[--started], NULL);
    pthread_mutex_destroy(&j.lock);
    const ulp_result *r = &j.result;
    bool ok = r->largest <= ULP_ALLOWED && !r->descents && !r->wrong;
    printf("%-22s %-8s all floats: largest error %.3f ULP at %a, %" PRId64 " descents, %" PRId64
           " wrong  %s\n",
           ulp_name(f), weir_isa_name(isa), r->largest, (double)r->at, r->descents, r->wrong,
           ok ? "ok" : "FAIL");
    if (!ok) printf("    repro: weir-validate --isa %s --exhaustive\n", weir_isa_name(isa));
    fflush(stdout);
    return ok;
}

void exhaustive_run(weir_isa isa, int64_t *passed, int64_t *failed) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int workers = cores < 1 ? 1 : cores > MAX_WORKERS ? MAX_WORKERS : (int)cores;
    for (int f = 0; f < ULP_FUNCTION_COUNT; f++) {
        if (function_run(isa, (ulp_function)f, workers))
            ++*passed;
        else
            ++*failed;
    }
}
