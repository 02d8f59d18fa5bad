/*
 * The vector layer: what every *_simd.c is written in. SPDX-License-Identifier: Apache-2.0
 *
 * One of vec_avx512.h, vec_avx2.h, vec_generic.h is compiled in. All give the same bits for the
 * same lane: only exactly rounded operations, no reciprocal approximations, no horizontal
 * operations.
 *
 *   VL                     lanes of a vector      VREGS   vector registers of the machine
 *   vf, vi, vm             floats, 32-bit integers, one truth value per lane
 *   v_tail(n)              mask of the lanes below n (none for n <= 0, all for n >= VL)
 *   v_load(p), v_store(p, a)           unaligned
 *   v_load_m(p, m), v_store_m(p, m, a) touch only memory of lanes in m; other lanes load as 0
 *   v_stream(p, a)         p a multiple of VL floats: past the caches, for what is larger than they;
 *                          v_stream_end() before another thread may look
 *   vcolumns               4 vectors, .column[0 .. 3]
 *   v_load_columns(p, ld), v_store_columns(p, ld, a)   VL rows of 4 floats, ld apart: column[j] has
 *                          the float j of each row
 *   v_fma(a, b, c)         a b + c, rounded once;  v_fnma(a, b, c)  c - a b, rounded once
 *   v_max(a, b)            a > b ? a : b           v_min(a, b)      a < b ? a : b
 *                          so b is the result when either is NaN or both are zero (as x86)
 *   v_lt v_le v_gt v_eq    false when either is NaN;  v_isnan(a)
 *   v_blend(m, a, b)       m ? a : b
 *   v_abs, v_copysign(a, s)  magnitude of a, sign of s
 *   v_bits(a), v_float(i)  the same 32 bits as the other type
 *   vm_bits(m)             bit i is lane i
 *   vi_add wraps, vi_shl(i, n) shifts left by a constant, vi_eq compares
 *   vi_load_u8(p), vi_store_u8(p, a)   VL bytes, one for each lane: 0 to 255 when loaded, the low 8
 *                          bits when stored;  vi_load_u8_n(p, n), vi_store_u8_n(p, n, a) touch only
 *                          n < VL bytes; other lanes load as 0
 */
#ifndef WEIR_VEC_H
#define WEIR_VEC_H

#include <stdbool.h>
#include <stdint.h>

#if defined(WEIR_VEC_AVX512)
#include "kernels/vec_avx512.h"
#elif defined(WEIR_VEC_AVX2)
#include "kernels/vec_avx2.h"
#else
#include "kernels/vec_generic.h"
#endif

/* Asks for the cache line `ahead` bytes from p on, which may be outside any object. */
static inline void v_fetch(const void *p, int64_t ahead) {
    __builtin_prefetch((const void *)((uintptr_t)p + (uintptr_t)ahead));
}

static inline vi vi_load_u8_n(const uint8_t *p, int64_t n) {
    uint8_t bytes[VL] = {0};
    for (int64_t i = 0; i < n; i++) bytes[i] = p[i];
    return vi_load_u8(bytes);
}
static inline void vi_store_u8_n(uint8_t *p, int64_t n, vi a) {
    uint8_t bytes[VL];
    vi_store_u8(bytes, a);
    for (int64_t i = 0; i < n; i++) p[i] = bytes[i];
}

/* With masked a constant: the lanes of m only, or all of them by an instruction without a mask. */
static inline vf v_load_if(const float *p, vm m, const bool masked) {
    return masked ? v_load_m(p, m) : v_load(p);
}
static inline void v_store_if(float *p, vm m, vf a, const bool masked) {
    if (masked)
        v_store_m(p, m, a);
    else
        v_store(p, a);
}

#endif
