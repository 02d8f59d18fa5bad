/* The order test: the steps of every sample in one shuffled order. SPDX-License-Identifier: Apache-2.0
 */
#ifndef WEIR_CLI_PERMUTE_H
#define WEIR_CLI_PERMUTE_H

#include "train/data/source.h"

typedef struct permutation {
    int64_t *order; /* of the steps: step order[i] is shown in place i; owned */
    float *spare;   /* one sample; owned */
} permutation;

/* Errors: MEMORY. A zeroed permutation may be freed. */
weir_status permute_create(const source *s, permutation *out);
void permute_free(permutation *p);

/*
 * x[N][T][C] of s with its steps in the new order. The padding in front of a text stays there, and its
 * other steps come in the order that they have among themselves in the permutation.
 */
void permute_steps(const permutation *p, const source *s, int64_t N, float *x);

#endif
