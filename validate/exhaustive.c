/* exp, tanh and sigmoid of every float, on every instruction set in one pass.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/runtime.h"
#include "validate/check.h"
#include "validate/ulp.h"

enum { CHUNK = 1 << 20, BATCH = 1024, MAX_ROWS = WEIR_ISA_COUNT + 1 };

/* The bound that bounds.c takes for granted. */
static const double ULP_ALLOWED = 2;

/* One instruction set with denormals flushed, as in a runtime; the fastest also without. */
typedef struct row {
    weir_isa isa;
    bool keeps_denormals;
} row;

typedef struct outcome {
    ulp_result ulp;
    int64_t unlike; /* results with other bits than those of row 0 */
    float unlike_at;
} outcome;

typedef struct job {
    ulp_function function;
    int rows;
    row row[MAX_ROWS];
    unsigned kept; /* the mode in which denormals are kept */
    bool progress;
    pthread_mutex_t lock;
    int64_t done;
    outcome outcome[MAX_ROWS];
} job;

static void progress_show(job *j, int64_t n) {
    int64_t before = j->done * 100 / ULP_ALL, now = (j->done += n) * 100 / ULP_ALL;
    if (!j->progress || before == now) return;
    fprintf(stderr, "\r%s %3d %%", ulp_name(j->function), (int)now);
    if (now == 100) fprintf(stderr, "\r               \r");
}

static int64_t unlike_count(outcome *o, int64_t n, const float *x, const float *y,
                            const float *first) {
    int64_t count = 0;
    if (!memcmp(y, first, (size_t)n * sizeof *y)) return 0;
    for (int64_t i = 0; i < n; i++) {
        if (!memcmp(&y[i], &first[i], sizeof *y) || (isnan(y[i]) && isnan(first[i]))) continue;
        if (o->unlike + count++ == 0) o->unlike_at = x[i];
    }
    return count;
}

/* x through every row. What has the bits of row 0 is judged with it. */
static void batch_run(const job *j, outcome *o, int64_t n, const float *x) {
    float y[BATCH], first[BATCH];
    double exact[BATCH];
    unsigned flushed = weir_denormals_flush();
    weir_denormals_restore(j->kept);
    ulp_exact(j->function, n, x, exact);
    for (int i = 0; i < j->rows; i++) {
        weir_denormals_restore(j->row[i].keeps_denormals ? j->kept : flushed);
        ulp_run(weir_kernels_get(j->row[i].isa), j->function, n, x, i ? y : first);
        weir_denormals_restore(j->kept);
        int64_t unlike = i ? unlike_count(&o[i], n, x, y, first) : 0;
        bool same = i && !unlike && !o[i].unlike;
        o[i].unlike += unlike;
        if (same)
            o[i].ulp = o[0].ulp;
        else
            ulp_judge(&o[i].ulp, n, x, i ? y : first, exact);
    }
    weir_denormals_restore(flushed);
}

static void work(void *arg, int64_t begin, int64_t end, int worker) {
    job *j = arg;
    outcome o[MAX_ROWS] = {0};
    float x[BATCH];
    (void)worker;
    /* One float of overlap: the order across chunks. */
    for (int64_t i = begin > 0 ? begin - 1 : 0; i < end;) {
        int64_t n = 0;
        for (; n < BATCH && i < end; i++) x[n++] = ulp_float(i);
        batch_run(j, o, n, x);
    }
    pthread_mutex_lock(&j->lock);
    for (int i = 0; i < j->rows; i++) {
        ulp_merge(&j->outcome[i].ulp, &o[i].ulp);
        if (!j->outcome[i].unlike) j->outcome[i].unlike_at = o[i].unlike_at;
        j->outcome[i].unlike += o[i].unlike;
    }
    progress_show(j, end - begin);
    pthread_mutex_unlock(&j->lock);
}

/* Denormals kept: other bits are allowed, for a denormal result of tanh is one, not 0. */
static bool row_print(const job *j, int i) {
    const row *r = &j->row[i];
    const outcome *o = &j->outcome[i];
    bool ok = o->ulp.largest <= ULP_ALLOWED && !o->ulp.descents && !o->ulp.wrong &&
              (!o->unlike || r->keeps_denormals);
    printf("%-22s %-8s all floats: largest error %.3f ULP at %a, %" PRId64 " descents, %" PRId64
           " wrong, %" PRId64 " unlike %s%s  %s\n",
           ulp_name(j->function), weir_isa_name(r->isa), o->ulp.largest, (double)o->ulp.at,
           o->ulp.descents, o->ulp.wrong, o->unlike, weir_isa_name(j->row[0].isa),
           r->keeps_denormals ? ", denormals kept" : "", ok ? "ok" : "FAIL");
    if (ok) return true;
    if (o->ulp.descents) printf("    first descent at %a\n", (double)o->ulp.descent_at);
    if (o->ulp.wrong) printf("    first wrong result at %a\n", (double)o->ulp.wrong_at);
    if (o->unlike) printf("    first unlike result at %a\n", (double)o->unlike_at);
    printf("    repro: weir-validate --isa %s,%s --exhaustive\n", weir_isa_name(j->row[0].isa),
           weir_isa_name(r->isa));
    return false;
}

static void function_run(weir_runtime *rt, job *j, totals *t) {
    memset(j->outcome, 0, sizeof j->outcome);
    j->done = 0;
    weir_status status = weir_parallel_for(rt, ULP_ALL, CHUNK, work, j);
    if (status != WEIR_OK || j->done != ULP_ALL) {
        printf("FAIL %s: %s, %" PRId64 " of %" PRId64 " floats\n", ulp_name(j->function),
               weir_status_name(status), j->done, ULP_ALL);
        t->failed++;
        return;
    }
    for (int i = 0; i < j->rows; i++) {
        bool ok = row_print(j, i);
        t->passed += ok;
        t->failed += !ok;
    }
    fflush(stdout);
}

void exhaustive_run(const options *o, const bool *isa, totals *t) {
    job j = {.progress = isatty(STDERR_FILENO)};
    weir_runtime_options with = weir_runtime_options_default();
    weir_runtime *rt;
    for (int i = WEIR_ISA_COUNT - 1; i > WEIR_ISA_SCALAR; i--)
        if (isa[i]) j.row[j.rows++] = (row){.isa = (weir_isa)i};
    if (!j.rows) return;
    j.row[j.rows++] = (row){j.row[0].isa, true};
    with.isa = j.row[0].isa;
    if (o->threads_given) with.threads = o->threads[0];
    if (weir_runtime_create(&with, &rt) != WEIR_OK) {
        printf("FAIL exhaustive: no runtime: %s\n", weir_last_error());
        t->failed++;
        return;
    }
    j.kept = weir_denormals_flush();
    weir_denormals_restore(j.kept);
    pthread_mutex_init(&j.lock, NULL);
    for (int f = 0; f < ULP_FUNCTION_COUNT; f++) {
        j.function = (ulp_function)f;
        function_run(rt, &j, t);
    }
    pthread_mutex_destroy(&j.lock);
    weir_runtime_destroy(rt);
}
