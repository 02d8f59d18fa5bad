/* Max and average pooling, channels in vectors. SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "kernels/kernels.h"
#include "kernels/vec.h"

#define POOL_INLINE static inline __attribute__((always_inline))

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

/* The first of the largest steps of a window, or the first NaN. x points at its first step, t. */
POOL_INLINE void max_of(const float *x, int64_t C, span s, vm m, const bool masked, float *y,
                        int32_t *winner) {
    vf best = v_load_if(x, m, masked);
    vm nan = v_isnan(best);
    vi at = vi_set1((int32_t)s.t0);
    for (int64_t t = s.t0 + 1; t < s.t1; t++) {
        x += C;
        vf a = v_load_if(x, m, masked);
        vm keep = vm_or(nan, v_le(a, best)); /* false where a is NaN, or best and nan says so */
        nan = vm_or(nan, v_isnan(a));
        best = v_blend(keep, best, a);
        at = vi_blend(keep, at, vi_set1((int32_t)t));
    }
    v_store_if(y, m, best, masked);
    if (winner && masked)
        vi_store_m(winner, m, at);
    else if (winner)
        vi_store(winner, at);
}

void WEIR_KERNEL(pool_max_fwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    const vm all = v_tail(VL);
    int64_t C = c->p.C, n = r0 / c->T_out, w = r0 % c->T_out;
    for (int64_t r = r0; r < r1; r++) {
        span s = steps_of(c, w);
        const float *x = c->x + (n * c->p.T + s.t0) * C;
        float *y = c->y + r * C;
        int32_t *winner = c->winner ? c->winner + r * C : NULL;
#define CALL(i, m, masked) max_of(x + (i), C, s, m, masked, y + (i), winner ? winner + (i) : NULL)
        EACH_VECTOR(C, CALL);
#undef CALL
        if (++w == c->T_out) w = 0, n++;
    }
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

/* dx of a step: dy of the windows that it won, in ascending order. */
POOL_INLINE void sum_won(const float *dy, const int32_t *winner, int64_t C, const place *p, vm m,
                         const bool masked, float *dx) {
    vf sum = v_zero();
    vi t = vi_set1((int32_t)p->t);
    for (int64_t w = p->w0; w < p->w1; w++, dy += C, winner += C) {
        vm won = vi_eq(masked ? vi_load_m(winner, m) : vi_load(winner), t);
        sum = v_add(sum, v_blend(won, v_load_if(dy, m, masked), v_zero()));
    }
    v_store_if(dx, m, sum, masked);
}

void WEIR_KERNEL(pool_max_bwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    const vm all = v_tail(VL);
    int64_t C = c->p.C;
    place p = first_place(c, r0);
    for (int64_t r = r0; r < r1; r++, next_place(c, &p)) {
        int64_t from = (p.n * c->T_out + p.w0) * C;
        const float *dy = c->dy + from;
        const int32_t *winner = c->winner_in + from;
        float *dx = c->dx + r * C;
#define CALL(i, m, masked) sum_won(dy + (i), winner + (i), C, &p, m, masked, dx + (i))
        EACH_VECTOR(C, CALL);
#undef CALL
    }
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
