/* dense: a conv1d of one step width over N time steps. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/driver.h"

static weir_status as_conv1d(const char *op, const weir_dense *p, weir_conv1d *conv) {
    WEIR_TRY(weir_check_pointer(op, "p", p));
    WEIR_TRY(weir_check_at_least(op, "N", p->N, 0));
    WEIR_TRY(weir_check_at_least(op, "C_in", p->C_in, 1));
    WEIR_TRY(weir_check_at_least(op, "C_out", p->C_out, 1));
    WEIR_TRY(weir_check_activation(op, p->activation));
    WEIR_TRY(weir_check_floats(op, "w[C_in][C_out]", p->C_in, p->C_out, 1));
    WEIR_TRY(weir_check_floats(op, "x[N][C_in]", p->N, p->C_in, 1));
    WEIR_TRY(weir_check_floats(op, "y[N][C_out]", p->N, p->C_out, 1));
    /* The samples are the time steps of one sequence; none: a sequence of one step, zero times. */
    *conv = (weir_conv1d){.N = p->N > 0,
                          .T = p->N > 0 ? p->N : 1,
                          .C_in = p->C_in,
                          .C_out = p->C_out,
                          .K = 1,
                          .S = 1,
                          .D = 1,
                          .padding = WEIR_VALID,
                          .activation = p->activation};
    return WEIR_OK;
}

weir_status weir_dense_fwd(weir_runtime *rt, const weir_dense *p, const float *x, const float *w,
                           const float *b, float *y) {
    const char *op = "dense_fwd";
    weir_conv1d conv;
    WEIR_TRY(as_conv1d(op, p, &conv));
    return weir_conv1d_fwd_as(op, rt, &conv, x, w, b, y);
}

weir_status weir_dense_bwd_data(weir_runtime *rt, const weir_dense *p, const float *dy,
                                const float *w, float *dx) {
    const char *op = "dense_bwd_data";
    weir_conv1d conv;
    WEIR_TRY(as_conv1d(op, p, &conv));
    return weir_conv1d_bwd_data_as(op, rt, &conv, dy, w, dx);
}

weir_status weir_dense_bwd_weights(weir_runtime *rt, const weir_dense *p, const float *x,
                                   const float *dy, float *dw, float *db) {
    const char *op = "dense_bwd_weights";
    weir_conv1d conv;
    WEIR_TRY(as_conv1d(op, p, &conv));
    return weir_conv1d_bwd_weights_as(op, rt, &conv, x, dy, dw, db);
}
