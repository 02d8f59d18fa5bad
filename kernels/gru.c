/* GRU: checks arguments and hands its kernels to the driver. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gru.h"

#include "kernels/driver.h"
#include "kernels/recurrent.h"

static weir_status check_parameters(const char *op, const weir_gru *p) {
    WEIR_TRY(weir_check_pointer(op, "p", p));
    WEIR_TRY(weir_check_recurrent_sizes(op, p->N, p->T, p->C_in, p->H, WEIR_GRU_SIZE_MAX,
                                        5 * gru_padded(p->H)));
    return weir_check_gates(op, p->activation, p->recurrent, p->mask_gates, GRU_GATES);
}

static weir_status check(const char *op, weir_runtime *rt, const weir_gru *p,
                         const weir_gru_tensors *t) {
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(check_parameters(op, p));
    WEIR_TRY(weir_check_pointer(op, "t", t));
    return weir_check_recurrent_tensors(op, p->N, t->x, t->w, t->u, t->mask_x || t->mask_h,
                                        p->mask_gates, GRU_GATES);
}

int64_t weir_gru_reserve_floats(const weir_gru *p) {
    return check_parameters("gru_reserve_floats", p) ? 0 : gru_gates_at(p, p->N, 0);
}

static void forward(const weir_recurrent_part *part) {
    weir_gru_call c = *(const weir_gru_call *)part->call;
    c.w_packed = part->w_packed;
    c.u_packed = part->u_packed;
    c.scratch = part->scratch;
    part->kernels->gru_fwd(&c, part->n0, part->n1);
}

/* The part's samples and steps alone, both passes. */
static void backward(const weir_recurrent_part *part) {
    const weir_gru_call *all = part->call;
    const weir_gru *p = &all->p;
    const int64_t n0 = part->n0;
    weir_gru_call c = *all;
    weir_gru_tensors *t = &c.t;
    c.p.N = part->n1 - n0;
    c.samples_after = part->samples_after;
    t->x += n0 * p->T * p->C_in;
    if (t->h0) t->h0 += n0 * p->H;
    if (t->step_mask) t->step_mask += n0 * p->T;
    if (t->mask_x) t->mask_x += n0 * p->mask_gates * p->C_in;
    if (t->mask_h) t->mask_h += n0 * p->mask_gates * p->H;
    c.reserve_in += gru_gates_at(p, n0, 0);
    c.dy += n0 * (p->return_sequences ? p->T : 1) * p->H;
    if (c.dx) c.dx += n0 * p->T * p->C_in;
    if (c.dh0) c.dh0 += n0 * p->H;
    c.w_t_packed = part->w_packed;
    c.u_t_packed = part->u_packed;
    c.scratch = part->scratch;
    c.dgates = part->dgates;
    c.dgates_in = part->dgates;
    c.dh = part->carry;
    c.s0 = c.d_s0 = part->s0;
    c.s1 = part->s1;
    c.d_steps = c.s1 - c.s0;
    c.adds = part->adds;
    part->kernels->gru_bwd_data(&c, 0, c.p.N);
    part->kernels->gru_bwd_weights(&c, 0, c.p.N, part->dw, part->du, part->db);
}

static weir_recurrent driven(const char *op, const weir_gru_call *call) {
    const weir_gru *p = &call->p;
    return (weir_recurrent){.op = op,
                            .N = p->N,
                            .T = p->T,
                            .C_in = p->C_in,
                            .H = p->H,
                            .gates = GRU_GATES,
                            .bias_floats = (p->reset_after ? 2 : 1) * GRU_GATES * p->H,
                            .w = call->t.w,
                            .u = call->t.u,
                            .call = call,
                            .scratch_floats = gru_scratch_floats(p),
                            .dgates_row = gru_parts(p) * gru_padded(p->H),
                            .carry_floats = gru_padded(p->H)};
}

weir_status weir_gru_fwd(weir_runtime *rt, const weir_gru *p, const weir_gru_tensors *t, float *y,
                         float *reserve) {
    WEIR_TRY(check("gru_fwd", rt, p, t));
    if (p->N == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer("gru_fwd", "y", y));
    const weir_gru_call call = {.p = *p, .t = *t, .y = y, .reserve = reserve};
    weir_recurrent r = driven("gru_fwd", &call);
    r.run = forward;
    return weir_recurrent_fwd(rt, &r);
}

weir_status weir_gru_bwd(weir_runtime *rt, const weir_gru *p, const weir_gru_tensors *t,
                         const float *reserve, const weir_gru_gradients *g) {
    WEIR_TRY(check("gru_bwd", rt, p, t));
    WEIR_TRY(weir_check_pointer("gru_bwd", "g", g));
    WEIR_TRY(weir_check_recurrent_gradients("gru_bwd", p->N, g->dw, g->du, g->dy, reserve));
    const weir_gru_call call = {
        .p = *p, .t = *t, .reserve_in = reserve, .dy = g->dy, .dx = g->dx, .dh0 = g->dh0};
    weir_recurrent r = driven("gru_bwd", &call);
    r.run = backward;
    return weir_recurrent_bwd(rt, &r, g->dw, g->du, g->db);
}
