/* The checks of weir-validate and what they share. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_VALIDATE_CHECK_H
#define WEIR_VALIDATE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"
#include "validate/random.h"

/* Unit roundoff of float and of double: half the distance from 1 to the next number. */
#define U32 0x1p-24
#define U64 0x1p-53

enum { MAX_OUTPUTS = 6, MAX_DIMS = 4, MAX_THREADS_LIST = 8 };

typedef struct options {
    uint64_t seed;
    int64_t cases;
    int64_t only_case; /* -1: all */
    bool quick, exhaustive, hash, threads_given;
    int threads[MAX_THREADS_LIST];
    int thread_count;
    int64_t limit; /* seconds that a case may take; 0: any */
    bool limit_given;
} options;

/* Checks that passed and failed so far. */
typedef struct totals {
    int64_t passed, failed;
    bool cannot_run;
} totals;

typedef struct buffer buffer;

/* One case of one check on one instruction set. */
typedef struct context {
    const options *options;
    const totals *totals;
    const char *kernel;
    weir_isa isa;
    const weir_kernels *k;       /* under test */
    const weir_kernels *oracle;  /* scalar */
    const weir_kernels *generic; /* must give the same bits; NULL when k is it */
    int64_t index;               /* of the case */
    rng rng;
    values values;    /* class of the case's numbers */
    char shape[256];  /* of the case, for reports */
    buffer *buffers;  /* all memory of the case */
    int locks;        /* of its inputs, one in another */
    double worst;     /* largest error / bound so far in this run */
    int64_t compared; /* numbers compared in this run, where a bound can fail */
    uint64_t hash;    /* of all outputs of k in this run, any NaN as any other */
    int failures;     /* in this case */
    bool endless;     /* a case of this run took longer than the limit */
    int64_t reported; /* failing cases already printed in this run */
    int64_t differences,
        decisive; /* finite differences in this run, and those that prove something */
    int64_t expected,
        bounded; /* numbers compared with the oracle in this run, and those with a finite bound */
    double tree; /* additions of a tree sum on top of a kernel's chains, for ops */
    bool op;     /* the case goes through a runtime: larger shapes */
} context;

typedef void check_fn(context *c);

typedef struct check {
    const char *name;
    check_fn *kernel; /* one random case of a vector kernel against the oracle */
    check_fn *oracle; /* one random case of the oracle itself: by hand, by finite differences */
} check;

/* ---- memory (buffers.c) -------------------------------------------------------------------------
 */

/*
 * Memory for n elements of 4 bytes between inaccessible pages, freed at the end of the case. By
 * chance it ends exactly at the page after it, or begins at the page before it, or is displaced from
 * there by a few elements. What is left of its pages is poisoned.
 */
float *input_new(context *c, const char *name, int64_t n);
/* An input with values of the case's class. */
float *tensor_new(context *c, const char *name, int64_t n);
/* Ordinary memory with |from|; NULL for NULL. */
float *abs_new(context *c, const float *from, int64_t n);
float *output_new(context *c, const char *name, int64_t n);
/* An output whose address and size are multiples of 64 bytes, as what the ops take from a runtime. */
float *scratch_new(context *c, int64_t n);
/* The same for elements of one byte: displaced by a few bytes. */
uint8_t *bytes_input_new(context *c, const char *name, int64_t n);
uint8_t *bytes_output_new(context *c, const char *name, int64_t n);
/* Ordinary memory, freed at the end of the case; set to poison. */
float *plain_new(context *c, int64_t n);
double *double_new(context *c, int64_t n);
/* From here on a write to an input is a fault, up to as many calls of inputs_unlock. */
void inputs_lock(context *c);
void inputs_unlock(context *c);
/* Fails the case when a kernel wrote beside an output. */
void canaries_check(context *c);
void buffers_free(context *c);
/* Says which buffer an address is in or beside. */
void address_describe(const context *c, const void *address, char *text, size_t size);
/* How the buffers of the case lie: "x end, w start+3". */
void buffers_describe(const context *c, char *text, size_t size);

void poison(float *a, int64_t n);
bool is_poison(float a);
bool is_poison_byte(const uint8_t *p); /* in memory of the functions above */

/* ---- verdicts (compare.c) -----------------------------------------------------------------------
 */

/* Describes the case: shape_set(c, "N:%lld/T:%lld", ...). */
__attribute__((format(printf, 2, 3))) void shape_set(context *c, const char *format, ...);
/* The case failed, and why. */
__attribute__((format(printf, 2, 3))) void fail(context *c, const char *format, ...);

/* A tensor's name and dimensions, for reports; dims past the last are 0. */
typedef struct tensor {
    const char *name;
    int64_t dims[MAX_DIMS];
} tensor;
int64_t tensor_size(const tensor *t);

/*
 * Fails the case unless |got - expected| <= bound for each element. NaN needs NaN, an infinity the
 * same infinity. A bound of infinity accepts any number, a NaN is a fault in the check.
 */
void compare_bounds(context *c, const tensor *t, const float *got, const float *expected,
                    const double *bound);
/* Fails the case unless all bits are the same (any NaN is any NaN). what: "generic", "cuts", .. */
void compare_bits(context *c, const tensor *t, const char *what, const float *got,
                  const float *expected);
/* The same without any exception: integers. */
void compare_integers(context *c, const tensor *t, const char *what, const int32_t *got,
                      const int32_t *expected);
void compare_bytes(context *c, const tensor *t, const char *what, const uint8_t *got,
                   const uint8_t *expected);
void compare_scalar(context *c, const char *name, double got, double expected, double bound);

/* ---- kernels that work on ranges (ranges.c) -----------------------------------------------------
 */

/* One output of a kernel: rows of a range, each `width` elements. */
typedef struct output {
    tensor tensor;
    int64_t width;
    bool integer;          /* elements are int32_t */
    bool byte;             /* elements are uint8_t */
    bool no_negative_zero; /* -0 is a fault */
    const float *initial;  /* what it holds before the call; NULL: poison */
    /* Every `padded` elements only the first `used` count (0: all do); the rest hold anything. */
    int64_t padded, used;
    int64_t row, row_used; /* the same of rows, in which that counts anew */
} output;

/* Calls one kernel of table k on rows r0 <= r < r1, writing to out[]. */
typedef void range_call_fn(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                           float *const *out);
/* Fills bound[i][] for output i from the oracle's results; not called for integers. */
typedef void range_bound_fn(context *c, void *arg, float *const *expected, double *const *bound);

typedef struct range_check {
    range_call_fn *call;
    range_bound_fn *bound; /* NULL: every output has the oracle's bits */
    void *arg;
    int64_t rows;
    int outputs;
    output output[MAX_OUTPUTS];
} range_check;

/*
 * The kernel against the oracle within its bounds, against the generic build bit for bit, and cut
 * into ranges against itself bit for bit; canaries and what lies outside a range untouched.
 */
void ranges_check(context *c, const range_check *r);
/* Its parts: one call of the kernel under test on all rows, of another table; the bits. */
void outputs_new(context *c, const range_check *r, float **out);
void padding_clear(const range_check *r, float *const *out);
void ranges_run(context *c, const range_check *r, float **got);
void ranges_run_on(context *c, const range_check *r, const weir_kernels *k, float **out);
void ranges_bits(context *c, const range_check *r, float *const *got);
/* With --hash: hashes what the kernel under test gives, and no more than its cuts is compared. */
void hash_words(context *c, const void *words, int64_t n);
void ranges_hash(context *c, const range_check *r);
void ranges_compare(context *c, const range_check *r, float *const *got, float *const *expected);
void ranges_same(context *c, const range_check *r, const char *what, float *const *got,
                 float *const *expected);

/* ---- ops: the same through a runtime (ops.c) ---------------------------------------------------
 */
typedef weir_status op_call_fn(weir_runtime *rt, void *arg, float *const *out);
/*
 * The op with every number of threads, on the pool and on OpenMP, and with the generic kernels: the
 * same bits each time, and
 * within the bounds of the oracle's kernel (r->bound NULL: with the bits of the kernel itself).
 */
void op_check(context *c, op_call_fn *call, const range_check *r);
void runtimes_free(void);

/* Around calls of kernels: denormals are flushed as the runtime does it. */
void kernels_begin(context *c);
void kernels_end(context *c);

/* ---- bounds (bounds.c) --------------------------------------------------------------------------
 */
double bound_gamma(double roundings);
double bound_terms(const context *c, double roundings, double magnitude, double expected);
double bound_sum(const context *c, double roundings, double magnitude, double expected);
double bound_activation(weir_activation activation, double before, double expected);

/* ---- finite differences (finite.c) --------------------------------------------------------------
 */
typedef double scalar_fn(void *arg);
void finite_exact(context *c, const tensor *t, float *x, const float *gradient, float step,
                  scalar_fn *f, void *arg);
void finite_smooth(context *c, const tensor *t, float *x, const float *gradient, double noise,
                   scalar_fn *f, void *arg);

/* ---- the checks ---------------------------------------------------------------------------------
 */
#define K(name, type, params) extern const check check_##name;
#include "kernels/kernels.def"
#undef K
#define O(name) extern const check check_##name;
#include "validate/ops.def"
#undef O
extern const check *const op_checks[]; /* ended by NULL */

/* All 2^32 floats through exp, tanh and sigmoid on each instruction set with isa[i], the same bits on
 * all of them; counts what passed and what failed. */
void exhaustive_run(const options *o, const bool *isa, totals *t);

#endif
