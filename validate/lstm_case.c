/* A random LSTM call, for its checks. SPDX-License-Identifier: Apache-2.0 */
#include "validate/lstm_case.h"

#include <math.h>
#include <string.h>

#include "kernels/recurrent.h"

/* Multiply-adds of one sample of the longest sequence, C_in and H both 15. */
enum { LONG_WORK = (GRU_CHUNK + 40) * LSTM_GATES * 15 * (15 + 15) };

/* More steps than a kernel takes at a time: lstm_bwd_weights, or lstm_bwd_data for dx; or than the
 * op gives both. The check of lstm_bwd_data takes T^2 time. */
static int64_t long_draw(context *c) {
    if (c->op) return rng_range(&c->rng, GRU_CHUNK / 3, GRU_CHUNK + 9);
    if (!strcmp(c->kernel, "lstm_bwd_weights"))
        return rng_range(&c->rng, GRU_CHUNK, GRU_CHUNK + 40);
    return rng_range(&c->rng, LSTM_ROWS + 1, 60);
}

/* So many samples and steps that the op cuts a gradient into leaves, and these into groups. */
static void groups_draw(rng *r, weir_lstm *p) {
    p->N = rng_range(r, 17, 3 * LSTM_ROWS);
    p->T = rng_range(r, 6, 20);
    p->C_in = rng_range(r, 1, 9);
    p->H = rng_range(r, 1, 9);
}

void lstm_draw(context *c, lstm_case *k, int64_t work) {
    rng *r = &c->rng;
    weir_lstm *p = &k->call.p;
    if (c->options->hash) work /= 2;
    /* So many rows that lstm_bwd_weights packs columns for its tiles. */
    bool wide = c->index % 8 == 4 && !strcmp(c->kernel, "lstm_bwd_weights");
    bool long_sequence = c->index % 8 == 0 && c->isa != WEIR_ISA_SCALAR;
    if (long_sequence && work < LONG_WORK) work = LONG_WORK;
    do {
        p->N = rng_chance(r, 25) ? rng_range(r, 1, 3 * LSTM_ROWS) : rng_range(r, 1, 9);
        p->T = rng_chance(r, 20) ? rng_range(r, 1, 20) : rng_range(r, 1, 6);
        p->C_in = size_draw(r, 40);
        p->H = size_draw(r, 50);
        if (long_sequence) p->T = long_draw(c);
        if (c->op && c->index % 2) groups_draw(r, p);
        if (wide) *(rng_chance(r, 50) ? &p->C_in : &p->H) = rng_range(r, 72, 100);
    } while (p->N * p->T * LSTM_GATES * p->H * (p->C_in + p->H) > work);
    lstm_all_steps(&k->call);
    p->activation = rng_chance(r, 65) ? WEIR_TANH : WEIR_RELU;
    p->recurrent = (weir_activation)rng_range(r, WEIR_SIGMOID, WEIR_HARD_SIGMOID6);
    p->go_backwards = rng_chance(r, 30);
    p->return_sequences = rng_chance(r, 50);
    p->mask_gates = rng_chance(r, 50) ? 0 : rng_chance(r, 50) ? 1 : LSTM_GATES;
    /* Their sums lie within float, but not what a recurrence makes of them. */
    if (c->values == VALUES_HUGE) c->values = VALUES_NORMAL;
}

static float *mask_new(context *c, const char *name, int64_t n) {
    float *mask = input_new(c, name, n);
    for (int64_t i = 0; i < n; i++) mask[i] = rng_chance(&c->rng, 25) ? 0.0f : 1.0f / 0.75f;
    return mask;
}

/* Padding in front or behind, steps here and there, or nothing but padding. */
static void step_mask_new(context *c, lstm_case *k) {
    const weir_lstm *p = &k->call.p;
    rng *r = &c->rng;
    if (rng_chance(r, 50)) return;
    bool padding = rng_chance(r, 60);
    k->call.t.step_mask = k->step_mask = bytes_input_new(c, "step_mask", p->N * p->T);
    for (int64_t n = 0; n < p->N; n++) {
        int64_t first = rng_range(r, 0, p->T), last = rng_chance(r, 70) ? p->T : first + 1;
        for (int64_t t = 0; t < p->T; t++) {
            bool taken = padding ? t >= first && t < last : rng_chance(r, 60);
            k->step_mask[n * p->T + t] = taken ? (uint8_t)rng_range(r, 1, 255) : 0;
        }
    }
}

static void shape_say(context *c, const lstm_case *k) {
    const weir_lstm *p = &k->call.p;
    shape_set(c, "N:%lld/T:%lld/Cin:%lld/H:%lld/%s/%s%s%s/masks:%d%s%s%s/bias:%d/h0:%d/c0:%d",
              (long long)p->N, (long long)p->T, (long long)p->C_in, (long long)p->H,
              weir_activation_name(p->activation), weir_activation_name(p->recurrent),
              p->go_backwards ? "/backwards" : "", p->return_sequences ? "/sequences" : "",
              p->mask_gates, k->mask_x ? "x" : "", k->mask_h ? "h" : "",
              k->step_mask ? "/steps" : "", k->b != NULL, k->h0 != NULL, k->c0 != NULL);
}

static void packed_new(context *c, lstm_case *k) {
    const weir_lstm *p = &k->call.p;
    float *w_packed = input_new(c, "w_packed", weir_packed_floats(LSTM_GATES, p->H, p->C_in));
    float *u_packed = input_new(c, "u_packed", weir_packed_floats(LSTM_GATES, p->H, p->H));
    float *w_t_packed = input_new(c, "w_t_packed", weir_packed_floats(LSTM_GATES, p->C_in, p->H));
    float *u_t_packed = input_new(c, "u_t_packed", weir_packed_floats(LSTM_GATES, p->H, p->H));
    weir_pack_gates(LSTM_GATES, p->C_in, p->H, k->w, k->u, w_packed, u_packed);
    weir_pack_gates_transposed(LSTM_GATES, p->C_in, p->H, k->w, k->u, w_t_packed, u_t_packed);
    k->call.w_packed = w_packed;
    k->call.u_packed = u_packed;
    k->call.w_t_packed = w_t_packed;
    k->call.u_t_packed = u_t_packed;
}

void lstm_tensors_new(context *c, lstm_case *k) {
    weir_lstm *p = &k->call.p;
    weir_lstm_tensors *t = &k->call.t;
    t->x = k->x = tensor_new(c, "x", p->N * p->T * p->C_in);
    t->w = k->w = tensor_new(c, "w", p->C_in * LSTM_GATES * p->H);
    t->u = k->u = tensor_new(c, "u", p->H * LSTM_GATES * p->H);
    if (rng_chance(&c->rng, 75)) t->b = k->b = tensor_new(c, "b", LSTM_GATES * p->H);
    if (rng_chance(&c->rng, 50)) t->h0 = k->h0 = tensor_new(c, "h0", p->N * p->H);
    if (rng_chance(&c->rng, 50)) t->c0 = k->c0 = tensor_new(c, "c0", p->N * p->H);
    if (p->mask_gates && rng_chance(&c->rng, 75))
        t->mask_x = k->mask_x = mask_new(c, "mask_x", p->N * p->mask_gates * p->C_in);
    if (p->mask_gates && rng_chance(&c->rng, 75))
        t->mask_h = k->mask_h = mask_new(c, "mask_h", p->N * p->mask_gates * p->H);
    step_mask_new(c, k);
    packed_new(c, k);
    k->call.scratch = scratch_new(c, lstm_scratch_floats(p));
    shape_say(c, k);
}

void lstm_scratch_set(weir_lstm_call *call) {
    poison(call->scratch, lstm_scratch_floats(&call->p));
}

int64_t lstm_y_floats(const weir_lstm *p) { return p->N * (p->return_sequences ? p->T : 1) * p->H; }

int64_t lstm_reserve_size(const weir_lstm *p) { return lstm_row_at(p, p->N, 0); }

double lstm_mask_x(const lstm_case *k, int64_t n, int64_t gate, int64_t i) {
    const weir_lstm *p = &k->call.p;
    if (!k->mask_x) return 1;
    int64_t g = p->mask_gates == LSTM_GATES ? gate : 0;
    return (double)k->mask_x[(n * p->mask_gates + g) * p->C_in + i];
}

double lstm_mask_h(const lstm_case *k, int64_t n, int64_t gate, int64_t j) {
    const weir_lstm *p = &k->call.p;
    if (!k->mask_h) return 1;
    int64_t g = p->mask_gates == LSTM_GATES ? gate : 0;
    return (double)k->mask_h[(n * p->mask_gates + g) * p->H + j];
}

double lstm_bound_settle(const context *c, double bound) {
    if (bound < 0x1p126) return bound;
    return c->values == VALUES_SPECIAL ? 0 : INFINITY;
}

weir_lstm_call lstm_step_call(context *c, const lstm_case *k, int64_t s, const float *h,
                              const float *cell) {
    weir_lstm_call one = k->call;
    const weir_lstm *p = &k->call.p;
    float *x = plain_new(c, p->N * p->C_in);
    uint8_t *step_mask = (uint8_t *)plain_new(c, p->N);
    for (int64_t n = 0; n < p->N; n++) {
        memcpy(x + n * p->C_in, k->x + (n * p->T + lstm_time(p, s)) * p->C_in,
               (size_t)p->C_in * sizeof(float));
        step_mask[n] = k->step_mask ? k->step_mask[n * p->T + lstm_time(p, s)] : 1;
    }
    one.p.T = 1;
    lstm_all_steps(&one);
    one.p.return_sequences = false;
    one.t.x = x;
    one.t.h0 = h;
    one.t.c0 = cell;
    one.t.step_mask = k->step_mask ? step_mask : NULL;
    one.y = one.c_last = one.reserve = one.dgates = one.dx = one.dh0 = one.dc0 = NULL;
    one.dy = one.reserve_in = one.dgates_in = NULL;
    return one;
}
