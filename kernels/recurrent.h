/* What the drivers of the recurrent layers share: how weights are packed, and how samples and steps
 * are cut. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_RECURRENT_H
#define WEIR_RECURRENT_H

#include <stdint.h>

#include "weir/runtime.h"

/* Cuts columns [0, n) of a matrix into panels of 16, [panels][rows][16], 0 beyond the last column;
 * strides in floats. */
void weir_pack_panels(const float *from, int64_t rows, int64_t row_stride, int64_t n,
                      int64_t column_stride, float *to);

/* Cuts `floats` floats off the memory at *next, 64-byte aligned as that is. */
float *weir_take(float **next, int64_t floats);

/* Samples of one forward task: at most `most`, and whole tiles, of the size that leaves the busiest
 * worker the least. */
int64_t weir_sample_grain(weir_runtime *rt, int64_t N, int64_t most);

/*
 * How a weight gradient is cut: `leaves` parts, each a range of samples; in a part `group` samples
 * and `steps` steps at a time, a chunk that the second cache holds. It depends on nothing but the
 * arguments, or the bits would depend on the machine. Neither leaves nor group falls as N grows, so
 * that a smaller batch finds its scratch large enough.
 */
typedef struct weir_time_cut {
    int64_t leaves, group, steps;
} weir_time_cut;
weir_time_cut weir_cut_time(int64_t N, int64_t T, int64_t leaf_floats);

#endif
