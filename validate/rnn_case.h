/* A random SimpleRNN call, for its checks. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_VALIDATE_RNN_CASE_H
#define WEIR_VALIDATE_RNN_CASE_H

#include "kernels/rnn.h"
#include "validate/recurrent.h"

typedef struct rnn_case {
    weir_rnn_call call; /* tensors and packed weights set */
    float *x, *w, *u, *b, *h0, *mask_x, *mask_h;
    uint8_t *step_mask;
    float *dy, *reserve, *da; /* backward */
    bool keeps;               /* forward: writes the reserve */
    bool dx, dh0;             /* backward data: asked for */
    int64_t n0, n1;           /* backward weights: samples */
    int64_t cut;              /* backward: two calls, the first for the steps from here on */
    float *dh;                /* then: what the first hands on */
    weir_isa isa;             /* under test */
} rnn_case;

/* At most `work` multiply-adds. */
void rnn_draw(context *c, rnn_case *k, int64_t work);
/* Values as drawn for x, w, ..., packed weights, scratch. */
void rnn_tensors_new(context *c, rnn_case *k);
void rnn_scratch_set(weir_rnn_call *call); /* poisons it: nothing is kept from call to call */

/* Floats of y or dy. */
int64_t rnn_y_floats(const weir_rnn *p);
int64_t rnn_reserve_size(const weir_rnn *p);
double rnn_mask_x(const rnn_case *k, int64_t n, int64_t i);
double rnn_mask_h(const rnn_case *k, int64_t n, int64_t j);
/* Where step s of sample n finds its x: n T + the time. */
int64_t rnn_time(const weir_rnn *p, int64_t n, int64_t s);
bool rnn_passed(const rnn_case *k, int64_t n, int64_t s);
/* The call on step s alone: T = 1, state h[N][H] before it. The caller sets the outputs. */
weir_rnn_call rnn_step_call(context *c, const rnn_case *k, int64_t s, const float *h);

#endif
