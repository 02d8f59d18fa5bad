/* The kernel table: what a kernel is given, and one table per instruction set. Internal.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_KERNELS_H
#define WEIR_KERNELS_H

#include "weir/ops.h"

/* One conv1d call, its sizes worked out and its weights packed by conv1d.c. */
typedef struct weir_conv1d_call {
    weir_conv1d p;
    int64_t T_out, P_l;
    const float *x;   /* [N][T][C_in] */
    const float *w;   /* [K][C_in][C_out] */
    const float *w_t; /* [K][C_out][C_in], K - 1 first; bwd_data only */
    const float *b;   /* [C_out] or NULL */
    const float *dy;  /* [N][T_out][C_out] */
    float *y, *dx;
} weir_conv1d_call;

typedef struct weir_pool_call {
    weir_pool p;
    int64_t T_out, P_l;
    const float *x, *dy;
    const void *winner_in; /* backward */
    void *winner;          /* forward, or NULL; uint8_t each where P <= 256, else int32_t */
    float *y, *dx;
    bool stream; /* the output is larger than caches: store past them */
} weir_pool_call;

/* The scratch and w_units of conv1d_pool are private to it; conv1d_pool.h gives their sizes. */
typedef struct weir_conv1d_pool_call {
    weir_conv1d_call conv; /* its y and dy are not used */
    int64_t P, T_p;
    float *y;        /* [N][T_p][C_out] */
    uint8_t *winner; /* the same, or NULL */
    const float *y_in, *dy;
    const uint8_t *winner_in;
    const float *w_units; /* bwd_data: [ceil(C_in / 16)][C_out][K][16], 0 beyond C_in */
    float *scratch;       /* 64-byte aligned, not shared by calls that run at the same time */
} weir_conv1d_pool_call;

/* Reserve, dgates, packed weights and scratch are private to the GRU; gru.h gives their layout. */
typedef struct weir_gru_call {
    weir_gru p;
    weir_gru_tensors t;
    const float *w_packed, *u_packed;     /* forward */
    const float *w_t_packed, *u_t_packed; /* backward data */
    float *y;
    float *reserve;          /* forward: written, or NULL */
    const float *reserve_in; /* backward */
    const float *dy;
    int64_t s0, s1; /* backward: the steps s0 <= s < s1, of which the last calls come first */
    float *dh;      /* [N][H_p] what such calls hand on: read if s1 < T, left if s0 > 0 */
    int64_t d_s0, d_steps;  /* dgates holds the steps d_s0 .. d_s0 + d_steps - 1 */
    float *dgates;          /* gradients before the activations, written by gru_bwd_data */
    const float *dgates_in; /* the same, read by gru_bwd_weights */
    bool adds;              /* gru_bwd_weights adds to what the buffers hold */
    int64_t samples_after;  /* that follow those of the call in memory and are next */
    float *dx, *dh0;        /* or NULL */
    /* gru_scratch_floats(), 64-byte aligned, not shared by calls that run at the same time */
    float *scratch;
} weir_gru_call;

/* As weir_gru_call; lstm.h gives the layout of what is private. */
typedef struct weir_lstm_call {
    weir_lstm p;
    weir_lstm_tensors t;
    const float *w_packed, *u_packed;     /* forward */
    const float *w_t_packed, *u_t_packed; /* backward data */
    float *y, *c_last;
    float *reserve;          /* forward: written, or NULL */
    bool stream;             /* it is larger than caches, and 64-byte aligned: store past them */
    const float *reserve_in; /* backward */
    const float *dy;
    int64_t s0, s1; /* backward: the steps s0 <= s < s1, of which the last calls come first */
    float
        *carry; /* [N][2][H_p] dh and dc that such calls hand on: read if s1 < T, left if s0 > 0 */
    int64_t d_s0, d_steps;  /* dgates holds the steps d_s0 .. d_s0 + d_steps - 1 */
    float *dgates;          /* gradients before the activations, written by lstm_bwd_data */
    const float *dgates_in; /* the same, read by lstm_bwd_weights */
    bool adds;              /* lstm_bwd_weights adds to what the buffers hold */
    int64_t samples_after;  /* that follow those of the call in memory and are next */
    float *dx, *dh0, *dc0;  /* or NULL */
    /* lstm_scratch_floats(), 64-byte aligned, not shared by calls that run at the same time */
    float *scratch;
} weir_lstm_call;
/*
 * An embedding, or what a convolution over one makes of the rows of its product table. Row v of table
 * is of token v; of dtable, of what tokens[] says.
 */
typedef struct weir_embedding_call {
    int64_t N, T, V, C;
    const int32_t *tokens; /* [N][T] */
    const float *table;    /* [V][C] */
    float *y;              /* [N][T][C] */
    bool stream;           /* y is larger than caches: store past them */
    /* A convolution's tables are [V][K][C], K - 1 first: step s of the tokens reaches step s + j - P_r
     * of y or dy, [N][T_out][C], through j < K. The gradient of an embedding has K = 1 and P_r = 0. */
    int64_t K, T_out, P_r;
    const float *b; /* [C] or NULL */
    weir_activation activation;
    const float *dy;
    float *dtable;
} weir_embedding_call;

/* Reserve, da, packed weights and scratch are private to the SimpleRNN; rnn.h gives their layout.
 * Fields as the GRU's, da for its dgates. */
typedef struct weir_rnn_call {
    weir_rnn p;
    weir_rnn_tensors t;
    const float *w_packed, *u_packed;     /* forward */
    const float *w_t_packed, *u_t_packed; /* backward data */
    float *y;
    float *reserve;          /* forward: written, or NULL */
    const float *reserve_in; /* backward */
    const float *dy;
    int64_t s0, s1; /* backward: the steps s0 <= s < s1, of which the last calls come first */
    float *dh;      /* [N][H_p] what such calls hand on: read if s1 < T, left if s0 > 0 */
    int64_t d_s0, d_steps; /* da holds the steps d_s0 .. d_s0 + d_steps - 1 */
    float *da;             /* gradients before the activation, written by rnn_bwd_data */
    const float *da_in;    /* the same, read by rnn_bwd_weights */
    bool adds;             /* rnn_bwd_weights adds to what the buffers hold */
    int64_t samples_after; /* that follow those of the call in memory and are next */
    float *dx, *dh0;       /* or NULL */
    /* rnn_scratch_floats(), 64-byte aligned, not shared by calls that run at the same time */
    float *scratch;
} weir_rnn_call;

typedef struct weir_kernels {
#define K(name, type, params) type(*name) params;
#include "kernels/kernels.def"
#undef K
} weir_kernels;

/* Kernels of every instruction set that was compiled: weir_conv1d_fwd_avx2, ... */
#define WEIR_DECLARE(isa, name, type, params) type weir_##name##_##isa params;
#define K(name, type, params)                 \
    WEIR_DECLARE(scalar, name, type, params)  \
    WEIR_DECLARE(generic, name, type, params) \
    WEIR_DECLARE(avx2, name, type, params)    \
    WEIR_DECLARE(avx512, name, type, params)
#include "kernels/kernels.def"
#undef K
#undef WEIR_DECLARE

/* Table of an instruction set; NULL when it is not in this build. Says nothing about the CPU. */
const weir_kernels *weir_kernels_get(weir_isa isa);

/* In a *_simd.c: WEIR_KERNEL(conv1d_fwd) names the function for the instruction set being compiled.
 */
#define WEIR_CONCAT3_(a, b, c) a##b##_##c
#define WEIR_CONCAT3(a, b, c) WEIR_CONCAT3_(a, b, c)
#define WEIR_KERNEL(name) WEIR_CONCAT3(weir_, name, WEIR_SIMD)

#endif
