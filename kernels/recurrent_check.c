/* What the recurrent layers check of their arguments. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "kernels/driver.h"
#include "kernels/recurrent.h"

weir_status weir_check_recurrent_sizes(const char *op, int64_t N, int64_t T, int64_t C_in,
                                       int64_t H, int64_t most, int64_t reserve_row) {
    WEIR_TRY(weir_check_range(op, "N", N, 0, INT64_MAX));
    WEIR_TRY(weir_check_range(op, "T", T, 1, INT64_MAX - 1));
    WEIR_TRY(weir_check_range(op, "C_in", C_in, 1, most));
    WEIR_TRY(weir_check_range(op, "H", H, 1, most));
    WEIR_TRY(weir_check_floats(op, "x", N, T, C_in));
    return weir_check_floats(op, "reserve", N, T + 1, reserve_row);
}

weir_status weir_check_gates(const char *op, weir_activation activation, weir_activation recurrent,
                             int mask_gates, int gates) {
    if (activation != WEIR_TANH && activation != WEIR_RELU)
        return weir_fail(WEIR_ERROR_ARGUMENT, "%s: activation is %d, accepted: tanh %d, relu %d",
                         op, (int)activation, WEIR_TANH, WEIR_RELU);
    if (recurrent != WEIR_SIGMOID && recurrent != WEIR_HARD_SIGMOID &&
        recurrent != WEIR_HARD_SIGMOID6)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "%s: recurrent is %d, accepted: sigmoid %d, hard_sigmoid %d, "
                         "hard_sigmoid6 %d",
                         op, (int)recurrent, WEIR_SIGMOID, WEIR_HARD_SIGMOID, WEIR_HARD_SIGMOID6);
    if (mask_gates != 0 && mask_gates != 1 && mask_gates != gates)
        return weir_fail(WEIR_ERROR_ARGUMENT, "%s: mask_gates is %d, accepted: 0, 1, %d", op,
                         mask_gates, gates);
    return WEIR_OK;
}

weir_status weir_check_recurrent_tensors(const char *op, int64_t N, const float *x, const float *w,
                                         const float *u, bool masked, int mask_gates, int gates) {
    WEIR_TRY(weir_check_pointer(op, "w", w));
    WEIR_TRY(weir_check_pointer(op, "u", u));
    if (N > 0) WEIR_TRY(weir_check_pointer(op, "x", x));
    if (mask_gates > 0 || !masked) return WEIR_OK;
    char several[16] = "";
    if (gates > 1) snprintf(several, sizeof several, " or %d", gates);
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "%s: mask_gates is 0 but a mask is given, accepted: 1%s with masks", op,
                     several);
}

weir_status weir_check_recurrent_gradients(const char *op, int64_t N, const float *dw,
                                           const float *du, const float *dy, const float *reserve) {
    WEIR_TRY(weir_check_pointer(op, "dw", dw));
    WEIR_TRY(weir_check_pointer(op, "du", du));
    if (N == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer(op, "dy", dy));
    return weir_check_pointer(op, "reserve", reserve);
}
