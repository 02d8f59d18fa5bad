/* conv1d with max pooling: checks arguments, packs weights, splits the work.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/conv1d_pool.h"

#include <string.h>

#include "kernels/driver.h"

enum {
    PIECE_STEPS = 512 /* steps of a sample up to which a parallel chunk is whole samples */
};

/* Checks p and works out T_out, P_l and T_p. */
static weir_status prepare(const char *op, const weir_conv1d_pool *p, weir_conv1d_pool_call *call) {
    WEIR_TRY(weir_check_pointer(op, "p", p));
    *call = (weir_conv1d_pool_call){.P = p->P};
    WEIR_TRY(weir_check_range(op, "activation (0 linear, 1 relu)", (int64_t)p->conv.activation,
                              WEIR_LINEAR, WEIR_RELU));
    WEIR_TRY(weir_conv1d_prepare(op, &p->conv, &call->conv));
    int64_t T_out = call->conv.T_out;
    WEIR_TRY(weir_check_range(op, "P", p->P, 1, T_out < 256 ? T_out : 256));
    call->T_p = T_out / p->P;
    return WEIR_OK;
}

int64_t weir_conv1d_pool_t_out(const weir_conv1d_pool *p) {
    weir_conv1d_pool_call call;
    return prepare("conv1d_pool", p, &call) == WEIR_OK ? call.T_p : 0;
}

/* In double, where nothing overflows: a call of so many floats can't be made. */
int64_t weir_conv1d_pool_scratch_floats(const weir_conv1d_pool_call *c) {
    const weir_conv1d *p = &c->conv.p;
    const double most = 0x1p50;
    double C_out = (double)p->C_out + POOL_UNIT, C_in = (double)p->C_in + POOL_UNIT;
    double fwd = (double)c->P * C_out;
    double steps = ((double)p->T + (double)p->S + (double)p->K) * C_in;
    double sums = (double)p->K * C_in * C_out;
    double sets = ((double)c->conv.T_out + (double)c->P) * C_out;
    if (fwd > most || steps > most || sums > most || sets > most) return INT64_MAX;
    pool_piece a = pool_fwd_piece(c), b = pool_weights_piece(c);
    int64_t filters = pool_padded(p->C_out), windows = b.samples * b.windows;
    int64_t forward = a.samples * a.windows * c->P * p->C_out;
    int64_t weights = p->C_out * p->K * pool_padded(p->C_in) +
                      b.samples * pool_x_rows(c, b.windows) * pool_padded(p->C_in) +
                      (windows + 1) * filters + (windows + 1) * filters / (int64_t)sizeof(float);
    int64_t data = c->T_p * c->P * ((p->C_out - 1) / 64 + 1) * 2;
    int64_t floats = forward > weights ? forward : weights;
    return pool_padded(floats > data ? floats : data);
}

int64_t weir_conv1d_pool_units_floats(const weir_conv1d *p) {
    return weir_add_floats(0, (p->C_in - 1) / POOL_UNIT + 1, p->K * p->C_out * POOL_UNIT);
}

void weir_conv1d_pool_pack(const weir_conv1d *p, const float *w, int64_t item0, int64_t item1,
                           float *w_units) {
    for (int64_t item = item0; item < item1; item++) {
        int64_t i0 = item / p->C_out * POOL_UNIT, o = item % p->C_out;
        for (int64_t k = 0; k < p->K; k++)
            for (int64_t j = 0; j < POOL_UNIT; j++)
                w_units[(item * p->K + k) * POOL_UNIT + j] =
                    i0 + j < p->C_in ? w[(k * p->C_in + i0 + j) * p->C_out + o] : 0;
    }
}

/* A parallel loop over one kernel; each worker has its own scratch. */
typedef struct rows_task {
    const weir_conv1d_pool_call *call;
    void (*kernel)(const weir_conv1d_pool_call *call, int64_t r0, int64_t r1);
    float *scratch;
    int64_t scratch_floats;
    bool backward;
    weir_replicas weights; /* w_units where backward, else w */
} rows_task;

static void run_rows(void *arg, int64_t begin, int64_t end, int worker) {
    rows_task *task = arg;
    weir_conv1d_pool_call call = *task->call;
    const float **weights = task->backward ? &call.w_units : &call.conv.w;
    *weights = weir_replica(&task->weights, worker);
    call.scratch = task->scratch + worker * task->scratch_floats;
    task->kernel(&call, begin, end);
}

/* Items of `work` multiply-adds in a chunk: whole samples where those are short. */
static int64_t chunk(double work, int64_t items_of_sample) {
    int64_t most = 1 << 20;
    return weir_grain(work < (double)most ? (int64_t)work : most,
                      items_of_sample <= PIECE_STEPS ? items_of_sample : 1);
}

/* Multiply-adds of one step of the convolution. */
static double step_work(const weir_conv1d *p) {
    return (double)p->K * (double)p->C_in * (double)p->C_out;
}

weir_status weir_conv1d_pool_fwd(weir_runtime *rt, const weir_conv1d_pool *p, const float *x,
                                 const float *w, const float *b, float *y, uint8_t *winner) {
    const char *op = "conv1d_pool_fwd";
    weir_conv1d_pool_call call;
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(prepare(op, p, &call));
    if (p->conv.N == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer(op, "x", x));
    WEIR_TRY(weir_check_pointer(op, "w", w));
    WEIR_TRY(weir_check_pointer(op, "y", y));
    call.conv.x = x;
    call.conv.w = w;
    call.conv.b = b;
    call.y = y;
    call.winner = winner;
    int64_t floats = weir_conv1d_pool_scratch_floats(&call);
    rows_task task = {.call = &call,
                      .kernel = weir_runtime_kernels(rt)->conv1d_pool_fwd,
                      .scratch_floats = floats};
    WEIR_TRY(weir_scratch_floats(op, rt, weir_add_floats(0, weir_runtime_threads(rt), floats),
                                 &task.scratch));
    weir_replicas_get(rt, w, p->conv.K * p->conv.C_in * p->conv.C_out, &task.weights);
    weir_status status =
        weir_parallel_for(rt, p->conv.N * call.T_p,
                          chunk((double)p->P * step_work(&p->conv), call.T_p), run_rows, &task);
    weir_replicas_put(&task.weights);
    weir_scratch_put(rt, task.scratch);
    return status;
}

/* ---- backward, weights: the leaves of conv1d_bwd_weights, in the same tree ---- */

typedef struct weights_task {
    const weir_conv1d_pool_call *call;
    const weir_kernels *kernels;
    int64_t rows, leaves, leaf_rows; /* of the convolution */
    int64_t parts, part_filters;     /* tasks of one leaf */
    float *leaf;                     /* [leaves]: dw[C_out][K][C_in], db[C_out] */
    int64_t leaf_floats;
    float *scratch;
    int64_t scratch_floats;
    float *dw, *db;
} weights_task;

/* Item leaf parts + part. */
static void run_leaves(void *arg, int64_t begin, int64_t end, int worker) {
    const weights_task *task = arg;
    weir_conv1d_pool_call call = *task->call;
    int64_t C_out = call.conv.p.C_out, Q = call.conv.p.K * call.conv.p.C_in;
    call.scratch = task->scratch + worker * task->scratch_floats;
    for (int64_t item = begin; item < end; item++) {
        float *leaf = task->leaf + item / task->parts * task->leaf_floats;
        int64_t r0 = item / task->parts * task->leaf_rows, r1 = r0 + task->leaf_rows;
        int64_t o0 = item % task->parts * task->part_filters, o1 = o0 + task->part_filters;
        if (r1 > task->rows) r1 = task->rows;
        if (o1 > C_out) o1 = C_out;
        task->kernels->conv1d_pool_bwd_weights(&call, r0, r1, o0, o1, leaf + o0 * Q,
                                               leaf + C_out * Q + o0);
    }
}

/* Rows q of dw[K C_in][C_out] from the sum of the leaves, [C_out][K C_in]. */
static void run_transpose(void *arg, int64_t begin, int64_t end, int worker) {
    const weights_task *task = arg;
    const weir_conv1d *p = &task->call->conv.p;
    const weir_conv1d sum = {.K = 1, .C_in = p->C_out, .C_out = p->K * p->C_in};
    (void)worker;
    task->kernels->conv1d_transpose(&sum, begin, end, task->leaf, task->dw);
}

static weir_status run_weights(weir_runtime *rt, weights_task *task) {
    int64_t C_out = task->call->conv.p.C_out, Q = task->call->conv.p.K * task->call->conv.p.C_in;
    WEIR_TRY(weir_parallel_for(rt, task->leaves * task->parts, 1, run_leaves, task));
    WEIR_TRY(weir_tree_sum(rt, task->leaves, task->leaf, task->leaf + task->leaf_floats,
                           task->leaf_floats));
    WEIR_TRY(weir_parallel_for(rt, Q, weir_grain(16 * C_out, 16), run_transpose, task));
    if (task->db) memcpy(task->db, task->leaf + C_out * Q, (size_t)C_out * sizeof(float));
    return WEIR_OK;
}

static weights_task weights_task_of(weir_runtime *rt, const weir_conv1d_pool_call *call, float *dw,
                                    float *db) {
    const weir_conv1d *p = &call->conv.p;
    weights_task task = {.call = call, .kernels = weir_runtime_kernels(rt), .dw = dw, .db = db};
    int64_t Q = p->K * p->C_in;
    task.rows = p->N * call->conv.T_out;
    task.leaves = weir_conv1d_leaves(task.rows, Q * p->C_out);
    task.leaf_rows = (task.rows - 1) / task.leaves + 1;
    task.leaf_floats = weir_add_floats(p->C_out, Q, p->C_out);
    task.scratch_floats = weir_conv1d_pool_scratch_floats(call);
    /* As every part copies x of its leaf again: only as many as leave each thread a few tasks. */
    task.parts = 4 * weir_runtime_threads(rt) / task.leaves + 1;
    task.part_filters = (p->C_out - 1) / task.parts + 1;
    task.part_filters += task.part_filters % 2;
    task.parts = (p->C_out - 1) / task.part_filters + 1;
    return task;
}

/* ---- backward, data ---- */

typedef struct pack_task {
    const weir_conv1d *p;
    const float *w;
    float *w_units;
} pack_task;

static void run_pack(void *arg, int64_t begin, int64_t end, int worker) {
    const pack_task *task = arg;
    (void)worker;
    weir_conv1d_pool_pack(task->p, task->w, begin, end, task->w_units);
}

static weir_status run_data(weir_runtime *rt, const weir_conv1d_pool_call *call, float *w_units,
                            float *scratch, int64_t scratch_floats) {
    const weir_conv1d *p = &call->conv.p;
    pack_task pack = {p, call->conv.w, w_units};
    rows_task task = {.call = call,
                      .kernel = weir_runtime_kernels(rt)->conv1d_pool_bwd_data,
                      .scratch = scratch,
                      .scratch_floats = scratch_floats,
                      .backward = true};
    WEIR_TRY(weir_parallel_for(rt, ((p->C_in - 1) / POOL_UNIT + 1) * p->C_out,
                               weir_grain(p->K * POOL_UNIT * 16, 1), run_pack, &pack));
    weir_replicas_get(rt, w_units, weir_conv1d_pool_units_floats(p), &task.weights);
    const weir_status status = weir_parallel_for(
        rt, p->N * p->T, chunk(step_work(p) / (double)call->P, p->T), run_rows, &task);
    weir_replicas_put(&task.weights);
    return status;
}

/* All scratch at once, so that the outputs are untouched where it can't be had. */
static weir_status backward(const char *op, weir_runtime *rt, weir_conv1d_pool_call *call,
                            float *dw, float *db) {
    weights_task task = weights_task_of(rt, call, dw, db);
    int64_t threads = weir_runtime_threads(rt);
    bool countable = task.scratch_floats < INT64_MAX; /* then so are the units */
    int64_t units = call->conv.dx && countable ? weir_conv1d_pool_units_floats(&call->conv.p) : 0;
    int64_t floats = weir_add_floats(units, threads, task.scratch_floats);
    if (floats < INT64_MAX) floats = weir_add_floats(floats, task.leaves, task.leaf_floats);
    WEIR_TRY(weir_scratch_floats(op, rt, floats, &task.scratch));
    float *w_units = task.scratch + threads * task.scratch_floats;
    task.leaf = w_units + units;
    call->w_units = w_units;
    weir_status status = WEIR_OK;
    if (call->conv.dx) status = run_data(rt, call, w_units, task.scratch, task.scratch_floats);
    if (status == WEIR_OK) status = run_weights(rt, &task);
    weir_scratch_put(rt, task.scratch);
    return status;
}

weir_status weir_conv1d_pool_bwd(weir_runtime *rt, const weir_conv1d_pool *p, const float *x,
                                 const float *w, const float *y, const uint8_t *winner,
                                 const float *dy, float *dx, float *dw, float *db) {
    const char *op = "conv1d_pool_bwd";
    weir_conv1d_pool_call call;
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(prepare(op, p, &call));
    WEIR_TRY(weir_check_pointer(op, "dw", dw));
    if (p->conv.N == 0) {
        memset(dw, 0, (size_t)(p->conv.K * p->conv.C_in * p->conv.C_out) * sizeof(float));
        if (db) memset(db, 0, (size_t)p->conv.C_out * sizeof(float));
        return WEIR_OK;
    }
    WEIR_TRY(weir_check_pointer(op, "x", x));
    if (dx) WEIR_TRY(weir_check_pointer(op, "w", w));
    WEIR_TRY(weir_check_pointer(op, "y", y));
    WEIR_TRY(weir_check_pointer(op, "winner", winner));
    WEIR_TRY(weir_check_pointer(op, "dy", dy));
    call.conv.x = x;
    call.conv.w = w;
    call.conv.dx = dx;
    call.y_in = y;
    call.winner_in = winner;
    call.dy = dy;
    return backward(op, rt, &call, dw, db);
}
