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

void weir_tree_subtrees(weir_runtime *rt, int64_t leaves, int *subtree) {
    for (int64_t l = 0; l < leaves; l++) subtree[l] = 1;
    if (weir_runtime_homes(rt) < 2) return;
    for (int i = 0; i < weir_runtime_nodes(rt); i++) {
        int64_t first, last;
        if (weir_runtime_node_share(rt, i, leaves, &first, &last) != WEIR_OK) continue;
        while (first < last) {
            /* The largest subtree that begins here and ends on the node, or with the tree. */
            int64_t n = 1;
            while (first % (2 * n) == 0 && n < leaves && (first + 2 * n <= last || last == leaves))
                n *= 2;
            for (int64_t l = first; l < first + n && l < leaves; l++) subtree[l] = (int)n;
            first += n;
        }
    }
}

enum { TREE_LEAVES_MOST = 64 }; /* more are summed in one step everywhere */

typedef struct tree {
    const weir_kernels *kernels;
    float *first, *others;
    int64_t leaves, floats;
    int subtree[TREE_LEAVES_MOST]; /* leaves of the subtree that each leaf is summed with first */
} tree;

/* Leaf a += leaf a + step, elements e0 to e1. */
static void add_leaf(const tree *t, int64_t a, int64_t step, int64_t e0, int64_t e1) {
    t->kernels->add(e0, e1, weir_leaf_of(t->first, t->others, a, t->floats),
                    weir_leaf_of(t->first, t->others, a + step, t->floats));
}

/* Item l: of the subtree that leaf l is in, the elements that fall to l. It is run by the worker that
 * summed leaf l, unless another takes it. */
static void sum_subtrees(void *arg, int64_t begin, int64_t end, int worker) {
    const tree *t = arg;
    (void)worker;
    for (int64_t l = begin; l < end; l++) {
        const int64_t n = t->subtree[l], l0 = l / n * n,
                      l1 = l0 + n < t->leaves ? l0 + n : t->leaves;
        const int64_t e0 = t->floats * (l - l0) / (l1 - l0),
                      e1 = t->floats * (l - l0 + 1) / (l1 - l0);
        for (int64_t step = 1; step < n; step *= 2)
            for (int64_t leaf = l0; leaf + step < l1; leaf += 2 * step)
                add_leaf(t, leaf, step, e0, e1);
    }
}

/* The tree, less the subtrees that are summed already; elements e0 to e1. */
static void sum_rest(void *arg, int64_t e0, int64_t e1, int worker) {
    const tree *t = arg;
    (void)worker;
    for (int64_t step = 1; step < t->leaves; step *= 2)
        for (int64_t leaf = 0; leaf + step < t->leaves; leaf += 2 * step)
            if (t->leaves > TREE_LEAVES_MOST || t->subtree[leaf] <= step)
                add_leaf(t, leaf, step, e0, e1);
}

weir_status weir_tree_sum(weir_runtime *rt, int64_t leaves, float *first, float *others,
                          int64_t floats) {
    tree t = {weir_runtime_kernels(rt), first, others, leaves, floats, {0}};
    const int64_t grain = weir_grain(16 * leaves, 64);
    if (leaves < 2 || floats < 1) return WEIR_OK;
    /* A few elements are not worth a loop of their own on the nodes. */
    const bool inside = floats > grain && weir_runtime_homes(rt) > 1;
    for (int64_t l = 0; l < leaves && l < TREE_LEAVES_MOST; l++) t.subtree[l] = 1;
    if (inside && leaves <= TREE_LEAVES_MOST) {
        weir_tree_subtrees(rt, leaves, t.subtree);
        WEIR_TRY(weir_parallel_for(rt, leaves, 1, sum_subtrees, &t));
    }
    return weir_parallel_for(rt, floats, grain, sum_rest, &t);
}

int64_t weir_grain(int64_t work, int64_t multiple) {
    const int64_t chunk = 1 << 19;
    int64_t items = work < chunk ? chunk / (work < 1 ? 1 : work) : 1;
    return (items + multiple - 1) / multiple * multiple;
}
