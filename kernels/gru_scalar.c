/* GRU, the oracle: textbook loops in double. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gru.h"
#include "kernels/oracle.h"

static double mask_x(const weir_gru_call *c, int64_t n, int64_t gate, int64_t i) {
    if (!c->t.mask_x) return 1.0;
    int64_t g = c->p.mask_gates == 3 ? gate : 0;
    return c->t.mask_x[(n * c->p.mask_gates + g) * c->p.C_in + i];
}

static double mask_h(const weir_gru_call *c, int64_t n, int64_t gate, int64_t j) {
    if (!c->t.mask_h) return 1.0;
    int64_t g = c->p.mask_gates == 3 ? gate : 0;
    return c->t.mask_h[(n * c->p.mask_gates + g) * c->p.H + j];
}

/* Index of x[n][t][0], t the time that step s reads; dx has the same. */
static int64_t x_at(const weir_gru_call *c, int64_t n, int64_t s) {
    int64_t t = c->p.go_backwards ? c->p.T - 1 - s : s;
    return (n * c->p.T + t) * c->p.C_in;
}

static bool passed_over(const weir_gru_call *c, int64_t n, int64_t s) {
    return c->t.step_mask && c->t.step_mask[x_at(c, n, s) / c->p.C_in] == 0;
}

/* Part 0 is the bias of reset before, or b0; part 1 is b1. */
static double bias(const weir_gru_call *c, int64_t part, int64_t gate, int64_t k) {
    return c->t.b ? c->t.b[(part * 3 + gate) * c->p.H + k] : 0.0;
}

/* (x mask_x[gate]) W[gate], unit k. */
static double x_product(const weir_gru_call *c, int64_t n, int64_t s, int64_t gate, int64_t k) {
    const float *x = c->t.x + x_at(c, n, s);
    double sum = 0;
    for (int64_t i = 0; i < c->p.C_in; i++)
        sum += x[i] * mask_x(c, n, gate, i) * c->t.w[i * 3 * c->p.H + gate * c->p.H + k];
    return sum;
}

/* (h mask_h[gate]) U[gate], unit k. */
static double h_product(const weir_gru_call *c, int64_t n, const double *h, int64_t gate,
                        int64_t k) {
    double sum = 0;
    for (int64_t j = 0; j < c->p.H; j++)
        sum += h[j] * mask_h(c, n, gate, j) * c->t.u[j * 3 * c->p.H + gate * c->p.H + k];
    return sum;
}

/* The variables of one step, H doubles each, in the call's scratch. */
typedef struct step {
    double *h, *z, *r, *c, *q, *rh; /* forward */
    double *dh, *dz, *dr, *dc, *dq, *d_rh;
} step;

static step step_in(const weir_gru_call *c) {
    /* Scratch is an array of floats: the first double may have to skip one. */
    double *v = (double *)(((uintptr_t)c->scratch + sizeof(double) - 1) & -sizeof(double));
    int64_t H = c->p.H;
    return (step){v,         v + H,     v + 2 * H, v + 3 * H, v + 4 * H,  v + 5 * H,
                  v + 6 * H, v + 7 * H, v + 8 * H, v + 9 * H, v + 10 * H, v + 11 * H};
}

static void keep(const weir_gru_call *c, int64_t n, int64_t s, const step *v) {
    int64_t H = c->p.H, H_p = gru_padded(H), used = passed_over(c, n, s) ? 0 : H;
    if (!c->reserve) return;
    float *gates = c->reserve + gru_gates_at(&c->p, n, s);
    float *state = c->reserve + gru_state_at(&c->p, n, s + 1);
    for (int64_t k = 0; k < H_p; k++) {
        gates[k] = k < used ? (float)v->z[k] : 0.0f;
        gates[H_p + k] = k < used ? (float)v->r[k] : 0.0f;
        gates[2 * H_p + k] = k < used ? (float)v->c[k] : 0.0f;
        if (c->p.reset_after) gates[3 * H_p + k] = k < used ? (float)v->q[k] : 0.0f;
        state[k] = k < H ? (float)v->h[k] : 0.0f;
    }
}

static void step_forward(const weir_gru_call *c, int64_t n, int64_t s, const step *v) {
    const weir_gru *p = &c->p;
    for (int64_t k = 0; k < p->H; k++) {
        double z = x_product(c, n, s, 0, k) + h_product(c, n, v->h, 0, k) + bias(c, 0, 0, k);
        double r = x_product(c, n, s, 1, k) + h_product(c, n, v->h, 1, k) + bias(c, 0, 1, k);
        if (p->reset_after) {
            z += bias(c, 1, 0, k);
            r += bias(c, 1, 1, k);
        }
        v->z[k] = oracle_activate(p->recurrent, z);
        v->r[k] = oracle_activate(p->recurrent, r);
        v->rh[k] = v->r[k] * v->h[k];
    }
    for (int64_t k = 0; k < p->H; k++) {
        double a = x_product(c, n, s, 2, k) + bias(c, 0, 2, k);
        if (p->reset_after) {
            v->q[k] = h_product(c, n, v->h, 2, k) + bias(c, 1, 2, k);
            a += v->r[k] * v->q[k];
        } else {
            a += h_product(c, n, v->rh, 2, k);
        }
        v->c[k] = oracle_activate(p->activation, a);
    }
    for (int64_t k = 0; k < p->H; k++) v->h[k] = v->z[k] * v->h[k] + (1.0 - v->z[k]) * v->c[k];
}

void weir_gru_fwd_scalar(const weir_gru_call *c, int64_t n0, int64_t n1) {
    const weir_gru *p = &c->p;
    step v = step_in(c);
    for (int64_t n = n0; n < n1; n++) {
        for (int64_t k = 0; k < gru_padded(p->H); k++) {
            double h0 = k < p->H && c->t.h0 ? c->t.h0[n * p->H + k] : 0.0;
            if (k < p->H) v.h[k] = h0;
            if (c->reserve) c->reserve[gru_state_at(p, n, 0) + k] = (float)h0;
        }
        for (int64_t s = 0; s < p->T; s++) {
            if (!passed_over(c, n, s)) step_forward(c, n, s, &v);
            keep(c, n, s, &v);
            if (!p->return_sequences && s < p->T - 1) continue;
            float *y = c->y + (p->return_sequences ? n * p->T + s : n) * p->H;
            for (int64_t k = 0; k < p->H; k++) y[k] = (float)v.h[k];
        }
    }
}

/* Sum over units k of u[j][gate k] d[k]: the gradient of unit j of what U was multiplied with. */
static double u_transposed(const weir_gru_call *c, const double *d, int64_t gate, int64_t j) {
    double sum = 0;
    for (int64_t k = 0; k < c->p.H; k++) sum += c->t.u[j * 3 * c->p.H + gate * c->p.H + k] * d[k];
    return sum;
}

/* From dh after step s to the gradients before the activations, and dh before step s. */
static void step_backward(const weir_gru_call *c, int64_t n, int64_t s, const step *v) {
    const weir_gru *p = &c->p;
    int64_t H = p->H, H_p = gru_padded(H);
    const float *z = c->reserve_in + gru_gates_at(p, n, s);
    const float *r = z + H_p, *candidate = z + 2 * H_p, *q = z + 3 * H_p;
    const float *h = c->reserve_in + gru_state_at(p, n, s);
    if (passed_over(c, n, s)) {
        for (int64_t k = 0; k < H; k++) v->dz[k] = v->dr[k] = v->dc[k] = v->dq[k] = 0;
        return;
    }
    for (int64_t k = 0; k < H; k++) {
        v->dz[k] = v->dh[k] * ((double)h[k] - candidate[k]) * oracle_derivative(p->recurrent, z[k]);
        v->dc[k] = v->dh[k] * (1.0 - z[k]) * oracle_derivative(p->activation, candidate[k]);
        v->dq[k] = p->reset_after ? v->dc[k] * r[k] : v->dc[k];
    }
    for (int64_t k = 0; k < H; k++) {
        /* Gradient of what Uh multiplies: hh with reset after, r hh before. */
        v->d_rh[k] = u_transposed(c, v->dq, 2, k) * mask_h(c, n, 2, k);
        v->dr[k] = (p->reset_after ? v->dc[k] * q[k] : v->d_rh[k] * h[k]) *
                   oracle_derivative(p->recurrent, r[k]);
    }
    for (int64_t j = 0; j < H; j++) {
        v->dh[j] = v->dh[j] * z[j] + v->d_rh[j] * (p->reset_after ? 1.0 : r[j]) +
                   mask_h(c, n, 0, j) * u_transposed(c, v->dz, 0, j) +
                   mask_h(c, n, 1, j) * u_transposed(c, v->dr, 1, j);
    }
}

static void x_backward(const weir_gru_call *c, int64_t n, int64_t s, const step *v) {
    const double *d[3] = {v->dz, v->dr, v->dc};
    for (int64_t i = 0; i < c->p.C_in; i++) {
        double sum = 0;
        for (int64_t gate = 0; gate < 3; gate++)
            for (int64_t k = 0; k < c->p.H; k++)
                sum +=
                    mask_x(c, n, gate, i) * d[gate][k] * c->t.w[i * 3 * c->p.H + gate * c->p.H + k];
        c->dx[x_at(c, n, s) + i] = passed_over(c, n, s) ? 0.0f : (float)sum;
    }
}

void weir_gru_bwd_data_scalar(const weir_gru_call *c, int64_t n0, int64_t n1) {
    const weir_gru *p = &c->p;
    int64_t H = p->H, H_p = gru_padded(H);
    step v = step_in(c);
    for (int64_t n = n0; n < n1; n++) {
        for (int64_t k = 0; k < H; k++) v.dh[k] = c->s1 < p->T ? c->dh[n * H_p + k] : 0.0f;
        for (int64_t s = c->s1 - 1; s >= c->s0; s--) {
            const float *dy = c->dy + (p->return_sequences ? n * p->T + s : n) * H;
            if (p->return_sequences || s == p->T - 1)
                for (int64_t k = 0; k < H; k++) v.dh[k] += dy[k];
            step_backward(c, n, s, &v);
            const double *parts[4] = {v.dz, v.dr, v.dc, v.dq};
            float *dgates = c->dgates + gru_dgates_at(c, n, s);
            for (int64_t g = 0; g < gru_parts(p); g++)
                for (int64_t k = 0; k < H_p; k++)
                    dgates[g * H_p + k] = k < H ? (float)parts[g][k] : 0.0f;
            if (c->dx) x_backward(c, n, s, &v);
        }
        for (int64_t k = 0; c->s0 > 0 && k < H; k++) c->dh[n * H_p + k] = (float)v.dh[k];
        for (int64_t k = 0; c->s0 == 0 && c->dh0 && k < H; k++) c->dh0[n * H + k] = (float)v.dh[k];
    }
}

static double dw_element(const weir_gru_call *c, int64_t n0, int64_t n1, int64_t i, int64_t gate,
                         int64_t k) {
    double sum = 0;
    for (int64_t n = n0; n < n1; n++)
        for (int64_t s = c->s0; s < c->s1; s++)
            if (!passed_over(c, n, s))
                sum += c->t.x[x_at(c, n, s) + i] * mask_x(c, n, gate, i) *
                       c->dgates_in[gru_dgates_at(c, n, s) + gate * gru_padded(c->p.H) + k];
    return sum;
}

/* Part of dgates whose product with h is the gradient of U's gate. */
static int64_t u_part(const weir_gru_call *c, int64_t gate) {
    return gate == 2 && c->p.reset_after ? 3 : gate;
}

static double du_element(const weir_gru_call *c, int64_t n0, int64_t n1, int64_t j, int64_t gate,
                         int64_t k) {
    int64_t H_p = gru_padded(c->p.H);
    double sum = 0;
    for (int64_t n = n0; n < n1; n++) {
        for (int64_t s = c->s0; s < c->s1; s++) {
            if (passed_over(c, n, s)) continue;
            int64_t row = gru_dgates_at(c, n, s) + u_part(c, gate) * H_p;
            double h = c->reserve_in[gru_state_at(&c->p, n, s) + j] * mask_h(c, n, gate, j);
            if (gate == 2 && !c->p.reset_after)
                h *= c->reserve_in[gru_gates_at(&c->p, n, s) + H_p + j];
            sum += h * c->dgates_in[row + k];
        }
    }
    return sum;
}

static double db_element(const weir_gru_call *c, int64_t n0, int64_t n1, int64_t part, int64_t k) {
    double sum = 0;
    for (int64_t n = n0; n < n1; n++)
        for (int64_t s = c->s0; s < c->s1; s++)
            if (!passed_over(c, n, s))
                sum += c->dgates_in[gru_dgates_at(c, n, s) + part * gru_padded(c->p.H) + k];
    return sum;
}

static void put(const weir_gru_call *c, double sum, float *to) {
    *to = (float)(c->adds ? *to + sum : sum);
}

void weir_gru_bwd_weights_scalar(const weir_gru_call *c, int64_t n0, int64_t n1, float *dw,
                                 float *du, float *db) {
    int64_t H = c->p.H;
    for (int64_t gate = 0; gate < 3; gate++) {
        for (int64_t k = 0; k < H; k++) {
            int64_t column = gate * H + k;
            for (int64_t i = 0; i < c->p.C_in; i++)
                put(c, dw_element(c, n0, n1, i, gate, k), &dw[i * 3 * H + column]);
            for (int64_t j = 0; j < H; j++)
                put(c, du_element(c, n0, n1, j, gate, k), &du[j * 3 * H + column]);
            if (!db) continue;
            put(c, db_element(c, n0, n1, gate, k), &db[column]);
            if (c->p.reset_after)
                put(c, db_element(c, n0, n1, u_part(c, gate), k), &db[3 * H + column]);
        }
    }
}
