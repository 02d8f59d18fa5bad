/* Checks of a kernel that works on a range of rows. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "runtime/runtime.h"
#include "validate/check.h"
#include "validate/fault.h"

static _Thread_local unsigned saved_denormals;

void kernels_begin(context *c) {
    inputs_lock(c);
    saved_denormals = weir_denormals_flush();
    fault_kernel_runs(true);
}

void kernels_end(context *c) {
    fault_kernel_runs(false);
    weir_denormals_restore(saved_denormals);
    inputs_unlock(c);
}

void outputs_new(context *c, const range_check *r, float **out) {
    for (int i = 0; i < r->outputs; i++) {
        const output *o = &r->output[i];
        int64_t n = tensor_size(&o->tensor);
        out[i] = o->byte ? (float *)(void *)bytes_output_new(c, o->tensor.name, n)
                         : output_new(c, o->tensor.name, n);
        if (o->initial) memcpy(out[i], o->initial, (size_t)n * sizeof(float));
    }
}

void padding_clear(const range_check *r, float *const *out) {
    for (int i = 0; i < r->outputs; i++) {
        const output *o = &r->output[i];
        int64_t n = tensor_size(&o->tensor);
        const int64_t row = o->row ? o->row : n, row_used = o->row ? o->row_used : n;
        for (int64_t j = 0; j < n && o->padded; j++)
            if (j % row >= row_used || j % row % o->padded >= o->used) out[i][j] = 0;
    }
}

/* With the bits of the kernel named by what: all that integers can have. */
static void output_same(context *c, const output *o, const char *what, const float *got,
                        const float *expected) {
    const void *a = got, *b = expected;
    if (o->byte)
        compare_bytes(c, &o->tensor, what, a, b);
    else if (o->integer)
        compare_integers(c, &o->tensor, what, a, b);
    else
        compare_bits(c, &o->tensor, what, got, expected);
}

void ranges_same(context *c, const range_check *r, const char *what, float *const *got,
                 float *const *expected) {
    for (int i = 0; i < r->outputs; i++) output_same(c, &r->output[i], what, got[i], expected[i]);
}

static void zeros_check(context *c, const tensor *t, const float *got) {
    for (int64_t j = 0; j < tensor_size(t); j++)
        if (got[j] == 0 && signbit(got[j])) {
            fail(c, "%s: element %lld is -0, zeros must be +0", t->name, (long long)j);
            return;
        }
}

void ranges_compare(context *c, const range_check *r, float *const *got, float *const *expected) {
    double *bound[MAX_OUTPUTS];
    if (!r->bound) {
        ranges_same(c, r, "scalar", got, expected);
        return;
    }
    for (int i = 0; i < r->outputs; i++)
        bound[i] = double_new(c, tensor_size(&r->output[i].tensor));
    r->bound(c, r->arg, expected, bound);
    for (int i = 0; i < r->outputs; i++) {
        const output *o = &r->output[i];
        if (o->integer || o->byte)
            output_same(c, o, "scalar", got[i], expected[i]);
        else
            compare_bounds(c, &o->tensor, got[i], expected[i], bound[i]);
        if (o->no_negative_zero) zeros_check(c, &o->tensor, got[i]);
    }
}

/* Element j holds what it held before the call. */
static bool untouched(const output *o, const float *out, int64_t j) {
    if (o->byte) return is_poison_byte((const uint8_t *)(const void *)out + j);
    return o->initial ? !memcmp(&out[j], &o->initial[j], sizeof(float)) : is_poison(out[j]);
}

/* Rows outside r0 <= r < r1 still hold what they held before the call. */
static void outside_untouched(context *c, const range_check *r, int64_t r0, int64_t r1,
                              float *const *out) {
    for (int i = 0; i < r->outputs; i++) {
        const output *o = &r->output[i];
        int64_t n = tensor_size(&o->tensor);
        for (int64_t j = 0; j < n; j++) {
            int64_t row = j / o->width;
            if (row >= r0 && row < r1) continue;
            if (untouched(o, out[i], j)) continue;
            fail(c, "%s: rows %lld to %lld were asked for, element %lld (row %lld) was written",
                 o->tensor.name, (long long)r0, (long long)r1, (long long)j, (long long)row);
            return;
        }
    }
}

/* One range first, alone; then what is before and after it, in pieces. */
static void cuts_check(context *c, const range_check *r, float *const *expected) {
    float *out[MAX_OUTPUTS];
    outputs_new(c, r, out);
    int64_t a = rng_range(&c->rng, 0, r->rows - 1), b = rng_range(&c->rng, a + 1, r->rows);
    kernels_begin(c);
    r->call(c->k, r->arg, a, b, out);
    kernels_end(c);
    outside_untouched(c, r, a, b, out);
    kernels_begin(c);
    for (int64_t r0 = 0; r0 < r->rows;) {
        int64_t end = r0 < a ? a : r->rows;
        int64_t r1 = r0 == a ? b : rng_range(&c->rng, r0 + 1, end);
        if (r0 != a) r->call(c->k, r->arg, r0, r1, out);
        r0 = r1;
    }
    kernels_end(c);
    canaries_check(c);
    padding_clear(r, out);
    ranges_same(c, r, "the same kernel in one range", out, expected);
}

void ranges_run_on(context *c, const range_check *r, const weir_kernels *k, float **out) {
    outputs_new(c, r, out);
    kernels_begin(c);
    r->call(k, r->arg, 0, r->rows, out);
    kernels_end(c);
    canaries_check(c);
    padding_clear(r, out);
}

void ranges_run(context *c, const range_check *r, float **got) { ranges_run_on(c, r, c->k, got); }

void ranges_bits(context *c, const range_check *r, float *const *got) {
    float *generic[MAX_OUTPUTS];
    if (c->generic && !c->failures) {
        ranges_run_on(c, r, c->generic, generic);
        ranges_same(c, r, "generic", got, generic);
    }
    if (!c->failures) cuts_check(c, r, got);
}

/* FNV-1a (Fowler, Noll, Vo) on words; NaN has one value, poison another. */
void hash_words(context *c, const void *words, int64_t n) {
    c->compared += n;
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        float a;
        memcpy(&bits, (const char *)words + (size_t)i * sizeof bits, sizeof bits);
        memcpy(&a, &bits, sizeof a);
        if (isnan(a) && !is_poison(a)) bits = 0x7fc00000u;
        c->hash = (c->hash ^ bits) * 0x100000001b3u;
    }
}

static void hash_bytes(context *c, const void *bytes, int64_t n) {
    c->compared += n;
    for (int64_t i = 0; i < n; i++)
        c->hash = (c->hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
}

void ranges_hash(context *c, const range_check *r) {
    float *got[MAX_OUTPUTS];
    inputs_lock(c); /* once for all calls: it takes long in an emulator */
    ranges_run(c, r, got);
    for (int i = 0; i < r->outputs; i++) {
        const output *o = &r->output[i];
        (o->byte ? hash_bytes : hash_words)(c, got[i], tensor_size(&o->tensor));
    }
    cuts_check(c, r, got);
    inputs_unlock(c);
}

void ranges_check(context *c, const range_check *r) {
    float *got[MAX_OUTPUTS], *expected[MAX_OUTPUTS];
    if (c->options->hash) {
        ranges_hash(c, r);
        return;
    }
    ranges_run_on(c, r, c->oracle, expected);
    ranges_run(c, r, got);
    ranges_compare(c, r, got, expected);
    ranges_bits(c, r, got);
}
