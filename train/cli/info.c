/* weir info: what Weir found on this machine and how it would use it.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/cli/commands.h"
#include "train/cli/facts.h"
#include "train/cli/runtime_options.h"
#include "train/model/json.h"

static const char *const examples[] = {
    "weir info", "weir info --threads 4 --bind spread",
    "HWLOC_SYNTHETIC=\"node:4 core:16 pu:2\" weir info   # a machine that isn't here",
    "lstopo there.xml; weir info --topology there.xml   # the same, as hwloc described it", NULL};

enum { SAMPLES = 128 }; /* of the batch whose split is shown; the default of `weir train` */

/* "48 KiB", "1.5 MiB"; "unknown" for 0. */
static const char *format_bytes(int64_t bytes, char text[32]) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double amount = (double)bytes;
    int unit = 0;
    for (; amount >= 1024 && unit < 4; unit++) amount /= 1024;
    if (bytes > 0)
        snprintf(text, 32, "%.4g %s", amount, units[unit]);
    else
        snprintf(text, 32, "unknown");
    return text;
}

static const char *format_index(int index, char text[16]) {
    if (index >= 0)
        snprintf(text, 16, "%d", index);
    else
        snprintf(text, 16, "-");
    return text;
}

static void print_machine(const weir_machine_info *m) {
    char l1[32], l2[32], l3[32], memory[32];
    printf("Machine%s\n", m->synthetic
                              ? " (described by HWLOC_SYNTHETIC or HWLOC_XMLFILE, not this "
                                "one: nothing is pinned)"
                              : "");
    printf("  CPU           %s\n", m->cpu_model);
    printf("  packages      %d\n", m->packages);
    printf("  NUMA nodes    %d\n", m->numa_nodes);
    printf("  cores         %d, of which %d allowed\n", m->cores, m->cores_allowed);
    printf("  logical CPUs  %d, of which %d allowed\n", m->pus, m->pus_allowed);
    if (m->cpu_quota > 0)
        printf("  CPU quota     %g CPUs (cgroup)\n", m->cpu_quota);
    else
        printf("  CPU quota     none\n");
    printf("  caches        L1d %s, L2 %s, L3 %s\n", format_bytes(m->l1d_bytes, l1),
           format_bytes(m->l2_bytes, l2), format_bytes(m->l3_bytes, l3));
    printf("  memory        %s", format_bytes(m->memory_bytes, memory));
    if (m->memory_limit_bytes > 0)
        printf(", of which %s granted (cgroup)", format_bytes(m->memory_limit_bytes, memory));
    puts("");
}

static void print_isas(const weir_machine_info *m, weir_isa in_use) {
    printf("\nInstruction sets\n");
    for (int i = 0; i < WEIR_ISA_COUNT; i++) {
        printf("  %-14s", weir_isa_name((weir_isa)i));
        if (m->isa_available[i])
            puts(i == (int)in_use ? "available, in use" : "available");
        else
            printf("not available: %s\n", m->isa_why_not[i] ? m->isa_why_not[i] : "unknown");
    }
}

static weir_status print_workers(const weir_runtime *rt) {
    const int threads = weir_runtime_threads(rt);
    printf("\nWorkers\n  threads       %d\n  threading     %s\n  bind          %s\n", threads,
           weir_threading_name(weir_runtime_threading(rt)), weir_bind_name(weir_runtime_bind(rt)));
    printf("  worker  node  core  CPU\n");
    for (int i = 0; i < threads; i++) {
        weir_worker_info w;
        char node[16], core[16], cpu[16];
        const weir_status status = weir_runtime_worker(rt, i, &w);
        if (status != WEIR_OK) return status;
        printf("  %6d  %4s  %4s  %3s\n", w.worker, format_index(w.node, node),
               format_index(w.core, core), format_index(w.os_cpu, cpu));
    }
    return WEIR_OK;
}

/* "0-3", "2", or "-" for none. */
static const char *format_run(int64_t first, int64_t count, char text[48]) {
    if (count > 1)
        snprintf(text, 48, "%lld-%lld", (long long)first, (long long)(first + count - 1));
    else
        snprintf(text, 48, count == 1 ? "%lld" : "-", (long long)first);
    return text;
}

static weir_status print_nodes(const weir_runtime *rt) {
    printf("\nNUMA nodes\n  node  memory    cores  workers    samples of %d  tensors on node\n",
           SAMPLES);
    int copies = 0;
    for (int i = 0; i < weir_runtime_nodes(rt); i++) {
        weir_node_info n;
        int64_t begin, end;
        char memory[32], workers[48], samples[48], arena[16];
        weir_status status = weir_runtime_node(rt, i, &n);
        if (status == WEIR_OK) status = weir_runtime_node_share(rt, i, SAMPLES, &begin, &end);
        if (status != WEIR_OK) return status;
        printf("  %4d  %-8s  %5d  %-9s  %-14s  %s\n", n.node,
               n.memory_bytes > 0 ? format_bytes(n.memory_bytes, memory) : "none", n.cores_allowed,
               format_run(n.first_worker, n.workers, workers),
               format_run(begin, end - begin, samples), format_index(n.arena, arena));
        copies += n.replica;
    }
    printf("  weights       %s\n",
           copies > 0 ? "a copy for the workers of each node, where its tensors are"
                      : "one copy for all workers");
    return WEIR_OK;
}

static weir_status print_text(const weir_machine_info *m, const weir_runtime *rt) {
    print_machine(m);
    print_isas(m, weir_runtime_isa(rt));
    weir_status status = print_workers(rt);
    if (status == WEIR_OK) status = print_nodes(rt);
    printf("\nVersions\n  weir          %s\n  hwloc         %s\n  oneDNN        %s\n",
           weir_version(), m->hwloc_version, WEIR_ONEDNN_VERSION);
    return status;
}

static void add_machine(cJSON *to, const weir_machine_info *m) {
    weir_json_add_string(to, "cpu", m->cpu_model);
    weir_json_add_bool(to, "synthetic", m->synthetic);
    weir_json_add_number(to, "packages", m->packages);
    weir_json_add_number(to, "numa_nodes", m->numa_nodes);
    weir_json_add_number(to, "cores", m->cores);
    weir_json_add_number(to, "cores_allowed", m->cores_allowed);
    weir_json_add_number(to, "logical_cpus", m->pus);
    weir_json_add_number(to, "logical_cpus_allowed", m->pus_allowed);
    if (m->cpu_quota > 0)
        weir_json_add_number(to, "cpu_quota", m->cpu_quota);
    else
        weir_json_add_null(to, "cpu_quota");
    if (m->memory_limit_bytes > 0)
        weir_json_add_number(to, "memory_limit_bytes", (double)m->memory_limit_bytes);
    else
        weir_json_add_null(to, "memory_limit_bytes");
    weir_json_add_number(to, "l1d_bytes", (double)m->l1d_bytes);
    weir_json_add_number(to, "l2_bytes", (double)m->l2_bytes);
    weir_json_add_number(to, "l3_bytes", (double)m->l3_bytes);
    weir_json_add_number(to, "memory_bytes", (double)m->memory_bytes);
}

static void add_isas(cJSON *to, const weir_machine_info *m, weir_isa in_use) {
    for (int i = 0; i < WEIR_ISA_COUNT; i++) {
        cJSON *isa = weir_json_add_object(to, weir_isa_name((weir_isa)i));
        weir_json_add_bool(isa, "available", m->isa_available[i]);
        weir_json_add_bool(isa, "in_use", i == (int)in_use);
        if (!m->isa_available[i])
            weir_json_add_string(isa, "why_not", m->isa_why_not[i] ? m->isa_why_not[i] : "");
    }
}

static weir_status add_workers(cJSON *to, const weir_runtime *rt) {
    for (int i = 0; i < weir_runtime_threads(rt); i++) {
        weir_worker_info w;
        const weir_status status = weir_runtime_worker(rt, i, &w);
        if (status != WEIR_OK) return status;
        cJSON *worker = weir_json_object();
        weir_json_add_number(worker, "worker", w.worker);
        weir_json_add_number(worker, "node", w.node);
        weir_json_add_number(worker, "core", w.core);
        weir_json_add_number(worker, "os_cpu", w.os_cpu);
        weir_json_append(to, worker);
    }
    return WEIR_OK;
}

static weir_status add_nodes(cJSON *to, const weir_runtime *rt) {
    for (int i = 0; i < weir_runtime_nodes(rt); i++) {
        weir_node_info n;
        int64_t begin, end;
        weir_status status = weir_runtime_node(rt, i, &n);
        if (status == WEIR_OK) status = weir_runtime_node_share(rt, i, SAMPLES, &begin, &end);
        if (status != WEIR_OK) return status;
        cJSON *node = weir_json_object();
        weir_json_add_number(node, "node", n.node);
        weir_json_add_number(node, "os_node", n.os_node);
        weir_json_add_number(node, "memory_bytes", (double)n.memory_bytes);
        weir_json_add_number(node, "cores_allowed", n.cores_allowed);
        weir_json_add_number(node, "first_worker", n.first_worker);
        weir_json_add_number(node, "workers", n.workers);
        weir_json_add_number(node, "first_sample", (double)begin);
        weir_json_add_number(node, "samples", (double)(end - begin));
        weir_json_add_number(node, "arena", n.arena);
        weir_json_add_bool(node, "replica", n.replica);
        weir_json_append(to, node);
    }
    return WEIR_OK;
}

static weir_status print_json(const weir_machine_info *m, const weir_runtime *rt) {
    cJSON *root = weir_json_object();
    weir_json_add_string(root, "weir", weir_version());
    weir_json_add_string(root, "hwloc", m->hwloc_version);
    weir_json_add_string(root, "onednn", WEIR_ONEDNN_VERSION);
    add_machine(weir_json_add_object(root, "machine"), m);
    add_isas(weir_json_add_object(root, "isas"), m, weir_runtime_isa(rt));
    weir_json_add_string(root, "isa", weir_isa_name(weir_runtime_isa(rt)));
    weir_json_add_number(root, "threads", weir_runtime_threads(rt));
    weir_json_add_string(root, "threading", weir_threading_name(weir_runtime_threading(rt)));
    weir_json_add_string(root, "bind", weir_bind_name(weir_runtime_bind(rt)));
    weir_status status = add_workers(weir_json_add_array(root, "workers"), rt);
    weir_json_add_number(root, "batch", SAMPLES);
    if (status == WEIR_OK) status = add_nodes(weir_json_add_array(root, "nodes"), rt);
    if (status == WEIR_OK) status = facts_print(root);
    cJSON_Delete(root);
    return status;
}

/* hwloc takes the description from the environment. */
static weir_status describe_by(const char *file) {
    if (access(file, R_OK) != 0)
        return weir_fail(WEIR_ERROR_SYSTEM, "--topology: can't read %s: %s", file, strerror(errno));
    unsetenv("HWLOC_SYNTHETIC");
    if (setenv("HWLOC_XMLFILE", file, 1) != 0)
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for the environment");
    return WEIR_OK;
}

int cmd_info(int argc, char **argv) {
    runtime_arguments arguments = {0};
    bool json = false;
    const char *topology = NULL;
    const option table[] = {OPTION_GROUP("Output"), OPTION_FLAG("json", &json, "print JSON"),
                            OPTION_STRING("topology", "FILE", &topology,
                                          "plan for the machine in this XML file of hwloc"),
                            RUNTIME_OPTIONS(&arguments), OPTION_END};
    const command_line line = {.command = "info",
                               .summary = "what Weir found on this machine and how it would use it",
                               .options = table,
                               .examples = examples};
    const int parsed = options_parse(&line, argc, argv);
    if (parsed >= 0) return parsed;

    weir_machine_info machine;
    weir_runtime *rt = NULL;
    weir_status status = topology ? describe_by(topology) : WEIR_OK;
    if (status == WEIR_OK) status = weir_machine_describe(&machine);
    if (status == WEIR_OK) status = runtime_create(&arguments, "info", &rt);
    if (status == WEIR_OK) status = json ? print_json(&machine, rt) : print_text(&machine, rt);
    weir_runtime_destroy(rt);
    return status == WEIR_OK ? STATUS_OK : command_failed("info", status);
}
