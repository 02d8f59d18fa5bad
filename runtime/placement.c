/* Which worker goes to which core. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "runtime/parts.h"

/* Sorts by node; within a node the order of choice (kept in .worker) stays. */
static int by_node(const void *a, const void *b) {
    const weir_worker_info *x = a, *y = b;
    if (x->node != y->node) return x->node < y->node ? -1 : 1;
    return (x->worker > y->worker) - (x->worker < y->worker);
}

/* Reorders cores that are grouped by node: the first of each node, the second of each, ... */
static void interleave_nodes(const weir_worker_info *cores, int n, weir_worker_info *order) {
    int done = 0;
    for (int round = 0; done < n; round++)
        for (int i = 0, rank = 0; i < n; i++) { /* rank within the node */
            rank = i > 0 && cores[i].node == cores[i - 1].node ? rank + 1 : 0;
            if (rank == round) order[done++] = cores[i];
        }
}

weir_status weir_placement_plan(const weir_worker_info *cores, int core_count, const int *siblings,
                                weir_bind bind, int threads, weir_worker_info *workers) {
    if (bind == WEIR_BIND_NONE) {
        for (int w = 0; w < threads; w++)
            workers[w] = (weir_worker_info){.worker = w, .node = -1, .core = -1, .os_cpu = -1};
        return WEIR_OK;
    }
    const size_t n = (size_t)core_count;
    weir_worker_info *sorted = malloc(2 * n * sizeof *sorted), *order = sorted;
    if (!sorted)
        return weir_fail(WEIR_ERROR_MEMORY, "no memory to place workers on %d cores", core_count);
    for (int i = 0; i < core_count; i++) {
        sorted[i] = cores[i];
        sorted[i].worker = i;
    }
    qsort(sorted, n, sizeof *sorted, by_node);
    if (bind == WEIR_BIND_SPREAD) {
        order = sorted + n;
        interleave_nodes(sorted, core_count, order);
    }
    for (int w = 0; w < threads; w++) {
        workers[w] = order[w % core_count];
        workers[w].worker = w;
        for (int round = w / core_count; round > 0; round--)
            workers[w].os_cpu = siblings[workers[w].os_cpu];
    }
    qsort(workers, (size_t)threads, sizeof *workers, by_node);
    for (int w = 0; w < threads; w++) workers[w].worker = w;
    free(sorted);
    return WEIR_OK;
}
