/* The driver that the recurrent layers share. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/recurrent.h"

#include <string.h>

#include "kernels/driver.h"

enum {
    TILE = 8,              /* samples of whole tiles on every instruction set */
    LEAVES = 32,           /* parts of a weight gradient, at most */
    LEAF_SAMPLES = 4,      /* of a part, as far as the batch goes: the kernels want a few rows */
    LEAF_STEPS = 64,       /* samples times steps of a part, the same */
    CHUNK_ROWS = 320,      /* samples times steps of a part that both passes take at a time */
    LEAF_FLOATS = 1 << 24, /* of all parts together, unless it is one */
};

/* ---- weights ---- */

/* Cuts columns [0, n) of a matrix into panels of 16, [panels][rows][16], 0 beyond the last column;
 * strides in floats. */
static void pack_panels(const float *from, int64_t rows, int64_t row_stride, int64_t n,
                        int64_t column_stride, float *to) {
    for (int64_t panel = 0; panel < n; panel += GRU_PANEL)
        for (int64_t i = 0; i < rows; i++)
            for (int64_t k = panel; k < panel + GRU_PANEL; k++)
                *to++ = k < n ? from[i * row_stride + k * column_stride] : 0.0f;
}

void weir_pack_gates(int64_t gates, int64_t C_in, int64_t H, const float *w, const float *u,
                     float *w_packed, float *u_packed) {
    const int64_t row = gates * H;
    for (int64_t gate = 0; gate < gates; gate++) {
        pack_panels(w + gate * H, C_in, row, H, 1, w_packed + gate * gru_padded(H) * C_in);
        pack_panels(u + gate * H, H, row, H, 1, u_packed + gate * gru_padded(H) * H);
    }
}

void weir_pack_gates_transposed(int64_t gates, int64_t C_in, int64_t H, const float *w,
                                const float *u, float *w_t_packed, float *u_t_packed) {
    const int64_t row = gates * H;
    for (int64_t gate = 0; gate < gates; gate++) {
        pack_panels(w + gate * H, H, 1, C_in, row, w_t_packed + gate * gru_padded(C_in) * H);
        pack_panels(u + gate * H, H, 1, H, row, u_t_packed + gate * gru_padded(H) * H);
    }
}

/* ---- how the work is cut ---- */

/* Samples of one forward task: at most `most`, and whole tiles, of the size that leaves the busiest
 * worker the least. */
static int64_t sample_grain(weir_runtime *rt, int64_t N, int64_t most) {
    const int64_t threads = weir_runtime_threads(rt), share = (N - 1) / threads + 1;
    if (share <= most) return share;
    int64_t best = 0, least = INT64_MAX;
    for (int64_t grain = most; grain > TILE; grain -= TILE) {
        int64_t tasks = (N - 1) / grain + 1, busiest = ((tasks - 1) / threads + 1) * grain;
        if (busiest < least) best = grain, least = busiest;
    }
    return best;
}

/*
 * How a weight gradient is cut: `leaves` parts, each a range of samples; in a part `group` samples
 * and `steps` steps at a time, a chunk that the second cache holds. It depends on nothing but the
 * arguments, or the bits would depend on the machine. Neither leaves nor group falls as N grows, so
 * that a smaller batch finds its scratch large enough.
 */
typedef struct time_cut {
    int64_t leaves, group, steps;
} time_cut;

static time_cut cut_time(int64_t N, int64_t T, int64_t leaf_floats) {
    int64_t few = (LEAF_STEPS + T - 1) / T, most = LEAF_FLOATS / leaf_floats;
    if (few < LEAF_SAMPLES) few = LEAF_SAMPLES;
    if (most > LEAVES) most = LEAVES;
    if (most < 1) most = 1;
    int64_t leaves = (N + few - 1) / few;
    if (leaves > most) leaves = most;
    int64_t rows = few * T, chunks = (rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
    return (time_cut){leaves, few, (T + chunks - 1) / chunks};
}

/* ---- forward and backward ---- */

/* What the tasks of a call share. */
typedef struct recurrent_job {
    const weir_recurrent *r;
    const weir_kernels *kernels;
    weir_replicas weights; /* packed w, from u_at on packed u */
    int64_t u_at;
    float *scratch; /* of each worker so many floats */
    int64_t scratch_floats;
    /* backward */
    time_cut cut;
    float *dgates; /* of each worker so many floats, at their end what is carried */
    int64_t dgates_floats;
    float *leaf; /* [leaves][leaf_floats]: dw, du, db */
    int64_t leaf_floats;
} recurrent_job;

static recurrent_job job_of(weir_runtime *rt, const weir_recurrent *r) {
    return (recurrent_job){.r = r,
                           .kernels = weir_runtime_kernels(rt),
                           .scratch_floats = gru_padded(r->scratch_floats)};
}

/* Cuts `floats` floats off the memory at *next, 64-byte aligned as that is. */
static float *take(float **next, int64_t floats) {
    float *part = *next;
    *next += gru_padded(floats);
    return part;
}

static weir_recurrent_part part_of_worker(recurrent_job *job, int worker) {
    const float *weights = weir_replica(&job->weights, worker);
    return (weir_recurrent_part){.kernels = job->kernels,
                                 .call = job->r->call,
                                 .w_packed = weights,
                                 .u_packed = weights + job->u_at,
                                 .scratch = job->scratch + worker * job->scratch_floats};
}

static void forward_task(void *arg, int64_t begin, int64_t end, int worker) {
    recurrent_job *job = arg;
    weir_recurrent_part part = part_of_worker(job, worker);
    part.n0 = begin;
    part.n1 = end;
    job->r->run(&part);
}

weir_status weir_recurrent_fwd(weir_runtime *rt, const weir_recurrent *r) {
    recurrent_job job = job_of(rt, r);
    const int64_t w_floats = weir_packed_floats(r->gates, r->H, r->C_in),
                  u_floats = weir_packed_floats(r->gates, r->H, r->H);
    int64_t floats =
        weir_add_floats(w_floats + u_floats, weir_runtime_threads(rt), job.scratch_floats);
    float *memory, *next;
    WEIR_TRY(weir_scratch_floats(r->op, rt, floats, &memory));
    next = memory;
    float *w_packed = take(&next, w_floats), *u_packed = take(&next, u_floats);
    weir_pack_gates(r->gates, r->C_in, r->H, r->w, r->u, w_packed, u_packed);
    job.u_at = u_packed - w_packed;
    weir_replicas_get(rt, w_packed, job.u_at + u_floats, &job.weights);
    job.scratch = next;
    weir_status status =
        weir_parallel_for(rt, r->N, sample_grain(rt, r->N, GRU_ROWS), forward_task, &job);
    weir_replicas_put(&job.weights);
    weir_scratch_put(rt, memory);
    return status;
}

/* A group of samples, from the last steps on: both passes go through a chunk of steps while what the
 * first one leaves is in the cache. */
static void run_group(const recurrent_job *job, weir_recurrent_part *part) {
    const int64_t steps = job->cut.steps;
    part->samples_after = job->r->N - part->n1;
    for (int64_t s1 = job->r->T; s1 > 0; s1 -= steps) {
        part->s1 = s1;
        part->s0 = s1 > steps ? s1 - steps : 0;
        job->r->run(part);
        part->adds = true;
    }
}

static void leaf_task(void *arg, int64_t begin, int64_t end, int worker) {
    recurrent_job *job = arg;
    const weir_recurrent *r = job->r;
    const int64_t leaves = job->cut.leaves, group = job->cut.group;
    weir_recurrent_part part = part_of_worker(job, worker);
    part.dgates = job->dgates + worker * job->dgates_floats;
    part.carry = part.dgates + job->dgates_floats - group * r->carry_floats;
    for (int64_t l = begin; l < end; l++) {
        const int64_t n0 = r->N * l / leaves, n1 = r->N * (l + 1) / leaves;
        part.dw = job->leaf + l * job->leaf_floats;
        part.du = part.dw + r->C_in * r->gates * r->H;
        part.db = part.du + r->H * r->gates * r->H;
        part.adds = false;
        for (part.n0 = n0; part.n0 < n1; part.n0 = part.n1) {
            part.n1 = n1 - part.n0 < group ? n1 : part.n0 + group;
            run_group(job, &part);
        }
    }
}

/* Copies leaf 0, or zeros without it. */
static void write_gradients(const weir_recurrent *r, const float *leaf, float *dw, float *du,
                            float *db) {
    const int64_t row = r->gates * r->H, floats[3] = {r->C_in * row, r->H * row, r->bias_floats};
    float *to[3] = {dw, du, db};
    for (int i = 0; i < 3; i++) {
        size_t bytes = (size_t)floats[i] * sizeof(float);
        if (to[i] && leaf) memcpy(to[i], leaf, bytes);
        if (to[i] && !leaf) memset(to[i], 0, bytes);
        if (leaf) leaf += floats[i];
    }
}

weir_status weir_recurrent_bwd(weir_runtime *rt, const weir_recurrent *r, float *dw, float *du,
                               float *db) {
    if (r->N == 0) {
        write_gradients(r, NULL, dw, du, db);
        return WEIR_OK;
    }
    const int64_t w_floats = weir_packed_floats(r->gates, r->C_in, r->H),
                  u_floats = weir_packed_floats(r->gates, r->H, r->H);
    recurrent_job job = job_of(rt, r);
    job.leaf_floats = (r->C_in + r->H) * r->gates * r->H + r->bias_floats;
    job.cut = cut_time(r->N, r->T, job.leaf_floats);
    job.dgates_floats = job.cut.group * (job.cut.steps * r->dgates_row + r->carry_floats);
    int64_t shared = w_floats + u_floats + gru_padded(job.cut.leaves * job.leaf_floats);
    int64_t floats =
        weir_add_floats(shared, weir_runtime_threads(rt), job.dgates_floats + job.scratch_floats);
    float *memory, *next;
    WEIR_TRY(weir_scratch_floats(r->op, rt, floats, &memory));
    next = memory;
    float *w_t_packed = take(&next, w_floats), *u_t_packed = take(&next, u_floats);
    weir_pack_gates_transposed(r->gates, r->C_in, r->H, r->w, r->u, w_t_packed, u_t_packed);
    job.u_at = u_t_packed - w_t_packed;
    weir_replicas_get(rt, w_t_packed, job.u_at + u_floats, &job.weights);
    job.dgates = take(&next, job.dgates_floats * weir_runtime_threads(rt));
    job.leaf = take(&next, job.cut.leaves * job.leaf_floats);
    job.scratch = next;
    weir_status status = weir_parallel_for(rt, job.cut.leaves, 1, leaf_task, &job);
    weir_replicas_put(&job.weights);
    if (!status)
        status = weir_tree_sum(rt, job.cut.leaves, job.leaf, job.leaf + job.leaf_floats,
                               job.leaf_floats);
    if (!status) write_gradients(r, job.leaf, dw, du, db);
    weir_scratch_put(rt, memory);
    return status;
}
