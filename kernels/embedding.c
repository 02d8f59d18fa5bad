/* Embedding: checks arguments and splits the work. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "kernels/driver.h"
#include "kernels/embedding.h"

enum {
    LINE = 16,      /* floats of a cache line */
    PART_LINES = 4, /* the narrowest part of a row: hardware fetches lines in pairs and ahead */
    SAMPLES = 256,  /* tokens that say where to cut the rows of a table */
    MAX_PARTS = 64  /* of these */
};

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

weir_status weir_embedding_check(const char *op, const weir_embedding *p) {
    WEIR_TRY(weir_check_pointer(op, "p", p));
    WEIR_TRY(weir_check_at_least(op, "N", p->N, 0));
    WEIR_TRY(weir_check_at_least(op, "T", p->T, 1));
    WEIR_TRY(weir_check_at_least(op, "V", p->V, 1));
    WEIR_TRY(weir_check_at_least(op, "C", p->C, 1));
    WEIR_TRY(weir_check_floats(op, "table[V][C]", p->V, p->C, 1));
    return weir_check_floats(op, "y[N][T][C]", p->N < 1 ? 1 : p->N, p->T, p->C);
}

weir_status weir_embedding_tokens(const char *op, const weir_embedding *p, const int32_t *tokens) {
    WEIR_TRY(weir_check_pointer(op, "tokens", tokens));
    const int32_t last = (int32_t)min(p->V - 1, INT32_MAX);
    int32_t outside = 0;
    for (int64_t r = 0; r < p->N * p->T; r++) outside |= (tokens[r] < 0) | (tokens[r] > last);
    if (!outside) return WEIR_OK;
    int64_t r = 0;
    while (tokens[r] >= 0 && tokens[r] <= last) r++;
    return weir_fail(WEIR_ERROR_ARGUMENT, "%s: tokens[%lld][%lld] is %d, accepted: 0 to %d", op,
                     (long long)(r / p->T), (long long)(r % p->T), tokens[r], last);
}

typedef struct rows_task {
    const weir_embedding_call *call;
    const weir_kernels *kernels;
} rows_task;

static void run_rows(void *arg, int64_t begin, int64_t end, int worker) {
    const rows_task *task = arg;
    (void)worker;
    task->kernels->embedding_fwd(task->call, begin, end);
}

weir_status weir_embedding_fwd(weir_runtime *rt, const weir_embedding *p, const int32_t *tokens,
                               const float *table, float *y) {
    const char *op = "embedding_fwd";
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(weir_embedding_check(op, p));
    if (p->N == 0) return WEIR_OK;
    WEIR_TRY(weir_embedding_tokens(op, p, tokens));
    WEIR_TRY(weir_check_pointer(op, "table", table));
    WEIR_TRY(weir_check_pointer(op, "y", y));
    const int64_t cached = 1 << 22; /* floats of y that a next op may find in a cache */
    weir_embedding_call call = {.N = p->N, .T = p->T, .V = p->V, .C = p->C, .tokens = tokens};
    call.table = table;
    call.y = y;
    call.stream = p->N * p->T * p->C > cached;
    rows_task task = {&call, weir_runtime_kernels(rt)};
    return weir_parallel_for(rt, p->N * p->T, weir_grain(4 * p->C, 16), run_rows, &task);
}

typedef struct table_task {
    const weir_embedding_call *call;
    const weir_kernels *kernels;
    int64_t column_parts, columns; /* of each */
    int64_t row_parts, first[MAX_PARTS + 1];
} table_task;

/* Item row_part column_parts + column_part. */
static void run_table(void *arg, int64_t begin, int64_t end, int worker) {
    const table_task *task = arg;
    int64_t W = task->call->K * task->call->C;
    (void)worker;
    for (int64_t item = begin; item < end; item++) {
        int64_t row = item / task->column_parts, q0 = item % task->column_parts * task->columns;
        task->kernels->embedding_bwd(task->call, task->first[row], task->first[row + 1], q0,
                                     min(W, q0 + task->columns));
    }
}

static int by_number(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Rows of the table are cut where the tokens are, not evenly: a few words are half of a text. */
static void cut_rows(const weir_embedding_call *call, table_task *task) {
    int32_t sample[SAMPLES];
    int64_t positions = call->N * call->T, samples = min(SAMPLES, positions);
    for (int64_t i = 0; i < samples; i++) sample[i] = call->tokens[i * positions / samples];
    qsort(sample, (size_t)samples, sizeof *sample, by_number);
    task->first[0] = 0;
    for (int64_t i = 1; i < task->row_parts; i++)
        task->first[i] = sample[i * samples / task->row_parts];
    task->first[task->row_parts] = call->V;
}

/*
 * Wide rows of the table are cut into columns, which makes even parts; narrower ones would fetch lines
 * that belong to other parts. Where that gives no part for each thread, the rows are cut: every part
 * looks through all tokens, but reads its own rows of dy only. No sum depends on this.
 */
weir_status weir_embedding_sum(weir_runtime *rt, const weir_embedding_call *call) {
    table_task task = {.call = call, .kernels = weir_runtime_kernels(rt)};
    int64_t W = call->K * call->C, lines = (W - 1) / LINE + 1, threads = weir_runtime_threads(rt);
    int64_t most = lines < 2 * PART_LINES ? 1 : lines / PART_LINES; /* parts that are wide enough */
    int64_t parts = threads > 1 ? min(2 * threads, most) : 1;
    task.columns = ((lines - 1) / parts + 1) * LINE;
    task.column_parts = (W - 1) / task.columns + 1;
    task.row_parts = min(MAX_PARTS, (threads - 1) / task.column_parts + 1);
    cut_rows(call, &task);
    return weir_parallel_for(rt, task.row_parts * task.column_parts, 1, run_table, &task);
}

weir_status weir_embedding_bwd(weir_runtime *rt, const weir_embedding *p, const int32_t *tokens,
                               const float *dy, float *dtable) {
    const char *op = "embedding_bwd";
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(weir_embedding_check(op, p));
    WEIR_TRY(weir_check_pointer(op, "dtable", dtable));
    if (p->N == 0) {
        memset(dtable, 0, (size_t)(p->V * p->C) * sizeof(float));
        return WEIR_OK;
    }
    WEIR_TRY(weir_embedding_tokens(op, p, tokens));
    WEIR_TRY(weir_check_pointer(op, "dy", dy));
    weir_embedding_call call = {.N = p->N, .T = p->T, .V = p->V, .C = p->C, .tokens = tokens};
    call.K = 1;
    call.T_out = p->T;
    call.dy = dy;
    call.dtable = dtable;
    return weir_embedding_sum(rt, &call);
}
