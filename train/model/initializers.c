/* Initial values of parameters: zeros, uniform, Glorot uniform, orthogonal.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "train/model/initializers.h"
#include "train/model/random.h"

/* In +-limit. */
static void uniform(const parameter *p, double limit, uint64_t seed, uint64_t stream,
                    float *value) {
    for (int64_t i = 0; i < p->floats; i++)
        value[i] = (float)(limit * (2 * random_uniform(seed, stream, (uint64_t)i) - 1));
}

/*
 * Glorot and Bengio 2010: uniform in +-sqrt(6 / (fan_in + fan_out)). The last two dimensions are
 * inputs and outputs; those before (the kernel width) multiply both.
 */
static void glorot_uniform(const parameter *p, uint64_t seed, uint64_t stream, float *value) {
    int64_t width = 1;
    for (int i = 0; i < p->rank - 2; i++) width *= p->dims[i];
    const int64_t fans = width * (p->dims[p->rank - 2] + p->dims[p->rank - 1]);
    uniform(p, sqrt(6 / (double)fans), seed, stream, value);
}

/*
 * Near to normal, mean 0 and variance 1: the sum of 12 uniform numbers, less 6. The logarithm and
 * cosine that an exact normal number needs differ between C libraries.
 */
static double random_normal(uint64_t seed, uint64_t stream, uint64_t index) {
    double sum = -6;
    for (uint64_t i = 0; i < 12; i++) sum += random_uniform(seed, stream, 12 * index + i);
    return sum;
}

static double dot(const double *a, const double *b, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/*
 * Makes the rows of q[rows][n], rows <= n, orthonormal by modified Gram-Schmidt; in double its loss
 * of orthogonality stays far below a float's rounding. As the QR decomposition whose R has a
 * positive diagonal, the choice that makes Q uniform over the orthogonal matrices.
 */
static void orthonormal_rows(double *q, int64_t rows, int64_t n) {
    for (int64_t i = 0; i < rows; i++) {
        double *row = q + i * n;
        for (int64_t j = 0; j < i; j++) {
            const double *other = q + j * n;
            const double along = dot(row, other, n);
            for (int64_t k = 0; k < n; k++) row[k] -= along * other[k];
        }
        const double norm = sqrt(dot(row, row, n));
        for (int64_t k = 0; k < n; k++) row[k] /= norm;
    }
}

/* Saxe, McClelland and Ganguli 2013: orthonormal rows, or columns when there are more rows. */
static weir_status orthogonal(const parameter *p, uint64_t seed, uint64_t stream, float *value) {
    const int64_t rows = p->dims[0], columns = p->dims[1];
    const bool wide = rows <= columns;
    const int64_t few = wide ? rows : columns, many = wide ? columns : rows;
    double *q = malloc((size_t)p->floats * sizeof *q);
    if (!q) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the initial values of %s", p->name);
    for (int64_t i = 0; i < p->floats; i++) q[i] = random_normal(seed, stream, (uint64_t)i);
    orthonormal_rows(q, few, many);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            value[r * columns + c] = (float)(wide ? q[r * many + c] : q[c * many + r]);
    free(q);
    return WEIR_OK;
}

weir_status weir_initialize(const parameter *p, uint64_t seed, uint64_t stream, float *value) {
    switch (p->init) {
    case INIT_ZEROS:
        for (int64_t i = 0; i < p->floats; i++) value[i] = 0;
        break;
    case INIT_FORGET_ONES: /* Jozefowicz, Zaremba and Sutskever 2015 */
        for (int64_t i = 0; i < p->floats; i++) value[i] = i * 4 / p->floats == 1 ? 1 : 0;
        break;
    case INIT_UNIFORM: uniform(p, 0.05, seed, stream, value); break;
    case INIT_GLOROT_UNIFORM: glorot_uniform(p, seed, stream, value); break;
    case INIT_ORTHOGONAL: return orthogonal(p, seed, stream, value);
    }
    return WEIR_OK;
}
