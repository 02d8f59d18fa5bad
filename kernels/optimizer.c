/* Optimizers: checks arguments and splits the work. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>

#include "kernels/driver.h"

enum { GRAIN = 8192 }; /* elements: a chunk takes about 5 microseconds */

typedef struct optimizer_task {
    const weir_kernels *kernels;
    const weir_rmsprop *rmsprop;
    const weir_adam *adam;
    int64_t step;
    float rate; /* Adam's, at this step */
    const float *g;
    float *m, *v, *p;
} optimizer_task;

static void run_rmsprop(void *arg, int64_t begin, int64_t end, int worker) {
    const optimizer_task *task = arg;
    (void)worker;
    task->kernels->rmsprop(task->rmsprop, begin, end, task->g, task->v, task->p);
}

/* base^n by squaring: the same bits with every C library, unlike pow. */
static double power(double base, int64_t n) {
    double result = 1;
    for (; n > 0; n /= 2, base *= base)
        if (n % 2) result *= base;
    return result;
}

static void run_adam_rate(void *arg, int64_t begin, int64_t end, int worker) {
    optimizer_task *task = arg;
    const weir_adam *o = task->adam;
    (void)begin, (void)end, (void)worker;
    task->rate = (float)((double)o->rate * sqrt(1 - power((double)o->beta2, task->step)) /
                         (1 - power((double)o->beta1, task->step)));
}

static void run_adam(void *arg, int64_t begin, int64_t end, int worker) {
    const optimizer_task *task = arg;
    (void)worker;
    task->kernels->adam(task->adam, task->rate, begin, end, task->g, task->m, task->v, task->p);
}

static weir_status check_not_negative(const char *op, const char *name, float value) {
    if (isfinite(value) && value >= 0) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "%s: %s is %g, accepted: finite, 0 or more", op, name,
                     (double)value);
}

/* Denormals are zero where the step is taken, and the step of a parameter whose gradients were all
 * zero is 0 / epsilon. */
static weir_status check_epsilon(const char *op, float epsilon) {
    if (epsilon >= FLT_MIN && epsilon <= FLT_MAX) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "%s: epsilon is %g, accepted: %g to %g", op,
                     (double)epsilon, (double)FLT_MIN, (double)FLT_MAX);
}

static weir_status check_count(const char *op, int64_t n) {
    WEIR_TRY(weir_check_at_least(op, "n", n, 0));
    return weir_check_floats(op, "p[n]", n, 1, 1);
}

weir_status weir_rmsprop_step(weir_runtime *rt, const weir_rmsprop *o, int64_t n, const float *g,
                              float *v, float *p) {
    const char *op = "rmsprop_step";
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(weir_check_pointer(op, "o", o));
    WEIR_TRY(check_not_negative(op, "rate", o->rate));
    WEIR_TRY(weir_check_fraction(op, "rho", o->rho, true));
    WEIR_TRY(check_epsilon(op, o->epsilon));
    WEIR_TRY(check_count(op, n));
    if (n == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer(op, "g", g));
    WEIR_TRY(weir_check_pointer(op, "v", v));
    WEIR_TRY(weir_check_pointer(op, "p", p));
    optimizer_task task = {
        .kernels = weir_runtime_kernels(rt), .rmsprop = o, .g = g, .v = v, .p = p};
    return weir_parallel_for(rt, n, GRAIN, run_rmsprop, &task);
}

weir_status weir_adam_step(weir_runtime *rt, const weir_adam *o, int64_t step, int64_t n,
                           const float *g, float *m, float *v, float *p) {
    const char *op = "adam_step";
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(weir_check_pointer(op, "o", o));
    WEIR_TRY(check_not_negative(op, "rate", o->rate));
    WEIR_TRY(weir_check_fraction(op, "beta1", o->beta1, false));
    WEIR_TRY(weir_check_fraction(op, "beta2", o->beta2, false));
    WEIR_TRY(check_epsilon(op, o->epsilon));
    WEIR_TRY(weir_check_at_least(op, "step", step, 1));
    WEIR_TRY(check_count(op, n));
    if (n == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer(op, "g", g));
    WEIR_TRY(weir_check_pointer(op, "m", m));
    WEIR_TRY(weir_check_pointer(op, "v", v));
    WEIR_TRY(weir_check_pointer(op, "p", p));
    optimizer_task task = {.kernels = weir_runtime_kernels(rt),
                           .adam = o,
                           .step = step,
                           .g = g,
                           .m = m,
                           .v = v,
                           .p = p};
    /* One item: the call is for the rounding mode. */
    WEIR_TRY(weir_parallel_for(rt, 1, 1, run_adam_rate, &task));
    return weir_parallel_for(rt, n, GRAIN, run_adam, &task);
}
