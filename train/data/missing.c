/* Missing cells of a series. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/missing.h"

#include <math.h>

/* First row from `row` on where the column has a value, or rows. */
static int64_t next_valid(const series *s, int64_t row, int64_t column) {
    while (row < s->rows && isnan(s->values[row * s->columns + column])) row++;
    return row;
}

/* Fills rows [begin, end) of a column between the valid rows begin - 1 and end, of which one may be
 * outside the series. */
static void fill_gap(series *s, int64_t column, int64_t begin, int64_t end, missing_policy policy) {
    float *x = s->values + column;
    const int64_t C = s->columns;
    const bool before = begin > 0, after = end < s->rows;
    for (int64_t row = begin; row < end; row++) {
        if (!before) {
            x[row * C] = x[end * C];
        } else if (!after || policy == MISSING_HOLD) {
            x[row * C] = x[(begin - 1) * C];
        } else {
            const double low = x[(begin - 1) * C], high = x[end * C];
            const double part = (double)(row - begin + 1) / (double)(end - begin + 1);
            x[row * C] = (float)(low + part * (high - low));
        }
    }
}

weir_status missing_fill(series *s, missing_policy policy) {
    if (s->missing == 0 || policy == MISSING_NONE) return WEIR_OK;
    for (int64_t column = 0; column < s->columns; column++) {
        if (next_valid(s, 0, column) == s->rows)
            return weir_fail(WEIR_ERROR_FORMAT, "%s: column \"%s\" has no value in any row",
                             s->source, s->names[column]);
        for (int64_t row = 0; row < s->rows; row++) {
            if (!isnan(s->values[row * s->columns + column])) continue;
            const int64_t end = next_valid(s, row, column);
            fill_gap(s, column, row, end, policy);
            row = end;
        }
    }
    return WEIR_OK;
}
