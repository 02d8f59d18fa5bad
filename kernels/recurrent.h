/* The driver that the recurrent layers share: how arguments are checked, weights packed, samples and steps
 * cut, and gradients summed. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_RECURRENT_H
#define WEIR_RECURRENT_H

#include "kernels/gru.h"
#include "kernels/kernels.h"

/* ---- checks; each names op and the argument ---- */

/* reserve_row: its floats of a sample and step. */
weir_status weir_check_recurrent_sizes(const char *op, int64_t N, int64_t T, int64_t C_in,
                                       int64_t H, int64_t most, int64_t reserve_row);
/* Of the layers with gates: tanh or relu, a sigmoid, and one mask, one for each gate, or none. */
weir_status weir_check_gates(const char *op, weir_activation activation, weir_activation recurrent,
                             int mask_gates, int gates);
/* masked: whether a mask is given; gates as above. x may be NULL when N is 0. */
weir_status weir_check_recurrent_tensors(const char *op, int64_t N, const float *x, const float *w,
                                         const float *u, bool masked, int mask_gates, int gates);
weir_status weir_check_recurrent_gradients(const char *op, int64_t N, const float *dw,
                                           const float *du, const float *dy, const float *reserve);

/* ---- weights ---- */

/* Floats of a packed matrix: the columns of each gate in panels, with so many rows. */
static inline int64_t weir_packed_floats(int64_t gates, int64_t columns, int64_t rows) {
    return gates * gru_padded(columns) * rows;
}
/* w[C_in][gates][H], u[H][gates][H] -> panels of the units of a gate, then those of the next gate. */
void weir_pack_gates(int64_t gates, int64_t C_in, int64_t H, const float *w, const float *u,
                     float *w_packed, float *u_packed);
/* The same matrices -> for each gate, panels of the channels, and of the units that h has. */
void weir_pack_gates_transposed(int64_t gates, int64_t C_in, int64_t H, const float *w,
                                const float *u, float *w_t_packed, float *u_t_packed);

/* ---- forward and backward ---- */

/* What one call of the kernels is to do. */
typedef struct weir_recurrent_part {
    const weir_kernels *kernels;
    const void *call;                 /* that of weir_recurrent */
    int64_t n0, n1;                   /* samples */
    const float *w_packed, *u_packed; /* backward: transposed */
    float *scratch;
    /* Backward: steps, the last ones first; what the buffers hold is added to. */
    int64_t s0, s1;
    bool adds;
    int64_t samples_after; /* that follow these in memory and are next */
    float *dgates, *carry, *dw, *du, *db;
} weir_recurrent_part;

/* A layer as the driver sees it. */
typedef struct weir_recurrent {
    const char *op;
    int64_t N, T, C_in, H, gates, bias_floats;
    const float *w, *u;
    const void *call;       /* the layer's own, for `run` */
    int64_t scratch_floats; /* of one worker */
    /* Backward: floats of the gradients before the activations, of a sample and step; of what one chunk
     * of steps hands on to the next, of a sample. */
    int64_t dgates_row, carry_floats;
    void (*run)(const weir_recurrent_part *part);
} weir_recurrent;

/* Runs all samples, split among the workers; N >= 1. Errors: MEMORY, SYSTEM. */
weir_status weir_recurrent_fwd(weir_runtime *rt, const weir_recurrent *r);
/*
 * Runs all samples and steps and sums the gradients: dw[C_in][gates][H], du[H][gates][H],
 * db[bias_floats] or NULL. The order of the sums over samples and steps: groups of samples ascending,
 * in them chunks of steps descending, then as the kernel; a tree over the leaves. It depends on nothing
 * but the arguments. N 0 gives zeros. Errors: MEMORY, SYSTEM.
 */
weir_status weir_recurrent_bwd(weir_runtime *rt, const weir_recurrent *r, float *dw, float *du,
                               float *db);

#endif
