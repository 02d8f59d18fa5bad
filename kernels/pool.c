/* Pooling: checks arguments and splits the work. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/driver.h"

static weir_status check_options(const char *op, const weir_pool *p) {
    WEIR_TRY(weir_check_pointer(op, "p", p));
    WEIR_TRY(weir_check_range(op, "kind", (int64_t)p->kind, 0, WEIR_POOL_KIND_COUNT - 1));
    WEIR_TRY(weir_check_at_least(op, "N", p->N, 0));
    WEIR_TRY(weir_check_at_least(op, "T", p->T, 1));
    WEIR_TRY(weir_check_at_least(op, "C", p->C, 1));
    /* No time index can then overflow. */
    WEIR_TRY(weir_check_range(op, "P", p->P, 1, INT64_MAX / 4));
    WEIR_TRY(weir_check_at_least(op, "S", p->S, 1));
    WEIR_TRY(weir_check_range(op, "padding (0 valid, 1 same)", (int64_t)p->padding, 0, WEIR_SAME));
    return weir_check_floats(op, "x[N][T][C]", p->N < 1 ? 1 : p->N, p->T, p->C);
}

/* Checks p and works out T_out and P_l. */
static weir_status prepare(const char *op, const weir_pool *p, weir_pool_call *call) {
    WEIR_TRY(check_options(op, p));
    *call = (weir_pool_call){.p = *p, .T_out = (p->T - 1) / p->S + 1};
    /* So that no kernel's strides in floats overflow: a stride beyond the sequence leaves one window. */
    if (p->S > p->T) call->p.S = p->T;
    if (p->padding == WEIR_VALID) {
        WEIR_TRY(weir_check_range(op, "P (at most T with padding valid)", p->P, 1, p->T));
        call->T_out = (p->T - p->P) / p->S + 1;
    } else {
        int64_t missing = (call->T_out - 1) * p->S + p->P - p->T;
        call->P_l = missing > 0 ? missing / 2 : 0;
    }
    return WEIR_OK;
}

int64_t weir_pool_t_out(const weir_pool *p) {
    weir_pool_call call;
    return prepare("pool", p, &call) == WEIR_OK ? call.T_out : 0;
}

int64_t weir_pool_winner_bytes(const weir_pool *p) {
    weir_pool_call call;
    if (prepare("pool", p, &call) != WEIR_OK || p->kind != WEIR_POOL_MAX) return 0;
    return p->N * call.T_out * p->C * (p->P <= 256 ? 1 : (int64_t)sizeof(int32_t));
}

/* A winner is a position in its window; one of 4 bytes holds no more than this. */
static weir_status check_winner(const char *op, const weir_pool *p) {
    return weir_check_range(op, "P (with winner)", p->P, 1, INT32_MAX);
}

/* What is as large as a large cache is stored past it: the next op finds none of it there anyway, and
 * to read it before it is overwritten would be a third of the traffic. */
static bool is_large(int64_t floats) {
    return floats >= (int64_t)(32 << 20) / (int64_t)sizeof(float);
}

typedef struct pool_task {
    const weir_pool_call *call;
    void (*kernel)(const weir_pool_call *call, int64_t r0, int64_t r1);
} pool_task;

static void run_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const pool_task *task = arg;
    (void)worker;
    task->kernel(task->call, begin, end);
}

/* Floats a row of C channels and n window steps costs, in multiply-adds of the same time. */
static int64_t row_grain(int64_t n, int64_t C) {
    const int64_t most = 1 << 20, factor = 8;
    int64_t work = n < most && C < most ? (n + 1) * C * factor : most;
    return weir_grain(work, 1);
}

weir_status weir_pool_fwd(weir_runtime *rt, const weir_pool *p, const float *x, float *y,
                          void *winner) {
    const char *op = "pool_fwd";
    weir_pool_call call;
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(prepare(op, p, &call));
    bool max = p->kind == WEIR_POOL_MAX;
    if (max && winner) WEIR_TRY(check_winner(op, p));
    if (p->N == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer(op, "x", x));
    WEIR_TRY(weir_check_pointer(op, "y", y));
    call.x = x;
    call.y = y;
    call.winner = max ? winner : NULL;
    call.stream = is_large(p->N * call.T_out * p->C);
    const weir_kernels *kernels = weir_runtime_kernels(rt);
    pool_task task = {&call, max ? kernels->pool_max_fwd : kernels->pool_avg_fwd};
    return weir_parallel_for(rt, p->N * call.T_out, row_grain(p->P, p->C), run_rows, &task);
}

weir_status weir_pool_bwd(weir_runtime *rt, const weir_pool *p, const float *dy, const void *winner,
                          float *dx) {
    const char *op = "pool_bwd";
    weir_pool_call call;
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(prepare(op, p, &call));
    bool max = p->kind == WEIR_POOL_MAX;
    if (max) WEIR_TRY(check_winner(op, p));
    if (p->N == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer(op, "dy", dy));
    if (max) WEIR_TRY(weir_check_pointer(op, "winner", winner));
    WEIR_TRY(weir_check_pointer(op, "dx", dx));
    call.dy = dy;
    call.dx = dx;
    call.winner_in = winner;
    call.stream = is_large(p->N * p->T * p->C);
    const weir_kernels *kernels = weir_runtime_kernels(rt);
    pool_task task = {&call, max ? kernels->pool_max_bwd : kernels->pool_avg_bwd};
    return weir_parallel_for(rt, p->N * p->T, row_grain((p->P - 1) / p->S + 1, p->C), run_rows,
                             &task);
}
