/* Are threads and pages where the plan says? For a machine with several NUMA nodes.
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: weir-numa MODE
 *   bound     as a program gets it: each worker on its core, each page on its node
 *   refused   the system refuses mbind(), as containers do: a warning, and first touch does the same
 *   unbound   bind none, and the system puts all threads on the last node: every check must fail
 *   one       on the cores of the first node only; checks nothing
 *   here      on this machine, whatever it is; checks nothing
 * Prints the plan, "ok" or "FAILED" for each check, and hashes of results, which must not depend on
 * the mode. Exit status: 0 all passed, 1 a failure, 2 the machine is not what this is for.
 * Where pages are is asked of the kernel with move_pages(), not of hwloc.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/runtime.h"
#include "validate/emulator/numa.h"

enum { MOST_NODES = 16, MOST_WORKERS = 64, PAGE = 4096, SMALL_CUT = 64 << 10, LARGE_CUT = 2 << 20 };

typedef struct plan {
    int nodes, threads, homes; /* homes: nodes with workers */
    weir_node_info node[MOST_NODES];
    weir_worker_info worker[MOST_WORKERS];
} plan;

static int failures, warnings;

static void say(bool good, const char *what, int64_t wrong, int64_t all) {
    printf("%s %s: %lld of %lld where the plan says\n", good ? "ok    " : "FAILED", what,
           (long long)(all - wrong), (long long)all);
    failures += !good;
}

static void warn(void *user, const char *message) {
    (void)user;
    printf("warning %s\n", message);
    warnings++;
}

void numa_must(weir_status status) {
    if (status == WEIR_OK) return;
    printf("FAILED %s\n", weir_last_error());
    exit(2);
}

static weir_runtime *create(int threads, weir_bind bind) {
    weir_runtime_options options = weir_runtime_options_default();
    options.threads = threads;
    options.bind = bind;
    options.warning = warn;
    weir_runtime *rt;
    numa_must(weir_runtime_create(&options, &rt));
    return rt;
}

static void take_plan(const weir_runtime *rt, plan *p) {
    p->nodes = weir_runtime_nodes(rt);
    p->threads = weir_runtime_threads(rt);
    p->homes = 0;
    if (p->nodes > MOST_NODES || p->threads > MOST_WORKERS) exit(2);
    for (int w = 0; w < p->threads; w++) numa_must(weir_runtime_worker(rt, w, &p->worker[w]));
    for (int i = 0; i < p->nodes; i++) {
        numa_must(weir_runtime_node(rt, i, &p->node[i]));
        p->homes += p->node[i].workers > 0;
    }
}

static void print_plan(const plan *p) {
    for (const weir_node_info *n = p->node; n < p->node + p->nodes; n++)
        printf("plan   node %d: %lld MiB, workers %d from %d, memory on node %d\n", n->os_node,
               (long long)(n->memory_bytes >> 20), n->workers, n->first_worker,
               n->arena < 0 ? -1 : p->node[n->arena].os_node);
}

/* ---- threads ---- */

typedef struct seen {
    int threads;
    _Atomic int met;
    unsigned cpu[MOST_WORKERS], node[MOST_WORKERS];
    bool pinned[MOST_WORKERS];
} seen;

/* Each worker gets one item, for none is done before all have one. */
static void see(void *arg, int64_t begin, int64_t end, int worker) {
    seen *s = arg;
    cpu_set_t set;
    (void)begin, (void)end;
    syscall(SYS_getcpu, &s->cpu[worker], &s->node[worker], NULL);
    s->pinned[worker] = sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1;
    s->met++;
    while (s->met < s->threads) sched_yield();
}

static void check_threads(weir_runtime *rt, const plan *p) {
    seen s = {.threads = p->threads};
    numa_must(weir_parallel_for(rt, p->threads, 1, see, &s));
    int wrong = 0;
    for (int w = 0; w < p->threads; w++) {
        const int node = p->node[p->worker[w].node].os_node;
        wrong += !s.pinned[w] || (int)s.cpu[w] != p->worker[w].os_cpu || (int)s.node[w] != node;
    }
    say(wrong == 0, "threads", wrong, p->threads);
}

/* ---- pages ---- */

/* Pages of [begin, end) that are not on the node. */
static int64_t count_elsewhere(char *begin, const char *end, int os_node) {
    int64_t elsewhere = 0;
    for (char *page = begin; page < end; page += PAGE) {
        void *address = page;
        int status = -1;
        if (syscall(SYS_move_pages, 0, 1L, &address, NULL, &status, 0) != 0) status = -1;
        elsewhere += status != os_node;
    }
    return elsewhere;
}

static void check_pages(weir_runtime *rt, const weir_runtime *planned, const plan *p,
                        int64_t bytes) {
    const int64_t cut = bytes >= (int64_t)p->homes * 8 * LARGE_CUT ? LARGE_CUT : SMALL_CUT;
    int64_t wrong = 0, all = 0;
    float *tensor;
    numa_must(weir_tensor_alloc(rt, bytes / 4, &tensor));
    for (int i = 0; i < p->nodes; i++) {
        int64_t begin, end;
        if (p->node[i].arena < 0) continue;
        numa_must(weir_runtime_node_share(planned, i, (bytes - 1) / cut + 1, &begin, &end));
        begin *= cut;
        end = end * cut < bytes ? end * cut : bytes;
        if (begin >= end) continue;
        all += (end - begin + PAGE - 1) / PAGE;
        wrong += count_elsewhere((char *)tensor + begin, (char *)tensor + end,
                                 p->node[p->node[i].arena].os_node);
    }
    char what[64];
    snprintf(what, sizeof what, "pages of %lld KiB", (long long)(bytes >> 10));
    say(wrong == 0 && all == (bytes + PAGE - 1) / PAGE, what, wrong, all);
    weir_tensor_free(rt, tensor);
}

/* ---- copies of weights ---- */

enum { WEIGHTS = 50000 }; /* floats */

typedef struct reading {
    weir_replicas weights;
    const plan *p;
    _Atomic int met;
    _Atomic int64_t wrong, all; /* pages */
    _Atomic int damaged;
} reading;

/* Twice: who comes first copies, and others on the node read the source meanwhile. */
static void read_weights(void *arg, int64_t begin, int64_t end, int worker) {
    reading *r = arg;
    (void)begin, (void)end;
    weir_replica(&r->weights, worker);
    r->met++;
    while (r->met < r->p->threads) sched_yield();
    const float *copy = weir_replica(&r->weights, worker);
    const weir_node_info *node = &r->p->node[r->p->worker[worker].node];
    char *first = (char *)copy;
    r->wrong +=
        count_elsewhere(first, first + WEIGHTS * sizeof *copy, r->p->node[node->arena].os_node);
    r->all += (int64_t)(WEIGHTS * sizeof *copy + PAGE - 1) / PAGE;
    r->damaged += memcmp(copy, r->weights.source, WEIGHTS * sizeof *copy) != 0;
}

static void check_replicas(weir_runtime *rt, const plan *p) {
    static float weights[WEIGHTS];
    for (int i = 0; i < WEIGHTS; i++) weights[i] = (float)i;
    reading r = {.p = p};
    weir_replicas_get(rt, weights, WEIGHTS, &r.weights);
    numa_must(weir_parallel_for(rt, p->threads, 1, read_weights, &r));
    weir_replicas_put(&r.weights);
    if (r.damaged) puts("FAILED a copy of the weights differs from them");
    failures += r.damaged > 0;
    say(r.wrong == 0, "pages of weights", r.wrong, r.all);
}

/* ---- modes ---- */

static void stay_on(const cpu_set_t *set) {
    if (sched_setaffinity(0, sizeof *set, set) == 0) return;
    puts("FAILED can't choose this thread's CPUs");
    exit(2);
}

static void stay_on_cpu(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    stay_on(&set);
}

static void stay_on_node(const plan *p, int node) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int w = 0; w < p->threads; w++)
        if (p->worker[w].node == node) CPU_SET((size_t)p->worker[w].os_cpu, &set);
    stay_on(&set);
}

static void refuse_mbind(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mbind, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1), /* EPERM */
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
        return;
    puts("FAILED can't set up a seccomp filter");
    exit(2);
}

static void check(weir_runtime *rt, const weir_runtime *planned, const plan *p) {
    /* 2 and 27 pieces of 64 KiB, 24 huge pages */
    static const int64_t sizes[] = {100000, 128 * 240 * 14 * 4, 48 << 20};
    for (int round = 0; round < 3; round++) check_threads(rt, p);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            check_pages(rt, planned, p, sizes[i]);
    for (int round = 0; round < 3; round++) check_replicas(rt, p);
}

int main(int argc, char **argv) {
    const char *mode = argc == 2 ? argv[1] : "";
    static plan p;
    setvbuf(stdout, NULL, _IOLBF, 0);
    weir_runtime *planned = create(0, WEIR_BIND_COMPACT), *rt = planned;
    take_plan(planned, &p);
    print_plan(&p);
    if (p.homes < 2 && strcmp(mode, "here") != 0) {
        puts("FAILED this machine has fewer than two nodes with CPUs");
        return 2;
    }
    if (strcmp(mode, "bound") == 0 || strcmp(mode, "refused") == 0) {
        /* A caller's affinity is its own; worker 0 is the caller. */
        stay_on_cpu(p.worker[0].os_cpu);
        if (*mode == 'r') refuse_mbind();
        check(rt, planned, &p);
        const int expected = *mode == 'r';
        if (warnings != expected) printf("FAILED %d warnings, not %d\n", warnings, expected);
        failures += warnings != expected;
    } else if (strcmp(mode, "unbound") == 0) {
        stay_on_node(&p, p.worker[p.threads - 1].node);
        rt = create(p.threads, WEIR_BIND_NONE);
        check(rt, planned, &p);
    } else if (strcmp(mode, "one") == 0) {
        stay_on_node(&p, p.worker[0].node);
        rt = create(0, WEIR_BIND_COMPACT);
    } else if (strcmp(mode, "here") != 0) {
        fputs("usage: weir-numa bound | refused | unbound | one | here\n", stderr);
        return 2;
    }
    printf("runs   %d threads, %s\n", weir_runtime_threads(rt),
           weir_isa_name(weir_runtime_isa(rt)));
    numa_results(rt);
    if (rt != planned) weir_runtime_destroy(rt);
    weir_runtime_destroy(planned);
    return failures > 0;
}
