/* Checks of the GRU's backward passes. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "validate/gru_case.h"

/* GRU_TREE: additions of the sum of a gradient's leaves, at most 32. */
enum { WORK = 100000, GRU_TREE = 31 };

/* What the forward pass kept, by the oracle. */
static void reserve_new(context *c, gru_case *k) {
    const weir_gru *p = &k->call.p;
    weir_gru_call call = k->call;
    call.y = plain_new(c, gru_y_floats(p));
    call.reserve = k->reserve = input_new(c, "reserve", gru_reserve_size(p));
    kernels_begin(c);
    inputs_unlock(c);
    c->oracle->gru_fwd(&call, 0, p->N);
    inputs_lock(c);
    kernels_end(c);
    padding_poison(k->reserve, gru_reserve_size(p), p->H);
    k->call.reserve_in = k->reserve;
}

/* ---- data ---- */

static void data_call(const weir_kernels *k, void *arg, int64_t n0, int64_t n1, float *const *out) {
    const gru_case *a = arg;
    weir_gru_call call = a->call;
    int i = 0;
    call.dgates = out[i++];
    call.dx = a->dx ? out[i++] : NULL;
    call.dh0 = a->dh0 ? out[i++] : NULL;
    call.dh = a->dh;
    call.s0 = a->cut;
    gru_scratch_set(&call);
    k->gru_bwd_data(&call, n0, n1);
    if (a->cut == 0) return;
    call.s0 = 0;
    call.s1 = a->cut;
    gru_scratch_set(&call);
    k->gru_bwd_data(&call, n0, n1);
}

/* The last steps by a call of their own, now and then. */
static void cut_draw(context *c, gru_case *k) {
    const weir_gru *p = &k->call.p;
    if (p->T == 1 || rng_chance(&c->rng, 60)) return;
    k->cut = rng_range(&c->rng, 1, p->T - 1);
    k->dh = plain_new(c, p->N * gru_padded(p->H));
}

static range_check data_check(gru_case *k) {
    const weir_gru *p = &k->call.p;
    int64_t H_p = gru_padded(p->H), parts = gru_parts(p);
    range_check r = {.call = data_call, .arg = k, .rows = p->N};
    r.output[r.outputs++] = (output){.tensor = {"dgates", {p->N, p->T, parts, H_p}},
                                     .width = p->T * parts * H_p,
                                     .padded = H_p,
                                     .used = p->H};
    if (k->dx)
        r.output[r.outputs++] =
            (output){.tensor = {"dx", {p->N, p->T, p->C_in}}, .width = p->T * p->C_in};
    if (k->dh0) r.output[r.outputs++] = (output){.tensor = {"dh0", {p->N, p->H}}, .width = p->H};
    return r;
}

/* The last T - s steps of the call as a call of their own. */
static gru_case suffix_of(context *c, const gru_case *k, int64_t s) {
    const weir_gru *p = &k->call.p;
    gru_case e = *k;
    weir_gru *q = &e.call.p;
    q->T = p->T - s;
    gru_all_steps(&e.call);
    e.cut = 0;
    e.dx = false;
    e.dh0 = true;
    int64_t H_p = gru_padded(p->H), row = gru_parts(p) * H_p,
            steps = p->return_sequences ? q->T : 1;
    float *reserve = plain_new(c, gru_reserve_size(q)), *dy = plain_new(c, gru_y_floats(q));
    uint8_t *mask = k->step_mask ? (uint8_t *)plain_new(c, p->N * q->T) : NULL;
    for (int64_t n = 0; n < p->N; n++) {
        if (mask)
            memcpy(mask + n * q->T, k->step_mask + n * p->T + (p->go_backwards ? 0 : s),
                   (size_t)q->T);
        memcpy(reserve + gru_gates_at(q, n, 0), k->reserve + gru_gates_at(p, n, s),
               (size_t)(q->T * row) * sizeof(float));
        memcpy(reserve + gru_state_at(q, n, 0), k->reserve + gru_state_at(p, n, s),
               (size_t)((q->T + 1) * H_p) * sizeof(float));
        memcpy(dy + n * steps * p->H,
               k->dy +
                   (n * (p->return_sequences ? p->T : 1) + (p->return_sequences ? s : 0)) * p->H,
               (size_t)(steps * p->H) * sizeof(float));
    }
    e.call.reserve_in = reserve;
    e.call.dy = dy;
    e.call.t.step_mask = mask;
    return e;
}

/*
 * One step back, from dh with the magnitude D = |dh| + |dy|. All its factors are stored floats, so
 * each product carries the roundings of its own factors, relative to its absolute value:
 *   dz = dh (h - c) slope(z), dc = dh (1 - z) slope(c)     a difference, a slope, two products and
 *                                                          the sum dh + dy: 6
 *   dq = r dc                                              7
 *   drh = mask sum over H of u dq                          H + 9
 *   dr = dc q slope(r), or drh h slope(r)                  H + 13
 *   dh = dh z + drh (r) + masks times the sums of u dz, u dr over H         2 H + 20
 *   dx = masks times the sums of w dz, w dr, w dc over H   H + 13 + 3 H + 4
 * Where a step is passed over, dh carries the rounding of the sum and the rest is exact.
 * An intermediate that is flushed to zero loses up to FLT_MIN, and what it is multiplied with later
 * may be large: the same equations, with D = 0 and that loss added at each gate, give its effect.
 */
typedef struct back_check {
    const gru_case *k;
    int64_t n, s;
    const double *D;
    double flush; /* 0: magnitudes; else the loss of a product whose factors are below 1 */
    double *gates, *dx, *dh; /* results; gates: parts of H_p */
} back_check;

static double u_sum(const gru_case *k, int64_t n, int64_t gate, int64_t j, const double *d) {
    const weir_gru *p = &k->call.p;
    double sum = 0;
    for (int64_t i = 0; i < p->H; i++) sum += fabs((double)k->u[(j * 3 + gate) * p->H + i]) * d[i];
    return sum * gru_mask_h(k, n, gate, j);
}

static void gates_back(context *c, back_check *v) {
    const weir_gru *p = &v->k->call.p;
    int64_t H = p->H, H_p = gru_padded(H);
    const float *z = v->k->reserve + gru_gates_at(p, v->n, v->s), *r = z + H_p;
    const float *candidate = r + H_p, *q = candidate + H_p;
    const float *h = v->k->reserve + gru_state_at(p, v->n, v->s);
    double *dz = v->gates, *dr = dz + H_p, *dc = dr + H_p, *dq = double_new(c, H);
    for (int64_t j = 0; j < H; j++) {
        double a = (double)z[j], b = (double)candidate[j], D = v->flush > 0 ? 0 : v->D[j];
        double loss = v->flush * (1 + v->D[j]) * (1 + fabs((double)h[j]) + fabs(b));
        dz[j] = sloped(D * fabs((double)h[j] - b), slope(p->recurrent, a)) + loss;
        dc[j] = sloped(D * fabs(1 - a), slope(p->activation, b)) + loss;
        dq[j] = p->reset_after ? dc[j] * fabs((double)r[j]) : dc[j];
        if (p->reset_after) v->gates[3 * H_p + j] = dq[j];
    }
    for (int64_t j = 0; j < H; j++) {
        double drh = u_sum(v->k, v->n, 2, j, dq), b = (double)r[j];
        double from = p->reset_after ? dc[j] * fabs((double)q[j]) : drh * fabs((double)h[j]);
        double D = v->flush > 0 ? 0 : v->D[j];
        dr[j] = sloped(from, slope(p->recurrent, b)) + v->flush * (1 + from);
        v->dh[j] = D * fabs((double)z[j]) + drh * (p->reset_after ? 1 : fabs(b));
    }
    for (int64_t j = 0; j < H; j++)
        v->dh[j] += u_sum(v->k, v->n, 0, j, dz) + u_sum(v->k, v->n, 1, j, dr);
}

static void x_back(back_check *v) {
    const gru_case *k = v->k;
    const weir_gru *p = &k->call.p;
    int64_t H = p->H, H_p = gru_padded(H);
    for (int64_t i = 0; i < p->C_in; i++) {
        v->dx[i] = 0;
        for (int64_t gate = 0; gate < 3; gate++)
            for (int64_t j = 0; j < H; j++)
                v->dx[i] += gru_mask_x(k, v->n, gate, i) * v->gates[gate * H_p + j] *
                            fabs((double)k->w[(i * 3 + gate) * H + j]);
    }
}

/* Bounds from magnitudes and from what flushing loses. */
static void bounds_set(const context *c, double *bound, const double *magnitude, const double *lost,
                       const float *expected, int64_t n, double roundings) {
    for (int64_t i = 0; i < n; i++)
        bound[i] =
            bound_settle(c, bound_terms(c, roundings, magnitude[i], (double)expected[i]) + lost[i]);
}

/* The bounds of one sample's step; expected: the oracle's dgates, dx, dh of it. */
static void step_bounds(context *c, const back_check *sample, const float *const *expected,
                        double *gates, double *dx, double *dh) {
    const weir_gru *p = &sample->k->call.p;
    int64_t H = p->H, H_p = gru_padded(H);
    if (gru_passed(sample->k, sample->n, sample->s)) {
        for (int64_t j = 0; j < H; j++)
            dh[j] = bound_settle(c, bound_terms(c, 1, sample->D[j], (double)expected[2][j]));
        return;
    }
    back_check pass[2] = {*sample, *sample};
    for (int i = 0; i < 2; i++) {
        pass[i].flush = i ? 4 * 0x1p-126 : 0;
        pass[i].gates = double_new(c, gru_parts(p) * H_p);
        pass[i].dx = double_new(c, p->C_in);
        pass[i].dh = double_new(c, H);
        gates_back(c, &pass[i]);
        x_back(&pass[i]);
    }
    for (int64_t g = 0; g < gru_parts(p); g++)
        bounds_set(c, gates + g * H_p, pass[0].gates + g * H_p, pass[1].gates + g * H_p,
                   expected[0] + g * H_p, H, (double)(g == 1 ? H + 13 : 7));
    bounds_set(c, dx, pass[0].dx, pass[1].dx, expected[1], p->C_in, (double)(4 * H + 17));
    bounds_set(c, dh, pass[0].dh, pass[1].dh, expected[2], H, (double)(2 * H + 20));
}

/* Arrays of all steps, each [N] ...: what the kernel gave, what is expected, and the bounds. */
typedef struct back_arrays {
    const float *dgates;
    float *dgates_expected, *dx_expected;
    double *dgates_bound, *dx_bound;
} back_arrays;

/* The gradient that step s receives: from the step after it, as the kernel computed it, and dy. */
static float *received(context *c, const gru_case *k, int64_t s, const float *dh_after, double *D) {
    const weir_gru *p = &k->call.p;
    float *dh = plain_new(c, p->N * p->H);
    bool last = s == p->T - 1;
    for (int64_t i = 0; i < p->N * p->H; i++) {
        int64_t n = i / p->H, j = i % p->H;
        float dy = 0;
        if (p->return_sequences)
            dy = k->dy[(n * p->T + s) * p->H + j];
        else if (last)
            dy = k->dy[i];
        float after = last ? 0.0f : dh_after[i];
        dh[i] = after + dy;
        D[i] = fabs((double)after) + fabs((double)dy);
    }
    return dh;
}

/*
 * dc = (dh - z dh) slope is NaN where dh is infinite, unlike the oracle's dh (1 - z) slope, and so is
 * what follows from that dc: dq, dr and all sums over the units; but not dz.
 */
static void infinite_lost(const weir_gru *p, const float *dh, float *dgates, float *dx,
                          float *dh_before) {
    int64_t H = p->H, H_p = gru_padded(H);
    bool lost = false;
    for (int64_t j = 0; j < H; j++) {
        if (!isinf(dh[j])) continue;
        lost = true;
        dgates[2 * H_p + j] = NAN;
        if (p->reset_after) dgates[H_p + j] = dgates[3 * H_p + j] = NAN;
    }
    for (int64_t j = 0; lost && j < H; j++) {
        if (!p->reset_after) dgates[H_p + j] = NAN;
        dh_before[j] = NAN;
    }
    for (int64_t i = 0; lost && i < p->C_in; i++) dx[i] = NAN;
}

static void step_back(context *c, const gru_case *k, int64_t s, const float *dh_after,
                      const float *dh_got, back_arrays *a) {
    const weir_gru *p = &k->call.p;
    int64_t H = p->H, H_p = gru_padded(H), row = gru_parts(p) * H_p;
    double *D = double_new(c, p->N * H), *dh = double_new(c, p->N * H);
    gru_case one = *k;
    one.call = gru_step_call(c, k, s, NULL);
    one.cut = 0;
    float *reserve = plain_new(c, gru_reserve_size(&one.call.p));
    for (int64_t n = 0; n < p->N; n++) {
        memcpy(reserve + gru_gates_at(&one.call.p, n, 0), k->reserve + gru_gates_at(p, n, s),
               (size_t)row * sizeof(float));
        memcpy(reserve + gru_state_at(&one.call.p, n, 0), k->reserve + gru_state_at(p, n, s),
               (size_t)(2 * H_p) * sizeof(float));
    }
    one.call.reserve_in = reserve;
    const float *dh_in = received(c, k, s, dh_after, D);
    one.call.dy = dh_in;
    one.dx = one.dh0 = true;
    range_check r = data_check(&one);
    float *out[MAX_OUTPUTS];
    ranges_run_on(c, &r, c->oracle, out);
    for (int64_t n = 0; n < p->N; n++) {
        int64_t gates_at = gru_dgates_at(&k->call, n, s);
        int64_t x_at = (n * p->T + gru_time(p, s)) * p->C_in;
        back_check sample = {.k = k, .n = n, .s = s, .D = D + n * H};
        const float *one_sample[3] = {out[0] + n * row, out[1] + n * p->C_in, out[2] + n * H};
        if (!gru_passed(k, n, s))
            infinite_lost(p, dh_in + n * H, out[0] + n * row, out[1] + n * p->C_in, out[2] + n * H);
        memcpy(a->dgates_expected + gates_at, one_sample[0], (size_t)row * sizeof(float));
        memcpy(a->dx_expected + x_at, one_sample[1], (size_t)p->C_in * sizeof(float));
        step_bounds(c, &sample, one_sample, a->dgates_bound + gates_at, a->dx_bound + x_at,
                    dh + n * H);
    }
    tensor t = {"dh before the step", {p->N, H}};
    compare_bounds(c, &t, dh_got, out[2], dh);
}

/* dgates of the suffix call are those of the whole call. */
static void suffix_same(context *c, const gru_case *k, int64_t s, const float *dgates,
                        const float *suffix) {
    const weir_gru *p = &k->call.p;
    int64_t row = gru_parts(p) * gru_padded(p->H), steps = p->T - s;
    float *part = plain_new(c, p->N * steps * row);
    for (int64_t n = 0; n < p->N; n++)
        memcpy(part + n * steps * row, dgates + gru_dgates_at(&k->call, n, s),
               (size_t)(steps * row) * sizeof(float));
    tensor t = {"dgates", {p->N, steps, row}};
    compare_bits(c, &t, "the call on the last steps", part, suffix);
}

/*
 * As in the forward pass, each step is compared with the oracle's single step. The gradient that a
 * step receives is not kept, but it is dh0 of the kernel's own call on the steps after it, whose
 * dgates must be the same bits.
 */
static void data_case(context *c) {
    gru_case k = {.dx = rng_chance(&c->rng, 75), .dh0 = rng_chance(&c->rng, 50)};
    gru_draw(c, &k, WORK);
    values dy_values = c->values;
    c->values = values_tame(c->values);
    gru_tensors_new(c, &k);
    c->values = dy_values;
    const weir_gru *p = &k.call.p;
    k.call.dy = k.dy = tensor_new(c, "dy", gru_y_floats(p));
    reserve_new(c, &k);
    cut_draw(c, &k);
    range_check r = data_check(&k);
    float *got[MAX_OUTPUTS], *suffix[MAX_OUTPUTS];
    if (c->options->hash) {
        ranges_hash(c, &r);
        return;
    }
    ranges_run(c, &r, got);
    back_arrays a = {.dgates = got[0]};
    tensor dgates = r.output[0].tensor, dx = {"dx", {p->N, p->T, p->C_in}};
    a.dgates_expected = plain_new(c, tensor_size(&dgates));
    a.dgates_bound = double_new(c, tensor_size(&dgates));
    a.dx_expected = plain_new(c, tensor_size(&dx));
    a.dx_bound = double_new(c, tensor_size(&dx));
    const float *dh_after = NULL;
    for (int64_t s = p->T - 1; s >= 0 && !c->failures; s--) {
        gru_case e = suffix_of(c, &k, s);
        range_check from = data_check(&e);
        ranges_run_on(c, &from, c->k, suffix);
        suffix_same(c, &k, s, got[0], suffix[0]);
        step_back(c, &k, s, dh_after, suffix[1], &a);
        dh_after = suffix[1];
    }
    compare_bounds(c, &dgates, got[0], a.dgates_expected, a.dgates_bound);
    if (k.dx) compare_bounds(c, &dx, got[1], a.dx_expected, a.dx_bound);
    tensor dh0 = {"dh0", {p->N, p->H}};
    if (k.dh0) compare_bits(c, &dh0, "the same without dx", got[r.outputs - 1], dh_after);
    ranges_bits(c, &r, got);
}

/* ---- weights ---- */

static void weights_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                         float *const *out) {
    const gru_case *a = arg;
    weir_gru_call call = a->call;
    (void)r0;
    (void)r1;
    call.s0 = a->cut;
    gru_scratch_set(&call);
    k->gru_bwd_weights(&call, a->n0, a->n1, out[0], out[1], a->b ? out[2] : NULL);
    if (a->cut == 0) return;
    call.s0 = 0;
    call.s1 = a->cut;
    call.adds = true;
    gru_scratch_set(&call);
    k->gru_bwd_weights(&call, a->n0, a->n1, out[0], out[1], a->b ? out[2] : NULL);
}

/* A term passes at most one addition for each sample and step, and is itself a product of a masked
 * and perhaps reset value: 3 roundings. Where the call is cut, the oracle's first sum is rounded too.
 * These two products may be flushed, before they are multiplied with d: 2 FLT_MIN sum |d| more, which
 * is the bias's gradient (reset after, in du: that of b1). */
static void weights_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    gru_case k = *(gru_case *)arg;
    const weir_gru *p = &k.call.p;
    int64_t n[3] = {p->C_in * 3 * p->H, p->H * 3 * p->H, (p->reset_after ? 6 : 3) * p->H};
    float *out[3];
    int outputs = k.b ? 3 : 2;
    for (int i = 0; i < 3; i++) out[i] = plain_new(c, n[i]);
    k.b = out[2]; /* the bias's gradient in any case */
    k.call.t.x = abs_new(c, k.x, p->N * p->T * p->C_in);
    k.call.reserve_in = abs_new(c, k.reserve, gru_reserve_size(p));
    k.call.dgates_in = abs_new(c, k.dgates, gru_dgates_at(&k.call, p->N, 0));
    weights_call(c->oracle, &k, 0, 1, out);
    double roundings = (double)((k.n1 - k.n0) * p->T + (k.cut ? 4 : 3));
    for (int i = 0; i < outputs; i++) {
        const float *d = out[2] + (i == 1 && p->reset_after ? 3 * p->H : 0);
        for (int64_t j = 0; j < n[i]; j++) {
            double error = bound_terms(c, roundings, (double)out[i][j], (double)expected[i][j]);
            if (i < 2) error += 2 * (double)FLT_MIN * (double)d[j % (3 * p->H)];
            bound[i][j] = bound_settle(c, error);
        }
    }
}

static range_check weights_check(gru_case *k) {
    const weir_gru *p = &k->call.p;
    range_check r = {.call = weights_call, .bound = weights_bound, .arg = k, .rows = 1};
    r.outputs = k->b ? 3 : 2;
    r.output[0] = (output){.tensor = {"dw", {p->C_in, 3, p->H}}, .width = p->C_in * 3 * p->H};
    r.output[1] = (output){.tensor = {"du", {p->H, 3, p->H}}, .width = p->H * 3 * p->H};
    int64_t parts = p->reset_after ? 2 : 1;
    r.output[2] = (output){.tensor = {"db", {parts, 3, p->H}}, .width = parts * 3 * p->H};
    return r;
}

/* Random floats in the layout of a reserve or of dgates. */
static float *padded_new(context *c, const char *name, int64_t floats, int64_t H) {
    float *a = tensor_new(c, name, floats);
    padding_poison(a, floats, H);
    return a;
}

/* The rows of dgates that nobody may look at. */
static void passed_poison(const gru_case *k) {
    const weir_gru *p = &k->call.p;
    int64_t row = gru_parts(p) * gru_padded(p->H);
    for (int64_t n = 0; n < p->N; n++)
        for (int64_t s = 0; s < p->T; s++)
            if (gru_passed(k, n, s)) poison(k->dgates + gru_dgates_at(&k->call, n, s), row);
}

static void weights_case(context *c) {
    gru_case k = {0};
    gru_draw(c, &k, 2 * WORK);
    gru_tensors_new(c, &k);
    const weir_gru *p = &k.call.p;
    k.call.reserve_in = k.reserve = padded_new(c, "reserve", gru_reserve_size(p), p->H);
    k.call.dgates_in = k.dgates = padded_new(c, "dgates", gru_dgates_at(&k.call, p->N, 0), p->H);
    passed_poison(&k);
    k.n1 = p->N;
    if (rng_chance(&c->rng, 40)) {
        k.n0 = rng_range(&c->rng, 0, p->N - 1);
        k.n1 = rng_range(&c->rng, k.n0 + 1, p->N);
    }
    cut_draw(c, &k);
    range_check r = weights_check(&k);
    ranges_check(c, &r);
}

/* ---- the oracle: finite differences ---- */

static double loss(void *arg) {
    const gru_case *k = arg;
    int64_t n = gru_y_floats(&k->call.p);
    double sum = 0;
    weir_kernels_get(WEIR_ISA_SCALAR)->gru_fwd(&k->call, 0, k->call.p.N);
    for (int64_t i = 0; i < n; i++) sum += (double)k->dy[i] * (double)k->call.y[i];
    return sum;
}

/* Small weights, so that the fifth derivative is small too. Noise: each y is rounded to float, |y|
 * below 4; the gradient comes from gates rounded to float, which weighs less: not divided by h. */
static double oracle_setup(context *c, gru_case *k, range_check *data, float **out) {
    c->values = VALUES_NORMAL;
    do gru_draw(c, k, 400);
    while (k->call.p.N > 2);
    gru_tensors_new(c, k);
    const weir_gru *p = &k->call.p;
    for (int64_t i = 0; i < p->C_in * 3 * p->H; i++) k->w[i] *= 0.5f;
    for (int64_t i = 0; i < p->H * 3 * p->H; i++) k->u[i] *= 0.5f;
    k->call.dy = k->dy = tensor_new(c, "dy", gru_y_floats(p));
    k->call.y = plain_new(c, gru_y_floats(p));
    k->call.reserve = k->reserve = output_new(c, "reserve", gru_reserve_size(p));
    k->dx = k->dh0 = true;
    cut_draw(c, k);
    (void)loss(k);
    k->call.reserve_in = k->reserve;
    *data = data_check(k);
    outputs_new(c, data, out);
    data->call(c->oracle, k, 0, p->N, out);
    canaries_check(c);
    double noise = 0;
    for (int64_t i = 0; i < gru_y_floats(p); i++) noise += 4 * U32 * fabs((double)k->dy[i]);
    return noise;
}

static void data_oracle(context *c) {
    gru_case k = {0};
    range_check r;
    float *out[MAX_OUTPUTS];
    double noise = oracle_setup(c, &k, &r, out);
    finite_smooth(c, &r.output[1].tensor, k.x, out[1], noise, loss, &k);
    if (k.h0) finite_smooth(c, &r.output[2].tensor, k.h0, out[2], noise, loss, &k);
}

static void weights_oracle(context *c) {
    gru_case k = {0};
    range_check data;
    float *out[MAX_OUTPUTS], *gradients[MAX_OUTPUTS];
    double noise = oracle_setup(c, &k, &data, out);
    k.call.dgates_in = out[0];
    k.n1 = k.call.p.N;
    range_check r = weights_check(&k);
    outputs_new(c, &r, gradients);
    r.call(c->oracle, &k, 0, 1, gradients);
    canaries_check(c);
    finite_smooth(c, &r.output[0].tensor, k.w, gradients[0], noise, loss, &k);
    finite_smooth(c, &r.output[1].tensor, k.u, gradients[1], noise, loss, &k);
    if (k.b) finite_smooth(c, &r.output[2].tensor, k.b, gradients[2], noise, loss, &k);
}

const check check_gru_bwd_data = {"gru_bwd_data", data_case, data_oracle};
const check check_gru_bwd_weights = {"gru_bwd_weights", weights_case, weights_oracle};

/* ---- the op ---- */

/* Outputs as the weights', then dx and dh0. */
static weir_status bwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const gru_case *k = arg;
    weir_gru_gradients g = {.dy = k->dy, .dw = out[0], .du = out[1]};
    int i = 2;
    g.db = k->b ? out[i++] : NULL;
    g.dx = k->dx ? out[i++] : NULL;
    g.dh0 = k->dh0 ? out[i++] : NULL;
    return weir_gru_bwd(rt, &k->call.p, &k->call.t, k->reserve, &g);
}

/* dgates by the kernel under test: its own errors are the business of gru_bwd_data. */
static void bwd_op_call(const weir_kernels *k, void *arg, int64_t n0, int64_t n1,
                        float *const *out) {
    gru_case a = *(gru_case *)arg;
    weir_gru_call call = a.call;
    int i = a.b ? 3 : 2;
    call.dgates = a.dgates;
    call.dx = a.dx ? out[i++] : NULL;
    call.dh0 = a.dh0 ? out[i++] : NULL;
    gru_scratch_set(&call);
    weir_kernels_get(a.isa)->gru_bwd_data(&call, n0, n1);
    weights_call(k, &a, 0, 1, out);
}

static void bwd_op_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    gru_case *k = arg;
    const weir_gru *p = &k->call.p;
    weights_bound(c, arg, expected, bound);
    int i = k->b ? 3 : 2;
    /* dx and dh0 are the kernel's own here: the same bits. */
    if (k->dx) memset(bound[i++], 0, (size_t)(p->N * p->T * p->C_in) * sizeof(double));
    if (k->dh0) memset(bound[i], 0, (size_t)(p->N * p->H) * sizeof(double));
}

static void op_bwd_case(context *c) {
    gru_case k = {.dx = rng_chance(&c->rng, 75), .dh0 = rng_chance(&c->rng, 50), .isa = c->isa};
    c->values = values_tame(c->values);
    gru_draw(c, &k, 10 * WORK);
    gru_tensors_new(c, &k);
    const weir_gru *p = &k.call.p;
    k.call.dy = k.dy = tensor_new(c, "dy", gru_y_floats(p));
    reserve_new(c, &k);
    k.dgates = plain_new(c, gru_dgates_at(&k.call, p->N, 0));
    k.call.dgates_in = k.dgates;
    k.n1 = p->N;
    range_check r = weights_check(&k);
    r.call = bwd_op_call;
    r.bound = bwd_op_bound;
    r.rows = p->N;
    range_check data = data_check(&k);
    for (int i = 1; i < data.outputs; i++) r.output[r.outputs++] = data.output[i];
    c->tree = GRU_TREE;
    op_check(c, bwd_op, &r);
    c->tree = 0;
}

const check check_op_gru_bwd = {"op_gru_bwd", op_bwd_case, NULL};
