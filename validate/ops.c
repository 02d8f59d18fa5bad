/* The ops through a runtime, any threads, any kernels: the same bits. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "validate/check.h"

const check *const op_checks[] = {
#define O(name) &check_##name,
#include "validate/ops.def"
#undef O
    NULL};

enum { MAX_RUNTIMES = 2 * MAX_THREADS_LIST + 1 };

typedef struct runtimes {
    weir_isa isa;
    int count;
    weir_runtime *runtime[MAX_RUNTIMES];
    char name[MAX_RUNTIMES][48];
} runtimes;

static runtimes made; /* of the instruction set checked last */

static void runtime_add(weir_isa isa, weir_threading threading, int threads) {
    weir_runtime_options o = weir_runtime_options_default();
    o.isa = isa;
    o.threads = threads;
    o.threading = threading;
    o.bind = WEIR_BIND_NONE; /* more threads than cores: leave them to the operating system */
    weir_status status = weir_runtime_create(&o, &made.runtime[made.count]);
    if (status == WEIR_ERROR_UNSUPPORTED && threading == WEIR_THREADING_OPENMP) return;
    if (status != WEIR_OK) {
        fprintf(stderr, "weir-validate: no runtime of %d threads: %s\n", threads,
                weir_last_error());
        exit(1);
    }
    snprintf(made.name[made.count++], sizeof made.name[0], "%s, %s with %d threads",
             weir_isa_name(isa), weir_threading_name(threading), threads);
}

static void runtimes_make(const context *c) {
    if (made.count && made.isa == c->isa) return;
    runtimes_free();
    made.isa = c->isa;
    for (int i = 0; i < c->options->thread_count; i++) {
        runtime_add(c->isa, WEIR_THREADING_POOL, c->options->threads[i]);
        runtime_add(c->isa, WEIR_THREADING_OPENMP, c->options->threads[i]);
    }
    if (c->generic) runtime_add(WEIR_ISA_GENERIC, WEIR_THREADING_POOL, 2);
}

void runtimes_free(void) {
    while (made.count) weir_runtime_destroy(made.runtime[--made.count]);
}

static bool op_run(context *c, int i, op_call_fn *call, const range_check *r, float **out) {
    outputs_new(c, r, out);
    inputs_lock(c);
    weir_status status = call(made.runtime[i], r->arg, out);
    inputs_unlock(c);
    canaries_check(c);
    padding_clear(r, out);
    if (status != WEIR_OK) fail(c, "%s: %s", weir_status_name(status), weir_last_error());
    return status == WEIR_OK;
}

void op_check(context *c, op_call_fn *call, const range_check *r) {
    float *first[MAX_OUTPUTS], *expected[MAX_OUTPUTS], *got[MAX_OUTPUTS];
    runtimes_make(c);
    if (!op_run(c, 0, call, r, first)) return;
    ranges_run_on(c, r, r->bound ? c->oracle : c->k, expected);
    if (r->bound)
        ranges_compare(c, r, first, expected);
    else
        ranges_same(c, r, "the kernel in one range", first, expected);
    for (int i = 1; i < made.count && !c->failures; i++) {
        if (!op_run(c, i, call, r, got)) return;
        char what[96];
        snprintf(what, sizeof what, "%s (got: %s)", made.name[0], made.name[i]);
        ranges_same(c, r, what, got, first);
    }
}
