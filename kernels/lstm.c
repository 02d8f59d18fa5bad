/* LSTM: checks arguments and hands its kernels to the driver. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/lstm.h"

#include "kernels/driver.h"
#include "kernels/recurrent.h"

enum { CACHE_FLOATS = 1 << 21 }; /* of a reserve that may stay in caches: 8 MiB */

static weir_status check_parameters(const char *op, const weir_lstm *p) {
    WEIR_TRY(weir_check_pointer(op, "p", p));
    WEIR_TRY(weir_check_recurrent_sizes(op, p->N, p->T, p->C_in, p->H, WEIR_LSTM_SIZE_MAX,
                                        LSTM_PARTS * gru_padded(p->H)));
    return weir_check_gates(op, p->activation, p->recurrent, p->mask_gates, LSTM_GATES);
}

static weir_status check(const char *op, weir_runtime *rt, const weir_lstm *p,
                         const weir_lstm_tensors *t) {
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(check_parameters(op, p));
    WEIR_TRY(weir_check_pointer(op, "t", t));
    return weir_check_recurrent_tensors(op, p->N, t->x, t->w, t->u, t->mask_x || t->mask_h,
                                        p->mask_gates, LSTM_GATES);
}

int64_t weir_lstm_reserve_floats(const weir_lstm *p) {
    return check_parameters("lstm_reserve_floats", p) ? 0 : lstm_row_at(p, p->N, 0);
}

static void forward(const weir_recurrent_part *part) {
    weir_lstm_call c = *(const weir_lstm_call *)part->call;
    c.w_packed = part->w_packed;
    c.u_packed = part->u_packed;
    c.scratch = part->scratch;
    part->kernels->lstm_fwd(&c, part->n0, part->n1);
}

/* The part's samples and steps alone, both passes. */
static void backward(const weir_recurrent_part *part) {
    const weir_lstm_call *all = part->call;
    const weir_lstm *p = &all->p;
    const int64_t n0 = part->n0;
    weir_lstm_call c = *all;
    weir_lstm_tensors *t = &c.t;
    c.p.N = part->n1 - n0;
    c.samples_after = part->samples_after;
    t->x += n0 * p->T * p->C_in;
    if (t->step_mask) t->step_mask += n0 * p->T;
    if (t->mask_x) t->mask_x += n0 * p->mask_gates * p->C_in;
    if (t->mask_h) t->mask_h += n0 * p->mask_gates * p->H;
    c.reserve_in += lstm_row_at(p, n0, 0);
    c.dy += n0 * (p->return_sequences ? p->T : 1) * p->H;
    if (c.dx) c.dx += n0 * p->T * p->C_in;
    if (c.dh0) c.dh0 += n0 * p->H;
    if (c.dc0) c.dc0 += n0 * p->H;
    c.w_t_packed = part->w_packed;
    c.u_t_packed = part->u_packed;
    c.scratch = part->scratch;
    c.dgates = part->dgates;
    c.dgates_in = part->dgates;
    c.carry = part->carry;
    c.s0 = c.d_s0 = part->s0;
    c.s1 = part->s1;
    c.d_steps = c.s1 - c.s0;
    c.adds = part->adds;
    part->kernels->lstm_bwd_data(&c, 0, c.p.N);
    part->kernels->lstm_bwd_weights(&c, 0, c.p.N, part->dw, part->du, part->db);
}

static weir_recurrent driven(const char *op, const weir_lstm_call *call) {
    const weir_lstm *p = &call->p;
    return (weir_recurrent){.op = op,
                            .N = p->N,
                            .T = p->T,
                            .C_in = p->C_in,
                            .H = p->H,
                            .gates = LSTM_GATES,
                            .bias_floats = LSTM_GATES * p->H,
                            .w = call->t.w,
                            .u = call->t.u,
                            .call = call,
                            .scratch_floats = lstm_scratch_floats(p),
                            .dgates_row = lstm_dgates_row(p),
                            .carry_floats = 2 * gru_padded(p->H)};
}

weir_status weir_lstm_fwd(weir_runtime *rt, const weir_lstm *p, const weir_lstm_tensors *t,
                          float *y, float *c_last, float *reserve) {
    WEIR_TRY(check("lstm_fwd", rt, p, t));
    if (p->N == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer("lstm_fwd", "y", y));
    const bool stream =
        reserve && lstm_row_at(p, p->N, 0) > CACHE_FLOATS && (uintptr_t)reserve % 64 == 0;
    const weir_lstm_call call = {
        .p = *p, .t = *t, .y = y, .c_last = c_last, .reserve = reserve, .stream = stream};
    weir_recurrent r = driven("lstm_fwd", &call);
    r.run = forward;
    return weir_recurrent_fwd(rt, &r);
}

weir_status weir_lstm_bwd(weir_runtime *rt, const weir_lstm *p, const weir_lstm_tensors *t,
                          const float *reserve, const weir_lstm_gradients *g) {
    WEIR_TRY(check("lstm_bwd", rt, p, t));
    WEIR_TRY(weir_check_pointer("lstm_bwd", "g", g));
    WEIR_TRY(weir_check_recurrent_gradients("lstm_bwd", p->N, g->dw, g->du, g->dy, reserve));
    const weir_lstm_call call = {.p = *p,
                                 .t = *t,
                                 .reserve_in = reserve,
                                 .dy = g->dy,
                                 .dx = g->dx,
                                 .dh0 = g->dh0,
                                 .dc0 = g->dc0};
    weir_recurrent r = driven("lstm_bwd", &call);
    r.run = backward;
    return weir_recurrent_bwd(rt, &r, g->dw, g->du, g->db);
}
