/* Activations in double, for the scalar oracles only. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_ORACLE_H
#define WEIR_ORACLE_H

#include <math.h>

#include "weir/ops.h"

/* NaN fails every comparison and so falls through to the last return. */
static inline double oracle_clip01(double a) {
    if (a < 0) return 0;
    if (a > 1) return 1;
    return a;
}

static inline double oracle_activate(weir_activation activation, double a) {
    switch (activation) {
    case WEIR_RELU: return a < 0 ? 0 : a;
    case WEIR_TANH: return tanh(a);
    case WEIR_SIGMOID: return 1 / (1 + exp(-a));
    case WEIR_HARD_SIGMOID: return oracle_clip01(0.2 * a + 0.5);
    case WEIR_HARD_SIGMOID6: return oracle_clip01(a / 6 + 0.5);
    case WEIR_LINEAR:
    case WEIR_ACTIVATION_COUNT: break;
    }
    return a;
}

/* The derivative, from the value y = act(a). */
static inline double oracle_derivative(weir_activation activation, double y) {
    switch (activation) {
    case WEIR_RELU: return y > 0 ? 1 : 0;
    case WEIR_TANH: return 1 - y * y;
    case WEIR_SIGMOID: return y * (1 - y);
    case WEIR_HARD_SIGMOID: return y > 0 && y < 1 ? 0.2 : 0;
    case WEIR_HARD_SIGMOID6: return y > 0 && y < 1 ? 1.0 / 6 : 0;
    case WEIR_LINEAR:
    case WEIR_ACTIVATION_COUNT: break;
    }
    return 1;
}

#endif
