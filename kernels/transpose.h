/* A transposed copy of a matrix. Internal. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRANSPOSE_H
#define WEIR_TRANSPOSE_H

#include "kernels/vec.h"

/*
 * to[c ldt + r] = from[r ldf + c], r < rows, c < cols: blocks of VL by 4, along whichever side has
 * that many. The last blocks overlap those before.
 */
static inline void transpose(const float *from, int64_t ldf, int64_t rows, int64_t cols, float *to,
                             int64_t ldt) {
    bool tall = rows >= VL && cols >= 4;
    int64_t block_rows = tall ? VL : 4, block_cols = tall ? 4 : VL;
    if (rows < block_rows || cols < block_cols) {
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < cols; c++) to[c * ldt + r] = from[r * ldf + c];
        return;
    }
    for (int64_t r = 0; r < rows; r += block_rows)
        for (int64_t c = 0; c < cols; c += block_cols) {
            int64_t r1 = r + block_rows > rows ? rows - block_rows : r;
            int64_t c1 = c + block_cols > cols ? cols - block_cols : c;
            const float *a = from + r1 * ldf + c1;
            float *b = to + c1 * ldt + r1;
            if (tall) {
                vcolumns lines = v_load_columns(a, ldf);
                for (int j = 0; j < 4; j++) v_store(b + j * ldt, lines.column[j]);
            } else {
                vcolumns lines = {
                    {v_load(a), v_load(a + ldf), v_load(a + 2 * ldf), v_load(a + 3 * ldf)}};
                v_store_columns(b, ldt, lines);
            }
        }
}

#endif
