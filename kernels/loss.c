/* Losses: checks arguments. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/driver.h"

typedef struct loss_task {
    double (*kernel)(int64_t n, const float *y, const float *target, float *dy);
    int64_t n;
    const float *y, *target;
    double *sum;
    float *dy;
} loss_task;

static void run_loss(void *arg, int64_t begin, int64_t end, int worker) {
    const loss_task *task = arg;
    (void)begin, (void)end, (void)worker;
    *task->sum = task->kernel(task->n, task->y, task->target, task->dy);
}

weir_status weir_loss_eval(weir_runtime *rt, weir_loss kind, int64_t n, const float *y,
                           const float *target, double *loss, float *dy) {
    const char *op = "loss_eval";
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(weir_check_range(op, "kind", (int64_t)kind, 0, WEIR_LOSS_COUNT - 1));
    WEIR_TRY(weir_check_at_least(op, "n", n, 0));
    WEIR_TRY(weir_check_floats(op, "y[n]", n, 1, 1));
    WEIR_TRY(weir_check_pointer(op, "loss", loss));
    double sum = 0;
    if (n > 0) {
        WEIR_TRY(weir_check_pointer(op, "y", y));
        WEIR_TRY(weir_check_pointer(op, "target", target));
        const weir_kernels *kernels = weir_runtime_kernels(rt);
        loss_task task = {
            kind == WEIR_MAE ? kernels->loss_mae : kernels->loss_mse, n, y, target, &sum, dy};
        /* One item: the sum is in order. The call is for the handling of denormals. */
        WEIR_TRY(weir_parallel_for(rt, 1, 1, run_loss, &task));
    }
    *loss = n > 0 ? sum / (double)n : 0;
    return WEIR_OK;
}
