/* conv1d: checks arguments, packs weights, splits the work. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernels/driver.h"

enum {
    LEAF_ROWS = 128, /* the fewest rows of dy that a partial weight gradient is summed over */
    MAX_LEAVES = 32, /* partial weight gradients at most ... */
    MAX_LEAF_FLOATS = 1 << 24, /* ... and floats of them all */
    TILE_ROWS = 12,            /* a multiple of some register tiles' rows */
    LEAST_WORK = 1 << 17,      /* multiply-adds worth waking another thread: 1 to 2 microseconds */
    SHORT_WORK = 1 << 23       /* multiply-adds of a thread that are cut no further */
};

static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
/* a b, or INT64_MAX. */
static int64_t product(int64_t a, int64_t b) {
    int64_t ab;
    return __builtin_mul_overflow(a, b, &ab) ? INT64_MAX : ab;
}

/*
 * Rows of `work` multiply-adds each that are worth a chunk. A short loop has one chunk for each thread,
 * so that few tiles are cut; a long one has more, so that a thread that is late does not hold up the
 * others. No sum depends on this.
 */
static int64_t rows_grain(const weir_runtime *rt, int64_t rows, int64_t work) {
    int64_t share = ceil_div(rows, weir_runtime_threads(rt));
    bool brief = product(share, work) <= SHORT_WORK;
    int64_t grain = brief ? max(share, ceil_div(LEAST_WORK, work)) : weir_grain(work, TILE_ROWS);
    return min(grain, rows);
}

static weir_status check_options(const char *op, const weir_conv1d *p) {
    WEIR_TRY(weir_check_pointer(op, "p", p));
    WEIR_TRY(weir_check_at_least(op, "N", p->N, 0));
    WEIR_TRY(weir_check_at_least(op, "T", p->T, 1));
    WEIR_TRY(weir_check_at_least(op, "C_in", p->C_in, 1));
    WEIR_TRY(weir_check_at_least(op, "C_out", p->C_out, 1));
    WEIR_TRY(weir_check_at_least(op, "K", p->K, 1));
    WEIR_TRY(weir_check_at_least(op, "S", p->S, 1));
    WEIR_TRY(weir_check_at_least(op, "D", p->D, 1));
    WEIR_TRY(weir_check_range(op, "padding", (int64_t)p->padding, 0, WEIR_PADDING_COUNT - 1));
    WEIR_TRY(weir_check_activation(op, p->activation));
    WEIR_TRY(weir_check_floats(op, "w[K][C_in][C_out]", p->K, p->C_in, p->C_out));
    if ((p->K - 1) > INT64_MAX / 4 / p->D)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "%s: K is %lld and D is %lld, accepted: (K - 1) D up to %lld", op,
                         (long long)p->K, (long long)p->D, (long long)(INT64_MAX / 4));
    return WEIR_OK;
}

weir_status weir_conv1d_prepare(const char *op, const weir_conv1d *p, weir_conv1d_call *call) {
    WEIR_TRY(check_options(op, p));
    WEIR_TRY(weir_check_floats(op, "x[N][T][C_in]", p->N < 1 ? 1 : p->N, p->T, p->C_in));
    int64_t span = (p->K - 1) * p->D + 1;
    if (p->padding == WEIR_VALID && p->T < span)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "%s: T is %lld, accepted with padding valid: (K - 1) D + 1 = %lld or more",
                         op, (long long)p->T, (long long)span);
    *call = (weir_conv1d_call){.p = *p, .T_out = (p->T - 1) / p->S + 1};
    /* So that no kernel's strides in floats overflow. Neither changes a result: a stride beyond the
     * sequence leaves one step, and a single k is not dilated. */
    if (p->S > p->T) call->p.S = p->T;
    if (p->K == 1) call->p.D = 1;
    if (p->padding == WEIR_VALID) call->T_out = (p->T - span) / p->S + 1;
    if (p->padding == WEIR_CAUSAL) call->P_l = span - 1;
    if (p->padding == WEIR_SAME) {
        int64_t missing = (call->T_out - 1) * p->S + span - p->T;
        call->P_l = missing > 0 ? missing / 2 : 0;
    }
    return weir_check_floats(op, "y[N][T_out][C_out]", p->N < 1 ? 1 : p->N, call->T_out, p->C_out);
}

int64_t weir_conv1d_t_out(const weir_conv1d *p) {
    weir_conv1d_call call = {.T_out = 0};
    return weir_conv1d_prepare("conv1d", p, &call) == WEIR_OK ? call.T_out : 0;
}

/* A loop over rows of y, or, with the weights transposed, of dx. */
typedef struct rows_task {
    const weir_conv1d_call *call;
    void (*kernel)(const weir_conv1d_call *call, int64_t r0, int64_t r1);
    bool transposed;
    weir_replicas weights;
} rows_task;

static void run_rows(void *arg, int64_t begin, int64_t end, int worker) {
    rows_task *task = arg;
    weir_conv1d_call call = *task->call;
    const float **weights = task->transposed ? &call.w_t : &call.w;
    *weights = weir_replica(&task->weights, worker);
    task->kernel(&call, begin, end);
}

static weir_status for_rows(weir_runtime *rt, int64_t rows, rows_task *task) {
    const weir_conv1d *p = &task->call->p;
    const int64_t weights = p->K * p->C_in * p->C_out;
    weir_replicas_get(rt, task->transposed ? task->call->w_t : task->call->w, weights,
                      &task->weights);
    const weir_status status =
        weir_parallel_for(rt, rows, rows_grain(rt, rows, weights), run_rows, task);
    weir_replicas_put(&task->weights);
    return status;
}

weir_status weir_conv1d_fwd_as(const char *op, weir_runtime *rt, const weir_conv1d *p,
                               const float *x, const float *w, const float *b, float *y) {
    weir_conv1d_call call;
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(weir_conv1d_prepare(op, p, &call));
    if (p->N == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer(op, "x", x));
    WEIR_TRY(weir_check_pointer(op, "w", w));
    WEIR_TRY(weir_check_pointer(op, "y", y));
    call.x = x;
    call.w = w;
    call.b = b;
    call.y = y;
    rows_task task = {.call = &call, .kernel = weir_runtime_kernels(rt)->conv1d_fwd};
    return for_rows(rt, p->N * call.T_out, &task);
}

typedef struct transpose_task {
    const weir_conv1d *p;
    const weir_kernels *kernels;
    const float *w;
    float *w_t;
} transpose_task;

static void run_transpose(void *arg, int64_t begin, int64_t end, int worker) {
    const transpose_task *task = arg;
    (void)worker;
    task->kernels->conv1d_transpose(task->p, begin, end, task->w, task->w_t);
}

static weir_status transpose(weir_runtime *rt, const weir_conv1d *p, const float *w, float *w_t) {
    transpose_task task = {p, weir_runtime_kernels(rt), w, w_t};
    return weir_parallel_for(rt, p->K * p->C_out, weir_grain(p->C_in * 8, 16), run_transpose,
                             &task);
}

weir_status weir_conv1d_bwd_data_as(const char *op, weir_runtime *rt, const weir_conv1d *p,
                                    const float *dy, const float *w, float *dx) {
    weir_conv1d_call call;
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(weir_conv1d_prepare(op, p, &call));
    if (p->N == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer(op, "dy", dy));
    WEIR_TRY(weir_check_pointer(op, "w", w));
    WEIR_TRY(weir_check_pointer(op, "dx", dx));
    int64_t weights = p->K * p->C_in * p->C_out;
    float *w_t;
    WEIR_TRY(weir_scratch_floats(op, rt, weights, &w_t));
    call.dy = dy;
    call.w = w;
    call.w_t = w_t;
    call.dx = dx;
    rows_task task = {
        .call = &call, .kernel = weir_runtime_kernels(rt)->conv1d_bwd_data, .transposed = true};
    weir_status status = transpose(rt, p, w, w_t);
    if (status == WEIR_OK) status = for_rows(rt, p->N * p->T, &task);
    weir_scratch_put(rt, w_t);
    return status;
}

/*
 * The weight gradient: the rows of dy are cut into leaves, whose number depends on the shape only;
 * the leaves are summed pairwise, 0 += 1, 2 += 3, ..., then 0 += 2, 4 += 6, ... Leaf 0 is dw itself.
 */
typedef struct weights_task {
    const weir_conv1d_call *call;
    const weir_kernels *kernels;
    int64_t rows, Q; /* rows of dy; rows of dw, K C_in */
    int64_t leaves, leaf_rows;
    int64_t parts, part_q; /* tasks of one leaf, rows of dw in each */
    float *dw, *dw_leaves; /* leaves 1 ... follow each other in dw_leaves */
    float *db, *db_leaves;
} weights_task;

/* Item leaf parts + part; the last part of a leaf is the bias. */
static void run_leaves(void *arg, int64_t begin, int64_t end, int worker) {
    const weights_task *task = arg;
    int64_t C_out = task->call->p.C_out;
    (void)worker;
    for (int64_t item = begin; item < end; item++) {
        int64_t leaf = item / task->parts, part = item % task->parts;
        int64_t r0 = leaf * task->leaf_rows, r1 = r0 + task->leaf_rows;
        int64_t q0 = part * task->part_q, q1 = q0 + task->part_q;
        if (r1 > task->rows) r1 = task->rows;
        if (q1 > task->Q) q1 = task->Q;
        if (q0 < task->Q)
            task->kernels->conv1d_bwd_weights(
                task->call, r0, r1, q0, q1,
                weir_leaf_of(task->dw, task->dw_leaves, leaf, task->Q * C_out));
        else
            task->kernels->sum_rows(C_out, r0, r1, task->call->dy,
                                    weir_leaf_of(task->db, task->db_leaves, leaf, C_out));
    }
}

/* Rows of dw in a task: as many as leave each thread a few tasks, or one in a short loop, as every task
 * reads x and dy of its leaf again. No sum depends on this. */
static int64_t part_rows(const weights_task *task, int threads) {
    int64_t work = task->leaf_rows * task->call->p.C_out; /* of a row of dw */
    bool brief = product(work, task->Q) <= product(SHORT_WORK, threads) / task->leaves;
    int64_t parts = brief ? ceil_div(threads, task->leaves) : 4 * threads / task->leaves + 1;
    int64_t shared = brief ? ceil_div(task->Q, parts)
                           : ceil_div(ceil_div(task->Q, parts), TILE_ROWS) * TILE_ROWS;
    return max(shared, ceil_div(LEAST_WORK, work));
}

static weir_status run_weights(weir_runtime *rt, weights_task *task) {
    int64_t C_out = task->call->p.C_out;
    int64_t bias_parts = task->db ? 1 : 0, q_parts;
    task->part_q = part_rows(task, weir_runtime_threads(rt));
    q_parts = (task->Q - 1) / task->part_q + 1;
    task->parts = q_parts + bias_parts;
    WEIR_TRY(weir_parallel_for(rt, task->leaves * task->parts, 1, run_leaves, task));
    WEIR_TRY(weir_tree_sum(rt, task->leaves, task->dw, task->dw_leaves, task->Q * C_out));
    return task->db ? weir_tree_sum(rt, task->leaves, task->db, task->db_leaves, C_out) : WEIR_OK;
}

/* Leaves of at least LEAF_ROWS rows, a power of two of them. */
int64_t weir_conv1d_leaves(int64_t rows, int64_t weights) {
    int64_t leaves = 1;
    while (leaves < MAX_LEAVES && rows / (2 * leaves) >= LEAF_ROWS &&
           weights <= MAX_LEAF_FLOATS / (2 * leaves))
        leaves *= 2;
    return leaves;
}

weir_status weir_conv1d_bwd_weights_as(const char *op, weir_runtime *rt, const weir_conv1d *p,
                                       const float *x, const float *dy, float *dw, float *db) {
    weir_conv1d_call call;
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(weir_conv1d_prepare(op, p, &call));
    WEIR_TRY(weir_check_pointer(op, "dw", dw));
    int64_t rows = p->N * call.T_out, weights = p->K * p->C_in * p->C_out;
    if (rows == 0) {
        memset(dw, 0, (size_t)weights * sizeof(float));
        if (db) memset(db, 0, (size_t)p->C_out * sizeof(float));
        return WEIR_OK;
    }
    WEIR_TRY(weir_check_pointer(op, "x", x));
    WEIR_TRY(weir_check_pointer(op, "dy", dy));
    call.x = x;
    call.dy = dy;
    int64_t leaves = weir_conv1d_leaves(rows, weights);
    float *scratch = NULL;
    if (leaves > 1)
        WEIR_TRY(weir_scratch_floats(op, rt, (leaves - 1) * (weights + p->C_out), &scratch));
    weights_task task = {.call = &call,
                         .kernels = weir_runtime_kernels(rt),
                         .rows = rows,
                         .Q = p->K * p->C_in,
                         .leaves = leaves,
                         .leaf_rows = (rows - 1) / leaves + 1,
                         .dw = dw,
                         .dw_leaves = scratch,
                         .db = db,
                         .db_leaves = scratch ? scratch + (leaves - 1) * weights : NULL};
    weir_status status = run_weights(rt, &task);
    weir_scratch_put(rt, scratch);
    return status;
}

weir_status weir_conv1d_fwd(weir_runtime *rt, const weir_conv1d *p, const float *x, const float *w,
                            const float *b, float *y) {
    return weir_conv1d_fwd_as("conv1d_fwd", rt, p, x, w, b, y);
}

weir_status weir_conv1d_bwd_data(weir_runtime *rt, const weir_conv1d *p, const float *dy,
                                 const float *w, float *dx) {
    return weir_conv1d_bwd_data_as("conv1d_bwd_data", rt, p, dy, w, dx);
}

weir_status weir_conv1d_bwd_weights(weir_runtime *rt, const weir_conv1d *p, const float *x,
                                    const float *dy, float *dw, float *db) {
    return weir_conv1d_bwd_weights_as("conv1d_bwd_weights", rt, p, x, dy, dw, db);
}
