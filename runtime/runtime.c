/* Life of a runtime and its parallel calls. SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/parts.h"

static weir_status place_workers(weir_runtime *r) {
    int core_count;
    const weir_worker_info *cores = weir_topology_cores(r->topology, &core_count);
    const int granted = weir_topology_granted(r->topology);
    if (r->options.threads == 0) r->options.threads = granted;
    /* Under a quota the cores are shared with others: were all to begin at core 0, they would crowd
     * there. OpenMP binds its threads itself, as OMP_PROC_BIND says. */
    if (r->options.bind == WEIR_BIND_AUTO)
        r->options.bind = granted < core_count ? WEIR_BIND_NONE : WEIR_BIND_COMPACT;
    if (r->options.threading == WEIR_THREADING_OPENMP) r->options.bind = WEIR_BIND_NONE;
    r->threads = r->options.threads;
    r->workers = calloc((size_t)r->threads, sizeof *r->workers);
    if (!r->workers) return weir_fail(WEIR_ERROR_MEMORY, "no memory for %d workers", r->threads);
    return weir_placement_plan(cores, core_count, weir_topology_siblings(r->topology),
                               r->options.bind, r->threads, r->workers);
}

/* What each node gets; once the number of workers is final. */
static weir_status plan_nodes(weir_runtime *r) {
    const weir_node_info *nodes = weir_topology_nodes(r->topology, &r->node_count);
    r->nodes = calloc(r->node_count > 0 ? (size_t)r->node_count : 1, sizeof *r->nodes);
    if (!r->nodes) return weir_fail(WEIR_ERROR_MEMORY, "no memory for %d nodes", r->node_count);
    for (int i = 0; i < r->node_count; i++) {
        weir_node_info *node = &r->nodes[i];
        *node = nodes[i];
        node->arena = -1;
        for (int w = r->threads - 1; w >= 0; w--)
            if (r->workers[w].node == i) {
                node->first_worker = w;
                node->workers++;
            }
        if (node->workers == 0) continue;
        node->arena = weir_topology_memory_of(r->topology, i);
        r->homes++;
    }
    r->binds = r->homes > 1 && !weir_topology_synthetic(r->topology);
    for (int i = 0; i < r->node_count; i++)
        r->nodes[i].replica =
            r->homes > 1 && r->node_count <= WEIR_REPLICAS_MAX && r->nodes[i].arena >= 0;
    return WEIR_OK;
}

static weir_status start(weir_runtime *r) {
    weir_status status = weir_options_resolve(&r->options);
    if (status == WEIR_OK) status = weir_topology_load(&r->topology);
    if (status == WEIR_OK) status = place_workers(r);
    if (status == WEIR_OK && r->options.threading == WEIR_THREADING_POOL)
        status = weir_team_create(r);
    if (status == WEIR_OK) status = plan_nodes(r);
    weir_arena_create(&r->arena);
    return status;
}

weir_status weir_runtime_create(const weir_runtime_options *options, weir_runtime **runtime) {
    if (!runtime) return weir_fail(WEIR_ERROR_ARGUMENT, "runtime is NULL");
    *runtime = NULL;
    weir_runtime *r = calloc(1, sizeof *r);
    if (!r) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a runtime");
    r->options = options ? *options : weir_runtime_options_default();
    r->born = weir_fork_count();
    pthread_mutex_init(&r->turn, NULL);
    const weir_status status = start(r);
    if (status != WEIR_OK) {
        weir_runtime_destroy(r);
        return status;
    }
    *runtime = r;
    return WEIR_OK;
}

void weir_runtime_destroy(weir_runtime *r) {
    if (!r) return;
    if (r->born == weir_fork_count())
        weir_team_destroy(r->team);
    else
        weir_team_abandon(r->team);
    weir_arena_destroy(&r->arena);
    pthread_mutex_destroy(&r->turn);
    weir_topology_free(r->topology);
    free(r->workers);
    free(r->nodes);
    free(r);
}

static weir_status run_loop(weir_runtime *r, int64_t count, int64_t grain, weir_range_fn *fn,
                            void *arg, bool own) {
    if (!r || !fn) return weir_fail(WEIR_ERROR_ARGUMENT, "%s is NULL", r ? "fn" : "runtime");
    if (count < 0)
        return weir_fail(WEIR_ERROR_ARGUMENT, "count is %" PRId64 ", accepted: 0 or more", count);
    if (grain < 1)
        return weir_fail(WEIR_ERROR_ARGUMENT, "grain is %" PRId64 ", accepted: 1 or more", grain);
    if (r->born != weir_fork_count())
        return weir_fail(WEIR_ERROR_STATE,
                         "this runtime was created before fork(), its threads are "
                         "in the parent only: create one in the child");
    if (count == 0) return WEIR_OK;
    const weir_loop loop = {
        .runtime = r, .count = count, .grain = grain, .fn = fn, .arg = arg, .own = own};
    const int worker = weir_inside(r);
    if (worker >= 0) {
        weir_loop_part(&loop, 1, 0, worker);
        return WEIR_OK;
    }
    pthread_mutex_lock(&r->turn);
    if (r->team)
        weir_team_run(r->team, &loop);
    else
        weir_openmp_run(r->threads, &loop);
    pthread_mutex_unlock(&r->turn);
    return WEIR_OK;
}

weir_status weir_parallel_for(weir_runtime *r, int64_t count, int64_t grain, weir_range_fn *fn,
                              void *arg) {
    return run_loop(r, count, grain, fn, arg, false);
}

weir_status weir_parallel_own(weir_runtime *r, int64_t count, int64_t grain, weir_range_fn *fn,
                              void *arg) {
    return run_loop(r, count, grain, fn, arg, true);
}

int weir_runtime_threads(const weir_runtime *r) { return r->threads; }
weir_isa weir_runtime_isa(const weir_runtime *r) { return r->options.isa; }
weir_threading weir_runtime_threading(const weir_runtime *r) { return r->options.threading; }
weir_bind weir_runtime_bind(const weir_runtime *r) { return r->options.bind; }
const char *weir_version(void) { return WEIR_VERSION; }

weir_status weir_runtime_worker(const weir_runtime *r, int worker, weir_worker_info *info) {
    if (!r || !info) return weir_fail(WEIR_ERROR_ARGUMENT, "%s is NULL", r ? "info" : "runtime");
    if (worker < 0 || worker >= r->threads)
        return weir_fail(WEIR_ERROR_ARGUMENT, "worker is %d, accepted: 0 to %d", worker,
                         r->threads - 1);
    *info = r->workers[worker];
    return WEIR_OK;
}

int weir_runtime_nodes(const weir_runtime *r) { return r->node_count; }

weir_status weir_runtime_node(const weir_runtime *r, int i, weir_node_info *info) {
    if (!r || !info) return weir_fail(WEIR_ERROR_ARGUMENT, "%s is NULL", r ? "info" : "runtime");
    if (i < 0 || i >= r->node_count)
        return weir_fail(WEIR_ERROR_ARGUMENT, "node is %d, accepted: 0 to %d", i,
                         r->node_count - 1);
    *info = r->nodes[i];
    return WEIR_OK;
}

weir_status weir_runtime_node_share(const weir_runtime *r, int i, int64_t count, int64_t *begin,
                                    int64_t *end) {
    weir_node_info node;
    if (!begin || !end)
        return weir_fail(WEIR_ERROR_ARGUMENT, "%s is NULL", begin ? "end" : "begin");
    if (count < 0)
        return weir_fail(WEIR_ERROR_ARGUMENT, "count is %" PRId64 ", accepted: 0 or more", count);
    const weir_status status = weir_runtime_node(r, i, &node);
    if (status != WEIR_OK) return status;
    *begin = *end = 0;
    if (node.workers == 0) return WEIR_OK;
    *begin = weir_share(count, r->threads, node.first_worker);
    *end = weir_share(count, r->threads, node.first_worker + node.workers);
    return WEIR_OK;
}

weir_status weir_machine_describe(weir_machine_info *info) {
    if (!info) return weir_fail(WEIR_ERROR_ARGUMENT, "info is NULL");
    weir_topology *topology;
    const weir_status status = weir_topology_load(&topology);
    if (status != WEIR_OK) return status;
    memset(info, 0, sizeof *info);
    weir_topology_describe(topology, info);
    weir_topology_free(topology);
    weir_cpu_model(info->cpu_model, sizeof info->cpu_model);
    for (weir_isa isa = WEIR_ISA_SCALAR; isa < WEIR_ISA_COUNT; isa++) {
        info->isa_why_not[isa] = weir_isa_why_not(isa);
        info->isa_available[isa] = info->isa_why_not[isa] == NULL;
    }
    return WEIR_OK;
}
