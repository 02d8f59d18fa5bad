/* SimpleRNN: checks arguments and hands its kernels to the driver. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/rnn.h"

#include "kernels/driver.h"
#include "kernels/recurrent.h"

static weir_status check_parameters(const char *op, const weir_rnn *p) {
    WEIR_TRY(weir_check_pointer(op, "p", p));
    WEIR_TRY(weir_check_recurrent_sizes(op, p->N, p->T, p->C_in, p->H, WEIR_RNN_SIZE_MAX,
                                        gru_padded(p->H)));
    if (p->activation != WEIR_LINEAR && p->activation != WEIR_RELU && p->activation != WEIR_TANH &&
        p->activation != WEIR_SIGMOID)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "%s: activation is %d, accepted: linear %d, relu %d, tanh %d, sigmoid %d",
                         op, (int)p->activation, WEIR_LINEAR, WEIR_RELU, WEIR_TANH, WEIR_SIGMOID);
    return weir_check_range(op, "mask_gates", p->mask_gates, 0, 1);
}

static weir_status check(const char *op, weir_runtime *rt, const weir_rnn *p,
                         const weir_rnn_tensors *t) {
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(check_parameters(op, p));
    WEIR_TRY(weir_check_pointer(op, "t", t));
    return weir_check_recurrent_tensors(op, p->N, t->x, t->w, t->u, t->mask_x || t->mask_h,
                                        p->mask_gates, 1);
}

int64_t weir_rnn_reserve_floats(const weir_rnn *p) {
    return check_parameters("rnn_reserve_floats", p) ? 0 : rnn_state_at(p, p->N, 0);
}

static void forward(const weir_recurrent_part *part) {
    weir_rnn_call c = *(const weir_rnn_call *)part->call;
    c.w_packed = part->w_packed;
    c.u_packed = part->u_packed;
    c.scratch = part->scratch;
    part->kernels->rnn_fwd(&c, part->n0, part->n1);
}

/* The part's samples and steps alone, both passes. */
static void backward(const weir_recurrent_part *part) {
    const weir_rnn_call *all = part->call;
    const weir_rnn *p = &all->p;
    const int64_t n0 = part->n0;
    weir_rnn_call c = *all;
    weir_rnn_tensors *t = &c.t;
    c.p.N = part->n1 - n0;
    c.samples_after = part->samples_after;
    t->x += n0 * p->T * p->C_in;
    if (t->h0) t->h0 += n0 * p->H;
    if (t->step_mask) t->step_mask += n0 * p->T;
    if (t->mask_x) t->mask_x += n0 * p->C_in;
    if (t->mask_h) t->mask_h += n0 * p->H;
    c.reserve_in += rnn_state_at(p, n0, 0);
    c.dy += n0 * (p->return_sequences ? p->T : 1) * p->H;
    if (c.dx) c.dx += n0 * p->T * p->C_in;
    if (c.dh0) c.dh0 += n0 * p->H;
    c.w_t_packed = part->w_packed;
    c.u_t_packed = part->u_packed;
    c.scratch = part->scratch;
    c.da = part->dgates;
    c.da_in = part->dgates;
    c.dh = part->carry;
    c.s0 = c.d_s0 = part->s0;
    c.s1 = part->s1;
    c.d_steps = c.s1 - c.s0;
    c.adds = part->adds;
    part->kernels->rnn_bwd_data(&c, 0, c.p.N);
    part->kernels->rnn_bwd_weights(&c, 0, c.p.N, part->dw, part->du, part->db);
}

static weir_recurrent driven(const char *op, const weir_rnn_call *call) {
    const weir_rnn *p = &call->p;
    return (weir_recurrent){.op = op,
                            .N = p->N,
                            .T = p->T,
                            .C_in = p->C_in,
                            .H = p->H,
                            .gates = 1,
                            .bias_floats = p->H,
                            .w = call->t.w,
                            .u = call->t.u,
                            .call = call,
                            .scratch_floats = rnn_scratch_floats(p),
                            .dgates_row = gru_padded(p->H),
                            .carry_floats = gru_padded(p->H)};
}

weir_status weir_rnn_fwd(weir_runtime *rt, const weir_rnn *p, const weir_rnn_tensors *t, float *y,
                         float *reserve) {
    WEIR_TRY(check("rnn_fwd", rt, p, t));
    if (p->N == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer("rnn_fwd", "y", y));
    const weir_rnn_call call = {.p = *p, .t = *t, .y = y, .reserve = reserve};
    weir_recurrent r = driven("rnn_fwd", &call);
    r.run = forward;
    return weir_recurrent_fwd(rt, &r);
}

weir_status weir_rnn_bwd(weir_runtime *rt, const weir_rnn *p, const weir_rnn_tensors *t,
                         const float *reserve, const weir_rnn_gradients *g) {
    WEIR_TRY(check("rnn_bwd", rt, p, t));
    WEIR_TRY(weir_check_pointer("rnn_bwd", "g", g));
    WEIR_TRY(weir_check_recurrent_gradients("rnn_bwd", p->N, g->dw, g->du, g->dy, reserve));
    const weir_rnn_call call = {
        .p = *p, .t = *t, .reserve_in = reserve, .dy = g->dy, .dx = g->dx, .dh0 = g->dh0};
    weir_recurrent r = driven("rnn_bwd", &call);
    r.run = backward;
    return weir_recurrent_bwd(rt, &r, g->dw, g->du, g->db);
}
