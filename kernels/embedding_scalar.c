/* The oracle of the embedding, in double. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/kernels.h"

void weir_embedding_fwd_scalar(const weir_embedding_call *c, int64_t r0, int64_t r1) {
    for (int64_t r = r0; r < r1; r++)
        for (int64_t i = 0; i < c->C; i++) c->y[r * c->C + i] = c->table[c->tokens[r] * c->C + i];
}

void weir_embedding_bwd_scalar(const weir_embedding_call *c, int64_t v0, int64_t v1, int64_t q0,
                               int64_t q1) {
    for (int64_t v = v0; v < v1; v++)
        for (int64_t q = q0; q < q1; q++) {
            double sum = 0;
            for (int64_t r = 0; r < c->N * c->T; r++) {
                int64_t n = r / c->T, t = r % c->T + q / c->C - c->P_r;
                if (c->tokens[r] != v || t < 0 || t >= c->T_out) continue;
                sum += (double)c->dy[(n * c->T_out + t) * c->C + q % c->C];
            }
            c->dtable[v * c->K * c->C + q] = (float)sum;
        }
}
