/* Max and average pooling, channels in vectors. SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "kernels/kernels.h"
#include "kernels/pool_tile.h"

static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* CALL(i, m, masked) for each vector of channels; only the last may need a mask. */
#define EACH_VECTOR(C, CALL)                                \
    do {                                                    \
        int64_t i = 0;                                      \
        for (; i + VL <= (C); i += VL) CALL(i, all, false); \
        if (i < (C)) CALL(i, v_tail((C)-i), true);          \
    } while (0)

/* Window w of the forward pass covers steps t0 <= t < t1 of x. */
typedef struct span {
    int64_t t0, t1;
} span;

static span steps_of(const weir_pool_call *c, int64_t w) {
    int64_t first = w * c->p.S - c->P_l;
    return (span){max(0, first), min(c->p.T, first + c->p.P)};
}

/* Vector i of the first row of a window, x, and of the others. */
POOL_INLINE best max_of(const float *x, int64_t C, span s, vm m, const bool masked) {
    best b = best_first(v_load_if(x, m, masked));
    for (int64_t t = s.t0 + 1; t < s.t1; t++) {
        x += C;
        b = best_next(b, v_load_if(x, m, masked), vi_set1((int32_t)(t - s.t0)));
    }
    return b;
}

POOL_INLINE void max_fwd(const weir_pool_call *c, int64_t r0, int64_t r1, const bool wide) {
    const vm all = v_tail(VL);
    int64_t C = c->p.C, n = r0 / c->T_out, w = r0 % c->T_out;
    for (int64_t r = r0; r < r1; r++) {
        span s = steps_of(c, w);
        const float *x = c->x + (n * c->p.T + s.t0) * C;
        float *y = c->y + r * C;
#define CALL(i, m, masked)                                                                  \
    do {                                                                                    \
        best b = max_of(x + (i), C, s, m, masked);                                          \
        v_store_if(y + (i), m, b.value, masked);                                            \
        if (c->winner) winner_store(c->winner, wide, r *C + (i), m, C - (i), masked, b.at); \
    } while (0)
        EACH_VECTOR(C, CALL);
#undef CALL
        if (++w == c->T_out) w = 0, n++;
    }
}

void WEIR_KERNEL(pool_max_fwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    if (c->p.P <= 256)
        max_fwd(c, r0, r1, false);
    else
        max_fwd(c, r0, r1, true);
}

POOL_INLINE void mean_of(const float *x, int64_t C, int64_t steps, vm m, const bool masked,
                         float *y) {
    vf sum = v_zero();
    for (int64_t t = 0; t < steps; t++) sum = v_add(sum, v_load_if(x + t * C, m, masked));
    v_store_if(y, m, v_div(sum, v_set1((float)steps)), masked);
}

void WEIR_KERNEL(pool_avg_fwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    const vm all = v_tail(VL);
    int64_t C = c->p.C, n = r0 / c->T_out, w = r0 % c->T_out;
    for (int64_t r = r0; r < r1; r++) {
        span s = steps_of(c, w);
        const float *x = c->x + (n * c->p.T + s.t0) * C;
        float *y = c->y + r * C;
#define CALL(i, m, masked) mean_of(x + (i), C, s.t1 - s.t0, m, masked, y + (i))
        EACH_VECTOR(C, CALL);
#undef CALL
        if (++w == c->T_out) w = 0, n++;
    }
}

/* Step t of sample n, covered by windows w0 <= w < w1. Kept up from step to step, because divisions
 * would take longer than the sums. */
typedef struct place {
    int64_t n, t, w0, w1;
} place;

static void find_windows(const weir_pool_call *c, place *p) {
    while (p->w0 < c->T_out && p->w0 * c->p.S - c->P_l + c->p.P <= p->t) p->w0++;
    while (p->w1 < c->T_out && p->w1 * c->p.S - c->P_l <= p->t) p->w1++;
}

static place first_place(const weir_pool_call *c, int64_t r) {
    place p = {.n = r / c->p.T, .t = r % c->p.T};
    int64_t first = p.t + c->P_l - c->p.P + 1;
    p.w0 = first > 0 ? min(c->T_out, (first - 1) / c->p.S + 1) : 0;
    p.w1 = min(c->T_out, (p.t + c->P_l) / c->p.S + 1);
    return p;
}

static void next_place(const weir_pool_call *c, place *p) {
    p->t++;
    if (p->t == c->p.T) *p = (place){.n = p->n + 1};
    find_windows(c, p);
}

/* Channels i, i + 1, .. of dx of a step: dy of the windows that it won, in ascending order. */
POOL_INLINE vf sum_won(const weir_pool_call *c, const place *p, int64_t i, vm m, const bool masked,
                       const bool wide) {
    vf sum = v_zero();
    for (int64_t w = p->w0; w < p->w1; w++) {
        int64_t from = (p->n * c->T_out + w) * c->p.C + i;
        vi winner = winner_load(c->winner_in, wide, from, m, c->p.C - i, masked);
        vi at = vi_set1((int32_t)(p->t - steps_of(c, w).t0));
        sum = v_add(sum, share_of(v_load_if(c->dy + from, m, masked), winner, at));
    }
    return sum;
}

POOL_INLINE void max_bwd(const weir_pool_call *c, int64_t r0, int64_t r1, const bool wide) {
    const vm all = v_tail(VL);
    int64_t C = c->p.C;
    place p = first_place(c, r0);
    for (int64_t r = r0; r < r1; r++, next_place(c, &p)) {
        float *dx = c->dx + r * C;
#define CALL(i, m, masked) v_store_if(dx + (i), m, sum_won(c, &p, i, m, masked, wide), masked)
        EACH_VECTOR(C, CALL);
#undef CALL
    }
}

void WEIR_KERNEL(pool_max_bwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    if (c->p.P <= 256)
        max_bwd(c, r0, r1, false);
    else
        max_bwd(c, r0, r1, true);
}

/* dx of a step: dy of the windows that cover it over their count, in ascending order. */
POOL_INLINE void sum_shares(const weir_pool_call *c, const float *dy, const place *p, vm m,
                            const bool masked, float *dx) {
    vf sum = v_zero();
    for (int64_t w = p->w0; w < p->w1; w++, dy += c->p.C) {
        span s = steps_of(c, w);
        sum = v_add(sum, v_div(v_load_if(dy, m, masked), v_set1((float)(s.t1 - s.t0))));
    }
    v_store_if(dx, m, sum, masked);
}

void WEIR_KERNEL(pool_avg_bwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    const vm all = v_tail(VL);
    int64_t C = c->p.C;
    place p = first_place(c, r0);
    for (int64_t r = r0; r < r1; r++, next_place(c, &p)) {
        const float *dy = c->dy + (p.n * c->T_out + p.w0) * C;
        float *dx = c->dx + r * C;
#define CALL(i, m, masked) sum_shares(c, dy + (i), &p, m, masked, dx + (i))
        EACH_VECTOR(C, CALL);
#undef CALL
    }
}
