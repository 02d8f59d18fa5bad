/* Checks of the LSTM's backward passes. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "validate/lstm_case.h"

/* LSTM_TREE: additions of the sum of a gradient's leaves, at most 32. */
enum { WORK = 100000, LSTM_TREE = 31 };

/* The derivative of an activation whose value is y. */
static double slope(weir_activation activation, double y) {
    switch (activation) {
    case WEIR_RELU: return y > 0 ? 1 : 0;
    case WEIR_TANH: return 1 - y * y;
    case WEIR_SIGMOID: return y * (1 - y);
    case WEIR_HARD_SIGMOID: return y > 0 && y < 1 ? 0.2 : 0;
    default: return y > 0 && y < 1 ? 1.0 / 6 : 0;
    }
}

/* What the padding of H holds reaches no result: NaN would. */
static void padding_poison(float *a, int64_t floats, int64_t H) {
    for (int64_t i = 0; i < floats; i++)
        if (i % gru_padded(H) >= H) poison(&a[i], 1);
}

/* What the forward pass kept, by the oracle. */
static void reserve_new(context *c, lstm_case *k) {
    const weir_lstm *p = &k->call.p;
    weir_lstm_call call = k->call;
    call.y = plain_new(c, lstm_y_floats(p));
    call.reserve = k->reserve = input_new(c, "reserve", lstm_reserve_size(p));
    kernels_begin(c);
    inputs_unlock(c);
    c->oracle->lstm_fwd(&call, 0, p->N);
    inputs_lock(c);
    kernels_end(c);
    padding_poison(k->reserve, lstm_reserve_size(p), p->H);
    k->call.reserve_in = k->reserve;
}

/* ---- data ---- */

static void data_call(const weir_kernels *k, void *arg, int64_t n0, int64_t n1, float *const *out) {
    const lstm_case *a = arg;
    weir_lstm_call call = a->call;
    int i = 0;
    call.dgates = out[i++];
    call.dx = a->dx ? out[i++] : NULL;
    call.dh0 = a->dh0 ? out[i++] : NULL;
    call.dc0 = a->dc0 ? out[i++] : NULL;
    call.carry = a->carry;
    call.s0 = a->cut;
    lstm_scratch_set(&call);
    k->lstm_bwd_data(&call, n0, n1);
    if (a->cut == 0) return;
    call.s0 = 0;
    call.s1 = a->cut;
    lstm_scratch_set(&call);
    k->lstm_bwd_data(&call, n0, n1);
}

/* The last steps by a call of their own, now and then. */
static void cut_draw(context *c, lstm_case *k) {
    const weir_lstm *p = &k->call.p;
    if (p->T == 1 || rng_chance(&c->rng, 60)) return;
    k->cut = rng_range(&c->rng, 1, p->T - 1);
    k->carry = plain_new(c, p->N * 2 * gru_padded(p->H));
}

static range_check data_check(lstm_case *k) {
    const weir_lstm *p = &k->call.p;
    int64_t H_p = gru_padded(p->H);
    range_check r = {.call = data_call, .arg = k, .rows = p->N};
    r.output[r.outputs++] = (output){.tensor = {"dgates", {p->N, p->T, lstm_dgates_row(p)}},
                                     .width = p->T * lstm_dgates_row(p),
                                     .padded = H_p,
                                     .used = p->H,
                                     .row = lstm_dgates_row(p),
                                     .row_used = LSTM_GATES * H_p};
    if (k->dx)
        r.output[r.outputs++] =
            (output){.tensor = {"dx", {p->N, p->T, p->C_in}}, .width = p->T * p->C_in};
    if (k->dh0) r.output[r.outputs++] = (output){.tensor = {"dh0", {p->N, p->H}}, .width = p->H};
    if (k->dc0) r.output[r.outputs++] = (output){.tensor = {"dc0", {p->N, p->H}}, .width = p->H};
    return r;
}

/* The last T - s steps of the call as a call of their own. */
static lstm_case suffix_of(context *c, const lstm_case *k, int64_t s) {
    const weir_lstm *p = &k->call.p;
    lstm_case e = *k;
    weir_lstm *q = &e.call.p;
    q->T = p->T - s;
    lstm_all_steps(&e.call);
    e.cut = 0;
    e.dx = false;
    e.dh0 = e.dc0 = true;
    int64_t sample = lstm_row_at(q, 1, 0), steps = p->return_sequences ? q->T : 1;
    float *reserve = plain_new(c, lstm_reserve_size(q)), *dy = plain_new(c, lstm_y_floats(q));
    uint8_t *step_mask = (uint8_t *)plain_new(c, p->N * q->T);
    for (int64_t n = 0; n < p->N; n++) {
        int64_t dy_at = p->return_sequences ? n * p->T + s : n;
        memcpy(reserve + n * sample, k->reserve + lstm_row_at(p, n, s),
               (size_t)sample * sizeof(float));
        memcpy(dy + n * steps * p->H, k->dy + dy_at * p->H, (size_t)(steps * p->H) * sizeof(float));
        if (k->step_mask)
            memcpy(step_mask + n * q->T, k->step_mask + n * p->T + (p->go_backwards ? 0 : s),
                   (size_t)q->T);
    }
    if (k->step_mask) e.call.t.step_mask = step_mask;
    e.call.reserve_in = reserve;
    e.call.dy = dy;
    return e;
}

/*
 * One step back, from dh with the magnitude D = |dh| + |dy|, and dc. All other factors are stored
 * floats, so each product carries the roundings of its own factors, relative to its absolute value;
 * dh is a sum (1), a slope one rounding:
 *   do = dh y slope(o)             1 + 3 = 4
 *   dc' = dc + dh o slope(y)       1 + 3 = 4
 *   di, df, dg = dc' a slope       4 + 3 = 7;   dc = dc' f    5
 *   dh, dx = masks times the sums of u d or w d over gates and units     4 H + 7 + 4 + 1
 * y = act(c) is computed again: its error e_y = bound_activation(act, 0, y) makes one of D |slope(o)| e_y
 * in do, and slope(y) is off by at most 2 |y| e_y + e_y^2 (relu: 0), so dc' by D |o| times that.
 * An intermediate that is flushed to zero loses up to FLT_MIN, times what it is multiplied with later.
 * Both are carried on through the same equations: `lost`.
 */
typedef struct back_check {
    const lstm_case *k;
    int64_t n, s;
    const double *D, *dc; /* magnitudes that the step receives */
    /* Magnitudes, and what is lost: gates [4][H_p], states [H], dx [C_in]. */
    double *gates[2], *dh[2], *dc_before[2], *dx[2];
} back_check;

/* The magnitude of a product of which a factor, the slope, may be 0: where the rest leaves float,
 * nothing is promised. */
static double sloped(double rest, double slope) {
    return rest > 0x1p126 ? INFINITY : rest * fabs(slope);
}

static void gates_back(const back_check *v) {
    const weir_lstm *p = &v->k->call.p;
    int64_t H_p = gru_padded(p->H);
    const float *row = v->k->reserve + lstm_row_at(p, v->n, v->s), *gate = row + 2 * H_p;
    const double F = (double)FLT_MIN;
    for (int64_t j = 0; j < p->H; j++) {
        double i = (double)gate[LSTM_GATE_I * H_p + j], f = (double)gate[LSTM_GATE_F * H_p + j];
        double g = (double)gate[LSTM_GATE_G * H_p + j], o = (double)gate[LSTM_GATE_O * H_p + j];
        double before = (double)row[H_p + j], after = (double)row[(LSTM_PARTS + 1) * H_p + j];
        double y = p->activation == WEIR_TANH ? tanh(after) : after < 0 ? 0 : after;
        double e = bound_activation(p->activation, 0, y), D = v->D[j];
        double e_slope = p->activation == WEIR_TANH ? 2 * fabs(y) * e + e * e : 0;
        double dc = v->dc[j] + sloped(D * fabs(o), slope(p->activation, y));
        double dc_lost = D * fabs(o) * e_slope + F * (2 + fabs(o) * (1 + D));
        const double from[LSTM_GATES] = {fabs(g), fabs(before), fabs(i), 0};
        const double value[LSTM_GATES] = {i, f, g, o};
        for (int gate_of = 0; gate_of < LSTM_GATE_O; gate_of++) {
            double by =
                slope(gate_of == LSTM_GATE_G ? p->activation : p->recurrent, value[gate_of]);
            v->gates[0][gate_of * H_p + j] = sloped(dc * from[gate_of], by);
            v->gates[1][gate_of * H_p + j] =
                sloped(dc_lost * from[gate_of], by) + F * (2 + dc * from[gate_of]);
        }
        double by = slope(p->recurrent, o);
        v->gates[0][LSTM_GATE_O * H_p + j] = sloped(D * fabs(y), by);
        v->gates[1][LSTM_GATE_O * H_p + j] = D * e * fabs(by) + F * (2 + fabs(y) * (1 + D));
        v->dc_before[0][j] = dc * fabs(f);
        v->dc_before[1][j] = dc_lost * fabs(f) + F;
    }
}

static void sums_back(const back_check *v, int i) {
    const lstm_case *k = v->k;
    const weir_lstm *p = &k->call.p;
    int64_t H = p->H, H_p = gru_padded(H);
    for (int64_t j = 0; j < H + p->C_in; j++) {
        bool state = j < H;
        int64_t at = state ? j : j - H;
        const float *weights = (state ? k->u : k->w) + at * LSTM_GATES * H;
        double sum = 0;
        for (int64_t g = 0; g < LSTM_GATES; g++) {
            double mask = state ? lstm_mask_h(k, v->n, g, at) : lstm_mask_x(k, v->n, g, at);
            for (int64_t unit = 0; unit < H; unit++)
                sum += mask * fabs((double)weights[g * H + unit]) * v->gates[i][g * H_p + unit];
        }
        *(state ? &v->dh[i][at] : &v->dx[i][at]) = sum;
    }
}

/* Bounds from magnitudes and from what is lost; 2^-10: the roundings of the latter. */
static void bounds_set(const context *c, double *bound, double *const *v, int64_t at,
                       const float *expected, int64_t n, double roundings) {
    for (int64_t i = 0; i < n; i++)
        bound[i] =
            lstm_bound_settle(c, bound_terms(c, roundings, v[0][at + i], (double)expected[i]) +
                                     v[1][at + i] * (1 + 0x1p-10));
}

/* The outputs of one sample's step: dgates, dx, dh, dc before it. */
enum { DGATES, DX, DH, DC, BACK };

/* A step that is passed over: zeros, and copies of what it receives. */
static void over_bounds(const lstm_case *k, double *const *bound) {
    const weir_lstm *p = &k->call.p;
    for (int64_t j = 0; j < LSTM_GATES * gru_padded(p->H); j++) bound[DGATES][j] = 0;
    for (int64_t i = 0; i < p->C_in; i++) bound[DX][i] = 0;
    for (int64_t j = 0; j < p->H; j++) bound[DH][j] = bound[DC][j] = (double)FLT_MIN;
}

static void step_bounds(context *c, const back_check *sample, const float *const *expected,
                        double *const *bound) {
    const weir_lstm *p = &sample->k->call.p;
    int64_t H = p->H, H_p = gru_padded(H);
    if (lstm_passes(&sample->k->call, sample->n, sample->s)) {
        over_bounds(sample->k, bound);
        return;
    }
    back_check v = *sample;
    for (int i = 0; i < 2; i++) {
        v.gates[i] = double_new(c, LSTM_GATES * H_p);
        v.dh[i] = double_new(c, H);
        v.dc_before[i] = double_new(c, H);
        v.dx[i] = double_new(c, p->C_in);
    }
    gates_back(&v);
    for (int i = 0; i < 2; i++) sums_back(&v, i);
    for (int64_t g = 0; g < LSTM_GATES; g++)
        bounds_set(c, bound[DGATES] + g * H_p, v.gates, g * H_p, expected[DGATES] + g * H_p, H,
                   g == LSTM_GATE_O ? 4 : 7);
    bounds_set(c, bound[DX], v.dx, 0, expected[DX], p->C_in, (double)(4 * H + 12));
    bounds_set(c, bound[DH], v.dh, 0, expected[DH], H, (double)(4 * H + 12));
    bounds_set(c, bound[DC], v.dc_before, 0, expected[DC], H, 5);
}

/* Arrays of all steps, each [N] ...: what is expected, and the bounds. */
typedef struct back_arrays {
    float *dgates, *dx;
    double *dgates_bound, *dx_bound;
} back_arrays;

/* The gradient dh that step s receives: from the step after it, as the kernel computed it, and dy. */
static float *received(context *c, const lstm_case *k, int64_t s, const float *dh_after,
                       double *D) {
    const weir_lstm *p = &k->call.p;
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
 * Step s alone, by the oracle, from dh and dc [N][H]: the first of two steps, so that it reads what a
 * call on the second would hand on. out[DX] is [N][2][C_in].
 */
static void step_oracle(context *c, const lstm_case *k, int64_t s, const float *dh, const float *dc,
                        float **out) {
    const weir_lstm *p = &k->call.p;
    int64_t H = p->H, H_p = gru_padded(H);
    const int64_t floats[BACK] = {lstm_dgates_row(p), 2 * p->C_in, H, H};
    weir_lstm_call call = k->call;
    call.p.T = 2;
    call.p.go_backwards = call.p.return_sequences = false;
    lstm_all_steps(&call);
    call.s1 = call.d_steps = 1;
    float *reserve = plain_new(c, lstm_reserve_size(&call.p));
    uint8_t *step_mask = (uint8_t *)plain_new(c, p->N * 2);
    call.carry = plain_new(c, p->N * 2 * H_p);
    for (int64_t n = 0; n < p->N; n++) {
        memcpy(reserve + lstm_row_at(&call.p, n, 0), k->reserve + lstm_row_at(p, n, s),
               (size_t)((LSTM_PARTS + 2) * H_p) * sizeof(float));
        step_mask[2 * n] = lstm_passes(&k->call, n, s) ? 0 : 1;
        memcpy(call.carry + n * 2 * H_p, dh + n * H, (size_t)H * sizeof(float));
        memcpy(call.carry + n * 2 * H_p + H_p, dc + n * H, (size_t)H * sizeof(float));
    }
    for (int i = 0; i < BACK; i++) out[i] = plain_new(c, p->N * floats[i]);
    call.t.step_mask = step_mask;
    call.reserve_in = reserve;
    call.dgates = out[DGATES];
    call.dx = out[DX];
    call.dh0 = out[DH];
    call.dc0 = out[DC];
    call.dy = dh; /* not read */
    kernels_begin(c);
    lstm_scratch_set(&call);
    c->oracle->lstm_bwd_data(&call, 0, p->N);
    kernels_end(c);
}

/* Step s of every sample; *_after: what the kernel gave for the step after it (NULL: none), *_got:
 * for this one. */
static void step_back(context *c, const lstm_case *k, int64_t s, float *const *after,
                      float *const *got, back_arrays *a) {
    const weir_lstm *p = &k->call.p;
    int64_t H = p->H, row = lstm_dgates_row(p);
    double *D = double_new(c, p->N * H), *M = double_new(c, p->N * H);
    double *dh = double_new(c, p->N * H), *dc = double_new(c, p->N * H);
    float *out[BACK], *dc_in = plain_new(c, p->N * H);
    const float *dh_in = received(c, k, s, after ? after[1] : NULL, D);
    for (int64_t i = 0; i < p->N * H; i++) {
        dc_in[i] = after ? after[2][i] : 0.0f;
        M[i] = fabs((double)dc_in[i]);
    }
    step_oracle(c, k, s, dh_in, dc_in, out);
    for (int64_t n = 0; n < p->N; n++) {
        int64_t gates_at = lstm_dgates_at(&k->call, n, s);
        int64_t x_at = (n * p->T + lstm_time(p, s)) * p->C_in;
        back_check sample = {.k = k, .n = n, .s = s, .D = D + n * H, .dc = M + n * H};
        const float *expected[BACK] = {out[DGATES] + n * row, out[DX] + 2 * n * p->C_in,
                                       out[DH] + n * H, out[DC] + n * H};
        double *bound[BACK] = {a->dgates_bound + gates_at, a->dx_bound + x_at, dh + n * H,
                               dc + n * H};
        memcpy(a->dgates + gates_at, expected[DGATES], (size_t)row * sizeof(float));
        memcpy(a->dx + x_at, expected[DX], (size_t)p->C_in * sizeof(float));
        step_bounds(c, &sample, expected, bound);
    }
    tensor dh_before = {"dh before the step", {p->N, H}},
           dc_before = {"dc before the step", {p->N, H}};
    compare_bounds(c, &dh_before, got[1], out[DH], dh);
    compare_bounds(c, &dc_before, got[2], out[DC], dc);
}

/* dgates of the suffix call are those of the whole call. */
static void suffix_same(context *c, const lstm_case *k, int64_t s, const float *dgates,
                        const float *suffix) {
    const weir_lstm *p = &k->call.p;
    int64_t row = lstm_dgates_row(p), steps = p->T - s;
    float *part = plain_new(c, p->N * steps * row);
    for (int64_t n = 0; n < p->N; n++)
        memcpy(part + n * steps * row, dgates + lstm_dgates_at(&k->call, n, s),
               (size_t)(steps * row) * sizeof(float));
    tensor t = {"dgates", {p->N, steps, row}};
    compare_bits(c, &t, "the call on the last steps", part, suffix);
}

/* A backward call's case, its values drawn. */
static void data_setup(context *c, lstm_case *k) {
    lstm_draw(c, k, WORK);
    values dy_values = c->values;
    c->values = values_tame(c->values);
    lstm_tensors_new(c, k);
    c->values = dy_values;
    k->call.dy = k->dy = tensor_new(c, "dy", lstm_y_floats(&k->call.p));
    reserve_new(c, k);
    cut_draw(c, k);
}

/*
 * As in the forward pass, each step is compared with the oracle's single step. The gradients that a
 * step receives are not kept, but they are dh0 and dc0 of the kernel's own call on the steps after it,
 * whose dgates must be the same bits.
 */
static void data_case(context *c) {
    lstm_case k = {.dx = rng_chance(&c->rng, 75),
                   .dh0 = rng_chance(&c->rng, 50),
                   .dc0 = rng_chance(&c->rng, 50)};
    data_setup(c, &k);
    const weir_lstm *p = &k.call.p;
    range_check r = data_check(&k);
    float *got[MAX_OUTPUTS], *suffix[2][MAX_OUTPUTS], **after = NULL;
    if (c->options->hash) {
        ranges_hash(c, &r);
        return;
    }
    ranges_run(c, &r, got);
    tensor dgates = r.output[0].tensor, dx = {"dx", {p->N, p->T, p->C_in}};
    back_arrays a = {.dgates = plain_new(c, tensor_size(&dgates)),
                     .dx = plain_new(c, tensor_size(&dx)),
                     .dgates_bound = double_new(c, tensor_size(&dgates)),
                     .dx_bound = double_new(c, tensor_size(&dx))};
    for (int64_t s = p->T - 1; s >= 0 && !c->failures; s--) {
        lstm_case e = suffix_of(c, &k, s);
        range_check from = data_check(&e);
        ranges_run_on(c, &from, c->k, suffix[s % 2]);
        suffix_same(c, &k, s, got[0], suffix[s % 2][0]);
        step_back(c, &k, s, after, suffix[s % 2], &a);
        after = suffix[s % 2];
    }
    range_check gates = {.outputs = 1, .output = {r.output[0]}};
    padding_clear(&gates, &a.dgates);
    compare_bounds(c, &dgates, got[0], a.dgates, a.dgates_bound);
    if (k.dx) compare_bounds(c, &dx, got[1], a.dx, a.dx_bound);
    tensor state = {"dh0", {p->N, p->H}};
    if (k.dh0 && after) compare_bits(c, &state, "the same without dx", got[k.dx ? 2 : 1], after[1]);
    state.name = "dc0";
    if (k.dc0 && after)
        compare_bits(c, &state, "the same without dx", got[r.outputs - 1], after[2]);
    ranges_bits(c, &r, got);
}

/* ---- weights ---- */

static void weights_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                         float *const *out) {
    const lstm_case *a = arg;
    weir_lstm_call call = a->call;
    (void)r0;
    (void)r1;
    call.s0 = a->cut;
    lstm_scratch_set(&call);
    k->lstm_bwd_weights(&call, a->n0, a->n1, out[0], out[1], a->b ? out[2] : NULL);
    if (a->cut == 0) return;
    call.s0 = 0;
    call.s1 = a->cut;
    call.adds = true;
    lstm_scratch_set(&call);
    k->lstm_bwd_weights(&call, a->n0, a->n1, out[0], out[1], a->b ? out[2] : NULL);
}

/* A term passes at most one addition for each sample and step, and is itself a product of a masked
 * value: 2 roundings. Where the call is cut, the oracle's first sum is rounded too. The masked value
 * may be flushed before it is multiplied with d: FLT_MIN sum |d| more, which is the bias's gradient. */
static void weights_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    lstm_case k = *(lstm_case *)arg;
    const weir_lstm *p = &k.call.p;
    int64_t n[3] = {p->C_in * 4 * p->H, p->H * 4 * p->H, 4 * p->H};
    float *out[3];
    int outputs = k.b ? 3 : 2;
    for (int i = 0; i < 3; i++) out[i] = plain_new(c, n[i]);
    k.b = out[2]; /* the bias's gradient in any case */
    k.call.t.x = abs_new(c, k.x, p->N * p->T * p->C_in);
    k.call.reserve_in = abs_new(c, k.reserve, lstm_reserve_size(p));
    k.call.dgates_in = abs_new(c, k.dgates, lstm_dgates_at(&k.call, p->N, 0));
    weights_call(c->oracle, &k, 0, 1, out);
    double roundings = (double)((k.n1 - k.n0) * p->T + (k.cut ? 3 : 2));
    for (int i = 0; i < outputs; i++) {
        for (int64_t j = 0; j < n[i]; j++) {
            double error = bound_terms(c, roundings, (double)out[i][j], (double)expected[i][j]);
            if (i < 2) error += (double)FLT_MIN * (double)out[2][j % (4 * p->H)];
            bound[i][j] = lstm_bound_settle(c, error);
        }
    }
}

static range_check weights_check(lstm_case *k) {
    const weir_lstm *p = &k->call.p;
    range_check r = {.call = weights_call, .bound = weights_bound, .arg = k, .rows = 1};
    r.outputs = k->b ? 3 : 2;
    r.output[0] = (output){.tensor = {"dw", {p->C_in, 4, p->H}}, .width = p->C_in * 4 * p->H};
    r.output[1] = (output){.tensor = {"du", {p->H, 4, p->H}}, .width = p->H * 4 * p->H};
    r.output[2] = (output){.tensor = {"db", {4, p->H}}, .width = 4 * p->H};
    return r;
}

/* Random floats in the layout of a reserve, of dgates. */
static float *reserve_random(context *c, const weir_lstm *p) {
    float *a = tensor_new(c, "reserve", lstm_reserve_size(p));
    padding_poison(a, lstm_reserve_size(p), p->H);
    return a;
}

static float *dgates_random(context *c, const weir_lstm *p) {
    int64_t row = lstm_dgates_row(p), used = LSTM_GATES * gru_padded(p->H);
    float *a = tensor_new(c, "dgates", p->N * p->T * row);
    for (int64_t i = 0; i < p->N * p->T; i++) {
        padding_poison(a + i * row, used, p->H);
        poison(a + i * row + used, row - used);
    }
    return a;
}

static void weights_case(context *c) {
    lstm_case k = {0};
    lstm_draw(c, &k, 2 * WORK);
    lstm_tensors_new(c, &k);
    const weir_lstm *p = &k.call.p;
    k.call.reserve_in = k.reserve = reserve_random(c, p);
    k.call.dgates_in = k.dgates = dgates_random(c, p);
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
    const lstm_case *k = arg;
    int64_t n = lstm_y_floats(&k->call.p);
    double sum = 0;
    weir_kernels_get(WEIR_ISA_SCALAR)->lstm_fwd(&k->call, 0, k->call.p.N);
    for (int64_t i = 0; i < n; i++) sum += (double)k->dy[i] * (double)k->call.y[i];
    return sum;
}

/* Small weights, so that the fifth derivative is small too. Noise: each y is rounded to float, |y|
 * below 4; the gradient comes from gates rounded to float, which weighs less: not divided by h. */
static double oracle_setup(context *c, lstm_case *k, range_check *data, float **out) {
    c->values = VALUES_NORMAL;
    do lstm_draw(c, k, 400);
    while (k->call.p.N > 2);
    lstm_tensors_new(c, k);
    const weir_lstm *p = &k->call.p;
    for (int64_t i = 0; i < p->C_in * 4 * p->H; i++) k->w[i] *= 0.5f;
    for (int64_t i = 0; i < p->H * 4 * p->H; i++) k->u[i] *= 0.5f;
    k->call.dy = k->dy = tensor_new(c, "dy", lstm_y_floats(p));
    k->call.y = plain_new(c, lstm_y_floats(p));
    k->call.reserve = k->reserve = output_new(c, "reserve", lstm_reserve_size(p));
    k->dx = k->dh0 = k->dc0 = true;
    cut_draw(c, k);
    (void)loss(k);
    k->call.reserve_in = k->reserve;
    *data = data_check(k);
    outputs_new(c, data, out);
    data->call(c->oracle, k, 0, p->N, out);
    canaries_check(c);
    double noise = 0;
    for (int64_t i = 0; i < lstm_y_floats(p); i++) noise += 4 * U32 * fabs((double)k->dy[i]);
    return noise;
}

static void data_oracle(context *c) {
    lstm_case k = {0};
    range_check r;
    float *out[MAX_OUTPUTS];
    double noise = oracle_setup(c, &k, &r, out);
    finite_smooth(c, &r.output[1].tensor, k.x, out[1], noise, loss, &k);
    if (k.h0) finite_smooth(c, &r.output[2].tensor, k.h0, out[2], noise, loss, &k);
    if (k.c0) finite_smooth(c, &r.output[3].tensor, k.c0, out[3], noise, loss, &k);
}

static void weights_oracle(context *c) {
    lstm_case k = {0};
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

const check check_lstm_bwd_data = {"lstm_bwd_data", data_case, data_oracle};
const check check_lstm_bwd_weights = {"lstm_bwd_weights", weights_case, weights_oracle};

/* ---- the op ---- */

/* Outputs as the weights', then dx, dh0 and dc0. */
static weir_status bwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const lstm_case *k = arg;
    weir_lstm_gradients g = {.dy = k->dy, .dw = out[0], .du = out[1]};
    int i = 2;
    g.db = k->b ? out[i++] : NULL;
    g.dx = k->dx ? out[i++] : NULL;
    g.dh0 = k->dh0 ? out[i++] : NULL;
    g.dc0 = k->dc0 ? out[i++] : NULL;
    return weir_lstm_bwd(rt, &k->call.p, &k->call.t, k->reserve, &g);
}

/* dgates by the kernel under test: its own errors are the business of lstm_bwd_data. */
static void bwd_op_call(const weir_kernels *k, void *arg, int64_t n0, int64_t n1,
                        float *const *out) {
    lstm_case a = *(lstm_case *)arg;
    weir_lstm_call call = a.call;
    int i = a.b ? 3 : 2;
    call.dgates = a.dgates;
    call.dx = a.dx ? out[i++] : NULL;
    call.dh0 = a.dh0 ? out[i++] : NULL;
    call.dc0 = a.dc0 ? out[i++] : NULL;
    lstm_scratch_set(&call);
    weir_kernels_get(a.isa)->lstm_bwd_data(&call, n0, n1);
    weights_call(k, &a, 0, 1, out);
}

static void bwd_op_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    lstm_case *k = arg;
    const weir_lstm *p = &k->call.p;
    weights_bound(c, arg, expected, bound);
    int i = k->b ? 3 : 2;
    /* dx, dh0 and dc0 are the kernel's own here: the same bits. */
    if (k->dx) memset(bound[i++], 0, (size_t)(p->N * p->T * p->C_in) * sizeof(double));
    if (k->dh0) memset(bound[i++], 0, (size_t)(p->N * p->H) * sizeof(double));
    if (k->dc0) memset(bound[i], 0, (size_t)(p->N * p->H) * sizeof(double));
}

static void op_bwd_case(context *c) {
    lstm_case k = {.dx = rng_chance(&c->rng, 75),
                   .dh0 = rng_chance(&c->rng, 50),
                   .dc0 = rng_chance(&c->rng, 50),
                   .isa = c->isa};
    c->values = values_tame(c->values);
    lstm_draw(c, &k, 10 * WORK);
    lstm_tensors_new(c, &k);
    const weir_lstm *p = &k.call.p;
    k.call.dy = k.dy = tensor_new(c, "dy", lstm_y_floats(p));
    reserve_new(c, &k);
    k.dgates = plain_new(c, lstm_dgates_at(&k.call, p->N, 0));
    k.call.dgates_in = k.dgates;
    k.n1 = p->N;
    range_check r = weights_check(&k);
    r.call = bwd_op_call;
    r.bound = bwd_op_bound;
    r.rows = p->N;
    range_check data = data_check(&k);
    for (int i = 1; i < data.outputs; i++) r.output[r.outputs++] = data.output[i];
    c->tree = LSTM_TREE;
    op_check(c, bwd_op, &r);
    c->tree = 0;
}

const check check_op_lstm_bwd = {"op_lstm_bwd", op_bwd_case, NULL};
