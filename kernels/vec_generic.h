/* Vector layer in portable GNU C vectors; vec.h says what each function does.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_VEC_GENERIC_H
#define WEIR_VEC_GENERIC_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define VL 4
#define VREGS 16

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef vi vm;

static inline vf v_set1(float a) { return (vf){a, a, a, a}; }
static inline vf v_zero(void) { return v_set1(0.0f); }
static inline vf v_load(const float *p) {
    vf a;
    memcpy(&a, p, sizeof a);
    return a;
}
static inline void v_store(float *p, vf a) { memcpy(p, &a, sizeof a); }

static inline vi vi_set1(int32_t a) { return (vi){a, a, a, a}; }
static inline vm v_tail(int64_t n) {
    int32_t below = n > VL ? VL : (int32_t)n;
    return (vi){0, 1, 2, 3} < vi_set1(below);
}
static inline vf v_load_m(const float *p, vm m) {
    vf a = v_zero();
    for (int i = 0; i < VL; i++)
        if (m[i]) a[i] = p[i];
    return a;
}
static inline void v_store_m(float *p, vm m, vf a) {
    for (int i = 0; i < VL; i++)
        if (m[i]) p[i] = a[i];
}

static inline void v_stream(float *p, vf a) { v_store(p, a); }
static inline void v_stream_end(void) {}

typedef struct vcolumns {
    vf column[4];
} vcolumns;

static inline vcolumns v_load_columns(const float *p, int64_t ld) {
    vcolumns a;
    for (int i = 0; i < VL; i++)
        for (int j = 0; j < 4; j++) a.column[j][i] = p[i * ld + j];
    return a;
}
static inline void v_store_columns(float *p, int64_t ld, vcolumns a) {
    for (int i = 0; i < VL; i++)
        for (int j = 0; j < 4; j++) p[i * ld + j] = a.column[j][i];
}

static inline vi v_bits(vf a) { return (vi)a; }
static inline vf v_float(vi a) { return (vf)a; }
static inline vf v_blend(vm m, vf a, vf b) { return (vf)((m & (vi)a) | (~m & (vi)b)); }

static inline vf v_add(vf a, vf b) { return a + b; }
static inline vf v_sub(vf a, vf b) { return a - b; }
static inline vf v_mul(vf a, vf b) { return a * b; }
static inline vf v_div(vf a, vf b) { return a / b; }
static inline vf v_sqrt(vf a) {
    for (int i = 0; i < VL; i++) a[i] = sqrtf(a[i]);
    return a;
}

/*
 * a b + c with one rounding, without an FMA instruction. The product of two floats is exact in
 * double. The sum is rounded to odd (Boldo and Melquiond, "Emulation of FMA and correctly rounded
 * sums", 2008): then rounding it to float is as if it had been rounded once.
 */
static inline float fma_one(float a, float b, float c) {
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_fmaf(a, b, c);
#else
    double p = (double)a * (double)b, d = (double)c, s = p + d;
    double t = s - p, error = (p - (s - t)) + (d - t);
    if (error > 0 || error < 0) {
        int64_t bits;
        memcpy(&bits, &s, sizeof bits);
        if (!(bits & 1)) bits += (error > 0) == (s > 0) ? 1 : -1;
        memcpy(&s, &bits, sizeof s);
    }
    return (float)s;
#endif
}
static inline vf v_fma(vf a, vf b, vf c) {
    for (int i = 0; i < VL; i++) c[i] = fma_one(a[i], b[i], c[i]);
    return c;
}
static inline vf v_fnma(vf a, vf b, vf c) { return v_fma(-a, b, c); }

static inline vm v_lt(vf a, vf b) { return a < b; }
static inline vm v_le(vf a, vf b) { return a <= b; }
static inline vm v_gt(vf a, vf b) { return a > b; }
static inline vm v_eq(vf a, vf b) { return a == b; }
static inline vm v_isnan(vf a) { return a != a; }
static inline vm vm_and(vm a, vm b) { return a & b; }
static inline vm vm_or(vm a, vm b) { return a | b; }
static inline vm vm_andnot(vm a, vm b) { return a & ~b; } /* a and not b */
static inline uint32_t vm_bits(vm m) {
    uint32_t bits = 0;
    for (int i = 0; i < VL; i++) bits |= (uint32_t)(m[i] & 1) << i;
    return bits;
}
/* As the maximum and minimum of x86, which flush a denormal operand where denormals are zeros: one
 * multiplication does, by a 1 that the compiler does not see through. */
static inline vf v_operand(vf a) {
    float one = 1.0f;
    __asm__("" : "+m"(one));
    return a * v_set1(one);
}
static inline vf v_max(vf a, vf b) { return v_operand(v_blend(a > b, a, b)); }
static inline vf v_min(vf a, vf b) { return v_operand(v_blend(a < b, a, b)); }

static inline vf v_abs(vf a) { return (vf)((vi)a & vi_set1(0x7fffffff)); }
static inline vf v_copysign(vf a, vf s) {
    return (vf)((vi)v_abs(a) | ((vi)s & ~vi_set1(0x7fffffff)));
}

static inline vi vi_load(const int32_t *p) {
    vi a;
    memcpy(&a, p, sizeof a);
    return a;
}
static inline void vi_store(int32_t *p, vi a) { memcpy(p, &a, sizeof a); }
static inline vi vi_load_m(const int32_t *p, vm m) {
    vi a = vi_set1(0);
    for (int i = 0; i < VL; i++)
        if (m[i]) a[i] = p[i];
    return a;
}
static inline void vi_store_m(int32_t *p, vm m, vi a) {
    for (int i = 0; i < VL; i++)
        if (m[i]) p[i] = a[i];
}
static inline vi vi_load_u8(const uint8_t *p) { return (vi){p[0], p[1], p[2], p[3]}; }
static inline void vi_store_u8(uint8_t *p, vi a) {
    for (int i = 0; i < VL; i++) p[i] = (uint8_t)a[i];
}
typedef uint32_t vu __attribute__((vector_size(16)));
static inline vi vi_add(vi a, vi b) { return (vi)((vu)a + (vu)b); }
static inline vi vi_sub(vi a, vi b) { return (vi)((vu)a - (vu)b); }
#define vi_shl(a, n) ((vi)((vu)(a) << (n)))
static inline vm vi_eq(vi a, vi b) { return a == b; }
static inline vi vi_blend(vm m, vi a, vi b) { return (m & a) | (~m & b); }

#endif
