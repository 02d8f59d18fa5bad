/* A random SimpleRNN call, for its checks. SPDX-License-Identifier: Apache-2.0 */
#include "validate/rnn_case.h"

#include <math.h>
#include <string.h>

#include "kernels/recurrent.h"

enum {
    LONG_STEPS = 20, /* from here on weights are made small */
    LONG_WORK = (GRU_CHUNK + 40) * 15 * (15 + 15)
};

/* More steps than a kernel takes at a time: rnn_bwd_weights, or rnn_bwd_data for dx; or than the op
 * gives both. The check of rnn_bwd_data takes T^2 time. */
static int64_t long_draw(context *c) {
    if (c->op) return rng_range(&c->rng, GRU_CHUNK / 3, GRU_CHUNK + 9);
    if (!strcmp(c->kernel, "rnn_bwd_weights")) return rng_range(&c->rng, GRU_CHUNK, GRU_CHUNK + 40);
    return rng_range(&c->rng, GRU_ROWS + 1, 60);
}

void rnn_draw(context *c, rnn_case *k, int64_t work) {
    static const weir_activation activations[] = {WEIR_TANH, WEIR_TANH, WEIR_LINEAR, WEIR_RELU,
                                                  WEIR_SIGMOID};
    rng *r = &c->rng;
    weir_rnn *p = &k->call.p;
    if (c->options->hash) work /= 2;
    bool long_sequence = c->index % 8 == 0 && c->isa != WEIR_ISA_SCALAR;
    if (long_sequence && work < LONG_WORK) work = LONG_WORK;
    do {
        p->N = rng_chance(r, 25) ? rng_range(r, 1, 3 * GRU_ROWS) : rng_range(r, 1, 9);
        p->T = rng_chance(r, 20) ? rng_range(r, 1, 20) : rng_range(r, 1, 6);
        p->C_in = size_draw(r, 60);
        p->H = size_draw(r, 80);
        if (long_sequence) p->T = long_draw(c);
    } while (p->N * p->T * p->H * (p->C_in + p->H) > work);
    rnn_all_steps(&k->call);
    p->activation = activations[rng_range(r, 0, 4)];
    p->go_backwards = rng_chance(r, 30);
    p->return_sequences = rng_chance(r, 50);
    p->mask_gates = rng_chance(r, 50) ? 0 : 1;
    /* Their sums lie within float, but not what a recurrence makes of them. */
    if (c->values == VALUES_HUGE) c->values = VALUES_NORMAL;
}

static float *mask_new(context *c, const char *name, int64_t n) {
    float *mask = input_new(c, name, n);
    for (int64_t i = 0; i < n; i++) mask[i] = rng_chance(&c->rng, 25) ? 0.0f : 1.0f / 0.75f;
    return mask;
}

/* Over many steps states and gradients would leave float: makes the sum of |u| over each row and
 * column at most 3/4, which a mask makes 1. */
static void u_tame(rnn_case *k) {
    const int64_t H = k->call.p.H;
    double most = 0;
    for (int64_t i = 0; i < H; i++) {
        double row = 0, column = 0;
        for (int64_t j = 0; j < H; j++) {
            row += fabs((double)k->u[i * H + j]);
            column += fabs((double)k->u[j * H + i]);
        }
        most = fmax(most, fmax(row, column));
    }
    if (!isfinite(most) || most <= 0.75) return;
    for (int64_t i = 0; i < H * H; i++) k->u[i] *= (float)(0.75 / most);
}

static void shape_say(context *c, const rnn_case *k) {
    const weir_rnn *p = &k->call.p;
    shape_set(c, "N:%lld/T:%lld/Cin:%lld/H:%lld/%s%s%s/masks:%s%s/steps:%d/bias:%d/h0:%d",
              (long long)p->N, (long long)p->T, (long long)p->C_in, (long long)p->H,
              weir_activation_name(p->activation), p->go_backwards ? "/backwards" : "",
              p->return_sequences ? "/sequences" : "", k->mask_x ? "x" : "", k->mask_h ? "h" : "",
              k->step_mask != NULL, k->b != NULL, k->h0 != NULL);
}

static void packed_new(context *c, rnn_case *k) {
    const weir_rnn *p = &k->call.p;
    float *w_packed = input_new(c, "w_packed", weir_packed_floats(1, p->H, p->C_in));
    float *u_packed = input_new(c, "u_packed", weir_packed_floats(1, p->H, p->H));
    float *w_t_packed = input_new(c, "w_t_packed", weir_packed_floats(1, p->C_in, p->H));
    float *u_t_packed = input_new(c, "u_t_packed", weir_packed_floats(1, p->H, p->H));
    weir_pack_gates(1, p->C_in, p->H, k->w, k->u, w_packed, u_packed);
    weir_pack_gates_transposed(1, p->C_in, p->H, k->w, k->u, w_t_packed, u_t_packed);
    k->call.w_packed = w_packed;
    k->call.u_packed = u_packed;
    k->call.w_t_packed = w_t_packed;
    k->call.u_t_packed = u_t_packed;
}

void rnn_tensors_new(context *c, rnn_case *k) {
    weir_rnn *p = &k->call.p;
    weir_rnn_tensors *t = &k->call.t;
    t->x = k->x = tensor_new(c, "x", p->N * p->T * p->C_in);
    t->w = k->w = tensor_new(c, "w", p->C_in * p->H);
    t->u = k->u = tensor_new(c, "u", p->H * p->H);
    if (p->T >= LONG_STEPS) u_tame(k);
    if (rng_chance(&c->rng, 75)) t->b = k->b = tensor_new(c, "b", p->H);
    if (rng_chance(&c->rng, 50)) t->h0 = k->h0 = tensor_new(c, "h0", p->N * p->H);
    if (p->mask_gates && rng_chance(&c->rng, 75))
        t->mask_x = k->mask_x = mask_new(c, "mask_x", p->N * p->C_in);
    if (p->mask_gates && rng_chance(&c->rng, 75))
        t->mask_h = k->mask_h = mask_new(c, "mask_h", p->N * p->H);
    t->step_mask = k->step_mask = step_mask_draw(c, p->N, p->T);
    step_mask_poison(k->step_mask, p->N * p->T, p->C_in, k->x);
    packed_new(c, k);
    k->call.scratch = scratch_new(c, rnn_scratch_floats(p));
    shape_say(c, k);
}

void rnn_scratch_set(weir_rnn_call *call) { poison(call->scratch, rnn_scratch_floats(&call->p)); }

int64_t rnn_y_floats(const weir_rnn *p) { return p->N * (p->return_sequences ? p->T : 1) * p->H; }

int64_t rnn_reserve_size(const weir_rnn *p) { return rnn_state_at(p, p->N, 0); }

double rnn_mask_x(const rnn_case *k, int64_t n, int64_t i) {
    return k->mask_x ? (double)k->mask_x[n * k->call.p.C_in + i] : 1;
}

double rnn_mask_h(const rnn_case *k, int64_t n, int64_t j) {
    return k->mask_h ? (double)k->mask_h[n * k->call.p.H + j] : 1;
}

int64_t rnn_time(const weir_rnn *p, int64_t n, int64_t s) {
    return n * p->T + (p->go_backwards ? p->T - 1 - s : s);
}

bool rnn_passed(const rnn_case *k, int64_t n, int64_t s) {
    return k->step_mask && !k->step_mask[rnn_time(&k->call.p, n, s)];
}

weir_rnn_call rnn_step_call(context *c, const rnn_case *k, int64_t s, const float *h) {
    weir_rnn_call one = k->call;
    const weir_rnn *p = &k->call.p;
    float *x = plain_new(c, p->N * p->C_in);
    for (int64_t n = 0; n < p->N; n++)
        memcpy(x + n * p->C_in, k->x + rnn_time(p, n, s) * p->C_in,
               (size_t)p->C_in * sizeof(float));
    one.p.T = 1;
    rnn_all_steps(&one);
    one.p.return_sequences = false;
    one.t.x = x;
    one.t.h0 = h;
    one.t.step_mask = step_mask_of(c, k->step_mask, p->N, p->T, rnn_time(p, 0, s));
    one.y = one.reserve = one.da = one.dx = one.dh0 = NULL;
    one.dy = one.reserve_in = one.da_in = NULL;
    return one;
}
