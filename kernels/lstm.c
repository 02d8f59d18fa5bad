/* LSTM: checks arguments, packs the weights, splits the samples. SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "kernels/driver.h"
#include "kernels/lstm.h"
#include "kernels/recurrent.h"

enum { CACHE_FLOATS = 1 << 21 }; /* of a reserve that may stay in caches: 8 MiB */

static weir_status check_sizes(const char *op, const weir_lstm *p) {
    const int64_t most = WEIR_LSTM_SIZE_MAX;
    WEIR_TRY(weir_check_pointer(op, "p", p));
    WEIR_TRY(weir_check_range(op, "N", p->N, 0, INT64_MAX));
    WEIR_TRY(weir_check_range(op, "T", p->T, 1, INT64_MAX - 1));
    WEIR_TRY(weir_check_range(op, "C_in", p->C_in, 1, most));
    WEIR_TRY(weir_check_range(op, "H", p->H, 1, most));
    WEIR_TRY(weir_check_floats(op, "x", p->N, p->T, p->C_in));
    return weir_check_floats(op, "reserve", p->N, p->T + 1, LSTM_PARTS * gru_padded(p->H));
}

static weir_status check_options(const char *op, const weir_lstm *p) {
    if (p->activation != WEIR_TANH && p->activation != WEIR_RELU)
        return weir_fail(WEIR_ERROR_ARGUMENT, "%s: activation is %d, accepted: tanh %d, relu %d",
                         op, (int)p->activation, WEIR_TANH, WEIR_RELU);
    if (p->recurrent != WEIR_SIGMOID && p->recurrent != WEIR_HARD_SIGMOID &&
        p->recurrent != WEIR_HARD_SIGMOID6)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "%s: recurrent is %d, accepted: sigmoid %d, hard_sigmoid %d, "
                         "hard_sigmoid6 %d",
                         op, (int)p->recurrent, WEIR_SIGMOID, WEIR_HARD_SIGMOID,
                         WEIR_HARD_SIGMOID6);
    if (p->mask_gates != 0 && p->mask_gates != 1 && p->mask_gates != 4)
        return weir_fail(WEIR_ERROR_ARGUMENT, "%s: mask_gates is %d, accepted: 0, 1, 4", op,
                         p->mask_gates);
    return WEIR_OK;
}

static weir_status check(const char *op, weir_runtime *rt, const weir_lstm *p,
                         const weir_lstm_tensors *t) {
    WEIR_TRY(weir_check_pointer(op, "rt", rt));
    WEIR_TRY(check_sizes(op, p));
    WEIR_TRY(check_options(op, p));
    WEIR_TRY(weir_check_pointer(op, "t", t));
    WEIR_TRY(weir_check_pointer(op, "w", t->w));
    WEIR_TRY(weir_check_pointer(op, "u", t->u));
    if (p->N > 0) WEIR_TRY(weir_check_pointer(op, "x", t->x));
    if (p->mask_gates == 0 && (t->mask_x || t->mask_h))
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "%s: mask_gates is 0 but a mask is given, accepted: 1 or 4 with masks",
                         op);
    return WEIR_OK;
}

int64_t weir_lstm_reserve_floats(const weir_lstm *p) {
    if (check_sizes("lstm_reserve_floats", p) || check_options("lstm_reserve_floats", p)) return 0;
    return lstm_row_at(p, p->N, 0);
}

void weir_lstm_pack(const weir_lstm *p, const float *w, const float *u, float *w_packed,
                    float *u_packed) {
    int64_t H = p->H, H_p = gru_padded(H);
    for (int64_t gate = 0; gate < LSTM_GATES; gate++) {
        weir_pack_panels(w + gate * H, p->C_in, 4 * H, H, 1, w_packed + gate * H_p * p->C_in);
        weir_pack_panels(u + gate * H, H, 4 * H, H, 1, u_packed + gate * H_p * H);
    }
}

void weir_lstm_pack_transposed(const weir_lstm *p, const float *w, const float *u,
                               float *w_t_packed, float *u_t_packed) {
    int64_t H = p->H, H_p = gru_padded(H);
    int64_t C = p->C_in, C_p = gru_padded(C);
    for (int64_t gate = 0; gate < LSTM_GATES; gate++) {
        weir_pack_panels(w + gate * H, H, 1, C, 4 * H, w_t_packed + gate * C_p * H);
        weir_pack_panels(u + gate * H, H, 1, H, 4 * H, u_t_packed + gate * H_p * H);
    }
}

/* One weir_lstm_fwd or weir_lstm_bwd: what its tasks share. */
typedef struct lstm_job {
    const weir_kernels *kernels;
    weir_lstm_call call;
    int64_t scratch_floats; /* of one worker, each its own part */
    int64_t dgates_floats;  /* the same, for a chunk */
    weir_time_cut cut;
    int64_t leaf_floats;
    float *leaf;           /* [leaves][leaf_floats]: dw, du, db */
    weir_replicas weights; /* packed w, from u_at on packed u */
    int64_t u_at;
} lstm_job;

static weir_lstm_call call_of_worker(const lstm_job *job, int worker) {
    weir_lstm_call c = job->call;
    c.scratch += worker * job->scratch_floats;
    return c;
}

static void forward_task(void *arg, int64_t begin, int64_t end, int worker) {
    lstm_job *job = arg;
    weir_lstm_call c = call_of_worker(job, worker);
    c.w_packed = weir_replica(&job->weights, worker);
    c.u_packed = c.w_packed + job->u_at;
    job->kernels->lstm_fwd(&c, begin, end);
}

weir_status weir_lstm_fwd(weir_runtime *rt, const weir_lstm *p, const weir_lstm_tensors *t,
                          float *y, float *c_last, float *reserve) {
    WEIR_TRY(check("lstm_fwd", rt, p, t));
    if (p->N == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer("lstm_fwd", "y", y));
    lstm_job job = {.kernels = weir_runtime_kernels(rt),
                    .call = {.p = *p, .t = *t, .y = y, .c_last = c_last, .reserve = reserve},
                    .scratch_floats = gru_padded(lstm_scratch_floats(p))};
    job.call.stream =
        reserve && lstm_row_at(p, p->N, 0) > CACHE_FLOATS && (uintptr_t)reserve % 64 == 0;
    int64_t w_floats = lstm_w_floats(p), u_floats = lstm_u_floats(p);
    int64_t floats =
        weir_add_floats(w_floats + u_floats, weir_runtime_threads(rt), job.scratch_floats);
    float *memory, *next;
    WEIR_TRY(weir_scratch_floats("lstm_fwd", rt, floats, &memory));
    next = memory;
    float *w_packed = weir_take(&next, w_floats), *u_packed = weir_take(&next, u_floats);
    weir_lstm_pack(p, t->w, t->u, w_packed, u_packed);
    job.u_at = u_packed - w_packed;
    weir_replicas_get(rt, w_packed, job.u_at + u_floats, &job.weights);
    job.call.scratch = next;
    weir_status status =
        weir_parallel_for(rt, p->N, weir_sample_grain(rt, p->N, LSTM_ROWS), forward_task, &job);
    weir_replicas_put(&job.weights);
    weir_scratch_put(rt, memory);
    return status;
}

/* ---- backward ---- */

/* The call for samples n0 .. n1 - 1 alone, with dgates of its own. */
static weir_lstm_call call_of_samples(const lstm_job *job, int64_t n0, int64_t n1, int worker) {
    weir_lstm_call c = call_of_worker(job, worker);
    const weir_lstm *p = &job->call.p;
    weir_lstm_tensors *t = &c.t;
    c.p.N = n1 - n0;
    c.samples_after = p->N - n1;
    t->x += n0 * p->T * p->C_in;
    if (t->step_mask) t->step_mask += n0 * p->T;
    if (t->mask_x) t->mask_x += n0 * p->mask_gates * p->C_in;
    if (t->mask_h) t->mask_h += n0 * p->mask_gates * p->H;
    c.reserve_in += lstm_row_at(p, n0, 0);
    c.dy += n0 * (p->return_sequences ? p->T : 1) * p->H;
    if (c.dx) c.dx += n0 * p->T * p->C_in;
    if (c.dh0) c.dh0 += n0 * p->H;
    if (c.dc0) c.dc0 += n0 * p->H;
    c.dgates += worker * job->dgates_floats;
    c.dgates_in = c.dgates;
    c.carry = c.dgates + job->dgates_floats - job->cut.group * 2 * gru_padded(p->H);
    return c;
}

/* One leaf's samples, a few at a time, from the last steps on: both passes go through a chunk of
 * steps while what the first one leaves is in the cache. This is also the order of the sums over
 * samples and steps: groups of samples ascending, chunks of steps descending, then as the kernel. */
static void leaf_task(void *arg, int64_t begin, int64_t end, int worker) {
    lstm_job *job = arg;
    const weir_lstm *p = &job->call.p;
    const float *weights = weir_replica(&job->weights, worker);
    for (int64_t l = begin; l < end; l++) {
        int64_t n0 = p->N * l / job->cut.leaves, n1 = p->N * (l + 1) / job->cut.leaves;
        float *dw = job->leaf + l * job->leaf_floats;
        float *du = dw + p->C_in * 4 * p->H, *db = du + p->H * 4 * p->H;
        for (int64_t n = n0; n < n1; n += job->cut.group) {
            int64_t samples = n1 - n < job->cut.group ? n1 - n : job->cut.group;
            weir_lstm_call c = call_of_samples(job, n, n + samples, worker);
            c.w_t_packed = weights;
            c.u_t_packed = weights + job->u_at;
            c.adds = n > n0;
            for (int64_t s1 = p->T; s1 > 0; s1 -= job->cut.steps) {
                c.s1 = s1;
                c.s0 = c.d_s0 = s1 > job->cut.steps ? s1 - job->cut.steps : 0;
                c.d_steps = c.s1 - c.s0;
                job->kernels->lstm_bwd_data(&c, 0, samples);
                job->kernels->lstm_bwd_weights(&c, 0, samples, dw, du, db);
                c.adds = true;
            }
        }
    }
}

/* Copies leaf 0, or zeros without it. */
static void write_gradients(const weir_lstm *p, const float *leaf, const weir_lstm_gradients *g) {
    int64_t floats[3] = {p->C_in * 4 * p->H, p->H * 4 * p->H, 4 * p->H};
    float *to[3] = {g->dw, g->du, g->db};
    for (int i = 0; i < 3; i++) {
        size_t bytes = (size_t)floats[i] * sizeof(float);
        if (to[i] && leaf) memcpy(to[i], leaf, bytes);
        if (to[i] && !leaf) memset(to[i], 0, bytes);
        if (leaf) leaf += floats[i];
    }
}

static weir_status check_gradients(const weir_lstm *p, const float *reserve,
                                   const weir_lstm_gradients *g) {
    const char *op = "lstm_bwd";
    WEIR_TRY(weir_check_pointer(op, "g", g));
    WEIR_TRY(weir_check_pointer(op, "dw", g->dw));
    WEIR_TRY(weir_check_pointer(op, "du", g->du));
    if (p->N == 0) return WEIR_OK;
    WEIR_TRY(weir_check_pointer(op, "dy", g->dy));
    return weir_check_pointer(op, "reserve", reserve);
}

weir_status weir_lstm_bwd(weir_runtime *rt, const weir_lstm *p, const weir_lstm_tensors *t,
                          const float *reserve, const weir_lstm_gradients *g) {
    WEIR_TRY(check("lstm_bwd", rt, p, t));
    WEIR_TRY(check_gradients(p, reserve, g));
    if (p->N == 0) {
        write_gradients(p, NULL, g);
        return WEIR_OK;
    }
    int64_t w_floats = lstm_w_t_floats(p), u_floats = lstm_u_t_floats(p);
    lstm_job job = {.kernels = weir_runtime_kernels(rt),
                    .call = {.p = *p,
                             .t = *t,
                             .reserve_in = reserve,
                             .dy = g->dy,
                             .dx = g->dx,
                             .dh0 = g->dh0,
                             .dc0 = g->dc0},
                    .scratch_floats = gru_padded(lstm_scratch_floats(p)),
                    .leaf_floats = (p->C_in + p->H + 1) * 4 * p->H};
    job.cut = weir_cut_time(p->N, p->T, job.leaf_floats);
    job.dgates_floats = job.cut.group * (job.cut.steps * lstm_dgates_row(p) + 2 * gru_padded(p->H));
    int64_t shared = w_floats + u_floats + gru_padded(job.cut.leaves * job.leaf_floats);
    int64_t floats =
        weir_add_floats(shared, weir_runtime_threads(rt), job.dgates_floats + job.scratch_floats);
    float *memory, *next;
    WEIR_TRY(weir_scratch_floats("lstm_bwd", rt, floats, &memory));
    next = memory;
    float *w_t_packed = weir_take(&next, w_floats), *u_t_packed = weir_take(&next, u_floats);
    weir_lstm_pack_transposed(p, t->w, t->u, w_t_packed, u_t_packed);
    job.u_at = u_t_packed - w_t_packed;
    weir_replicas_get(rt, w_t_packed, job.u_at + u_floats, &job.weights);
    job.call.dgates = weir_take(&next, job.dgates_floats * weir_runtime_threads(rt));
    job.leaf = weir_take(&next, job.cut.leaves * job.leaf_floats);
    job.call.scratch = next;
    weir_status status = weir_parallel_for(rt, job.cut.leaves, 1, leaf_task, &job);
    weir_replicas_put(&job.weights);
    if (!status)
        status = weir_tree_sum(rt, job.cut.leaves, job.leaf, job.leaf + job.leaf_floats,
                               job.leaf_floats);
    if (!status) write_gradients(p, job.leaf, g);
    weir_scratch_put(rt, memory);
    return status;
}
