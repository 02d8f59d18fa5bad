/* A random LSTM call, for its checks. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_VALIDATE_LSTM_CASE_H
#define WEIR_VALIDATE_LSTM_CASE_H

#include "kernels/lstm.h"
#include "validate/check.h"

typedef struct lstm_case {
    weir_lstm_call call; /* tensors and packed weights set */
    float *x, *w, *u, *b, *h0, *c0, *mask_x, *mask_h;
    uint8_t *step_mask;
    float *dy, *reserve, *dgates; /* backward */
    bool keeps, c_last, stream;   /* forward: writes them; the reserve past the caches if aligned */
    bool dx, dh0, dc0;            /* backward data: asked for */
    int64_t n0, n1;               /* backward weights: samples */
    int64_t cut;                  /* backward: two calls, the first for the steps from here on */
    float *carry;                 /* then: what the first hands on */
    weir_isa isa;                 /* under test */
} lstm_case;

/* At most `work` multiply-adds. */
void lstm_draw(context *c, lstm_case *k, int64_t work);
/* Values as drawn for x, w, ..., packed weights, scratch. */
void lstm_tensors_new(context *c, lstm_case *k);
void lstm_scratch_set(weir_lstm_call *call); /* poisons it: nothing is kept from call to call */

/* Floats of y or dy. */
int64_t lstm_y_floats(const weir_lstm *p);
int64_t lstm_reserve_size(const weir_lstm *p);
double lstm_mask_x(const lstm_case *k, int64_t n, int64_t gate, int64_t i);
double lstm_mask_h(const lstm_case *k, int64_t n, int64_t gate, int64_t j);
/* A bound that came out as no number: something was NaN or infinite. */
double lstm_bound_settle(const context *c, double bound);
/* The call on step s alone: T = 1, states h[N][H], c[N][H] before it. The caller sets the outputs. */
weir_lstm_call lstm_step_call(context *c, const lstm_case *k, int64_t s, const float *h,
                              const float *cell);

#endif
