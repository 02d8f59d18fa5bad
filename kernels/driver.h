/* What the op drivers share: argument checks with their messages, and how long a parallel chunk is.
 * Internal. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_DRIVER_H
#define WEIR_DRIVER_H

#include "kernels/kernels.h"
#include "runtime/runtime.h"

#define WEIR_TRY(call)                                \
    do {                                              \
        weir_status try_status = (call);              \
        if (try_status != WEIR_OK) return try_status; \
    } while (0)

/* Each check names op and the argument in its message, with the value and what is accepted. */
weir_status weir_check_at_least(const char *op, const char *name, int64_t value, int64_t least);
weir_status weir_check_range(const char *op, const char *name, int64_t value, int64_t least,
                             int64_t most);
weir_status weir_check_pointer(const char *op, const char *name, const void *pointer);
weir_status weir_check_activation(const char *op, weir_activation activation);
/* 0 <= value <= 1, or < 1; NaN is refused. */
weir_status weir_check_fraction(const char *op, const char *name, float value, bool one_allowed);
/* The product of the three is a number of floats whose bytes can be counted. All must be >= 0. */
weir_status weir_check_floats(const char *op, const char *tensor, int64_t a, int64_t b, int64_t c);

/* sum + count x floats, or INT64_MAX when that is no number of floats whose bytes can be counted. All
 * must be >= 0. */
int64_t weir_add_floats(int64_t sum, int64_t count, int64_t floats);
/* Scratch for so many floats, to be given back with weir_scratch_put. Errors: MEMORY. */
weir_status weir_scratch_floats(const char *op, weir_runtime *rt, int64_t floats, float **scratch);

/* conv1d on behalf of `op`, which the messages name: dense is a conv1d. */
weir_status weir_conv1d_fwd_as(const char *op, weir_runtime *rt, const weir_conv1d *p,
                               const float *x, const float *w, const float *b, float *y);
weir_status weir_conv1d_bwd_data_as(const char *op, weir_runtime *rt, const weir_conv1d *p,
                                    const float *dy, const float *w, float *dx);
weir_status weir_conv1d_bwd_weights_as(const char *op, weir_runtime *rt, const weir_conv1d *p,
                                       const float *x, const float *dy, float *dw, float *db);

/* Checks p and works out T_out and P_l. */
weir_status weir_conv1d_prepare(const char *op, const weir_conv1d *p, weir_conv1d_call *call);
/* Parts of equal length, the last one shorter, that the rows of dy are cut into for a gradient of so
 * many weights; each is summed on its own. Depends on nothing but its arguments. */
int64_t weir_conv1d_leaves(int64_t rows, int64_t weights);

/* The kernels a runtime runs. */
const weir_kernels *weir_runtime_kernels(const weir_runtime *rt);

/* Leaf 0 is `first`; leaves 1, 2, ... of so many floats follow each other in `others`. */
static inline float *weir_leaf_of(float *first, float *others, int64_t leaf, int64_t floats) {
    return leaf == 0 ? first : others + (leaf - 1) * floats;
}
/*
 * Sums the leaves pairwise, 0 += 1, 2 += 3, ..., then 0 += 2, 4 += 6, ...; the sum ends in leaf 0. Each
 * worker takes some of the elements of all leaves; but where workers are on several NUMA nodes, subtrees
 * whose leaves are all on one node are summed there first. The bits are those of the tree.
 */
weir_status weir_tree_sum(weir_runtime *rt, int64_t leaves, float *first, float *others,
                          int64_t floats);
/* subtree[leaves]: how many leaves the largest subtree has that each leaf is in and that lies on one
 * node, a power of two (the last one may have fewer leaves than that); 1 on a machine with one node. */
void weir_tree_subtrees(weir_runtime *rt, int64_t leaves, int *subtree);

/* Items of `work` multiply-adds each that are worth a chunk of their own (4 to 12 microseconds), a
 * multiple of `multiple`. Depends on nothing but its arguments. */
int64_t weir_grain(int64_t work, int64_t multiple);

#endif
