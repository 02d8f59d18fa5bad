/* A random GRU call, for its checks. SPDX-License-Identifier: Apache-2.0 */
#include "validate/gru_case.h"

#include <math.h>
#include <string.h>

#include "kernels/recurrent.h"

/* Multiply-adds of one sample of the longest sequence, C_in and H both 15. */
enum { LONG_WORK = (GRU_CHUNK + 40) * 3 * 15 * (15 + 15) };

/* More steps than a kernel takes at a time: gru_bwd_weights, or gru_bwd_data for dx; or than the op
 * gives both. The check of gru_bwd_data takes T^2 time. */
static int64_t long_draw(context *c) {
    if (c->op) return rng_range(&c->rng, GRU_CHUNK / 3, GRU_CHUNK + 9);
    if (!strcmp(c->kernel, "gru_bwd_weights")) return rng_range(&c->rng, GRU_CHUNK, GRU_CHUNK + 40);
    return rng_range(&c->rng, GRU_ROWS + 1, 60);
}

void gru_draw(context *c, gru_case *k, int64_t work) {
    rng *r = &c->rng;
    weir_gru *p = &k->call.p;
    if (c->options->hash) work /= 2;
    /* So many rows that gru_bwd_weights packs columns for its tiles. */
    bool wide = c->index % 8 == 4 && !strcmp(c->kernel, "gru_bwd_weights");
    bool long_sequence = c->index % 8 == 0 && c->isa != WEIR_ISA_SCALAR;
    if (long_sequence && work < LONG_WORK) work = LONG_WORK;
    do {
        p->N = rng_chance(r, 25) ? rng_range(r, 1, 3 * GRU_ROWS) : rng_range(r, 1, 9);
        p->T = rng_chance(r, 20) ? rng_range(r, 1, 20) : rng_range(r, 1, 6);
        p->C_in = size_draw(r, 40);
        p->H = size_draw(r, 50);
        if (long_sequence) p->T = long_draw(c);
        if (wide) *(rng_chance(r, 50) ? &p->C_in : &p->H) = rng_range(r, 72, 100);
    } while (p->N * p->T * 3 * p->H * (p->C_in + p->H) > work);
    gru_all_steps(&k->call);
    p->activation = rng_chance(r, 65) ? WEIR_TANH : WEIR_RELU;
    p->recurrent = (weir_activation)rng_range(r, WEIR_SIGMOID, WEIR_HARD_SIGMOID6);
    p->reset_after = rng_chance(r, 50);
    p->go_backwards = rng_chance(r, 30);
    p->return_sequences = rng_chance(r, 50);
    p->mask_gates = rng_chance(r, 50) ? 0 : rng_chance(r, 50) ? 1 : 3;
    /* Their sums lie within float, but not what a recurrence makes of them. */
    if (c->values == VALUES_HUGE) c->values = VALUES_NORMAL;
}

static float *mask_new(context *c, const char *name, int64_t n) {
    float *mask = input_new(c, name, n);
    for (int64_t i = 0; i < n; i++) mask[i] = rng_chance(&c->rng, 25) ? 0.0f : 1.0f / 0.75f;
    return mask;
}

static void shape_say(context *c, const gru_case *k) {
    const weir_gru *p = &k->call.p;
    shape_set(
        c, "N:%lld/T:%lld/Cin:%lld/H:%lld/%s/%s/reset_%s%s%s/masks:%d%s%s/steps:%d/bias:%d/h0:%d",
        (long long)p->N, (long long)p->T, (long long)p->C_in, (long long)p->H,
        weir_activation_name(p->activation), weir_activation_name(p->recurrent),
        p->reset_after ? "after" : "before", p->go_backwards ? "/backwards" : "",
        p->return_sequences ? "/sequences" : "", p->mask_gates, k->mask_x ? "x" : "",
        k->mask_h ? "h" : "", k->step_mask != NULL, k->b != NULL, k->h0 != NULL);
}

void gru_tensors_new(context *c, gru_case *k) {
    weir_gru *p = &k->call.p;
    weir_gru_tensors *t = &k->call.t;
    t->x = k->x = tensor_new(c, "x", p->N * p->T * p->C_in);
    t->w = k->w = tensor_new(c, "w", p->C_in * 3 * p->H);
    t->u = k->u = tensor_new(c, "u", p->H * 3 * p->H);
    if (rng_chance(&c->rng, 75)) t->b = k->b = tensor_new(c, "b", (p->reset_after ? 6 : 3) * p->H);
    if (rng_chance(&c->rng, 50)) t->h0 = k->h0 = tensor_new(c, "h0", p->N * p->H);
    if (p->mask_gates && rng_chance(&c->rng, 75))
        t->mask_x = k->mask_x = mask_new(c, "mask_x", p->N * p->mask_gates * p->C_in);
    if (p->mask_gates && rng_chance(&c->rng, 75))
        t->mask_h = k->mask_h = mask_new(c, "mask_h", p->N * p->mask_gates * p->H);
    t->step_mask = k->step_mask = step_mask_draw(c, p->N, p->T);
    step_mask_poison(k->step_mask, p->N * p->T, p->C_in, k->x);
    float *w_packed = input_new(c, "w_packed", weir_packed_floats(GRU_GATES, p->H, p->C_in));
    float *u_packed = input_new(c, "u_packed", weir_packed_floats(GRU_GATES, p->H, p->H));
    float *w_t_packed = input_new(c, "w_t_packed", weir_packed_floats(GRU_GATES, p->C_in, p->H));
    float *u_t_packed = input_new(c, "u_t_packed", weir_packed_floats(GRU_GATES, p->H, p->H));
    weir_pack_gates(GRU_GATES, p->C_in, p->H, k->w, k->u, w_packed, u_packed);
    weir_pack_gates_transposed(GRU_GATES, p->C_in, p->H, k->w, k->u, w_t_packed, u_t_packed);
    k->call.w_packed = w_packed;
    k->call.u_packed = u_packed;
    k->call.w_t_packed = w_t_packed;
    k->call.u_t_packed = u_t_packed;
    k->call.scratch = scratch_new(c, gru_scratch_floats(p));
    shape_say(c, k);
}

void gru_scratch_set(weir_gru_call *call) { poison(call->scratch, gru_scratch_floats(&call->p)); }

int64_t gru_y_floats(const weir_gru *p) { return p->N * (p->return_sequences ? p->T : 1) * p->H; }

int64_t gru_reserve_size(const weir_gru *p) { return gru_gates_at(p, p->N, 0); }

double gru_mask_x(const gru_case *k, int64_t n, int64_t gate, int64_t i) {
    const weir_gru *p = &k->call.p;
    if (!k->mask_x) return 1;
    int64_t g = p->mask_gates == 3 ? gate : 0;
    return (double)k->mask_x[(n * p->mask_gates + g) * p->C_in + i];
}

double gru_mask_h(const gru_case *k, int64_t n, int64_t gate, int64_t j) {
    const weir_gru *p = &k->call.p;
    if (!k->mask_h) return 1;
    int64_t g = p->mask_gates == 3 ? gate : 0;
    return (double)k->mask_h[(n * p->mask_gates + g) * p->H + j];
}

int64_t gru_time(const weir_gru *p, int64_t s) { return p->go_backwards ? p->T - 1 - s : s; }

bool gru_passed(const gru_case *k, int64_t n, int64_t s) {
    const weir_gru *p = &k->call.p;
    return k->step_mask && !k->step_mask[n * p->T + gru_time(p, s)];
}

weir_gru_call gru_step_call(context *c, const gru_case *k, int64_t s, const float *h) {
    weir_gru_call one = k->call;
    const weir_gru *p = &k->call.p;
    float *x = plain_new(c, p->N * p->C_in);
    for (int64_t n = 0; n < p->N; n++)
        memcpy(x + n * p->C_in, k->x + (n * p->T + gru_time(p, s)) * p->C_in,
               (size_t)p->C_in * sizeof(float));
    one.p.T = 1;
    gru_all_steps(&one);
    one.p.return_sequences = false;
    one.t.x = x;
    one.t.h0 = h;
    one.t.step_mask = step_mask_of(c, k->step_mask, p->N, p->T, gru_time(p, s));
    one.y = one.reserve = one.dgates = one.dx = one.dh0 = NULL;
    one.dy = one.reserve_in = one.dgates_in = NULL;
    return one;
}
