/* Cores, nodes and caches: the only user of hwloc. SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <hwloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/parts.h"

struct weir_topology {
    hwloc_topology_t hwloc;
    hwloc_cpuset_t allowed;  /* by affinity and cgroup */
    weir_worker_info *cores; /* [core_count] where a worker can be, in the machine's order */
    int core_count;
    int *cpu_of;  /* [cpu_count] the processing unit that stands for the core of each, or -1 */
    int *sibling; /* [cpu_count] the next allowed unit of the same core, in a circle, or -1 */
    int cpu_count;
    weir_node_info *nodes; /* [node_count] without what depends on the runtime: workers, arena */
    int node_count;
    bool synthetic;
};

/* Machines without core objects (some virtual ones) have processing units only. */
static hwloc_obj_type_t core_type(hwloc_topology_t hwloc) {
    return hwloc_get_nbobjs_by_type(hwloc, HWLOC_OBJ_CORE) > 0 ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
}

/* The variable that describes another machine, NULL: none is set. */
static const char *description(void) {
    static const char *const variables[] = {"HWLOC_SYNTHETIC", "HWLOC_XMLFILE"};
    for (int i = 0; i < 2; i++) {
        const char *value = getenv(variables[i]);
        if (value && *value) return variables[i];
    }
    return NULL;
}

static weir_status read_machine(weir_topology *t) {
    const char *variable = description();
    hwloc_topology_set_flags(t->hwloc, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    const bool loaded = hwloc_topology_load(t->hwloc) == 0;
    if (!loaded && !variable)
        return weir_fail(WEIR_ERROR_SYSTEM, "hwloc can't read the topology: %s", strerror(errno));
    t->synthetic = loaded && !hwloc_topology_is_thissystem(t->hwloc);
    /* hwloc may take this machine, without a word, when it can't read the description. */
    if (!loaded || (variable && !t->synthetic && !getenv("HWLOC_THISSYSTEM")))
        return weir_fail(WEIR_ERROR_ARGUMENT, "%s is \"%s\", which hwloc can't read", variable,
                         getenv(variable));
    return WEIR_OK;
}

static weir_status find_allowed(weir_topology *t) {
    t->allowed = hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(t->hwloc));
    hwloc_cpuset_t affinity = hwloc_bitmap_alloc();
    if (!t->allowed || !affinity) {
        hwloc_bitmap_free(affinity);
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for the set of allowed cores");
    }
    /* An affinity that can't be read is no reason to fail: the cgroup's set remains. */
    if (!t->synthetic && hwloc_get_cpubind(t->hwloc, affinity, HWLOC_CPUBIND_THREAD) == 0 &&
        hwloc_bitmap_intersects(t->allowed, affinity))
        hwloc_bitmap_and(t->allowed, t->allowed, affinity);
    hwloc_bitmap_free(affinity);
    return WEIR_OK;
}

/* The first node that is local to the core, -1 if none is. */
static int node_of(const weir_topology *t, hwloc_obj_t core) {
    hwloc_obj_t node = NULL;
    while ((node = hwloc_get_next_obj_by_type(t->hwloc, HWLOC_OBJ_NUMANODE, node)))
        if (hwloc_bitmap_intersects(node->cpuset, core->cpuset)) return (int)node->logical_index;
    return -1;
}

/* The first allowed unit of a core stands for it; its siblings stay idle as long as there are not more
 * workers than cores. */
static void add_core(weir_topology *t, hwloc_obj_t core) {
    int first = -1, last = -1;
    for (int pu = hwloc_bitmap_first(core->cpuset); pu >= 0;
         pu = hwloc_bitmap_next(core->cpuset, pu)) {
        if (!hwloc_bitmap_isset(t->allowed, (unsigned)pu)) continue;
        if (first < 0) first = pu;
        if (last >= 0) t->sibling[last] = pu;
        last = pu;
    }
    if (first < 0) return;
    t->sibling[last] = first;
    for (int pu = hwloc_bitmap_first(core->cpuset); pu >= 0;
         pu = hwloc_bitmap_next(core->cpuset, pu))
        t->cpu_of[pu] = first;
    t->cores[t->core_count++] = (weir_worker_info){
        .worker = -1, .node = node_of(t, core), .core = (int)core->logical_index, .os_cpu = first};
}

static weir_status find_cores(weir_topology *t) {
    const hwloc_obj_type_t type = core_type(t->hwloc);
    const int all = hwloc_get_nbobjs_by_type(t->hwloc, type);
    t->cpu_count = hwloc_bitmap_last(hwloc_topology_get_topology_cpuset(t->hwloc)) + 1;
    if (all < 1 || t->cpu_count < 1)
        return weir_fail(WEIR_ERROR_SYSTEM, "the machine's description has no core");
    t->cores = malloc((size_t)all * sizeof *t->cores);
    t->cpu_of = malloc((size_t)t->cpu_count * sizeof *t->cpu_of);
    t->sibling = malloc((size_t)t->cpu_count * sizeof *t->sibling);
    if (!t->cores || !t->cpu_of || !t->sibling)
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for a list of %d cores", all);
    for (int i = 0; i < t->cpu_count; i++) t->cpu_of[i] = t->sibling[i] = -1;
    hwloc_obj_t core = NULL;
    while ((core = hwloc_get_next_obj_by_type(t->hwloc, type, core))) add_core(t, core);
    if (t->core_count == 0)
        return weir_fail(WEIR_ERROR_SYSTEM, "none of the machine's %d cores is allowed", all);
    return WEIR_OK;
}

static hwloc_obj_t node_object(const weir_topology *t, int node) {
    return hwloc_get_obj_by_type(t->hwloc, HWLOC_OBJ_NUMANODE, (unsigned)node);
}

static weir_status find_nodes(weir_topology *t) {
    const int n = hwloc_get_nbobjs_by_type(t->hwloc, HWLOC_OBJ_NUMANODE);
    t->nodes = calloc(n > 0 ? (size_t)n : 1, sizeof *t->nodes);
    if (!t->nodes) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a list of %d nodes", n);
    t->node_count = n > 0 ? n : 0;
    for (int i = 0; i < n; i++) {
        const hwloc_obj_t node = node_object(t, i);
        t->nodes[i] = (weir_node_info){.node = i,
                                       .os_node = (int)node->os_index,
                                       .memory_bytes = (int64_t)node->attr->numanode.local_memory};
    }
    for (int c = 0; c < t->core_count; c++)
        if (t->cores[c].node >= 0) t->nodes[t->cores[c].node].cores_allowed++;
    return WEIR_OK;
}

weir_status weir_topology_load(weir_topology **topology) {
    *topology = NULL;
    weir_topology *t = calloc(1, sizeof *t);
    if (!t) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the topology");
    if (hwloc_topology_init(&t->hwloc) != 0) {
        free(t);
        return weir_fail(WEIR_ERROR_MEMORY, "hwloc has no memory for the topology");
    }
    weir_status status = read_machine(t);
    if (status == WEIR_OK) status = find_allowed(t);
    if (status == WEIR_OK) status = find_cores(t);
    if (status == WEIR_OK) status = find_nodes(t);
    if (status != WEIR_OK) {
        weir_topology_free(t);
        return status;
    }
    *topology = t;
    return WEIR_OK;
}

void weir_topology_free(weir_topology *t) {
    if (!t) return;
    free(t->cores);
    free(t->cpu_of);
    free(t->sibling);
    free(t->nodes);
    hwloc_bitmap_free(t->allowed);
    hwloc_topology_destroy(t->hwloc);
    free(t);
}

static int64_t cache_bytes(hwloc_topology_t hwloc, hwloc_obj_type_t type) {
    const hwloc_obj_t cache = hwloc_get_next_obj_by_type(hwloc, type, NULL);
    return cache ? (int64_t)cache->attr->cache.size : 0;
}

/* What the system has, if that is more: hwloc's nodes lack memory that was added at run time. */
static int64_t memory_bytes(const weir_topology *t) {
    const int64_t nodes = (int64_t)hwloc_get_root_obj(t->hwloc)->total_memory;
    const int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (t->synthetic || pages <= 0 || page <= 0) return nodes;
    return pages * page > nodes ? pages * page : nodes;
}

void weir_topology_describe(const weir_topology *t, weir_machine_info *info) {
    info->packages = hwloc_get_nbobjs_by_type(t->hwloc, HWLOC_OBJ_PACKAGE);
    info->numa_nodes = hwloc_get_nbobjs_by_type(t->hwloc, HWLOC_OBJ_NUMANODE);
    info->cores = hwloc_get_nbobjs_by_type(t->hwloc, core_type(t->hwloc));
    info->pus = hwloc_get_nbobjs_by_type(t->hwloc, HWLOC_OBJ_PU);
    info->cores_allowed = t->core_count;
    info->pus_allowed = weir_topology_pus_allowed(t);
    info->cpu_quota = t->synthetic ? 0 : weir_cgroup_quota("");
    info->memory_limit_bytes = t->synthetic ? 0 : weir_cgroup_memory("");
    info->l1d_bytes = cache_bytes(t->hwloc, HWLOC_OBJ_L1CACHE);
    info->l2_bytes = cache_bytes(t->hwloc, HWLOC_OBJ_L2CACHE);
    info->l3_bytes = cache_bytes(t->hwloc, HWLOC_OBJ_L3CACHE);
    info->memory_bytes = memory_bytes(t);
    info->synthetic = t->synthetic;
    snprintf(info->hwloc_version, sizeof info->hwloc_version, "%s", HWLOC_VERSION);
}

const weir_worker_info *weir_topology_cores(const weir_topology *t, int *count) {
    *count = t->core_count;
    return t->cores;
}

int weir_topology_pus_allowed(const weir_topology *t) { return hwloc_bitmap_weight(t->allowed); }

bool weir_topology_synthetic(const weir_topology *t) { return t->synthetic; }

int weir_topology_granted(const weir_topology *t) {
    const double quota = t->synthetic ? 0 : weir_cgroup_quota("");
    if (quota <= 0 || quota >= t->core_count) return t->core_count;
    return quota < 1 ? 1 : (int)lround(quota);
}

const int *weir_topology_siblings(const weir_topology *t) { return t->sibling; }

int weir_topology_cpu_of(const weir_topology *t, int os_cpu) {
    return os_cpu >= 0 && os_cpu < t->cpu_count ? t->cpu_of[os_cpu] : -1;
}

weir_status weir_topology_bind(const weir_topology *t, pthread_t thread, int os_cpu) {
    hwloc_cpuset_t set = hwloc_bitmap_alloc();
    if (!set) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a set of CPUs");
    if (os_cpu >= 0)
        hwloc_bitmap_only(set, (unsigned)os_cpu);
    else
        hwloc_bitmap_copy(set, t->allowed);
    const int rc = hwloc_set_thread_cpubind(t->hwloc, thread, set, 0);
    const int error = errno;
    hwloc_bitmap_free(set);
    if (rc == 0) return WEIR_OK;
    return weir_fail(WEIR_ERROR_SYSTEM, "can't bind to CPU %d: %s", os_cpu, strerror(error));
}

const weir_node_info *weir_topology_nodes(const weir_topology *t, int *count) {
    *count = t->node_count;
    return t->nodes;
}

/* True when this process may have memory of the node, and it has some. */
static bool gives_memory(const weir_topology *t, int node) {
    const unsigned os_node = (unsigned)t->nodes[node].os_node;
    return t->nodes[node].memory_bytes > 0 &&
           hwloc_bitmap_isset(hwloc_topology_get_allowed_nodeset(t->hwloc), os_node);
}

int weir_topology_memory_of(const weir_topology *t, int node) {
    if (gives_memory(t, node)) return node;
    unsigned kinds = 1;
    struct hwloc_distances_s *table = NULL;
    const unsigned long kind = HWLOC_DISTANCES_KIND_MEANS_LATENCY;
    if (hwloc_distances_get_by_type(t->hwloc, HWLOC_OBJ_NUMANODE, &kinds, &table, kind, 0) != 0 ||
        kinds == 0)
        table = NULL;
    int best = -1;
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < t->node_count; i++) {
        uint64_t there = (uint64_t)abs(i - node), back;
        if (table)
            hwloc_distances_obj_pair_values(table, node_object(t, node), node_object(t, i), &there,
                                            &back);
        if (!gives_memory(t, i) || there >= least) continue;
        best = i;
        least = there;
    }
    if (table) hwloc_distances_release(t->hwloc, table);
    return best;
}

weir_status weir_topology_bind_memory(const weir_topology *t, void *memory, int64_t bytes,
                                      int node) {
    /* Not strict: when the node is full, its pages come from another one. */
    const int flags = HWLOC_MEMBIND_BYNODESET;
    if (hwloc_set_area_membind(t->hwloc, memory, (size_t)bytes, node_object(t, node)->nodeset,
                               HWLOC_MEMBIND_BIND, flags) == 0)
        return WEIR_OK;
    return weir_fail(WEIR_ERROR_SYSTEM, "can't bind memory to node %d: %s", node, strerror(errno));
}
