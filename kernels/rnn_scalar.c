/* SimpleRNN, the oracle: textbook loops in double. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/oracle.h"
#include "kernels/rnn.h"

/* n T + the time that step s reads; dx and step_mask have the same. */
static int64_t time_at(const weir_rnn_call *c, int64_t n, int64_t s) {
    return n * c->p.T + (c->p.go_backwards ? c->p.T - 1 - s : s);
}

static bool passed_over(const weir_rnn_call *c, int64_t n, int64_t s) {
    return c->t.step_mask && c->t.step_mask[time_at(c, n, s)] == 0;
}

static double mask_x(const weir_rnn_call *c, int64_t n, int64_t i) {
    return c->t.mask_x ? c->t.mask_x[n * c->p.C_in + i] : 1.0;
}

static double mask_h(const weir_rnn_call *c, int64_t n, int64_t j) {
    return c->t.mask_h ? c->t.mask_h[n * c->p.H + j] : 1.0;
}

/* Two arrays of H doubles in the call's scratch. */
typedef struct pair {
    double *a, *b;
} pair;

static pair pair_in(const weir_rnn_call *c) {
    /* Scratch is an array of floats: the first double may have to skip one. */
    double *v = (double *)(((uintptr_t)c->scratch + sizeof(double) - 1) & -sizeof(double));
    return (pair){v, v + c->p.H};
}

static void step_forward(const weir_rnn_call *c, int64_t n, int64_t s, const double *h,
                         double *next) {
    const weir_rnn *p = &c->p;
    const float *x = c->t.x + time_at(c, n, s) * p->C_in;
    for (int64_t k = 0; k < p->H; k++) {
        double a = c->t.b ? c->t.b[k] : 0.0;
        for (int64_t i = 0; i < p->C_in; i++) a += x[i] * mask_x(c, n, i) * c->t.w[i * p->H + k];
        for (int64_t j = 0; j < p->H; j++) a += h[j] * mask_h(c, n, j) * c->t.u[j * p->H + k];
        next[k] = oracle_activate(p->activation, a);
    }
}

static void keep(const weir_rnn_call *c, int64_t n, int64_t s, const double *h) {
    if (!c->reserve) return;
    float *state = c->reserve + rnn_state_at(&c->p, n, s);
    for (int64_t k = 0; k < gru_padded(c->p.H); k++) state[k] = k < c->p.H ? (float)h[k] : 0.0f;
}

void weir_rnn_fwd_scalar(const weir_rnn_call *c, int64_t n0, int64_t n1) {
    const weir_rnn *p = &c->p;
    pair v = pair_in(c);
    for (int64_t n = n0; n < n1; n++) {
        for (int64_t k = 0; k < p->H; k++) v.a[k] = c->t.h0 ? c->t.h0[n * p->H + k] : 0.0;
        keep(c, n, 0, v.a);
        for (int64_t s = 0; s < p->T; s++) {
            if (!passed_over(c, n, s)) {
                step_forward(c, n, s, v.a, v.b);
                for (int64_t k = 0; k < p->H; k++) v.a[k] = v.b[k];
            }
            keep(c, n, s + 1, v.a);
            if (!p->return_sequences && s < p->T - 1) continue;
            float *y = c->y + (p->return_sequences ? n * p->T + s : n) * p->H;
            for (int64_t k = 0; k < p->H; k++) y[k] = (float)v.a[k];
        }
    }
}

/* From dh after step s to da, and dh before step s. */
static void step_backward(const weir_rnn_call *c, int64_t n, int64_t s, double *dh, double *da) {
    const weir_rnn *p = &c->p;
    const float *h = c->reserve_in + rnn_state_at(p, n, s + 1);
    for (int64_t k = 0; k < p->H; k++)
        da[k] = passed_over(c, n, s) ? 0 : dh[k] * oracle_derivative(p->activation, h[k]);
    if (passed_over(c, n, s)) return;
    for (int64_t j = 0; j < p->H; j++) {
        double sum = 0;
        for (int64_t k = 0; k < p->H; k++) sum += c->t.u[j * p->H + k] * da[k];
        dh[j] = sum * mask_h(c, n, j);
    }
}

static void x_backward(const weir_rnn_call *c, int64_t n, int64_t s, const double *da) {
    float *dx = c->dx + time_at(c, n, s) * c->p.C_in;
    for (int64_t i = 0; i < c->p.C_in; i++) {
        double sum = 0;
        for (int64_t k = 0; k < c->p.H; k++) sum += c->t.w[i * c->p.H + k] * da[k];
        dx[i] = passed_over(c, n, s) ? 0.0f : (float)(sum * mask_x(c, n, i));
    }
}

void weir_rnn_bwd_data_scalar(const weir_rnn_call *c, int64_t n0, int64_t n1) {
    const weir_rnn *p = &c->p;
    int64_t H = p->H, H_p = gru_padded(H);
    pair v = pair_in(c);
    for (int64_t n = n0; n < n1; n++) {
        for (int64_t k = 0; k < H; k++) v.a[k] = c->s1 < p->T ? c->dh[n * H_p + k] : 0.0f;
        for (int64_t s = c->s1 - 1; s >= c->s0; s--) {
            const float *dy = c->dy + (p->return_sequences ? n * p->T + s : n) * H;
            if (p->return_sequences || s == p->T - 1)
                for (int64_t k = 0; k < H; k++) v.a[k] += dy[k];
            step_backward(c, n, s, v.a, v.b);
            float *da = c->da + rnn_da_at(c, n, s);
            for (int64_t k = 0; k < H_p; k++) da[k] = k < H ? (float)v.b[k] : 0.0f;
            if (c->dx) x_backward(c, n, s, v.b);
        }
        for (int64_t k = 0; c->s0 > 0 && k < H; k++) c->dh[n * H_p + k] = (float)v.a[k];
        for (int64_t k = 0; c->s0 == 0 && c->dh0 && k < H; k++) c->dh0[n * H + k] = (float)v.a[k];
    }
}

typedef double term_fn(const weir_rnn_call *c, int64_t n, int64_t s, int64_t i);

static double x_term(const weir_rnn_call *c, int64_t n, int64_t s, int64_t i) {
    return c->t.x[time_at(c, n, s) * c->p.C_in + i] * mask_x(c, n, i);
}

static double h_term(const weir_rnn_call *c, int64_t n, int64_t s, int64_t j) {
    return c->reserve_in[rnn_state_at(&c->p, n, s) + j] * mask_h(c, n, j);
}

static double one_term(const weir_rnn_call *c, int64_t n, int64_t s, int64_t i) {
    (void)c, (void)n, (void)s, (void)i;
    return 1;
}

/* Rows of a gradient: to[i][k] = sum over steps of term(i) da[k]. */
static void sum_rows(const weir_rnn_call *c, int64_t n0, int64_t n1, int64_t count, term_fn *term,
                     float *to) {
    for (int64_t i = 0; i < count; i++) {
        for (int64_t k = 0; k < c->p.H; k++, to++) {
            double sum = 0;
            for (int64_t n = n0; n < n1; n++)
                for (int64_t s = c->s0; s < c->s1; s++)
                    if (!passed_over(c, n, s))
                        sum += term(c, n, s, i) * c->da_in[rnn_da_at(c, n, s) + k];
            *to = (float)(c->adds ? *to + sum : sum);
        }
    }
}

void weir_rnn_bwd_weights_scalar(const weir_rnn_call *c, int64_t n0, int64_t n1, float *dw,
                                 float *du, float *db) {
    sum_rows(c, n0, n1, c->p.C_in, x_term, dw);
    sum_rows(c, n0, n1, c->p.H, h_term, du);
    if (db) sum_rows(c, n0, n1, 1, one_term, db);
}
