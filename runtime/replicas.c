/* Copies of weights on each NUMA node. SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <string.h>

#include "runtime/parts.h"

enum { LEAST_BYTES = 4096, BEGUN = 1, DONE = 2 };

void weir_replicas_get(weir_runtime *r, const float *source, int64_t floats,
                       weir_replicas *replicas) {
    replicas->source = source;
    replicas->floats = floats;
    replicas->runtime = r;
    replicas->nodes = 0;
    const int64_t bytes = floats * (int64_t)sizeof *source;
    if (!r->binds || bytes < LEAST_BYTES || r->node_count > WEIR_REPLICAS_MAX) return;
    replicas->nodes = r->node_count;
    for (int i = 0; i < r->node_count; i++) {
        const weir_node_info *node = &r->nodes[i];
        atomic_init(&replicas->progress[i], 0);
        replicas->copy[i] = node->replica ? weir_scratch_on(r, bytes, node->arena) : NULL;
    }
}

const float *weir_replica(weir_replicas *replicas, int worker) {
    if (replicas->nodes == 0) return replicas->source;
    const int node = replicas->runtime->workers[worker].node;
    if (node < 0 || !replicas->copy[node]) return replicas->source;
    _Atomic int *progress = &replicas->progress[node];
    int now = atomic_load_explicit(progress, memory_order_acquire);
    if (now == DONE) return replicas->copy[node];
    if (now == BEGUN || !atomic_compare_exchange_strong(progress, &now, BEGUN))
        return replicas->source;
    memcpy(replicas->copy[node], replicas->source,
           (size_t)replicas->floats * sizeof *replicas->source);
    atomic_store_explicit(progress, DONE, memory_order_release);
    return replicas->copy[node];
}

void weir_replicas_put(weir_replicas *replicas) {
    for (int i = 0; i < replicas->nodes; i++)
        weir_scratch_put(replicas->runtime, replicas->copy[i]);
}

int weir_runtime_homes(const weir_runtime *r) { return r->homes > 1 ? r->homes : 1; }
