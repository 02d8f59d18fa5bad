/* Argument checks, scratch and chunk lengths of the op drivers. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/driver.h"

weir_status weir_check_at_least(const char *op, const char *name, int64_t value, int64_t least) {
    if (value >= least) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "%s: %s is %lld, accepted: %lld or more", op, name,
                     (long long)value, (long long)least);
}

weir_status weir_check_range(const char *op, const char *name, int64_t value, int64_t least,
                             int64_t most) {
    if (value >= least && value <= most) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "%s: %s is %lld, accepted: %lld to %lld", op, name,
                     (long long)value, (long long)least, (long long)most);
}

weir_status weir_check_pointer(const char *op, const char *name, const void *pointer) {
    if (pointer) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "%s: %s is NULL, accepted: a pointer to it", op, name);
}

weir_status weir_check_activation(const char *op, weir_activation activation) {
    return weir_check_range(op, "activation", (int64_t)activation, 0, WEIR_ACTIVATION_COUNT - 1);
}

weir_status weir_check_fraction(const char *op, const char *name, float value, bool one_allowed) {
    if (value >= 0 && (value < 1 || (one_allowed && value <= 1))) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "%s: %s is %g, accepted: 0 to %s1", op, name,
                     (double)value, one_allowed ? "" : "less than ");
}

static const int64_t most = (int64_t)(PTRDIFF_MAX / (ptrdiff_t)sizeof(float)); /* floats */

weir_status weir_check_floats(const char *op, const char *tensor, int64_t a, int64_t b, int64_t c) {
    int64_t product;
    if (!__builtin_mul_overflow(a, b, &product) && !__builtin_mul_overflow(product, c, &product) &&
        product <= most)
        return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "%s: %s has %lld x %lld x %lld floats, accepted: %lld in all or fewer", op,
                     tensor, (long long)a, (long long)b, (long long)c, (long long)most);
}

int64_t weir_add_floats(int64_t sum, int64_t count, int64_t floats) {
    int64_t product;
    if (__builtin_mul_overflow(count, floats, &product) ||
        __builtin_add_overflow(sum, product, &sum) || sum > most)
        return INT64_MAX;
    return sum;
}

weir_status weir_scratch_floats(const char *op, weir_runtime *rt, int64_t floats, float **scratch) {
    *scratch = floats <= most ? weir_scratch_get(rt, floats * (int64_t)sizeof(float)) : NULL;
    if (*scratch) return WEIR_OK;
    return weir_fail(WEIR_ERROR_MEMORY, "%s: no memory for scratch of %.0f bytes", op,
                     (double)floats * (double)sizeof(float));
}

const weir_kernels *weir_runtime_kernels(const weir_runtime *rt) {
    return weir_kernels_get(weir_runtime_isa(rt));
}

typedef struct tree {
    const weir_kernels *kernels;
    float *first, *others;
    int64_t leaves, floats;
    int64_t from;  /* the first distance between leaves that are added */
    int64_t block; /* leaves of a subtree, a power of two; all distances are below it */
    int64_t parts; /* into which the elements of a subtree are cut */
} tree;

/* Item subtree parts + part. */
static void sum_subtrees(void *arg, int64_t begin, int64_t end, int worker) {
    const tree *t = arg;
    (void)worker;
    for (int64_t item = begin; item < end; item++) {
        const int64_t l0 = item / t->parts * t->block, part = item % t->parts;
        const int64_t l1 = l0 + t->block < t->leaves ? l0 + t->block : t->leaves;
        const int64_t e0 = t->floats * part / t->parts, e1 = t->floats * (part + 1) / t->parts;
        for (int64_t step = t->from; step < l1 - l0; step *= 2)
            for (int64_t leaf = l0; leaf + step < l1; leaf += 2 * step)
                t->kernels->add(e0, e1, weir_leaf_of(t->first, t->others, leaf, t->floats),
                                weir_leaf_of(t->first, t->others, leaf + step, t->floats));
    }
}

/* Distances from `from` on, inside subtrees of `block` leaves. */
static weir_status sum_level(weir_runtime *rt, tree t, int64_t from, int64_t block) {
    const int64_t subtrees = (t.leaves - 1) / block + 1;
    const int64_t grain = weir_grain(16 * (block / from), 64);
    t.from = from;
    t.block = block;
    t.parts = (t.floats - 1) / grain + 1;
    return weir_parallel_for(rt, subtrees * t.parts, 1, sum_subtrees, &t);
}

weir_status weir_tree_sum(weir_runtime *rt, int64_t leaves, float *first, float *others,
                          int64_t floats) {
    const tree t = {weir_runtime_kernels(rt), first, others, leaves, floats, 1, 1, 1};
    if (leaves < 2 || floats < 1) return WEIR_OK;
    int64_t all = 1, own = 1; /* leaves of the whole tree, of a node's largest subtree */
    while (all < leaves) all *= 2;
    const int homes = weir_runtime_homes(rt);
    while (homes > 1 && 2 * own * homes <= leaves) own *= 2;
    if (own > 1) WEIR_TRY(sum_level(rt, t, 1, own));
    return sum_level(rt, t, own, all);
}

int64_t weir_grain(int64_t work, int64_t multiple) {
    const int64_t chunk = 1 << 19;
    int64_t items = work < chunk ? chunk / (work < 1 ? 1 : work) : 1;
    return (items + multiple - 1) / multiple * multiple;
}
