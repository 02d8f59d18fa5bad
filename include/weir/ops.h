/*
 * The operations: conv1d, pooling, GRU, LSTM, SimpleRNN, dense, embedding, activations, losses,
 * optimizers.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Common to all:
 * - Tensors are dense float32, channels-last, outermost dimension first: x[N][T][C]. Pointers need
 *   no alignment (64 bytes is fastest). Inputs and outputs must not overlap unless said.
 * - The caller owns every tensor; an op keeps no pointer after it returns.
 * - Outputs are overwritten, not added to, unless said.
 * - Every op returns WEIR_ERROR_ARGUMENT for a dimension or option out of range or a NULL tensor
 *   that is not marked optional, and WEIR_ERROR_MEMORY if its scratch can't be had; outputs are then
 *   untouched. Zero-sized batches (N = 0) are valid and do nothing (weight gradients become zero).
 * - Results do not depend on the number of threads, the instruction set (avx2, avx512, generic) or
 *   the caller's rounding mode: the same bits, except that any NaN equals any NaN.
 * - Arithmetic takes a denormal operand for zero and makes zero of a denormal result. A denormal
 *   that is only copied stays: a maximum over a window, the linear activation, the h0 of a recurrent
 *   layer and its state where a step is passed over.
 */
#ifndef WEIR_OPS_H
#define WEIR_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/runtime.h"
#include "weir/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum weir_activation {
    WEIR_LINEAR = 0,
    WEIR_RELU, /* max(x, 0); NaN passes */
    WEIR_TANH,
    WEIR_SIGMOID,
    WEIR_HARD_SIGMOID,  /* Keras 2: clip(0.2 x + 0.5, 0, 1) */
    WEIR_HARD_SIGMOID6, /* Keras 3: clip(x / 6 + 0.5, 0, 1) */
    WEIR_ACTIVATION_COUNT
} weir_activation;

typedef enum weir_padding {
    WEIR_VALID = 0,
    WEIR_SAME,   /* as TensorFlow: T_out = ceil(T / S), the odd step of padding at the end */
    WEIR_CAUSAL, /* (K - 1) D steps in front: y[t] sees no x after t. conv1d only */
    WEIR_PADDING_COUNT
} weir_padding;

WEIR_API const char *weir_activation_name(weir_activation activation); /* Keras names */
WEIR_API const char *weir_padding_name(weir_padding padding);

/* ---- conv1d ------------------------------------------------------------------------------------
 * y[n][t][o] = act(b[o] + sum over k, i of x[n][t S + k D - P_l][i] w[k][i][o]), terms outside x
 * left out. As keras.layers.Conv1D; S and D may both be above 1 (Keras forbids it).
 */
typedef struct weir_conv1d {
    int64_t N, T, C_in, C_out; /* batch, time steps, channels; N >= 0, the others >= 1 */
    int64_t K, S, D;           /* kernel width, stride, dilation, >= 1; (K - 1) D < 2^61 */
    weir_padding padding;
    weir_activation activation;
} weir_conv1d;

/* Time steps of the output; 0 when the parameters are not valid (valid padding needs
 * T >= (K - 1) D + 1). */
WEIR_API int64_t weir_conv1d_t_out(const weir_conv1d *p);

/* x[N][T][C_in], w[K][C_in][C_out], b[C_out] (optional) -> y[N][T_out][C_out]. */
WEIR_API weir_status weir_conv1d_fwd(weir_runtime *rt, const weir_conv1d *p, const float *x,
                                     const float *w, const float *b, float *y);
/*
 * Gradients with respect to the value before the activation: for an activation other than linear
 * call weir_activation_bwd on dy first (p->activation is not looked at here).
 * dy[N][T_out][C_out], w -> dx[N][T][C_in].
 */
WEIR_API weir_status weir_conv1d_bwd_data(weir_runtime *rt, const weir_conv1d *p, const float *dy,
                                          const float *w, float *dx);
/* x, dy -> dw[K][C_in][C_out], db[C_out] (optional). */
WEIR_API weir_status weir_conv1d_bwd_weights(weir_runtime *rt, const weir_conv1d *p, const float *x,
                                             const float *dy, float *dw, float *db);

/* ---- pooling -----------------------------------------------------------------------------------
 * Over windows of P steps every S steps; padded steps are left out (of the average's count too).
 * The maximum passes NaN on, and the first of equal steps wins. Global pooling: P = T, S = T,
 * valid. As keras.layers.MaxPooling1D / AveragePooling1D. Padding causal is refused.
 */
typedef enum weir_pool_kind {
    WEIR_POOL_MAX = 0,
    WEIR_POOL_AVG,
    WEIR_POOL_KIND_COUNT
} weir_pool_kind;

typedef struct weir_pool {
    weir_pool_kind kind;
    int64_t N, T, C;
    int64_t P, S; /* window and stride, >= 1; valid padding needs P <= T */
    weir_padding padding;
} weir_pool;

WEIR_API int64_t weir_pool_t_out(const weir_pool *p);
/*
 * Bytes of the winners of a maximum: N T_out C, each a uint8_t, where P <= 256, else four times as
 * many, each an int32_t. 0 for the average, which has none, and for options that are refused.
 */
WEIR_API int64_t weir_pool_winner_bytes(const weir_pool *p);

/*
 * x[N][T][C] -> y[N][T_out][C]. winner[N][T_out][C], weir_pool_winner_bytes of them: where in its
 * window a maximum came from, for the backward pass; optional, and not written for the average. The
 * position counts the steps from the first step of the window that lies inside x, which is 0.
 */
WEIR_API weir_status weir_pool_fwd(weir_runtime *rt, const weir_pool *p, const float *x, float *y,
                                   void *winner);
/* dy[N][T_out][C], winner (maximum only, else NULL) -> dx[N][T][C]. The dy of a window whose winner
 * is not a step of that window reaches no dx. */
WEIR_API weir_status weir_pool_bwd(weir_runtime *rt, const weir_pool *p, const float *dy,
                                   const void *winner, float *dx);

/* ---- conv1d and max pooling in one -------------------------------------------------------------
 * The downsampling block: y = the maxima of act(conv1d(x)) over windows of P steps, one after the
 * other (stride P, padding valid: steps that fill no window are dropped), as keras.layers.Conv1D
 * followed by MaxPooling1D(P). For finite x, w, b and dy the bits are those of the single ops in
 * turn: conv1d_fwd, pool_fwd; pool_bwd, activation_bwd, conv1d_bwd_weights, conv1d_bwd_data. The
 * activation before the maximum is never stored.
 */
typedef struct weir_conv1d_pool {
    weir_conv1d conv; /* activation linear or relu */
    int64_t P;        /* 1 to 256, at most the steps of conv */
} weir_conv1d_pool;

/* Windows of a sample, T_p; 0 when the parameters are not valid. */
WEIR_API int64_t weir_conv1d_pool_t_out(const weir_conv1d_pool *p);

/*
 * x[N][T][C_in], w[K][C_in][C_out], b[C_out] (optional) -> y[N][T_p][C_out], and
 * winner[N][T_p][C_out] (optional): the step of the window that the maximum came from, 0 to P - 1.
 */
WEIR_API weir_status weir_conv1d_pool_fwd(weir_runtime *rt, const weir_conv1d_pool *p,
                                          const float *x, const float *w, const float *b, float *y,
                                          uint8_t *winner);
/*
 * dy[N][T_p][C_out] -> dw[K][C_in][C_out], db[C_out] (optional), dx[N][T][C_in] (optional; w is
 * read for it only). dy is the gradient with respect to y: the derivative of the activation is
 * applied here. x, y and winner as the forward pass had and gave them; the dy of a window whose
 * winner is no step of it (P or more) reaches no gradient.
 */
WEIR_API weir_status weir_conv1d_pool_bwd(weir_runtime *rt, const weir_conv1d_pool *p,
                                          const float *x, const float *w, const float *y,
                                          const uint8_t *winner, const float *dy, float *dx,
                                          float *dw, float *db);

/* ---- dense ------------------------------------------------------------------------------------
 * y[n][o] = act(b[o] + sum over i of x[n][i] w[i][o]). Gradients as for conv1d: before the
 * activation.
 */
typedef struct weir_dense {
    int64_t N, C_in, C_out;
    weir_activation activation;
} weir_dense;

WEIR_API weir_status weir_dense_fwd(weir_runtime *rt, const weir_dense *p, const float *x,
                                    const float *w, const float *b, float *y);
WEIR_API weir_status weir_dense_bwd_data(weir_runtime *rt, const weir_dense *p, const float *dy,
                                         const float *w, float *dx);
WEIR_API weir_status weir_dense_bwd_weights(weir_runtime *rt, const weir_dense *p, const float *x,
                                            const float *dy, float *dw, float *db);

/* ---- activations, element by element -----------------------------------------------------------
 */

/* y[i] = act(x[i]); y may be x. */
WEIR_API weir_status weir_activation_fwd(weir_runtime *rt, weir_activation activation, int64_t n,
                                         const float *x, float *y);
/*
 * dx[i] = dy[i] act'(x[i]), with the derivative taken from y = act(x): relu (y > 0), tanh 1 - y^2,
 * sigmoid y (1 - y), hard sigmoid slope where 0 < y < 1. dx may be dy.
 */
WEIR_API weir_status weir_activation_bwd(weir_runtime *rt, weir_activation activation, int64_t n,
                                         const float *y, const float *dy, float *dx);

/* ---- GRU --------------------------------------------------------------------------------------
 * Gates in the order z, r, h (Keras). With xz = x mask_x[z], hz = h(t-1) mask_h[z], and so on:
 *   z  = rec(xz Wz + hz Uz + bz)              r = rec(xr Wr + hr Ur + br)
 *   reset before (2018 Keras): c = act(xh Wh + (r * hh) Uh + bh),           b[3H]
 *   reset after  (today's):    c = act(xh Wh + b0h + r * (hh Uh + b1h)),    b[2][3H]
 *                              and z, r use b0 + b1
 *   h(t) = z * h(t-1) + (1 - z) * c,        computed as fma(z, h(t-1), c - z c): where relu lets
 *                                           c overflow to infinity, h(t) is NaN
 * As keras.layers.GRU, reset before = Cho et al. 2014 (arXiv:1406.1078v3), masks = Gal and
 * Ghahramani 2016 (arXiv:1512.05287).
 */
enum { WEIR_GRU_SIZE_MAX = 1 << 20 }; /* of C_in and of H */

typedef struct weir_gru {
    int64_t N, T, C_in, H;      /* N >= 0, the others >= 1 */
    weir_activation activation; /* tanh or relu */
    weir_activation recurrent;  /* sigmoid, hard_sigmoid or hard_sigmoid6 */
    bool reset_after;
    bool go_backwards; /* reads x from its last step; y[0] is then the step for x[T-1] (Keras) */
    bool return_sequences; /* y[N][T][H]; else y[N][H], the last state */
    int mask_gates; /* gates that the dropout masks tell apart: 0 no masks, 1 shared, 3 one each */
} weir_gru;

/* The tensors of one GRU call; each function says which it reads and writes. */
typedef struct weir_gru_tensors {
    const float *x;      /* [N][T][C_in] */
    const float *w;      /* [C_in][3H] */
    const float *u;      /* [H][3H] */
    const float *b;      /* [3H], with reset_after [2][3H]; optional */
    const float *h0;     /* [N][H] state before the first step; optional (zero) */
    const float *mask_x; /* [N][mask_gates][C_in], 0 or 1 / (1 - rate); optional */
    const float *mask_h; /* [N][mask_gates][H]; optional */
    /* [N][T], as x also with go_backwards: where it is 0 the step is passed over, state and output
     * are those of the step before, and x is not looked at (Keras' mask_zero); optional */
    const uint8_t *step_mask;
} weir_gru_tensors;

typedef struct weir_gru_gradients {
    const float *dy; /* [N][T][H] or [N][H], as y */
    float *dx;       /* [N][T][C_in], 0 for steps passed over; optional: not computed when NULL */
    float *dh0;      /* [N][H]; optional */
    float *dw, *du;  /* as w, u */
    float *db;       /* as b; optional */
} weir_gru_gradients;

/* Floats that the forward pass keeps for the backward pass. 0 when p is not valid, and when N = 0,
 * which is valid: then no reserve is needed. */
WEIR_API int64_t weir_gru_reserve_floats(const weir_gru *p);
/* -> y, and reserve (optional: NULL in inference). */
WEIR_API weir_status weir_gru_fwd(weir_runtime *rt, const weir_gru *p, const weir_gru_tensors *t,
                                  float *y, float *reserve);
/* Backward through time. Reads the reserve that weir_gru_fwd wrote from the same p and tensors. */
WEIR_API weir_status weir_gru_bwd(weir_runtime *rt, const weir_gru *p, const weir_gru_tensors *t,
                                  const float *reserve, const weir_gru_gradients *g);

/* ---- LSTM -------------------------------------------------------------------------------------
 * Gates in the order i, f, c, o (Keras); the gate c is called g here. With xi = x mask_x[i],
 * hi = h(t-1) mask_h[i], and so on:
 *   i = rec(xi Wi + hi Ui + bi)      f = rec(xf Wf + hf Uf + bf)
 *   g = act(xg Wg + hg Ug + bg)      o = rec(xo Wo + ho Uo + bo)
 *   c(t) = f * c(t-1) + i * g        h(t) = o * act(c(t))
 * As keras.layers.LSTM, Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000;
 * masks = Gal and Ghahramani 2016 (arXiv:1512.05287).
 */
enum { WEIR_LSTM_SIZE_MAX = 1 << 20 }; /* of C_in and of H */

typedef struct weir_lstm {
    int64_t N, T, C_in, H;      /* N >= 0, the others >= 1 */
    weir_activation activation; /* tanh or relu */
    weir_activation recurrent;  /* sigmoid, hard_sigmoid or hard_sigmoid6 */
    bool go_backwards; /* reads x from its last step; y[0] is then the step for x[T-1] (Keras) */
    bool return_sequences; /* y[N][T][H]; else y[N][H], the last state h */
    int mask_gates; /* gates that the dropout masks tell apart: 0 no masks, 1 shared, 4 one each */
} weir_lstm;

/* The tensors of one LSTM call; each function says which it reads and writes. */
typedef struct weir_lstm_tensors {
    const float *x;      /* [N][T][C_in] */
    const float *w;      /* [C_in][4H] */
    const float *u;      /* [H][4H] */
    const float *b;      /* [4H]; optional */
    const float *h0;     /* [N][H] state h before the first step; optional (zero) */
    const float *c0;     /* [N][H] state c before the first step; optional (zero) */
    const float *mask_x; /* [N][mask_gates][C_in], 0 or 1 / (1 - rate); optional */
    const float *mask_h; /* [N][mask_gates][H]; optional */
    /* [N][T], indexed as x is, also backwards: where it is 0 the step is passed over, whatever x
     * holds there: both states, and with them the output, stay those of the step before, and no
     * gradient comes from it or reaches its x. Optional (no step is passed over). As mask_zero. */
    const uint8_t *step_mask;
} weir_lstm_tensors;

typedef struct weir_lstm_gradients {
    const float *dy;  /* [N][T][H] or [N][H], as y */
    float *dx;        /* [N][T][C_in]; optional: not computed when NULL */
    float *dh0, *dc0; /* [N][H]; optional */
    float *dw, *du;   /* as w, u */
    float *db;        /* as b; optional */
} weir_lstm_gradients;

/* Floats that the forward pass keeps for the backward pass. 0 when p is not valid, and when N = 0,
 * which is valid: then no reserve is needed. */
WEIR_API int64_t weir_lstm_reserve_floats(const weir_lstm *p);
/* -> y, c_last[N][H] (optional: the state c after the last step), and reserve (optional: NULL in
 * inference). */
WEIR_API weir_status weir_lstm_fwd(weir_runtime *rt, const weir_lstm *p, const weir_lstm_tensors *t,
                                   float *y, float *c_last, float *reserve);
/* Backward through time. Reads the reserve that weir_lstm_fwd wrote from the same p and tensors. */
WEIR_API weir_status weir_lstm_bwd(weir_runtime *rt, const weir_lstm *p, const weir_lstm_tensors *t,
                                   const float *reserve, const weir_lstm_gradients *g);
/* ---- embedding --------------------------------------------------------------------------------
 * y[n][t] = table[tokens[n][t]], as keras.layers.Embedding. A token outside 0 to V - 1 is refused
 * (WEIR_ERROR_ARGUMENT, naming the token and its place); outputs are then untouched.
 */
typedef struct weir_embedding {
    int64_t N, T, V, C; /* batch, time steps, vocabulary, channels; N >= 0, the others >= 1 */
} weir_embedding;

/* tokens[N][T], table[V][C] -> y[N][T][C]: copies. */
WEIR_API weir_status weir_embedding_fwd(weir_runtime *rt, const weir_embedding *p,
                                        const int32_t *tokens, const float *table, float *y);
/* tokens, dy[N][T][C] -> dtable[V][C]: row v is the sum of dy where the token is v, in ascending order
 * of (n, t); 0 for a token that does not occur. */
WEIR_API weir_status weir_embedding_bwd(weir_runtime *rt, const weir_embedding *p,
                                        const int32_t *tokens, const float *dy, float *dtable);

/* ---- SimpleRNN --------------------------------------------------------------------------------
 *   h(t) = act((x mask_x) W + (h(t-1) mask_h) U + b)
 * As keras.layers.SimpleRNN; Elman 1990 (Cognitive Science 14(2)). Masks as the GRU's.
 */
enum { WEIR_RNN_SIZE_MAX = 1 << 20 }; /* of C_in and of H */

typedef struct weir_rnn {
    int64_t N, T, C_in, H;      /* N >= 0, the others >= 1 */
    weir_activation activation; /* linear, tanh, relu or sigmoid */
    bool go_backwards; /* reads x from its last step; y[0] is then the step for x[T-1] (Keras) */
    bool return_sequences; /* y[N][T][H]; else y[N][H], the last state */
    int mask_gates;        /* 0 no dropout masks, 1 masks */
} weir_rnn;

/* The tensors of one SimpleRNN call. */
typedef struct weir_rnn_tensors {
    const float *x;      /* [N][T][C_in] */
    const float *w;      /* [C_in][H] */
    const float *u;      /* [H][H] */
    const float *b;      /* [H]; optional */
    const float *h0;     /* [N][H] state before the first step; optional (zero) */
    const float *mask_x; /* [N][C_in], 0 or 1 / (1 - rate); optional */
    const float *mask_h; /* [N][H]; optional */
    /* [N][T], as x also with go_backwards: where it is 0 the step is passed over, state and output
     * are those of the step before, and x is not looked at (Keras' mask_zero); optional */
    const uint8_t *step_mask;
} weir_rnn_tensors;

typedef struct weir_rnn_gradients {
    const float *dy; /* [N][T][H] or [N][H], as y */
    float *dx;       /* [N][T][C_in], 0 for steps passed over; optional: not computed when NULL */
    float *dh0;      /* [N][H]; optional */
    float *dw, *du;  /* as w, u */
    float *db;       /* [H]; optional */
} weir_rnn_gradients;

/* Floats that the forward pass keeps for the backward pass. 0 when p is not valid, and when N = 0,
 * which is valid: then no reserve is needed. */
WEIR_API int64_t weir_rnn_reserve_floats(const weir_rnn *p);
/* -> y, and reserve (optional: NULL in inference). */
WEIR_API weir_status weir_rnn_fwd(weir_runtime *rt, const weir_rnn *p, const weir_rnn_tensors *t,
                                  float *y, float *reserve);
/* Backward through time. Reads the reserve that weir_rnn_fwd wrote from the same p and tensors. */
WEIR_API weir_status weir_rnn_bwd(weir_runtime *rt, const weir_rnn *p, const weir_rnn_tensors *t,
                                  const float *reserve, const weir_rnn_gradients *g);

/* ---- conv1d over embedded tokens ---------------------------------------------------------------
 * conv1d(embedding(tokens)), S = D = 1, without the embedded sequence: product[v] = table[v] w once for
 * each token that occurs, and y the sum of K of its rows. The terms are those of embedding_fwd and
 * conv1d_fwd in another order (bits differ): y = act(b + P[0] + P[1] + ...), P[k] = sum over i of
 * table[tokens[n][t + k - P_l]][i] w[k][i][:], from 0. The fewer distinct tokens, the faster.
 */
typedef struct weir_embedding_conv1d {
    weir_embedding embedding;
    int64_t C_out, K; /* >= 1 */
    weir_padding padding;
    weir_activation activation;
} weir_embedding_conv1d;

/* Time steps of the output, as conv1d's; 0 when the parameters are not valid. */
WEIR_API int64_t weir_embedding_conv1d_t_out(const weir_embedding_conv1d *p);
/* tokens[N][T], table[V][C], w[K][C][C_out], b[C_out] (optional) -> y[N][T_out][C_out]. */
WEIR_API weir_status weir_embedding_conv1d_fwd(weir_runtime *rt, const weir_embedding_conv1d *p,
                                               const int32_t *tokens, const float *table,
                                               const float *w, const float *b, float *y);
/*
 * dy[N][T_out][C_out], before the activation as for conv1d, -> dtable[V][C], dw[K][C][C_out],
 * db[C_out] (optional). For finite table and w: dy is summed over the places of a token first, in
 * ascending order, and the sums are multiplied, so that an infinity meets zeros that no term has.
 */
WEIR_API weir_status weir_embedding_conv1d_bwd(weir_runtime *rt, const weir_embedding_conv1d *p,
                                               const int32_t *tokens, const float *table,
                                               const float *w, const float *dy, float *dtable,
                                               float *dw, float *db);
/*
 * Inference: the products of all V tokens once, product[V][K][C_out] (K - 1 first), and y from them as
 * often as wanted; the bits are those of weir_embedding_conv1d_fwd. embedding.N is not looked at in
 * the first.
 */
WEIR_API weir_status weir_embedding_conv1d_table(weir_runtime *rt, const weir_embedding_conv1d *p,
                                                 const float *table, const float *w,
                                                 float *product);
WEIR_API weir_status weir_embedding_conv1d_apply(weir_runtime *rt, const weir_embedding_conv1d *p,
                                                 const int32_t *tokens, const float *product,
                                                 const float *b, float *y);

/* ---- losses -----------------------------------------------------------------------------------
 * loss = the mean over n of
 *   MAE         |y - t|
 *   MSE         (y - t)^2
 *   BCE         -t log p - (1 - t) log(1 - p), p = y clipped to [1e-7, 1 - 1e-7] as float32 has them
 *               (1 - 2^-23): keras.losses.BinaryCrossentropy on probabilities
 *   BCE_LOGITS  the same of p = sigmoid(y), not clipped: max(y, 0) - y t + log(1 + e^-|y|), Keras'
 *               from_logits
 * summed in double, in order. For the last two t is 0 to 1 (not checked); log and exp are Weir's own,
 * so that the bits do not depend on the C library.
 * dy[i] (optional) = its derivative with respect to y[i]; that of |e| at 0 is 0, that of BCE is 0
 * where the clip acts.
 */
typedef enum weir_loss {
    WEIR_MAE = 0,
    WEIR_MSE,
    WEIR_BCE,
    WEIR_BCE_LOGITS,
    WEIR_LOSS_COUNT
} weir_loss;

WEIR_API const char *weir_loss_name(weir_loss loss); /* Keras names */

WEIR_API weir_status weir_loss_eval(weir_runtime *rt, weir_loss kind, int64_t n, const float *y,
                                    const float *target, double *loss, float *dy);

/* ---- optimizers, element by element, in place ---------------------------------------------------
 */

/* v = rho v + (1 - rho) g^2;  p -= rate g / (sqrt(v) + epsilon), Keras 2; with epsilon_inside
 * p -= rate g / sqrt(v + epsilon), Keras 3. */
typedef struct weir_rmsprop {
    float rate, rho; /* >= 0; 0 to 1 */
    float epsilon;   /* >= FLT_MIN: 0 and denormals would make NaN where g and v are 0 */
    bool epsilon_inside;
} weir_rmsprop;
WEIR_API weir_status weir_rmsprop_step(weir_runtime *rt, const weir_rmsprop *o, int64_t n,
                                       const float *g, float *v, float *p);

/* Kingma and Ba 2014 as Keras does it, `step` counted from 1:
 * m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
 * p -= rate sqrt(1 - beta2^step) / (1 - beta1^step) m / (sqrt(v) + epsilon). */
typedef struct weir_adam {
    float rate, beta1, beta2; /* >= 0; the betas below 1 */
    float epsilon;            /* as RMSprop's */
} weir_adam;
WEIR_API weir_status weir_adam_step(weir_runtime *rt, const weir_adam *o, int64_t step, int64_t n,
                                    const float *g, float *m, float *v, float *p);

#ifdef __cplusplus
}
#endif
#endif
