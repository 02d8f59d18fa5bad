/* Rows of an embedding's table, copied and summed. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/columns.h"
#include "kernels/kernels.h"

enum {
    AHEAD = 8,   /* positions whose rows of the table are fetched into the cache meanwhile */
    BLOCK = 256, /* positions whose tokens are looked through at a time */
    LINE = 16,   /* floats of a cache line */
    PANEL = 32   /* floats that are taken without a loop */
};

#define EMBEDDING_INLINE static inline __attribute__((always_inline))

static inline void fetch_row(const float *row, int64_t floats) {
    for (int64_t i = 0; i < floats; i += PANEL)
        for (int64_t j = i; j < i + PANEL; j += LINE) v_fetch(row + j, 0);
}

/* The last vector of a row that is no multiple of vectors overlaps the one before: AVX2's masked stores
 * are slow on some machines. */
static inline void copy_row(const float *from, float *to, int64_t C) {
    if (C < VL) {
        v_store_m(to, v_tail(C), v_load_m(from, v_tail(C)));
        return;
    }
    for (int64_t i = 0; i + VL <= C; i += VL) v_store(to + i, v_load(from + i));
    if (C % VL) v_store(to + C - VL, v_load(from + C - VL));
}

/* The same past the caches: whole vectors at aligned addresses. */
static void stream_row(const float *from, float *to, int64_t C) {
    for (int64_t i = 0; i < C; i += VL) v_stream(to + i, v_load(from + i));
}

void WEIR_KERNEL(embedding_fwd)(const weir_embedding_call *c, int64_t r0, int64_t r1) {
    const int64_t C = c->C;
    const int32_t *tokens = c->tokens;
    bool stream = c->stream && C % VL == 0 && (uintptr_t)c->y % (VL * sizeof(float)) == 0;
    for (int64_t r = r0; r < r1; r++) {
        if (r + AHEAD < r1) fetch_row(c->table + tokens[r + AHEAD] * C, C);
        const float *from = c->table + tokens[r] * C;
        if (stream)
            stream_row(from, c->y + r * C, C);
        else
            copy_row(from, c->y + r * C, C);
    }
    if (stream) v_stream_end();
}

static inline vf plus(vf sum, vf terms) { return v_add(v_add(sum, terms), v_zero()); }

/* sum[i] += terms[i], + 0; a last vector overlaps the one before, of what was there, as in copy_row. */
static inline void add_row(float *sum, const float *terms, int64_t floats) {
    int64_t i = 0, tail = floats % VL;
    vm m = v_tail(tail);
    vf last = v_zero();
    if (tail && floats < VL)
        last = plus(v_load_m(sum, m), v_load_m(terms, m));
    else if (tail)
        last = plus(v_load(sum + floats - VL), v_load(terms + floats - VL));
    for (; i + PANEL <= floats; i += PANEL)
        for (int64_t j = i; j < i + PANEL; j += VL)
            v_store(sum + j, plus(v_load(sum + j), v_load(terms + j)));
    for (; i + VL <= floats; i += VL) v_store(sum + i, plus(v_load(sum + i), v_load(terms + i)));
    if (tail && floats < VL)
        v_store_m(sum, m, last);
    else if (tail)
        v_store(sum + floats - VL, last);
}

/* The range of a call, and the sample at hand. */
typedef struct table_range {
    const weir_embedding_call *c;
    int64_t v0, v1, q0, q1;
    const int32_t *tokens;
    const float *dy;
} table_range;

/* Of the steps t0 <= t < t1 those whose tokens are in the range: where they are, and how many. */
static int64_t find_steps(const table_range *a, int64_t t0, int64_t t1, int32_t *steps) {
    int64_t count = 0;
    for (int64_t t = t0; t < t1; t++) {
        steps[count] = (int32_t)(t - t0);
        count += a->tokens[t] >= a->v0 && a->tokens[t] < a->v1;
    }
    return count;
}

/* Adds what step t reaches of dy. */
static inline void add_step(const table_range *a, int64_t t, bool inside) {
    const int64_t C = a->c->C, first = t - a->c->P_r; /* step of dy for j = 0 */
    int64_t from = inside ? a->q0 : max(a->q0, -first * C);
    int64_t to = inside ? a->q1 : min(a->q1, (a->c->T_out - first) * C);
    if (to > from)
        add_row(a->c->dtable + a->tokens[t] * a->c->K * C + from, a->dy + first * C + from,
                to - from);
}

/* Steps t0 <= t < t1, at most BLOCK; inside: all of them reach K steps of dy. */
EMBEDDING_INLINE void add_steps(const table_range *a, int64_t t0, int64_t t1, const bool whole,
                                const bool inside) {
    const int64_t W = a->c->K * a->c->C;
    int32_t steps[BLOCK];
    int64_t count = whole ? t1 - t0 : find_steps(a, t0, t1, steps);
    for (int64_t i = 0; i < count; i++) {
        int64_t next = min(i + AHEAD, count - 1);
        next = t0 + (whole ? next : steps[next]);
        fetch_row(a->c->dtable + a->tokens[next] * W + a->q0, a->q1 - a->q0);
        if (!whole) fetch_row(a->dy + (next - a->c->P_r) * a->c->C + a->q0, a->q1 - a->q0);
        add_step(a, t0 + (whole ? i : steps[i]), inside);
    }
}

/*
 * One pass over dy, in ascending order, whatever the range: a row of the table comes into the cache
 * where it is used, most of them are used often, and nothing need be sorted.
 */
void WEIR_KERNEL(embedding_bwd)(const weir_embedding_call *c, int64_t v0, int64_t v1, int64_t q0,
                                int64_t q1) {
    const int64_t W = c->K * c->C;
    int64_t inside0 = c->P_r, inside1 = c->T_out + c->P_r - c->K + 1;
    bool whole = v0 == 0 && v1 == c->V;
    table_range a = {.c = c, .v0 = v0, .v1 = v1, .q0 = q0, .q1 = q1};
    for (int64_t v = v0; v < v1; v++)
        for (int64_t q = q0; q < q1; q++) c->dtable[v * W + q] = 0;
    for (int64_t n = 0; n < c->N; n++) {
        a.tokens = c->tokens + n * c->T;
        a.dy = c->dy + n * c->T_out * c->C;
        for (int64_t t0 = 0, t1; t0 < c->T; t0 = t1) {
            bool inside = t0 >= inside0 && t0 < inside1;
            t1 = min(c->T, t0 + BLOCK);
            if (t0 < inside0) t1 = min(t1, inside0);
            if (inside) t1 = min(t1, inside1);
            if (whole && inside)
                add_steps(&a, t0, t1, true, true);
            else if (inside)
                add_steps(&a, t0, t1, false, true);
            else
                add_steps(&a, t0, t1, false, false);
        }
    }
}
