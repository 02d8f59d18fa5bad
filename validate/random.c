/* Seeded random shapes and values. SPDX-License-Identifier: Apache-2.0 */
#include "validate/random.h"

#include <float.h>
#include <math.h>

/* splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). */
uint64_t rng_next(rng *r) {
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

rng rng_new(uint64_t seed, const char *kernel, int64_t index) {
    rng r = {.state = seed};
    uint64_t h = rng_next(&r);
    for (const char *s = kernel; *s; s++) h = (h ^ (uint64_t)(unsigned char)*s) * 0x100000001b3u;
    r.state = h;
    r.state = rng_next(&r) + (uint64_t)index;
    r.state = rng_next(&r);
    return r;
}

int64_t rng_range(rng *r, int64_t low, int64_t high) {
    uint64_t span = (uint64_t)(high - low) + 1;
    return low + (int64_t)(rng_next(r) % span);
}

double rng_unit(rng *r) { return (double)(rng_next(r) >> 11) * 0x1p-53; }

bool rng_chance(rng *r, int percent) { return rng_range(r, 0, 99) < percent; }

int64_t size_draw(rng *r, int64_t max) {
    const int64_t vectors = 4; /* no loop is unrolled further */
    if (r->tail && r->tail <= max) {
        int64_t most = (max - r->tail) / 16;
        return r->tail + 16 * rng_range(r, 0, most < vectors ? most : vectors);
    }
    static const int64_t primes[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47};
    int64_t size = 1;
    switch (rng_range(r, 0, 3)) {
    case 0: size = rng_range(r, 1, 3); break;
    case 1: size = primes[rng_range(r, 0, 14)]; break;
    case 2: size = (rng_range(r, 1, 4) * 4 << rng_range(r, 0, 2)) + rng_range(r, -1, 1); break;
    default: size = rng_range(r, 1, max); break;
    }
    return size > max ? rng_range(r, 1, max) : size;
}

const char *values_name(values v) {
    switch (v) {
    case VALUES_NORMAL: return "normal";
    case VALUES_EXACT: return "exact";
    case VALUES_WIDE: return "wide";
    case VALUES_ZERO: return "zero";
    case VALUES_SPECIAL: return "special";
    case VALUES_TINY: return "tiny";
    case VALUES_HUGE: return "huge";
    case VALUES_DENORMAL: return "denormal";
    case VALUES_OVERFLOW: return "overflow";
    case VALUES_COUNT: break;
    }
    return "unknown";
}

/* The first cases go through every class once, so that the shortest run has them all. */
values values_draw(rng *r, int64_t index) {
    static const values often[] = {VALUES_NORMAL, VALUES_EXACT, VALUES_WIDE, VALUES_NORMAL,
                                   VALUES_EXACT};
    if (index < VALUES_COUNT) return (values)index;
    if (rng_chance(r, 50)) return often[rng_range(r, 0, 4)];
    return (values)rng_range(r, 0, VALUES_COUNT - 1);
}

values values_tame(values v) {
    return v == VALUES_SPECIAL || v == VALUES_OVERFLOW || v == VALUES_HUGE ? VALUES_NORMAL : v;
}

static float signed_power(rng *r, int low, int high) {
    double a = ldexp(1.0 + rng_unit(r), (int)rng_range(r, low, high));
    return (float)(rng_chance(r, 50) ? a : -a);
}

static float normal_draw(rng *r) { return (float)(2.0 * rng_unit(r) - 1.0); }

static float special_draw(rng *r) {
    if (rng_chance(r, 97)) return normal_draw(r);
    switch (rng_range(r, 0, 2)) {
    case 0: return NAN;
    case 1: return INFINITY;
    default: return -INFINITY;
    }
}

static float denormal_draw(rng *r) {
    switch (rng_range(r, 0, 3)) {
    case 0: return signed_power(r, -140, -128);
    case 1: return rng_chance(r, 50) ? FLT_MIN : -FLT_MIN;
    default: return normal_draw(r);
    }
}

static float value_draw(rng *r, values v) {
    switch (v) {
    case VALUES_EXACT: return (float)rng_range(r, -4, 4);
    case VALUES_WIDE: return signed_power(r, -20, 10);
    case VALUES_ZERO:
        if (rng_chance(r, 80)) return rng_chance(r, 50) ? 0.0f : -0.0f;
        return normal_draw(r);
    case VALUES_SPECIAL: return special_draw(r);
    case VALUES_TINY: return signed_power(r, -80, -60);
    case VALUES_HUGE: return signed_power(r, 50, 57);
    case VALUES_DENORMAL: return denormal_draw(r);
    case VALUES_OVERFLOW: return signed_power(r, 55, 127 - 1);
    default: return normal_draw(r);
    }
}

void values_fill(rng *r, values v, float *a, int64_t n) {
    for (int64_t i = 0; i < n; i++) a[i] = value_draw(r, v);
}
