/* A random GRU call, for its checks. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_VALIDATE_GRU_CASE_H
#define WEIR_VALIDATE_GRU_CASE_H

#include "kernels/gru.h"
#include "validate/recurrent.h"

typedef struct gru_case {
    weir_gru_call call; /* tensors and packed weights set */
    float *x, *w, *u, *b, *h0, *mask_x, *mask_h;
    uint8_t *step_mask;
    float *dy, *reserve, *dgates; /* backward */
    bool keeps;                   /* forward: writes the reserve */
    bool dx, dh0;                 /* backward data: asked for */
    int64_t n0, n1;               /* backward weights: samples */
    int64_t cut;                  /* backward: two calls, the first for the steps from here on */
    float *dh;                    /* then: what the first hands on */
    weir_isa isa;                 /* under test */
} gru_case;

/* At most `work` multiply-adds. */
void gru_draw(context *c, gru_case *k, int64_t work);
/* Values as drawn for x, w, ..., packed weights, scratch. */
void gru_tensors_new(context *c, gru_case *k);
void gru_scratch_set(weir_gru_call *call); /* poisons it: nothing is kept from call to call */

/* Floats of y or dy. */
int64_t gru_y_floats(const weir_gru *p);
int64_t gru_reserve_size(const weir_gru *p);
double gru_mask_x(const gru_case *k, int64_t n, int64_t gate, int64_t i);
double gru_mask_h(const gru_case *k, int64_t n, int64_t gate, int64_t j);
/* Where step s finds its x. */
int64_t gru_time(const weir_gru *p, int64_t s);
bool gru_passed(const gru_case *k, int64_t n, int64_t s);
/* The call on step s alone: T = 1, state h[N][H] before it. The caller sets the outputs. */
weir_gru_call gru_step_call(context *c, const gru_case *k, int64_t s, const float *h);

#endif
