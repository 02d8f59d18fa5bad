/* Losses: checks arguments. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/driver.h"

typedef double loss_kernel(int64_t n, const float *y, const float *target, float *dy);

typedef struct loss_task {
    loss_kernel *kernel;
    int64_t n;
    const float *y, *target;
    double mean;
    float *dy;
} loss_task;

static void run_loss(void *arg, int64_t begin, int64_t end, int worker) {
    loss_task *task = arg;
    (void)begin, (void)end, (void)worker;
    task->mean = task->kernel(task->n, task->y, task->target, task->dy) / (double)task->n;
}

static loss_kernel *kernel_of(const weir_kernels *kernels, weir_loss kind) {
    loss_kernel *const of[WEIR_LOSS_COUNT] = {
        [WEIR_MAE] = kernels->loss_mae,
        [WEIR_MSE] = kernels->loss_mse,
        [WEIR_BCE] = kernels->loss_bce,
        [WEIR_BCE_LOGITS] = kernels->loss_bce_logits,
    };
    return of[kind];
}

weir_status weir_loss_eval(weir_runtime *rt, weir_loss kind, int64_t n, const float *y,
                           const float *target, double *loss, float *dy) {
    const char *op = "loss_eval";
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(weir_check_range(op, "kind", (int64_t)kind, 0, WEIR_LOSS_COUNT - 1));
    WEIR_TRY(weir_check_at_least(op, "n", n, 0));
    WEIR_TRY(weir_check_floats(op, "y[n]", n, 1, 1));
    WEIR_TRY(weir_check_pointer(op, "loss", loss));
    loss_task task = {.n = n, .y = y, .target = target, .dy = dy};
    if (n > 0) {
        WEIR_TRY(weir_check_pointer(op, "y", y));
        WEIR_TRY(weir_check_pointer(op, "target", target));
        task.kernel = kernel_of(weir_runtime_kernels(rt), kind);
        /* One item: the sum is in order. The call is for denormals and the rounding mode. */
        WEIR_TRY(weir_parallel_for(rt, 1, 1, run_loss, &task));
    }
    *loss = task.mean;
    return WEIR_OK;
}
