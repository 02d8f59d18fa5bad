/* What the checks of the recurrent layers share. SPDX-License-Identifier: Apache-2.0 */
#include "validate/recurrent.h"

#include <math.h>

#include "kernels/gru.h"

uint8_t *step_mask_draw(context *c, int64_t N, int64_t T) {
    rng *r = &c->rng;
    if (rng_chance(r, 50)) return NULL;
    uint8_t *mask = bytes_input_new(c, "step_mask", N * T);
    for (int64_t n = 0; n < N; n++) {
        int64_t kind = rng_range(r, 0, 3), first = rng_range(r, 0, T);
        for (int64_t t = 0; t < T; t++) {
            bool takes = kind == 0 ? t >= first : kind == 1 ? t < first : kind == 2;
            if (kind == 3) takes = rng_chance(r, 50);
            mask[n * T + t] = takes ? (uint8_t)rng_range(r, 1, 255) : 0;
        }
    }
    return mask;
}

void step_mask_poison(const uint8_t *mask, int64_t rows, int64_t C_in, float *x) {
    for (int64_t i = 0; mask && i < rows; i++)
        if (!mask[i]) poison(x + i * C_in, C_in);
}

uint8_t *step_mask_of(context *c, const uint8_t *mask, int64_t N, int64_t T, int64_t t) {
    if (!mask) return NULL;
    uint8_t *one = (uint8_t *)plain_new(c, N);
    for (int64_t n = 0; n < N; n++) one[n] = mask[n * T + t];
    return one;
}

void padding_poison(float *a, int64_t floats, int64_t H) {
    for (int64_t i = 0; i < floats; i++)
        if (i % gru_padded(H) >= H) poison(&a[i], 1);
}

double bound_settle(const context *c, double bound) {
    if (bound < 0x1p126) return bound;
    return c->values == VALUES_SPECIAL ? 0 : INFINITY;
}

double bound_settle_sum(const context *c, double bound, double magnitude) {
    return bound_settle(c, magnitude < 0x1p126 ? bound : INFINITY);
}

double slope(weir_activation activation, double y) {
    switch (activation) {
    case WEIR_RELU: return y > 0 ? 1 : 0;
    case WEIR_TANH: return 1 - y * y;
    case WEIR_SIGMOID: return y * (1 - y);
    case WEIR_HARD_SIGMOID: return y > 0 && y < 1 ? 0.2 : 0;
    case WEIR_HARD_SIGMOID6: return y > 0 && y < 1 ? 1.0 / 6 : 0;
    default: return 1;
    }
}

double sloped(double rest, double slope) { return rest > 0x1p126 ? INFINITY : rest * fabs(slope); }
