/* The oracle of the sums of a product table's rows, in double. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/kernels.h"
#include "kernels/oracle.h"

void weir_embedding_conv1d_fwd_scalar(const weir_embedding_call *c, int64_t r0, int64_t r1) {
    for (int64_t r = r0; r < r1; r++)
        for (int64_t o = 0; o < c->C; o++) {
            int64_t n = r / c->T_out, t = r % c->T_out;
            double sum = c->b ? (double)c->b[o] : 0;
            for (int64_t j = 0; j < c->K; j++) {
                int64_t s = t + c->P_r - j;
                if (s < 0 || s >= c->T) continue;
                sum += (double)c->table[(c->tokens[n * c->T + s] * c->K + j) * c->C + o];
            }
            c->y[r * c->C + o] = (float)oracle_activate(c->activation, sum);
        }
}
