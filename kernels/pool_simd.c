/* Max and average pooling, channels in vectors. SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "kernels/kernels.h"
#include "kernels/vec.h"

static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* Steps t0 <= t < t1 of x that a window covers. */
typedef struct span {
    int64_t t0, t1;
} span;

static span steps_of(const weir_pool_call *c, int64_t window) {
    int64_t first = window * c->p.S - c->P_l;
    return (span){max(0, first), min(c->p.T, first + c->p.P)};
}

/* Windows t0 <= window < t1 that cover step t. */
static span windows_of(const weir_pool_call *c, int64_t t) {
    int64_t first = t + c->P_l - c->p.P + 1;
    return (span){first > 0 ? (first - 1) / c->p.S + 1 : 0,
                  min(c->T_out, (t + c->P_l) / c->p.S + 1)};
}

/* The first of the largest steps of a window, or the first NaN. x points at its first step, t. */
static void max_of(const float *x, int64_t C, int64_t t, int64_t steps, vm m, float *y,
                   int32_t *winner) {
    vf best = v_load_m(x, m);
    vi at = vi_set1((int32_t)t);
    for (int64_t s = 1; s < steps; s++) {
        vf a = v_load_m(x + s * C, m);
        vm better = vm_or(v_gt(a, best), vm_andnot(v_isnan(a), v_isnan(best)));
        best = v_blend(better, a, best);
        at = vi_blend(better, vi_set1((int32_t)(t + s)), at);
    }
    v_store_m(y, m, best);
    if (winner) vi_store_m(winner, m, at);
}

void WEIR_KERNEL(pool_max_fwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    int64_t C = c->p.C;
    for (int64_t r = r0; r < r1; r++) {
        span s = steps_of(c, r % c->T_out);
        const float *x = c->x + (r / c->T_out * c->p.T + s.t0) * C;
        for (int64_t i = 0; i < C; i += VL)
            max_of(x + i, C, s.t0, s.t1 - s.t0, v_tail(C - i), c->y + r * C + i,
                   c->winner ? c->winner + r * C + i : NULL);
    }
}

void WEIR_KERNEL(pool_avg_fwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    int64_t C = c->p.C;
    for (int64_t r = r0; r < r1; r++) {
        span s = steps_of(c, r % c->T_out);
        const float *x = c->x + (r / c->T_out * c->p.T + s.t0) * C;
        vf count = v_set1((float)(s.t1 - s.t0));
        for (int64_t i = 0; i < C; i += VL) {
            vm m = v_tail(C - i);
            vf sum = v_zero();
            for (int64_t t = 0; t < s.t1 - s.t0; t++) sum = v_add(sum, v_load_m(x + t * C + i, m));
            v_store_m(c->y + r * C + i, m, v_div(sum, count));
        }
    }
}

/* Each step of dx takes dy of the windows that it won, in ascending order. */
void WEIR_KERNEL(pool_max_bwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    int64_t C = c->p.C;
    for (int64_t r = r0; r < r1; r++) {
        span w = windows_of(c, r % c->p.T);
        int64_t from = (r / c->p.T * c->T_out + w.t0) * C;
        vi t = vi_set1((int32_t)(r % c->p.T));
        for (int64_t i = 0; i < C; i += VL) {
            vm m = v_tail(C - i);
            vf sum = v_zero();
            for (int64_t k = 0; k < w.t1 - w.t0; k++) {
                vm won = vi_eq(vi_load_m(c->winner_in + from + k * C + i, m), t);
                vf dy = v_load_m(c->dy + from + k * C + i, m);
                sum = v_add(sum, v_blend(won, dy, v_zero()));
            }
            v_store_m(c->dx + r * C + i, m, sum);
        }
    }
}

void WEIR_KERNEL(pool_avg_bwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    int64_t C = c->p.C;
    for (int64_t r = r0; r < r1; r++) {
        span w = windows_of(c, r % c->p.T);
        const float *dy = c->dy + r / c->p.T * c->T_out * C;
        for (int64_t i = 0; i < C; i += VL) {
            vm m = v_tail(C - i);
            vf sum = v_zero();
            for (int64_t k = w.t0; k < w.t1; k++) {
                span s = steps_of(c, k);
                vf count = v_set1((float)(s.t1 - s.t0));
                sum = v_add(sum, v_div(v_load_m(dy + k * C + i, m), count));
            }
            v_store_m(c->dx + r * C + i, m, sum);
        }
    }
}
