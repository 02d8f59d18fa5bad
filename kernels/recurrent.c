/* What the drivers of the recurrent layers share. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/recurrent.h"

#include "kernels/gru.h"

enum {
    TILE = 8,              /* samples of whole tiles on every instruction set */
    LEAVES = 32,           /* parts of a weight gradient, at most */
    LEAF_SAMPLES = 4,      /* of a part, as far as the batch goes: the kernels want a few rows */
    LEAF_STEPS = 64,       /* samples times steps of a part, the same */
    CHUNK_ROWS = 320,      /* samples times steps of a part that both passes take at a time */
    LEAF_FLOATS = 1 << 24, /* of all parts together, unless it is one */
};

void weir_pack_panels(const float *from, int64_t rows, int64_t row_stride, int64_t n,
                      int64_t column_stride, float *to) {
    for (int64_t panel = 0; panel < n; panel += GRU_PANEL)
        for (int64_t i = 0; i < rows; i++)
            for (int64_t k = panel; k < panel + GRU_PANEL; k++)
                *to++ = k < n ? from[i * row_stride + k * column_stride] : 0.0f;
}

float *weir_take(float **next, int64_t floats) {
    float *part = *next;
    *next += gru_padded(floats);
    return part;
}

int64_t weir_sample_grain(weir_runtime *rt, int64_t N, int64_t most) {
    const int64_t threads = weir_runtime_threads(rt), share = (N - 1) / threads + 1;
    if (share <= most) return share;
    int64_t best = 0, least = INT64_MAX;
    for (int64_t grain = most; grain > TILE; grain -= TILE) {
        int64_t tasks = (N - 1) / grain + 1, busiest = ((tasks - 1) / threads + 1) * grain;
        if (busiest < least) best = grain, least = busiest;
    }
    return best;
}

weir_time_cut weir_cut_time(int64_t N, int64_t T, int64_t leaf_floats) {
    int64_t few = (LEAF_STEPS + T - 1) / T, most = LEAF_FLOATS / leaf_floats;
    if (few < LEAF_SAMPLES) few = LEAF_SAMPLES;
    if (most > LEAVES) most = LEAVES;
    if (most < 1) most = 1;
    int64_t leaves = (N + few - 1) / few;
    if (leaves > most) leaves = most;
    int64_t rows = few * T, chunks = (rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
    return (weir_time_cut){leaves, few, (T + chunks - 1) / chunks};
}
