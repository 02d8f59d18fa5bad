/* Verdicts: comparing tensors and reporting failures. SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "validate/check.h"
#include "validate/fault.h"

/* Failing cases printed per kernel and instruction set; the rest are counted. */
enum { REPORTS = 3 };

static void reproduce_say(const context *c, char *text, size_t size) {
    const options *o = c->options;
    size_t used = (size_t)snprintf(
        text, size, "weir-validate --isa %s --kernel %s --seed %" PRIu64 " --case %" PRId64,
        weir_isa_name(c->isa), c->kernel, o->seed, c->index);
    if (o->limit_given && used < size)
        used += (size_t)snprintf(text + used, size - used, " --limit %" PRId64, o->limit);
    for (int i = 0; o->threads_given && i < o->thread_count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%d", i ? "," : " --threads ",
                                 o->threads[i]);
}

static void reproduce_print(const context *c) {
    char text[256];
    reproduce_say(c, text, sizeof text);
    printf("    repro: %s\n", text);
}

/* A fault in another thread, or an abort, ends the program: this is what it says then. */
static void announce(const context *c) {
    char before[256], after[700], reproduce[256];
    reproduce_say(c, reproduce, sizeof reproduce);
    snprintf(before, sizeof before, "FAIL %s %s case %" PRId64 ": ", c->kernel,
             weir_isa_name(c->isa), c->index);
    snprintf(after, sizeof after,
             "\n    shape %s values:%s\n    repro: %s\n"
             "the rest was not run\n%" PRId64 " passed, %" PRId64 " failed\n",
             c->shape, values_name(c->values), reproduce, c->totals->passed, c->totals->failed + 1);
    fault_announce(before, after);
}

void shape_set(context *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(c->shape, sizeof c->shape, format, args);
    va_end(args);
    announce(c);
}

void fail(context *c, const char *format, ...) {
    if (c->failures++ > 0) return; /* the first finding of a case says enough */
    if (c->reported++ >= REPORTS) return;
    char where[256];
    buffers_describe(c, where, sizeof where);
    printf("FAIL %s %s case %" PRId64 ": ", c->kernel, weir_isa_name(c->isa), c->index);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n    shape %s values:%s seed:%" PRIu64 "\n", c->shape, values_name(c->values),
           c->options->seed);
    if (where[0]) printf("    buffers %s\n", where);
    reproduce_print(c);
    fflush(stdout);
}

int64_t tensor_size(const tensor *t) {
    int64_t n = 1;
    for (int d = 0; d < MAX_DIMS && t->dims[d]; d++) n *= t->dims[d];
    return n;
}

/* "dw[3][0][7]" for element i. */
static const char *element_name(const tensor *t, int64_t i, char *text, size_t size) {
    int64_t index[MAX_DIMS] = {0};
    int dims = 0;
    while (dims < MAX_DIMS && t->dims[dims]) dims++;
    for (int d = dims - 1; d >= 0; d--) {
        index[d] = i % t->dims[d];
        i /= t->dims[d];
    }
    size_t used = (size_t)snprintf(text, size, "%s", t->name);
    for (int d = 0; d < dims && used < size; d++)
        used += (size_t)snprintf(text + used, size - used, "[%" PRId64 "]", index[d]);
    return text;
}

/* Error as a fraction of its bound: above 1 is a failure. */
static double excess(float got, float expected, double bound) {
    if (isnan(bound)) return INFINITY;
    if (is_poison(got)) return INFINITY;
    if (isinf(bound)) return 0;
    if (isnan(expected)) return isnan(got) ? 0 : INFINITY;
    if (isinf(expected) || !isfinite(got)) return got == expected ? 0 : INFINITY;
    double error = fabs((double)got - (double)expected);
    if (error <= 0) return 0;
    return bound > 0 ? error / bound : INFINITY;
}

void compare_bounds(context *c, const tensor *t, const float *got, const float *expected,
                    const double *bound) {
    int64_t n = tensor_size(t), at = -1, bounded = 0;
    double worst = 0;
    for (int64_t i = 0; i < n; i++) {
        double e = excess(got[i], expected[i], bound[i]);
        bounded += !isinf(bound[i]);
        if (e > worst) {
            worst = e;
            at = i;
        }
    }
    c->compared += bounded;
    c->bounded += bounded;
    c->expected += n;
    if (worst > c->worst) c->worst = worst;
    if (worst <= 1) return;
    char name[96];
    element_name(t, at, name, sizeof name);
    if (is_poison(got[at])) {
        fail(c,
             "%s holds poison (not written, or made of what lies beside a tensor), expected %.9g",
             name, (double)expected[at]);
    } else {
        fail(c, "%s got %.9g expected %.9g error %.3g bound %.3g", name, (double)got[at],
             (double)expected[at], fabs((double)got[at] - (double)expected[at]), bound[at]);
    }
}

static bool same_bits(float a, float b) {
    uint32_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y || (isnan(a) && isnan(b) && !is_poison(a) && !is_poison(b));
}

void compare_bits(context *c, const tensor *t, const char *what, const float *got,
                  const float *expected) {
    int64_t n = tensor_size(t);
    c->compared += n;
    for (int64_t i = 0; i < n; i++) {
        if (same_bits(got[i], expected[i])) continue;
        char name[96];
        fail(c, "%s got %.9g (%a), not the bits of %s: %.9g (%a)",
             element_name(t, i, name, sizeof name), (double)got[i], (double)got[i], what,
             (double)expected[i], (double)expected[i]);
        return;
    }
}

void compare_integers(context *c, const tensor *t, const char *what, const int32_t *got,
                      const int32_t *expected) {
    int64_t n = tensor_size(t);
    c->compared += n;
    for (int64_t i = 0; i < n; i++) {
        if (got[i] == expected[i]) continue;
        char name[96];
        fail(c, "%s got %" PRId32 ", not as %s: %" PRId32, element_name(t, i, name, sizeof name),
             got[i], what, expected[i]);
        return;
    }
}

void compare_bytes(context *c, const tensor *t, const char *what, const uint8_t *got,
                   const uint8_t *expected) {
    int64_t n = tensor_size(t);
    c->compared += n;
    for (int64_t i = 0; i < n; i++) {
        if (got[i] == expected[i]) continue;
        char name[96];
        fail(c, "%s got %d, not as %s: %d", element_name(t, i, name, sizeof name), got[i], what,
             expected[i]);
        return;
    }
}

void compare_scalar(context *c, const char *name, double got, double expected, double bound) {
    c->compared++;
    double error = fabs(got - expected), e = 0;
    if (isnan(expected)) {
        e = isnan(got) ? 0 : INFINITY;
    } else if (isinf(expected) || !isfinite(got)) {
        e = got == expected ? 0 : INFINITY;
    } else if (error > 0) {
        e = bound > 0 ? error / bound : INFINITY;
    }
    if (e > c->worst) c->worst = e;
    if (e > 1)
        fail(c, "%s got %.17g expected %.17g error %.3g bound %.3g", name, got, expected, error,
             bound);
}
