/* Convolution over embedded tokens: checks arguments, makes the product table of the tokens that
 * occur, splits the work. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kernels/driver.h"
#include "kernels/embedding.h"

static weir_conv1d conv_of(const weir_embedding_conv1d *p) {
    return (weir_conv1d){.N = p->embedding.N,
                         .T = p->embedding.T,
                         .C_in = p->embedding.C,
                         .C_out = p->C_out,
                         .K = p->K,
                         .S = 1,
                         .D = 1,
                         .padding = p->padding,
                         .activation = p->activation};
}

/* Checks p; call has the sizes of the convolution. */
static weir_status prepare(const char *op, const weir_embedding_conv1d *p,
                           weir_embedding_call *call) {
    WEIR_TRY(weir_check_pointer(op, "p", p));
    WEIR_TRY(weir_embedding_check(op, &p->embedding));
    weir_conv1d conv = conv_of(p);
    weir_conv1d_call sizes;
    WEIR_TRY(weir_conv1d_prepare(op, &conv, &sizes));
    WEIR_TRY(weir_check_floats(op, "product[V][K][C_out]", p->embedding.V, p->K, p->C_out));
    *call = (weir_embedding_call){.N = p->embedding.N,
                                  .T = p->embedding.T,
                                  .V = p->embedding.V,
                                  .C = p->C_out,
                                  .K = p->K,
                                  .T_out = sizes.T_out,
                                  .P_r = p->K - 1 - sizes.P_l,
                                  .activation = p->activation};
    return WEIR_OK;
}

int64_t weir_embedding_conv1d_t_out(const weir_embedding_conv1d *p) {
    weir_embedding_call call;
    return prepare("embedding_conv1d", p, &call) == WEIR_OK ? call.T_out : 0;
}

/* ---- the product: rows[D][C] x w[C][K][C_out], K - 1 first ---- */

/* Rows of so many tokens as a convolution of one step width. */
static weir_conv1d product_of(const weir_embedding_conv1d *p, int64_t rows) {
    return (weir_conv1d){.N = 1,
                         .T = rows,
                         .C_in = p->embedding.C,
                         .C_out = p->K * p->C_out,
                         .K = 1,
                         .S = 1,
                         .D = 1};
}

/* packed[i][j][o] = w[K - 1 - j][i][o]: a row of the product has the steps of dy that its token reaches
 * in ascending order. */
static void pack(const weir_embedding_conv1d *p, const float *w, float *packed) {
    int64_t C = p->embedding.C, K = p->K;
    for (int64_t i = 0; i < C; i++)
        for (int64_t j = 0; j < K; j++)
            memcpy(packed + (i * K + j) * p->C_out, w + ((K - 1 - j) * C + i) * p->C_out,
                   (size_t)p->C_out * sizeof(float));
}

static void unpack(const weir_embedding_conv1d *p, const float *packed, float *w) {
    int64_t C = p->embedding.C, K = p->K;
    for (int64_t i = 0; i < C; i++)
        for (int64_t j = 0; j < K; j++)
            memcpy(w + ((K - 1 - j) * C + i) * p->C_out, packed + (i * K + j) * p->C_out,
                   (size_t)p->C_out * sizeof(float));
}

/* ---- tokens that occur ---- */

/* Scratch of a call over the distinct tokens; one block. */
typedef struct distinct {
    int64_t count;
    int32_t *slot_of;                /* [V] number among the distinct tokens, ascending; or -1 */
    int32_t *tokens;                 /* [count] */
    int32_t *slots;                  /* [N][T] */
    float *packed, *rows, *products; /* [C][K][C_out], [count][C], [count][K][C_out] */
} distinct;

static int64_t tokens_most(const weir_embedding *p) {
    return p->V < p->N * p->T ? p->V : p->N * p->T;
}

static void find_tokens(const weir_embedding *p, const int32_t *tokens, distinct *d) {
    for (int64_t v = 0; v < p->V; v++) d->slot_of[v] = -1;
    for (int64_t r = 0; r < p->N * p->T; r++) d->slot_of[tokens[r]] = 0;
    for (int64_t v = 0; v < p->V; v++) {
        if (d->slot_of[v] < 0) continue;
        d->tokens[d->count] = (int32_t)v;
        d->slot_of[v] = (int32_t)d->count++;
    }
    for (int64_t r = 0; r < p->N * p->T; r++) d->slots[r] = d->slot_of[tokens[r]];
}

/* Finds the tokens, packs w, copies their rows of the table. d->slot_of is to be given back. */
static weir_status distinct_make(const char *op, weir_runtime *rt, const weir_embedding_conv1d *p,
                                 const int32_t *tokens, const float *table, const float *w,
                                 distinct *d) {
    const weir_embedding *e = &p->embedding;
    int64_t most = tokens_most(e), row = p->K * p->C_out;
    int64_t integers = weir_add_floats(weir_add_floats(e->V, 1, most), e->N, e->T);
    int64_t floats = weir_add_floats(weir_add_floats(integers, e->C + most, row), most, e->C);
    float *scratch;
    WEIR_TRY(weir_scratch_floats(op, rt, floats, &scratch));
    *d = (distinct){.packed = scratch};
    d->products = d->packed + e->C * row;
    d->rows = d->products + most * row;
    d->slot_of = (int32_t *)(void *)(d->rows + most * e->C);
    d->tokens = d->slot_of + e->V;
    d->slots = d->tokens + most;
    find_tokens(e, tokens, d);
    pack(p, w, d->packed);
    const weir_embedding rows = {.N = 1, .T = d->count, .V = e->V, .C = e->C};
    weir_status status = weir_embedding_fwd(rt, &rows, d->tokens, table, d->rows);
    if (status != WEIR_OK) weir_scratch_put(rt, scratch);
    return status;
}

static void distinct_free(weir_runtime *rt, distinct *d) { weir_scratch_put(rt, d->packed); }

/* ---- forward ---- */

typedef struct sum_task {
    const weir_embedding_call *call;
    const weir_kernels *kernels;
} sum_task;

static void run_sum(void *arg, int64_t begin, int64_t end, int worker) {
    const sum_task *task = arg;
    (void)worker;
    task->kernels->embedding_conv1d_fwd(task->call, begin, end);
}

static weir_status sum_products(weir_runtime *rt, const weir_embedding_call *call) {
    sum_task task = {call, weir_runtime_kernels(rt)};
    return weir_parallel_for(rt, call->N * call->T_out, weir_grain(4 * call->K * call->C, 16),
                             run_sum, &task);
}

weir_status weir_embedding_conv1d_fwd(weir_runtime *rt, const weir_embedding_conv1d *p,
                                      const int32_t *tokens, const float *table, const float *w,
                                      const float *b, float *y) {
    const char *op = "embedding_conv1d_fwd";
    weir_embedding_call call;
    distinct d;
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(prepare(op, p, &call));
    if (call.N == 0) return WEIR_OK;
    WEIR_TRY(weir_embedding_tokens(op, &p->embedding, tokens));
    WEIR_TRY(weir_check_pointer(op, "table", table));
    WEIR_TRY(weir_check_pointer(op, "w", w));
    WEIR_TRY(weir_check_pointer(op, "y", y));
    WEIR_TRY(distinct_make(op, rt, p, tokens, table, w, &d));
    weir_conv1d product = product_of(p, d.count);
    weir_status status = weir_conv1d_fwd_as(op, rt, &product, d.rows, d.packed, NULL, d.products);
    call.tokens = d.slots;
    call.table = d.products;
    call.b = b;
    call.y = y;
    if (status == WEIR_OK) status = sum_products(rt, &call);
    distinct_free(rt, &d);
    return status;
}

weir_status weir_embedding_conv1d_table(weir_runtime *rt, const weir_embedding_conv1d *p,
                                        const float *table, const float *w, float *product) {
    const char *op = "embedding_conv1d_table";
    weir_embedding_call call;
    float *packed;
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(prepare(op, p, &call));
    WEIR_TRY(weir_check_pointer(op, "table", table));
    WEIR_TRY(weir_check_pointer(op, "w", w));
    WEIR_TRY(weir_check_pointer(op, "product", product));
    WEIR_TRY(weir_scratch_floats(op, rt, p->embedding.C * p->K * p->C_out, &packed));
    pack(p, w, packed);
    weir_conv1d conv = product_of(p, p->embedding.V);
    weir_status status = weir_conv1d_fwd_as(op, rt, &conv, table, packed, NULL, product);
    weir_scratch_put(rt, packed);
    return status;
}

weir_status weir_embedding_conv1d_apply(weir_runtime *rt, const weir_embedding_conv1d *p,
                                        const int32_t *tokens, const float *product, const float *b,
                                        float *y) {
    const char *op = "embedding_conv1d_apply";
    weir_embedding_call call;
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(prepare(op, p, &call));
    if (call.N == 0) return WEIR_OK;
    WEIR_TRY(weir_embedding_tokens(op, &p->embedding, tokens));
    WEIR_TRY(weir_check_pointer(op, "product", product));
    WEIR_TRY(weir_check_pointer(op, "y", y));
    call.tokens = tokens;
    call.table = product;
    call.b = b;
    call.y = y;
    return sum_products(rt, &call);
}

/* ---- backward ---- */

/* The bias gradient: leaves of rows of dy, summed in a tree, as conv1d's. */
typedef struct bias_task {
    const weir_kernels *kernels;
    const float *dy;
    int64_t C, rows, leaves, leaf_rows;
    float *db, *others;
} bias_task;

static void run_bias(void *arg, int64_t begin, int64_t end, int worker) {
    const bias_task *task = arg;
    (void)worker;
    for (int64_t leaf = begin; leaf < end; leaf++) {
        int64_t r0 = leaf * task->leaf_rows, r1 = r0 + task->leaf_rows;
        task->kernels->sum_rows(task->C, r0, r1 < task->rows ? r1 : task->rows, task->dy,
                                weir_leaf_of(task->db, task->others, leaf, task->C));
    }
}

static weir_status sum_bias(const char *op, weir_runtime *rt, const weir_embedding_call *call,
                            float *db) {
    bias_task task = {.kernels = weir_runtime_kernels(rt), .dy = call->dy, .C = call->C, .db = db};
    task.rows = call->N * call->T_out;
    task.leaves = weir_conv1d_leaves(task.rows, call->C);
    task.leaf_rows = (task.rows - 1) / task.leaves + 1;
    WEIR_TRY(weir_scratch_floats(op, rt, task.leaves * call->C, &task.others));
    weir_status status = weir_parallel_for(rt, task.leaves, 1, run_bias, &task);
    if (status == WEIR_OK) status = weir_tree_sum(rt, task.leaves, db, task.others, call->C);
    weir_scratch_put(rt, task.others);
    return status;
}

typedef struct scatter_task {
    const distinct *d;
    int64_t C;
    float *dtable;
} scatter_task;

static void run_scatter(void *arg, int64_t begin, int64_t end, int worker) {
    const scatter_task *task = arg;
    size_t bytes = (size_t)task->C * sizeof(float);
    (void)worker;
    for (int64_t v = begin; v < end; v++) {
        int64_t slot = task->d->slot_of[v];
        if (slot < 0)
            memset(task->dtable + v * task->C, 0, bytes);
        else
            memcpy(task->dtable + v * task->C, task->d->rows + slot * task->C, bytes);
    }
}

/* dw and dtable from the gradient of the products, which takes their place. dw is summed first, for
 * then the rows of the table can be those of its gradient. */
static weir_status finish(const char *op, weir_runtime *rt, const weir_embedding_conv1d *p,
                          distinct *d, float *dtable, float *dw) {
    const weir_embedding *e = &p->embedding;
    weir_conv1d product = product_of(p, d->count);
    float *packed;
    WEIR_TRY(weir_scratch_floats(op, rt, e->C * p->K * p->C_out, &packed));
    weir_status status =
        weir_conv1d_bwd_weights_as(op, rt, &product, d->rows, d->products, packed, NULL);
    if (status == WEIR_OK) unpack(p, packed, dw);
    weir_scratch_put(rt, packed);
    if (status == WEIR_OK)
        status = weir_conv1d_bwd_data_as(op, rt, &product, d->products, d->packed, d->rows);
    if (status != WEIR_OK) return status;
    scatter_task task = {d, e->C, dtable};
    return weir_parallel_for(rt, e->V, weir_grain(4 * e->C, 16), run_scatter, &task);
}

static void clear(const weir_embedding_conv1d *p, float *dtable, float *dw, float *db) {
    const weir_embedding *e = &p->embedding;
    memset(dtable, 0, (size_t)(e->V * e->C) * sizeof(float));
    memset(dw, 0, (size_t)(p->K * e->C * p->C_out) * sizeof(float));
    if (db) memset(db, 0, (size_t)p->C_out * sizeof(float));
}

weir_status weir_embedding_conv1d_bwd(weir_runtime *rt, const weir_embedding_conv1d *p,
                                      const int32_t *tokens, const float *table, const float *w,
                                      const float *dy, float *dtable, float *dw, float *db) {
    const char *op = "embedding_conv1d_bwd";
    weir_embedding_call call;
    distinct d;
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(prepare(op, p, &call));
    WEIR_TRY(weir_check_pointer(op, "dtable", dtable));
    WEIR_TRY(weir_check_pointer(op, "dw", dw));
    if (call.N == 0) {
        clear(p, dtable, dw, db);
        return WEIR_OK;
    }
    WEIR_TRY(weir_embedding_tokens(op, &p->embedding, tokens));
    WEIR_TRY(weir_check_pointer(op, "table", table));
    WEIR_TRY(weir_check_pointer(op, "w", w));
    WEIR_TRY(weir_check_pointer(op, "dy", dy));
    WEIR_TRY(distinct_make(op, rt, p, tokens, table, w, &d));
    call.tokens = d.slots;
    call.V = d.count;
    call.dy = dy;
    call.dtable = d.products;
    weir_status status = db ? sum_bias(op, rt, &call, db) : WEIR_OK;
    if (status == WEIR_OK) status = weir_embedding_sum(rt, &call);
    if (status == WEIR_OK) status = finish(op, rt, p, &d, dtable, dw);
    distinct_free(rt, &d);
    return status;
}
