/* Instruction sets, options, quotas and placement. SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/parts.h"

static bool no_avx; /* this machine has neither AVX2 nor AVX-512 */

bool __real_weir_cpu_has(weir_isa isa, const char **why_not);
bool __wrap_weir_cpu_has(weir_isa isa, const char **why_not);
bool __wrap_weir_cpu_has(weir_isa isa, const char **why_not) {
    if (!no_avx || isa < WEIR_ISA_AVX2) return __real_weir_cpu_has(isa, why_not);
    *why_not = "the CPU has no AVX2";
    return false;
}

static double quota; /* what the cgroup is said to grant; 0 no limit */

double __wrap_weir_cgroup_quota(const char *root);
double __real_weir_cgroup_quota(const char *root);
double __wrap_weir_cgroup_quota(const char *root) {
    return *root ? __real_weir_cgroup_quota(root) : quota;
}

static int clear_environment(void **state) {
    (void)state;
    static const char *const names[] = {"WEIR_ISA",        "WEIR_THREADS",  "WEIR_BIND",
                                        "WEIR_THREADING",  "HWLOC_XMLFILE", "HWLOC_SYNTHETIC",
                                        "HWLOC_THISSYSTEM"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
    no_avx = false;
    quota = 0;
    return 0;
}

/* ---- cpu.c ---- */

static void test_x86_features(void **state) {
    (void)state;
    const weir_x86 all = {
        .avx2 = true, .fma = true, .avx512f = true, .osxsave = true, .saved = 0xe7};
    assert_null(weir_x86_why_not(&all, WEIR_ISA_AVX2));
    assert_null(weir_x86_why_not(&all, WEIR_ISA_AVX512));
    const struct {
        weir_x86 x86;
        const char *avx2, *avx512; /* a part of the reason, NULL: can be used */
    } cases[] = {
        {{.fma = true, .osxsave = true, .saved = 0xe7}, "AVX2", "AVX2"},
        {{.avx2 = true, .avx512f = true, .osxsave = true, .saved = 0xe7}, "FMA", "FMA"},
        {{.avx2 = true, .fma = true, .osxsave = true, .saved = 0xe7}, NULL, "AVX-512F"},
        {{true, true, true, false, 0}, "does not save AVX", "does not save AVX"},
        {{true, true, true, true, 0x03}, "does not save AVX", "does not save AVX"},
        {{true, true, true, true, 0x07}, NULL, "does not save AVX-512"},
        {{true, true, true, true, 0xc7}, NULL, "does not save AVX-512"}, /* no opmask */
        {{true, true, true, true, 0x67}, NULL, "does not save AVX-512"}, /* no zmm16-31 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *avx2 = weir_x86_why_not(&cases[i].x86, WEIR_ISA_AVX2);
        const char *avx512 = weir_x86_why_not(&cases[i].x86, WEIR_ISA_AVX512);
        if (cases[i].avx2)
            assert_true(avx2 && strstr(avx2, cases[i].avx2));
        else
            assert_null(avx2);
        assert_true(avx512 && strstr(avx512, cases[i].avx512));
    }
}

/* /proc/cpuinfo lists what the kernel lets programs use. */
static void test_cpu_agrees_with_the_kernel(void **state) {
    (void)state;
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file) skip();
    char *line = NULL;
    size_t bytes = 0;
    bool found = false;
    while (!found && getline(&line, &bytes, file) > 0)
        if (strncmp(line, "flags", 5) == 0) {
            found = true;
            const bool avx2 = strstr(line, " avx2") && strstr(line, " fma");
            assert_int_equal(weir_cpu_has(WEIR_ISA_AVX2, NULL), avx2);
            assert_int_equal(weir_cpu_has(WEIR_ISA_AVX512, NULL),
                             avx2 && strstr(line, " avx512f") != NULL);
        }
    free(line);
    fclose(file);
    if (!found) skip();
}

/* ---- options ---- */

static weir_status try_create(const weir_runtime_options *options) {
    weir_runtime *runtime;
    const weir_status status = weir_runtime_create(options, &runtime);
    if (status != WEIR_OK) assert_null(runtime);
    weir_runtime_destroy(runtime);
    return status;
}

static void assert_message(const char *part) {
    if (!strstr(weir_last_error(), part))
        fail_msg("\"%s\" is not in \"%s\"", part, weir_last_error());
}

static void test_bad_environment(void **state) {
    (void)state;
    const struct {
        const char *name, *value, *accepted;
    } cases[] = {
        {"WEIR_ISA", "sse9", "scalar, generic, avx2, avx512"},
        {"WEIR_ISA", "AVX2", "scalar, generic, avx2, avx512"},
        {"WEIR_ISA", "auto", "scalar, generic, avx2, avx512"},
        {"WEIR_BIND", "close", "compact, spread, none"},
        {"WEIR_THREADING", "tbb", "pool, openmp"},
        {"WEIR_THREADS", "0", "1 to 4096"},
        {"WEIR_THREADS", "-1", "1 to 4096"},
        {"WEIR_THREADS", "4097", "1 to 4096"},
        {"WEIR_THREADS", "99999999999999999999", "1 to 4096"},
        {"WEIR_THREADS", "two", "1 to 4096"},
        {"WEIR_THREADS", "2x", "1 to 4096"},
        {"WEIR_THREADS", " 2", "1 to 4096"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv(cases[i].name, cases[i].value, 1);
        assert_int_equal(try_create(NULL), WEIR_ERROR_ARGUMENT);
        assert_message(cases[i].name);
        assert_message(cases[i].value);
        assert_message(cases[i].accepted);
        setenv(cases[i].name, "", 1); /* counts as not set */
        assert_int_equal(try_create(NULL), WEIR_OK);
    }
}

static void test_environment(void **state) {
    (void)state;
    setenv("WEIR_ISA", "scalar", 1);
    setenv("WEIR_THREADS", "3", 1);
    setenv("WEIR_BIND", "spread", 1);
    setenv("WEIR_THREADING", "pool", 1);
    weir_runtime *runtime;
    assert_int_equal(weir_runtime_create(NULL, &runtime), WEIR_OK);
    assert_int_equal(weir_runtime_isa(runtime), WEIR_ISA_SCALAR);
    assert_int_equal(weir_runtime_threads(runtime), 3);
    assert_int_equal(weir_runtime_bind(runtime), WEIR_BIND_SPREAD);
    assert_int_equal(weir_runtime_threading(runtime), WEIR_THREADING_POOL);
    weir_runtime_destroy(runtime);
    /* What the program asks for goes before the environment. */
    weir_runtime_options options = weir_runtime_options_default();
    options.threads = 2;
    options.bind = WEIR_BIND_NONE;
    assert_int_equal(weir_runtime_create(&options, &runtime), WEIR_OK);
    assert_int_equal(weir_runtime_threads(runtime), 2);
    assert_int_equal(weir_runtime_bind(runtime), WEIR_BIND_NONE);
    weir_runtime_destroy(runtime);
}

static void test_bad_options(void **state) {
    (void)state;
    const weir_runtime_options ok = weir_runtime_options_default();
    weir_runtime_options bad[8] = {ok, ok, ok, ok, ok, ok, ok, ok};
    bad[0].threads = -1;
    bad[1].threads = 4097;
    bad[2].isa = (weir_isa)4;
    bad[3].isa = (weir_isa)-2;
    bad[4].bind = (weir_bind)3;
    bad[5].bind = (weir_bind)-2;
    bad[6].threading = (weir_threading)2;
    bad[7].threading = (weir_threading)-2;
    static const char *const messages[] = {"threads is -1",  "threads is 4097", "isa is 4",
                                           "isa is -2",      "bind is 3",       "bind is -2",
                                           "threading is 2", "threading is -2"};
    for (int i = 0; i < 8; i++) {
        assert_int_equal(try_create(&bad[i]), WEIR_ERROR_ARGUMENT);
        assert_message(messages[i]);
        assert_message("accepted");
    }
}

static void test_instruction_sets(void **state) {
    (void)state;
    weir_machine_info info;
    for (int round = 0; round < 2; round++) {
        no_avx = round == 1;
        assert_int_equal(weir_machine_describe(&info), WEIR_OK);
        assert_true(info.isa_available[WEIR_ISA_SCALAR]);
        weir_isa best = WEIR_ISA_SCALAR;
        for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
            const char *why_not = info.isa_why_not[isa];
            assert_int_equal(info.isa_available[isa], why_not == NULL);
            setenv("WEIR_ISA", weir_isa_name((weir_isa)isa), 1);
            assert_int_equal(try_create(NULL), why_not ? WEIR_ERROR_UNSUPPORTED : WEIR_OK);
            if (why_not) {
                assert_message(weir_isa_name((weir_isa)isa));
                assert_message(why_not);
                assert_message("accepted: scalar");
            } else {
                best = (weir_isa)isa;
            }
        }
        assert_true(!no_avx || best < WEIR_ISA_AVX2);
        unsetenv("WEIR_ISA");
        weir_runtime *runtime;
        assert_int_equal(weir_runtime_create(NULL, &runtime), WEIR_OK);
        assert_int_equal(weir_runtime_isa(runtime), best);
        weir_runtime_destroy(runtime);
    }
}

static void test_openmp_binds_nothing(void **state) {
    (void)state;
    setenv("WEIR_THREADING", "openmp", 1);
    setenv("WEIR_THREADS", "2", 1);
    weir_runtime *runtime;
    const weir_status status = weir_runtime_create(NULL, &runtime);
    assert_int_equal(status, weir_openmp_available() ? WEIR_OK : WEIR_ERROR_UNSUPPORTED);
    if (status != WEIR_OK) {
        assert_message("accepted: pool");
        return;
    }
    assert_int_equal(weir_runtime_threading(runtime), WEIR_THREADING_OPENMP);
    assert_int_equal(weir_runtime_bind(runtime), WEIR_BIND_NONE);
    weir_runtime_destroy(runtime);
}

/* ---- quota.c ---- */

static void write_file(const char *root, const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        if (mkdir(path, 0700) != 0) assert_int_equal(errno, EEXIST);
        *p = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_quota(const char *root, double expected) {
    const double found = weir_cgroup_quota(root);
    assert_true(found > expected - 1e-9 && found < expected + 1e-9);
}

static void test_quota(void **state) {
    (void)state;
    char root[] = "/tmp/weir-test-XXXXXX", command[64];
    assert_non_null(mkdtemp(root));
    assert_quota(root, 0); /* no cgroups at all */
    write_file(root, "proc/self/cgroup", "0::/a/b\n");
    assert_quota(root, 0);
    write_file(root, "sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    assert_quota(root, 0);
    write_file(root, "sys/fs/cgroup/a/b/cpu.max", "250000 100000\n");
    assert_quota(root, 2.5);
    write_file(root, "sys/fs/cgroup/a/cpu.max", "150000 100000\n"); /* a parent's limit counts */
    assert_quota(root, 1.5);
    write_file(root, "proc/self/cgroup", "0::/\n"); /* a container sees its group as the root */
    assert_quota(root, 0);
    write_file(root, "sys/fs/cgroup/cpu.max", "400000 100000\n");
    assert_quota(root, 4);
    /* Version 1, with other controllers in the way. */
    write_file(root, "proc/self/cgroup", "5:cpuset:/x\n3:cpu,cpuacct:/x\n0::/none\n");
    write_file(root, "sys/fs/cgroup/cpu.max", "max 100000\n");
    write_file(root, "sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "50000\n");
    write_file(root, "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n");
    assert_quota(root, 0);
    write_file(root, "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "100000\n");
    assert_quota(root, 2);
    write_file(root, "proc/self/cgroup", "4:cpuacct:/x\n"); /* not the cpu controller */
    assert_quota(root, 0);
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

static void test_memory_limit(void **state) {
    (void)state;
    char root[] = "/tmp/weir-test-XXXXXX", command[64];
    assert_non_null(mkdtemp(root));
    assert_int_equal(weir_cgroup_memory(root), 0);
    write_file(root, "proc/self/cgroup", "0::/a/b\n");
    write_file(root, "sys/fs/cgroup/a/b/memory.max", "max\n");
    assert_int_equal(weir_cgroup_memory(root), 0);
    write_file(root, "sys/fs/cgroup/a/memory.max", "3000000000\n"); /* a parent's limit counts */
    assert_int_equal(weir_cgroup_memory(root), 3000000000);
    write_file(root, "sys/fs/cgroup/a/b/memory.max", "1048576\n");
    assert_int_equal(weir_cgroup_memory(root), 1048576);
    /* Version 1, where a huge number stands for no limit. */
    write_file(root, "proc/self/cgroup", "4:cpu,cpuacct:/x\n7:memory:/x\n");
    write_file(root, "sys/fs/cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(weir_cgroup_memory(root), 0);
    write_file(root, "sys/fs/cgroup/memory/x/memory.limit_in_bytes", "2097152\n");
    assert_int_equal(weir_cgroup_memory(root), 2097152);
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

static void test_quota_limits_the_workers(void **state) {
    (void)state;
    weir_topology *topology;
    assert_int_equal(weir_topology_load(&topology), WEIR_OK);
    int cores;
    weir_topology_cores(topology, &cores);
    const struct {
        double quota;
        int granted;
    } cases[] = {{0, cores}, {0.2, 1}, {1, 1}, {1.2, 1}, {1e6, cores}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        quota = cases[i].quota;
        assert_int_equal(weir_topology_granted(topology), cases[i].granted);
    }
    weir_topology_free(topology);
    quota = 1;
    weir_runtime *runtime;
    assert_int_equal(weir_runtime_create(NULL, &runtime), WEIR_OK);
    assert_int_equal(weir_runtime_threads(runtime), 1);
    assert_int_equal(weir_runtime_bind(runtime), cores > 1 ? WEIR_BIND_NONE : WEIR_BIND_COMPACT);
    weir_runtime_destroy(runtime);
}

/* ---- placement ---- */

enum { MOST = 1100 };

/* The plan as text: node:core of each worker. */
static const char *plan_text(const weir_worker_info *cores, int n, const int *siblings,
                             weir_bind bind, int threads) {
    static char text[16 * MOST];
    static weir_worker_info workers[MOST];
    assert_int_equal(weir_placement_plan(cores, n, siblings, bind, threads, workers), WEIR_OK);
    size_t used = 0;
    for (int w = 0; w < threads; w++) {
        assert_int_equal(workers[w].worker, w);
        used +=
            (size_t)sprintf(text + used, "%s%d:%d", w ? " " : "", workers[w].node, workers[w].core);
    }
    return text;
}

static const char *plan_on(const char *synthetic, weir_bind bind, int threads) {
    setenv("HWLOC_SYNTHETIC", synthetic, 1);
    weir_topology *topology;
    assert_int_equal(weir_topology_load(&topology), WEIR_OK);
    assert_true(weir_topology_synthetic(topology));
    int n;
    const weir_worker_info *cores = weir_topology_cores(topology, &n);
    const char *text =
        plan_text(cores, n, weir_topology_siblings(topology), bind, threads ? threads : n);
    weir_topology_free(topology);
    return text;
}

static void test_placement(void **state) {
    (void)state;
    const char *four = "node:4 core:2 pu:2";
    assert_string_equal(plan_on(four, WEIR_BIND_COMPACT, 0), "0:0 0:1 1:2 1:3 2:4 2:5 3:6 3:7");
    assert_string_equal(plan_on(four, WEIR_BIND_SPREAD, 0), "0:0 0:1 1:2 1:3 2:4 2:5 3:6 3:7");
    assert_string_equal(plan_on(four, WEIR_BIND_COMPACT, 3), "0:0 0:1 1:2");
    assert_string_equal(plan_on(four, WEIR_BIND_SPREAD, 3), "0:0 1:2 2:4");
    assert_string_equal(plan_on(four, WEIR_BIND_SPREAD, 6), "0:0 0:1 1:2 1:3 2:4 3:6");
    assert_string_equal(plan_on(four, WEIR_BIND_NONE, 2), "-1:-1 -1:-1");
    /* More workers than cores wrap round, and stay grouped. */
    assert_string_equal(plan_on("node:2 core:1 pu:1", WEIR_BIND_COMPACT, 5), "0:0 0:0 0:0 1:1 1:1");
    assert_string_equal(plan_on("node:1 core:1 pu:2", WEIR_BIND_SPREAD, 0), "0:0");
    assert_string_equal(plan_on("pu:2", WEIR_BIND_COMPACT, 0), "0:0 0:1"); /* no core objects */
    assert_string_equal(plan_on("package:2 node:1 core:1 pu:1", WEIR_BIND_COMPACT, 0), "0:0 1:1");
}

static void test_placement_asymmetric(void **state) {
    (void)state;
    /* Nodes 0 (1 core), 2 (3 cores) and 5 (2 cores), listed out of order. */
    static const weir_worker_info cores[] = {{0, 2, 10, 10}, {0, 2, 11, 11}, {0, 0, 12, 12},
                                             {0, 5, 13, 13}, {0, 2, 14, 14}, {0, 5, 15, 15}};
    static const int alone[16] = {[10] = 10, 11, 12, 13, 14, 15};
    assert_string_equal(plan_text(cores, 6, alone, WEIR_BIND_COMPACT, 4), "0:12 2:10 2:11 2:14");
    assert_string_equal(plan_text(cores, 6, alone, WEIR_BIND_SPREAD, 4), "0:12 2:10 2:11 5:13");
    assert_string_equal(plan_text(cores, 6, alone, WEIR_BIND_SPREAD, 5),
                        "0:12 2:10 2:11 5:13 5:15");
    assert_string_equal(plan_text(cores, 1, alone, WEIR_BIND_SPREAD, 2), "2:10 2:10");
}

/* Siblings of a core are used when there are more workers than cores, and only then. */
static void test_placement_on_siblings(void **state) {
    (void)state;
    setenv("HWLOC_SYNTHETIC", "node:2 core:2 pu:2", 1); /* core c has the units 2c and 2c + 1 */
    static const struct {
        int threads, cpus[10];
    } cases[] = {{4, {0, 2, 4, 6}},
                 {5, {0, 2, 1, 4, 6}},
                 {8, {0, 2, 1, 3, 4, 6, 5, 7}},
                 {9, {0, 2, 1, 3, 0, 4, 6, 5, 7}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weir_runtime_options options = weir_runtime_options_default();
        options.threads = cases[i].threads;
        weir_runtime *runtime;
        assert_int_equal(weir_runtime_create(&options, &runtime), WEIR_OK);
        for (int w = 0; w < cases[i].threads; w++) {
            weir_worker_info info;
            assert_int_equal(weir_runtime_worker(runtime, w, &info), WEIR_OK);
            assert_int_equal(info.os_cpu, cases[i].cpus[w]);
        }
        weir_runtime_destroy(runtime);
    }
}

static void test_large_machine(void **state) {
    (void)state;
    const char *text = plan_on("node:8 core:64 pu:2", WEIR_BIND_SPREAD, 0);
    int spaces = 0;
    for (const char *p = text; *p; p++) spaces += *p == ' ';
    assert_int_equal(spaces, 511);
    assert_non_null(strstr(text, "0:63 1:64"));
    assert_non_null(strstr(text, "7:511"));
}

/* ---- what each node gets ---- */

/* A node of a machine: its cores (none where 0) and memory. */
struct node {
    int cores, mebibytes;
};

/* Writes hwloc's description of a machine with at most 32 cores of one unit each; HWLOC_XMLFILE names it
 * afterwards. */
static void describe_machine(const struct node *nodes, int n, unsigned allowed) {
    static char path[] = "/tmp/weir-test-machine.xml";
    int cores = 0;
    for (int i = 0; i < n; i++) cores += nodes[i].cores;
    const unsigned all = (unsigned)((UINT64_C(1) << cores) - 1), every_node = (1U << n) - 1;
    snprintf(path, sizeof path, "/tmp/weir-test-%05d.xml", (int)(getpid() % 100000));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "<?xml version=\"1.0\"?>\n<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n"
            "<topology version=\"2.0\">\n<object type=\"Machine\" os_index=\"0\" cpuset=\"0x%x\" "
            "complete_cpuset=\"0x%x\" allowed_cpuset=\"0x%x\" nodeset=\"0x%x\" "
            "complete_nodeset=\"0x%x\" allowed_nodeset=\"0x%x\" gp_index=\"1\">\n",
            all, all, all & allowed, every_node, every_node, every_node);
    for (int i = 0, core = 0, id = 2; i < n; core += nodes[i].cores, i++) {
        const unsigned cpus = (unsigned)((UINT64_C(1) << nodes[i].cores) - 1) << core;
        const unsigned node = 1U << i;
        const char *sets = "cpuset=\"0x%x\" complete_cpuset=\"0x%x\" nodeset=\"0x%x\" "
                           "complete_nodeset=\"0x%x\" gp_index=\"%d\"";
        char text[256];
        snprintf(text, sizeof text, sets, cpus, cpus, node, node, id++);
        if (cpus) fprintf(file, "<object type=\"Package\" os_index=\"%d\" %s>\n", i, text);
        snprintf(text, sizeof text, sets, cpus, cpus, node, node, id++);
        fprintf(file, "<object type=\"NUMANode\" os_index=\"%d\" %s local_memory=\"%lld\"/>\n", i,
                text, (long long)nodes[i].mebibytes << 20);
        for (int c = 0; c < nodes[i].cores; c++) {
            const unsigned cpu = 1U << (core + c);
            static const char *const kinds[] = {"Core", "PU"};
            for (int k = 0; k < 2; k++) {
                snprintf(text, sizeof text, sets, cpu, cpu, node, node, id++);
                fprintf(file, "<object type=\"%s\" os_index=\"%d\" %s>", kinds[k], core + c, text);
            }
            fputs("</object></object>\n", file);
        }
        if (cpus) fputs("</object>\n", file);
    }
    fputs("</object>\n</topology>\n", file);
    fclose(file);
    setenv("HWLOC_XMLFILE", path, 1);
}

/* Of each node, for a batch of `samples`: its workers, its samples and the node of its memory. Checks
 * that the samples of all nodes follow each other and are all there. */
static const char *nodes_text(int threads, weir_bind bind, int samples) {
    static char text[4096];
    weir_runtime_options options = weir_runtime_options_default();
    options.threads = threads;
    options.bind = bind;
    weir_runtime *runtime;
    assert_int_equal(weir_runtime_create(&options, &runtime), WEIR_OK);
    size_t used = 0;
    int64_t next = 0;
    const bool several = weir_runtime_homes(runtime) > 1;
    for (int i = 0; i < weir_runtime_nodes(runtime); i++) {
        weir_node_info node;
        int64_t begin, end;
        assert_int_equal(weir_runtime_node(runtime, i, &node), WEIR_OK);
        assert_int_equal(weir_runtime_node_share(runtime, i, samples, &begin, &end), WEIR_OK);
        assert_int_equal(node.node, i);
        assert_int_equal(node.replica, several && node.arena >= 0);
        if (begin < end) assert_int_equal(begin, next);
        if (begin < end) next = end;
        for (int w = 0; w < node.workers; w++) {
            weir_worker_info worker;
            assert_int_equal(weir_runtime_worker(runtime, node.first_worker + w, &worker), WEIR_OK);
            assert_int_equal(worker.node, i);
        }
        used += (size_t)sprintf(text + used, "%s%d:%d:%d", i ? " " : "", node.workers,
                                (int)(end - begin), node.arena);
    }
    if (bind != WEIR_BIND_NONE) assert_int_equal(next, samples);
    weir_runtime_destroy(runtime);
    return text;
}

static void test_nodes(void **state) {
    (void)state;
    const struct {
        const char *synthetic;
        int threads;
        weir_bind bind;
        const char *plan;
    } cases[] = {
        {"node:1 core:4 pu:2", 0, WEIR_BIND_COMPACT, "4:128:0"},
        {"node:2 core:2 pu:1", 0, WEIR_BIND_COMPACT, "2:64:0 2:64:1"},
        {"node:2 core:2 pu:1", 3, WEIR_BIND_COMPACT, "2:88:0 1:40:1"},
        {"node:4 core:16 pu:2", 0, WEIR_BIND_SPREAD, "16:32:0 16:32:1 16:32:2 16:32:3"},
        {"node:4 core:16 pu:2", 8, WEIR_BIND_COMPACT, "8:128:0 0:0:-1 0:0:-1 0:0:-1"},
        {"node:4 core:16 pu:2", 8, WEIR_BIND_SPREAD, "2:32:0 2:32:1 2:32:2 2:32:3"},
        {"node:2 core:2 pu:1", 0, WEIR_BIND_NONE, "0:0:-1 0:0:-1"},
        /* 1,024 processing units; fewer samples than workers still reach every node. */
        {"node:8 core:64 pu:2", 0, WEIR_BIND_COMPACT,
         "64:16:0 64:16:1 64:16:2 64:16:3 64:16:4 64:16:5 64:16:6 64:16:7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("HWLOC_SYNTHETIC", cases[i].synthetic, 1);
        assert_string_equal(nodes_text(cases[i].threads, cases[i].bind, 128), cases[i].plan);
    }
    assert_string_equal(nodes_text(0, WEIR_BIND_COMPACT, 3), "64:1:0 64:0:1 64:1:2 64:0:3 64:0:4 "
                                                             "64:1:5 64:0:6 64:0:7");
}

static void test_odd_nodes(void **state) {
    (void)state;
    const struct {
        struct node nodes[4];
        int n;
        unsigned allowed;
        const char *plan;
    } cases[] = {
        {{{3, 100}, {1, 200}}, 2, ~0U, "3:96:0 1:32:1"},
        {{{2, 100}, {2, 0}, {0, 0}, {2, 100}}, 4, ~0U, "2:48:0 2:40:0 2:40:2 0:0:-1"},
        {{{2, 0}, {0, 100}, {2, 100}},
         3,
         ~0U,
         "2:64:1 2:64:1 0:0:-1"},                             /* memory without CPUs: the last */
        {{{2, 0}, {2, 0}}, 2, ~0U, "2:64:-1 2:64:-1"},        /* nothing is known */
        {{{4, 100}, {4, 100}}, 2, 1U << 5, "0:0:-1 1:128:1"}, /* one allowed core */
        {{{4, 100}, {4, 100}}, 2, 0x31, "1:44:0 2:84:1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        describe_machine(cases[i].nodes, cases[i].n, cases[i].allowed);
        assert_string_equal(nodes_text(0, WEIR_BIND_COMPACT, 128), cases[i].plan);
        assert_int_equal(unlink(getenv("HWLOC_XMLFILE")), 0);
    }
}

static void test_node_arguments(void **state) {
    (void)state;
    setenv("HWLOC_SYNTHETIC", "node:2 core:2 pu:1", 1);
    weir_runtime *runtime;
    assert_int_equal(weir_runtime_create(NULL, &runtime), WEIR_OK);
    weir_node_info node;
    int64_t begin, end;
    assert_int_equal(weir_runtime_nodes(runtime), 2);
    assert_int_equal(weir_runtime_node(runtime, 2, &node), WEIR_ERROR_ARGUMENT);
    assert_message("node is 2, accepted: 0 to 1");
    assert_int_equal(weir_runtime_node(runtime, -1, &node), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_runtime_node(runtime, 0, NULL), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_runtime_node(NULL, 0, &node), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_runtime_node_share(runtime, 0, -1, &begin, &end), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_runtime_node_share(runtime, 0, 1, NULL, &end), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_runtime_node_share(runtime, 9, 1, &begin, &end), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_runtime_node_share(runtime, 1, 0, &begin, &end), WEIR_OK);
    assert_true(begin == 0 && end == 0);
    weir_runtime_destroy(runtime);
}

static void test_describe_synthetic(void **state) {
    (void)state;
    setenv("HWLOC_SYNTHETIC", "package:2 node:2 l3:1(size=1000000) core:16 pu:2", 1);
    quota = 2; /* of this machine, so it says nothing about the other */
    weir_machine_info info;
    assert_int_equal(weir_machine_describe(&info), WEIR_OK);
    assert_true(info.synthetic);
    assert_int_equal(info.packages, 2);
    assert_int_equal(info.numa_nodes, 4);
    assert_int_equal(info.cores, 64);
    assert_int_equal(info.pus, 128);
    assert_int_equal(info.cores_allowed, 64);
    assert_int_equal(info.pus_allowed, 128);
    assert_int_equal(info.l3_bytes, 1000000);
    assert_true(info.cpu_quota == 0);
    /* A runtime on it has the planned workers, bound to nothing. */
    setenv("HWLOC_SYNTHETIC", "node:4 core:2 pu:2", 1);
    weir_runtime *runtime;
    assert_int_equal(weir_runtime_create(NULL, &runtime), WEIR_OK);
    assert_int_equal(weir_runtime_threads(runtime), 8);
    weir_worker_info worker;
    assert_int_equal(weir_runtime_worker(runtime, 5, &worker), WEIR_OK);
    assert_int_equal(worker.node, 2);
    assert_int_equal(worker.core, 5);
    assert_int_equal(worker.os_cpu, 10);
    weir_runtime_destroy(runtime);
}

static void test_describe_here(void **state) {
    (void)state;
    weir_machine_info info;
    assert_int_equal(weir_machine_describe(&info), WEIR_OK);
    assert_false(info.synthetic);
    assert_true(info.cpu_model[0]);
    assert_true(info.hwloc_version[0]);
    assert_true(info.cores >= 1 && info.pus >= info.cores && info.numa_nodes >= 1);
    assert_true(info.cores_allowed >= 1 && info.cores_allowed <= info.cores);
    /* hwloc leaves out memory that was added while the machine ran. */
    assert_true(info.memory_bytes >=
                (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE));
}

static void test_unreadable_description(void **state) {
    (void)state;
    static const char *const names[] = {"HWLOC_SYNTHETIC", "HWLOC_XMLFILE"};
    for (int i = 0; i < 2; i++) {
        setenv(names[i], "/no such thing", 1);
        assert_int_equal(try_create(NULL), WEIR_ERROR_ARGUMENT);
        assert_message(names[i]);
        assert_message("/no such thing");
        unsetenv(names[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_x86_features, clear_environment),
        cmocka_unit_test_setup(test_cpu_agrees_with_the_kernel, clear_environment),
        cmocka_unit_test_setup(test_bad_environment, clear_environment),
        cmocka_unit_test_setup(test_environment, clear_environment),
        cmocka_unit_test_setup(test_bad_options, clear_environment),
        cmocka_unit_test_setup(test_instruction_sets, clear_environment),
        cmocka_unit_test_setup(test_openmp_binds_nothing, clear_environment),
        cmocka_unit_test_setup(test_quota, clear_environment),
        cmocka_unit_test_setup(test_memory_limit, clear_environment),
        cmocka_unit_test_setup(test_quota_limits_the_workers, clear_environment),
        cmocka_unit_test_setup(test_placement, clear_environment),
        cmocka_unit_test_setup(test_placement_asymmetric, clear_environment),
        cmocka_unit_test_setup(test_placement_on_siblings, clear_environment),
        cmocka_unit_test_setup(test_large_machine, clear_environment),
        cmocka_unit_test_setup(test_nodes, clear_environment),
        cmocka_unit_test_setup(test_odd_nodes, clear_environment),
        cmocka_unit_test_setup(test_node_arguments, clear_environment),
        cmocka_unit_test_setup(test_describe_synthetic, clear_environment),
        cmocka_unit_test_setup(test_describe_here, clear_environment),
        cmocka_unit_test_setup(test_unreadable_description, clear_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
