/* weir-validate: every kernel on every instruction set against the oracle.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/runtime.h"
#include "validate/check.h"
#include "validate/fault.h"

enum { EXIT_PASSED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CANNOT_RUN = 77 };
enum {
    MAX_NAMES = 64,
    CASES = 400,
    CASES_QUICK = 40,
    CASES_HASH = 17, /* a case for each tail, and one with many rows */
    OP_SHARE = 5,
    ORACLE_SHARE = 4,
    SHARE_CASES = 8 /* fewer may happen to be those without a bound */
};

/* Seconds. An ordinary case takes milliseconds. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { LIMIT = 600 };
#else
enum { LIMIT = 60 };
#endif

/* A kernel without a check does not link. */
static const check *const kernel_checks[] = {
#define K(name, type, params) &check_##name,
#include "kernels/kernels.def"
#undef K
};
enum { KERNEL_CHECKS = sizeof kernel_checks / sizeof kernel_checks[0] };

typedef struct selection {
    bool isa[WEIR_ISA_COUNT];
    bool isa_named;
    const char *kernels[MAX_NAMES];
    int kernel_count;
} selection;

static const char usage[] =
    "usage: weir-validate [options]\n"
    "  --isa LIST       instruction sets: scalar (the oracle itself), generic, avx2, avx512;\n"
    "                   default: all that can run here\n"
    "  --kernel LIST    kernels, by name; default: all\n"
    "  --seed N         of the random shapes and values; default 1\n"
    "  --cases N        random cases per kernel and instruction set; default 400\n"
    "  --case N         only case N\n"
    "  --quick          40 cases\n"
    "  --hash           a hash of the outputs of each kernel instead, the same on each "
    "instruction\n"
    "                   set: 17 cases with every tail, quick enough for an emulator\n"
    "  --threads LIST   thread counts of the op checks; default 1,2,3,7\n"
    "  --limit SECONDS  a case that takes longer has failed; default 60 (600 with sanitizers), 0: "
    "none\n"
    "  --exhaustive     exp, tanh and sigmoid of all 2^32 floats instead (minutes), with as many\n"
    "                   threads as there are cores, or the first of --threads\n"
    "  --list           names of the checks\n"
    "Exit code: 0 all passed, 1 a failure, 2 usage, 77 a named instruction set can't run here.\n";

static int usage_error(const char *what, const char *value) {
    fprintf(stderr, "weir-validate: %s: %s\n%s", what, value, usage);
    return EXIT_USAGE;
}

static bool number_parse(const char *text, int64_t low, int64_t high, int64_t *value) {
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || end == text || *end || v < low || v > high) return false;
    *value = v;
    return true;
}

static bool isa_parse(char *list, selection *s) {
    for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
        int isa = 0;
        while (isa < WEIR_ISA_COUNT && strcmp(name, weir_isa_name((weir_isa)isa))) isa++;
        if (isa == WEIR_ISA_COUNT) return false;
        s->isa[isa] = s->isa_named = true;
    }
    return s->isa_named;
}

static const check *check_find(const char *name) {
    for (int i = 0; i < KERNEL_CHECKS; i++)
        if (!strcmp(kernel_checks[i]->name, name)) return kernel_checks[i];
    for (int i = 0; op_checks[i]; i++)
        if (!strcmp(op_checks[i]->name, name)) return op_checks[i];
    return NULL;
}

static const char *kernels_parse(char *list, selection *s) {
    for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
        if (!check_find(name) || s->kernel_count == MAX_NAMES) return name;
        s->kernels[s->kernel_count++] = name;
    }
    return NULL;
}

static bool threads_parse(char *list, options *o) {
    o->thread_count = 0;
    o->threads_given = true;
    for (char *text = strtok(list, ","); text; text = strtok(NULL, ",")) {
        int64_t n;
        if (!number_parse(text, 1, 1024, &n) || o->thread_count == MAX_THREADS_LIST) return false;
        o->threads[o->thread_count++] = (int)n;
    }
    return o->thread_count > 0;
}

static void list_print(void) {
    for (int i = 0; i < KERNEL_CHECKS; i++) printf("%s\n", kernel_checks[i]->name);
    for (int i = 0; op_checks[i]; i++) printf("%s\n", op_checks[i]->name);
}

static int option_apply(int option, char *value, options *o, selection *s) {
    const char *unknown;
    int64_t n = 0;
    switch (option) {
    case 'i': return isa_parse(value, s) ? 0 : usage_error("--isa: unknown instruction set", value);
    case 'k':
        unknown = kernels_parse(value, s);
        return unknown ? usage_error("--kernel: no such check (see --list)", unknown) : 0;
    case 's':
        if (!number_parse(value, 0, INT64_MAX, &n)) return usage_error("--seed: 0 or more", value);
        o->seed = (uint64_t)n;
        return 0;
    case 'c':
        if (!number_parse(value, 1, INT64_MAX, &o->cases))
            return usage_error("--cases: 1 or more", value);
        return 0;
    case 'n':
        if (!number_parse(value, 0, INT64_MAX, &o->only_case))
            return usage_error("--case: 0 or more", value);
        return 0;
    case 'L':
        if (!number_parse(value, 0, INT32_MAX, &o->limit))
            return usage_error("--limit: seconds, 0 or more", value);
        o->limit_given = true;
        return 0;
    case 't': return threads_parse(value, o) ? 0 : usage_error("--threads: up to 8 numbers", value);
    case 'q':
        o->quick = true;
        o->cases = CASES_QUICK;
        return 0;
    case 'H':
        o->hash = true;
        o->cases = CASES_HASH;
        return 0;
    case 'x': o->exhaustive = true; return 0;
    case 'l': list_print(); exit(EXIT_PASSED);
    case 'h': printf("%s", usage); exit(EXIT_PASSED);
    default: fprintf(stderr, "%s", usage); return EXIT_USAGE;
    }
}

static int options_parse(int argc, char **argv, options *o, selection *s) {
    static const struct option longs[] = {{"isa", required_argument, NULL, 'i'},
                                          {"kernel", required_argument, NULL, 'k'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"cases", required_argument, NULL, 'c'},
                                          {"case", required_argument, NULL, 'n'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"quick", no_argument, NULL, 'q'},
                                          {"hash", no_argument, NULL, 'H'},
                                          {"exhaustive", no_argument, NULL, 'x'},
                                          {"list", no_argument, NULL, 'l'},
                                          {"limit", required_argument, NULL, 'L'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        int error = option_apply(option, optarg, o, s);
        if (error) return error;
    }
    return optind < argc ? usage_error("not an option", argv[optind]) : 0;
}

static bool selected(const selection *s, const char *name) {
    for (int i = 0; i < s->kernel_count; i++)
        if (!strcmp(s->kernels[i], name)) return true;
    return s->kernel_count == 0;
}

/* A fault in an op is left in the middle of a parallel loop: the runtime stays taken, and this thread
 * a worker of it. Whatever ran after it would run inline, and pass without having been checked. */
static _Noreturn void op_faulted(const context *c) {
    printf("the rest was not run: an op can't be returned from\n%" PRId64 " passed, %" PRId64
           " failed\n",
           c->totals->passed, c->totals->failed + 1);
    fflush(stdout);
    _exit(EXIT_FAILED);
}

/* One case, with whatever fault it makes. */
static void case_run(context *c, check_fn *run) {
    c->rng = rng_new(c->options->seed, c->kernel, c->index);
    c->rng.tail = c->options->hash && c->index < 16 ? (int)c->index + 1 : 0;
    c->values = values_draw(&c->rng, c->index);
    c->failures = 0;
    c->tree = 0;
    shape_set(c, "-");
    const void *address;
    if (fault_caught(&address)) {
        char where[160];
        c->endless = fault_was_endless();
        address_describe(c, address, where, sizeof where);
        if (c->endless)
            fail(c, "no end within %" PRId64 " s; the cases after it are not run",
                 c->options->limit);
        else
            fail(c, "fault: %s", where);
        if (c->op) op_faulted(c);
    } else {
        fault_limit(c->options->limit);
        run(c);
        fault_release();
    }
    fault_limit(0);
    buffers_free(c);
}

/* A check whose tolerances accept anything passes every time. One case alone may be such a case. */
static int64_t shares_failed(const context *c, int64_t cases) {
    int64_t failed = 0;
    if (4 * c->decisive < 3 * c->differences && cases > 1) {
        printf("FAIL %s %s: only %" PRId64 " of %" PRId64 " finite differences are decisive\n",
               c->kernel, weir_isa_name(c->isa), c->decisive, c->differences);
        failed++;
    }
    if (2 * c->bounded < c->expected && cases >= SHARE_CASES) {
        printf("FAIL %s %s: only %" PRId64 " of %" PRId64 " expected numbers have a bound\n",
               c->kernel, weir_isa_name(c->isa), c->bounded, c->expected);
        failed++;
    }
    return failed;
}

static void check_run(context *c, const check *k, totals *t, bool op) {
    check_fn *run = c->isa == WEIR_ISA_SCALAR ? k->oracle : k->kernel;
    if (!run) return;
    c->kernel = k->name;
    c->worst = 0;
    c->reported = 0;
    c->op = op;
    c->differences = c->decisive = c->expected = c->bounded = 0;
    c->hash = 0xcbf29ce484222325u;
    int64_t failed = 0, first = 0, last = c->options->cases;
    if (op) last = (last + OP_SHARE - 1) / OP_SHARE; /* they are larger */
    if (c->isa == WEIR_ISA_SCALAR) last = (last + ORACLE_SHARE - 1) / ORACLE_SHARE;
    c->compared = 0;
    c->endless = false;
    if (c->options->only_case >= 0) {
        first = c->options->only_case;
        last = first + 1;
    }
    for (c->index = first; c->index < last && !c->endless; c->index++) {
        case_run(c, run);
        failed += c->failures > 0;
    }
    failed += shares_failed(c, last - first);
    if (!c->compared && !failed) {
        printf("FAIL %s %s: compared nothing\n", k->name, weir_isa_name(c->isa));
        failed = 1;
    }
    printf("%-22s %-8s %6" PRId64 " cases %11" PRId64 " numbers  ", k->name, weir_isa_name(c->isa),
           c->index - first, c->compared);
    if (c->options->hash)
        printf("hash %016" PRIx64 "  ", c->hash);
    else
        printf("worst %5.3f of bound  ", c->worst);
    if (failed)
        printf("FAIL (%" PRId64 " cases)\n", failed);
    else
        printf("ok\n");
    fflush(stdout);
    if (failed)
        t->failed++;
    else
        t->passed++;
}

/* A table that quietly holds the oracle's functions would pass every check. */
static void fallback_check(const context *c, totals *t, const selection *s) {
    const weir_kernels *k = c->k, *scalar = c->oracle;
    if (c->isa == WEIR_ISA_SCALAR) return;
#define K(name, type, params)                                                             \
    if (k->name == scalar->name && selected(s, #name)) {                                  \
        printf("FAIL %s %s: the table holds the scalar kernel\n    repro: weir-validate " \
               "--isa %s --kernel %s\n",                                                  \
               #name, weir_isa_name(c->isa), weir_isa_name(c->isa), #name);               \
        t->failed++;                                                                      \
    }
#include "kernels/kernels.def"
#undef K
}

/* NULL, or why kernels of isa can't run here. */
static const char *why_not(weir_isa isa) {
    const char *reason = NULL;
    if (!weir_kernels_get(isa)) return "not in this build";
    if (!weir_cpu_has(isa, &reason)) return reason ? reason : "not on this CPU";
    return NULL;
}

/* Says so when it can't. */
static bool isa_can_run(const selection *s, weir_isa isa, totals *t) {
    const char *reason = why_not(isa);
    if (!reason) return true;
    printf("SKIP %s: %s\n", weir_isa_name(isa), reason);
    t->cannot_run |= s->isa_named;
    return false;
}

static void isa_run(const options *o, const selection *s, weir_isa isa, totals *t) {
    context c = {.options = o,
                 .totals = t,
                 .isa = isa,
                 .k = weir_kernels_get(isa),
                 .oracle = weir_kernels_get(WEIR_ISA_SCALAR),
                 .generic = isa == WEIR_ISA_GENERIC ? NULL : weir_kernels_get(WEIR_ISA_GENERIC)};
    if (o->hash && isa == WEIR_ISA_SCALAR) return; /* the oracle has bits of its own */
    fallback_check(&c, t, s);
    for (int i = 0; i < KERNEL_CHECKS; i++)
        if (selected(s, kernel_checks[i]->name)) check_run(&c, kernel_checks[i], t, false);
    for (int i = 0; op_checks[i] && !o->hash; i++)
        if (selected(s, op_checks[i]->name)) check_run(&c, op_checks[i], t, true);
    runtimes_free();
}

int main(int argc, char **argv) {
    options o = {.seed = 1,
                 .cases = CASES,
                 .only_case = -1,
                 .threads = {1, 2, 3, 7},
                 .thread_count = 4,
                 .limit = LIMIT};
    selection s = {0};
    totals t = {0};
    int error = options_parse(argc, argv, &o, &s);
    if (error) return error;
    fault_install();
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        s.isa[isa] = (s.isa[isa] || !s.isa_named) && isa_can_run(&s, (weir_isa)isa, &t);
        if (s.isa[isa] && !o.exhaustive) isa_run(&o, &s, (weir_isa)isa, &t);
    }
    if (o.exhaustive) exhaustive_run(&o, s.isa, &t);
    printf("%" PRId64 " passed, %" PRId64 " failed\n", t.passed, t.failed);
    if (t.failed) return EXIT_FAILED;
    return t.cannot_run ? EXIT_CANNOT_RUN : t.passed ? EXIT_PASSED : EXIT_FAILED;
}
