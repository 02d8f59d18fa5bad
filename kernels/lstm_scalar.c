/* LSTM, the oracle: textbook loops in double. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/lstm.h"
#include "kernels/oracle.h"

static double mask_x(const weir_lstm_call *c, int64_t n, int64_t gate, int64_t i) {
    if (!c->t.mask_x) return 1.0;
    int64_t g = c->p.mask_gates == 4 ? gate : 0;
    return c->t.mask_x[(n * c->p.mask_gates + g) * c->p.C_in + i];
}

static double mask_h(const weir_lstm_call *c, int64_t n, int64_t gate, int64_t j) {
    if (!c->t.mask_h) return 1.0;
    int64_t g = c->p.mask_gates == 4 ? gate : 0;
    return c->t.mask_h[(n * c->p.mask_gates + g) * c->p.H + j];
}

/* Time that step s reads. */
static int64_t time_of(const weir_lstm_call *c, int64_t s) {
    return c->p.go_backwards ? c->p.T - 1 - s : s;
}

static int64_t x_at(const weir_lstm_call *c, int64_t n, int64_t s) {
    return (n * c->p.T + time_of(c, s)) * c->p.C_in;
}

static bool passed_over(const weir_lstm_call *c, int64_t n, int64_t s) {
    return c->t.step_mask && !c->t.step_mask[n * c->p.T + time_of(c, s)];
}

/* The value of a gate before its activation, unit k. */
static double gate_sum(const weir_lstm_call *c, int64_t n, int64_t s, const double *h, int64_t gate,
                       int64_t k) {
    int64_t H = c->p.H;
    const float *x = c->t.x + x_at(c, n, s);
    double sum = c->t.b ? c->t.b[gate * H + k] : 0.0;
    for (int64_t i = 0; i < c->p.C_in; i++)
        sum += x[i] * mask_x(c, n, gate, i) * c->t.w[i * 4 * H + gate * H + k];
    for (int64_t j = 0; j < H; j++)
        sum += h[j] * mask_h(c, n, gate, j) * c->t.u[j * 4 * H + gate * H + k];
    return sum;
}

/* The variables of one step, H doubles each, in the call's scratch. */
typedef struct step {
    double *h, *c, *gate[4];
    double *dh, *dc, *d[4];
} step;

static step step_in(const weir_lstm_call *c) {
    /* Scratch is an array of floats: the first double may have to skip one. */
    double *v = (double *)(((uintptr_t)c->scratch + sizeof(double) - 1) & -sizeof(double));
    int64_t H = c->p.H;
    return (step){.h = v,
                  .c = v + H,
                  .gate = {v + 2 * H, v + 3 * H, v + 4 * H, v + 5 * H},
                  .dh = v + 6 * H,
                  .dc = v + 7 * H,
                  .d = {v + 8 * H, v + 9 * H, v + 10 * H, v + 11 * H}};
}

/* Row s of the reserve: `parts` parts, 0 beyond H. */
static void keep(const weir_lstm_call *c, int64_t n, int64_t s, int64_t first, int64_t parts,
                 const double *const *part) {
    int64_t H = c->p.H, H_p = gru_padded(H);
    if (!c->reserve) return;
    float *to = c->reserve + lstm_row_at(&c->p, n, s) + first * H_p;
    for (int64_t g = 0; g < parts; g++)
        for (int64_t k = 0; k < H_p; k++) to[g * H_p + k] = k < H ? (float)part[g][k] : 0.0f;
}

static void step_forward(const weir_lstm_call *c, int64_t n, int64_t s, const step *v) {
    const weir_lstm *p = &c->p;
    bool over = passed_over(c, n, s);
    for (int64_t gate = 0; gate < 4; gate++)
        for (int64_t k = 0; k < p->H; k++)
            v->gate[gate][k] =
                over ? (gate == LSTM_GATE_F ? 1 : 0)
                     : oracle_activate(gate == LSTM_GATE_G ? p->activation : p->recurrent,
                                       gate_sum(c, n, s, v->h, gate, k));
    for (int64_t k = 0; k < p->H && !over; k++) {
        v->c[k] =
            v->gate[LSTM_GATE_F][k] * v->c[k] + v->gate[LSTM_GATE_I][k] * v->gate[LSTM_GATE_G][k];
        v->h[k] = v->gate[LSTM_GATE_O][k] * oracle_activate(p->activation, v->c[k]);
    }
}

void weir_lstm_fwd_scalar(const weir_lstm_call *c, int64_t n0, int64_t n1) {
    const weir_lstm *p = &c->p;
    int64_t H = p->H;
    step v = step_in(c);
    const double *states[2] = {v.h, v.c};
    for (int64_t n = n0; n < n1; n++) {
        for (int64_t k = 0; k < H; k++) {
            v.h[k] = c->t.h0 ? c->t.h0[n * H + k] : 0.0;
            v.c[k] = c->t.c0 ? c->t.c0[n * H + k] : 0.0;
        }
        keep(c, n, 0, 0, 2, states);
        for (int64_t s = 0; s < p->T; s++) {
            step_forward(c, n, s, &v);
            keep(c, n, s, 2, 4, (const double *const *)v.gate);
            keep(c, n, s + 1, 0, 2, states);
            if (!p->return_sequences && s < p->T - 1) continue;
            float *y = c->y + (p->return_sequences ? n * p->T + s : n) * H;
            for (int64_t k = 0; k < H; k++) y[k] = (float)v.h[k];
        }
        for (int64_t k = 0; c->c_last && k < H; k++) c->c_last[n * H + k] = (float)v.c[k];
    }
}

/* Sum over gates and units of the transposed weights, row j of them, times d. */
static double transposed(const weir_lstm_call *c, const step *v, const float *weights, int64_t j,
                         const double mask[4]) {
    int64_t H = c->p.H;
    double sum = 0;
    for (int64_t gate = 0; gate < 4; gate++)
        for (int64_t k = 0; k < H; k++)
            sum += mask[gate] * weights[j * 4 * H + gate * H + k] * v->d[gate][k];
    return sum;
}

/* From dh and dc after step s to the gradients before the activations, and dh and dc before step s. */
static void step_backward(const weir_lstm_call *c, int64_t n, int64_t s, const step *v) {
    const weir_lstm *p = &c->p;
    int64_t H = p->H, H_p = gru_padded(H);
    const float *row = c->reserve_in + lstm_row_at(p, n, s), *c_before = row + H_p;
    const float *i = row + 2 * H_p, *f = i + H_p, *g = f + H_p, *o = g + H_p;
    const float *c_after = row + LSTM_PARTS * H_p + H_p;
    for (int64_t k = 0; k < H; k++) {
        double y = oracle_activate(p->activation, c_after[k]);
        double dc = v->dc[k] + v->dh[k] * o[k] * oracle_derivative(p->activation, y);
        v->d[LSTM_GATE_O][k] = v->dh[k] * y * oracle_derivative(p->recurrent, o[k]);
        v->d[LSTM_GATE_I][k] = dc * g[k] * oracle_derivative(p->recurrent, i[k]);
        v->d[LSTM_GATE_F][k] = dc * c_before[k] * oracle_derivative(p->recurrent, f[k]);
        v->d[LSTM_GATE_G][k] = dc * i[k] * oracle_derivative(p->activation, g[k]);
        v->dc[k] = dc * f[k];
    }
    for (int64_t j = 0; j < H; j++) {
        double mask[4];
        for (int64_t gate = 0; gate < 4; gate++) mask[gate] = mask_h(c, n, gate, j);
        v->dh[j] = transposed(c, v, c->t.u, j, mask);
    }
}

static void x_backward(const weir_lstm_call *c, int64_t n, int64_t s, const step *v) {
    for (int64_t i = 0; i < c->p.C_in; i++) {
        double mask[4];
        for (int64_t gate = 0; gate < 4; gate++) mask[gate] = mask_x(c, n, gate, i);
        bool over = passed_over(c, n, s);
        c->dx[x_at(c, n, s) + i] = over ? 0.0f : (float)transposed(c, v, c->t.w, i, mask);
    }
}

void weir_lstm_bwd_data_scalar(const weir_lstm_call *c, int64_t n0, int64_t n1) {
    const weir_lstm *p = &c->p;
    int64_t H = p->H, H_p = gru_padded(H);
    step v = step_in(c);
    for (int64_t n = n0; n < n1; n++) {
        float *carry = c->carry + n * 2 * H_p;
        for (int64_t k = 0; k < H; k++) {
            v.dh[k] = c->s1 < p->T ? carry[k] : 0.0f;
            v.dc[k] = c->s1 < p->T ? carry[H_p + k] : 0.0f;
        }
        for (int64_t s = c->s1 - 1; s >= c->s0; s--) {
            const float *dy = c->dy + (p->return_sequences ? n * p->T + s : n) * H;
            if (p->return_sequences || s == p->T - 1)
                for (int64_t k = 0; k < H; k++) v.dh[k] += dy[k];
            bool over = passed_over(c, n, s);
            if (!over) step_backward(c, n, s, &v);
            float *dgates = c->dgates + lstm_dgates_at(c, n, s);
            for (int64_t g = 0; g < 4; g++)
                for (int64_t k = 0; k < H_p; k++)
                    dgates[g * H_p + k] = k < H && !over ? (float)v.d[g][k] : 0.0f;
            if (c->dx) x_backward(c, n, s, &v);
        }
        for (int64_t k = 0; k < H; k++) {
            if (c->s0 > 0) {
                carry[k] = (float)v.dh[k];
                carry[H_p + k] = (float)v.dc[k];
                continue;
            }
            if (c->dh0) c->dh0[n * H + k] = (float)v.dh[k];
            if (c->dc0) c->dc0[n * H + k] = (float)v.dc[k];
        }
    }
}

static float dgate(const weir_lstm_call *c, int64_t n, int64_t s, int64_t gate, int64_t k) {
    return c->dgates_in[lstm_dgates_at(c, n, s) + gate * gru_padded(c->p.H) + k];
}

static double dw_element(const weir_lstm_call *c, int64_t n0, int64_t n1, int64_t i, int64_t gate,
                         int64_t k) {
    double sum = 0;
    for (int64_t n = n0; n < n1; n++)
        for (int64_t s = c->s0; s < c->s1; s++)
            if (!passed_over(c, n, s))
                sum += c->t.x[x_at(c, n, s) + i] * mask_x(c, n, gate, i) * dgate(c, n, s, gate, k);
    return sum;
}

static double du_element(const weir_lstm_call *c, int64_t n0, int64_t n1, int64_t j, int64_t gate,
                         int64_t k) {
    double sum = 0;
    for (int64_t n = n0; n < n1; n++)
        for (int64_t s = c->s0; s < c->s1; s++)
            if (!passed_over(c, n, s))
                sum += c->reserve_in[lstm_row_at(&c->p, n, s) + j] * mask_h(c, n, gate, j) *
                       dgate(c, n, s, gate, k);
    return sum;
}

static double db_element(const weir_lstm_call *c, int64_t n0, int64_t n1, int64_t gate, int64_t k) {
    double sum = 0;
    for (int64_t n = n0; n < n1; n++)
        for (int64_t s = c->s0; s < c->s1; s++)
            if (!passed_over(c, n, s)) sum += dgate(c, n, s, gate, k);
    return sum;
}

static void put(const weir_lstm_call *c, double sum, float *to) {
    *to = (float)(c->adds ? *to + sum : sum);
}

void weir_lstm_bwd_weights_scalar(const weir_lstm_call *c, int64_t n0, int64_t n1, float *dw,
                                  float *du, float *db) {
    int64_t H = c->p.H;
    for (int64_t gate = 0; gate < 4; gate++) {
        for (int64_t k = 0; k < H; k++) {
            int64_t column = gate * H + k;
            for (int64_t i = 0; i < c->p.C_in; i++)
                put(c, dw_element(c, n0, n1, i, gate, k), &dw[i * 4 * H + column]);
            for (int64_t j = 0; j < H; j++)
                put(c, du_element(c, n0, n1, j, gate, k), &du[j * 4 * H + column]);
            if (db) put(c, db_element(c, n0, n1, gate, k), &db[column]);
        }
    }
}
