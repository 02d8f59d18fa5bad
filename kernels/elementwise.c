/* Drivers of the activations, element by element. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/driver.h"

enum { GRAIN = 8192 }; /* elements: a chunk takes about 5 microseconds */

typedef struct activation_task {
    const weir_kernels *kernels;
    weir_activation activation;
    const float *x, *y_in, *dy;
    float *y, *dx;
} activation_task;

static void run_fwd(void *arg, int64_t begin, int64_t end, int worker) {
    const activation_task *task = arg;
    (void)worker;
    task->kernels->activation_fwd(task->activation, begin, end, task->x, task->y);
}

static void run_bwd(void *arg, int64_t begin, int64_t end, int worker) {
    const activation_task *task = arg;
    (void)worker;
    task->kernels->activation_bwd(task->activation, begin, end, task->y_in, task->dy, task->dx);
}

static weir_status check(const char *op, const weir_runtime *rt, weir_activation activation,
                         int64_t n) {
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(weir_check_activation(op, activation));
    WEIR_TRY(weir_check_at_least(op, "n", n, 0));
    return weir_check_floats(op, "x[n]", n, 1, 1);
}

weir_status weir_activation_fwd(weir_runtime *rt, weir_activation activation, int64_t n,
                                const float *x, float *y) {
    const char *op = "activation_fwd";
    WEIR_TRY(check(op, rt, activation, n));
    if (n == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer(op, "x", x));
    WEIR_TRY(weir_check_pointer(op, "y", y));
    activation_task task = {weir_runtime_kernels(rt), activation, x, NULL, NULL, y, NULL};
    return weir_parallel_for(rt, n, GRAIN, run_fwd, &task);
}

weir_status weir_activation_bwd(weir_runtime *rt, weir_activation activation, int64_t n,
                                const float *y, const float *dy, float *dx) {
    const char *op = "activation_bwd";
    WEIR_TRY(check(op, rt, activation, n));
    if (n == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer(op, "y", y));
    WEIR_TRY(weir_check_pointer(op, "dy", dy));
    WEIR_TRY(weir_check_pointer(op, "dx", dx));
    activation_task task = {weir_runtime_kernels(rt), activation, NULL, y, dy, NULL, dx};
    return weir_parallel_for(rt, n, GRAIN, run_bwd, &task);
}
