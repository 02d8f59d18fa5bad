/* Vector layer on AVX-512F; vec.h says what each function does. SPDX-License-Identifier: Apache-2.0
 */
#ifndef WEIR_VEC_AVX512_H
#define WEIR_VEC_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define VL 16
#define VREGS 32

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

static inline vf v_zero(void) { return _mm512_setzero_ps(); }
static inline vf v_set1(float a) { return _mm512_set1_ps(a); }
static inline vf v_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void v_store(float *p, vf a) { _mm512_storeu_ps(p, a); }

static inline vm v_tail(int64_t n) {
    if (n >= VL) return 0xffff;
    if (n <= 0) return 0;
    return (vm)((1u << n) - 1u);
}
static inline vf v_load_m(const float *p, vm m) { return _mm512_maskz_loadu_ps(m, p); }
static inline void v_store_m(float *p, vm m, vf a) { _mm512_mask_storeu_ps(p, m, a); }

static inline void v_stream(float *p, vf a) { _mm512_stream_ps(p, a); }
static inline void v_stream_end(void) { _mm_sfence(); }

typedef struct vcolumns {
    vf column[4];
} vcolumns;

/* In each quarter a square of 4 floats. */
static inline vcolumns transpose4(vf a, vf b, vf c, vf d) {
    __m512d ab0 = _mm512_castps_pd(_mm512_unpacklo_ps(a, b));
    __m512d ab1 = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
    __m512d cd0 = _mm512_castps_pd(_mm512_unpacklo_ps(c, d));
    __m512d cd1 = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
    return (vcolumns){{_mm512_castpd_ps(_mm512_unpacklo_pd(ab0, cd0)),
                       _mm512_castpd_ps(_mm512_unpackhi_pd(ab0, cd0)),
                       _mm512_castpd_ps(_mm512_unpacklo_pd(ab1, cd1)),
                       _mm512_castpd_ps(_mm512_unpackhi_pd(ab1, cd1))}};
}
static inline vf load_quarters(const float *p, int64_t ld) {
    vf a = _mm512_castps128_ps512(_mm_loadu_ps(p));
    a = _mm512_insertf32x4(a, _mm_loadu_ps(p + 4 * ld), 1);
    a = _mm512_insertf32x4(a, _mm_loadu_ps(p + 8 * ld), 2);
    return _mm512_insertf32x4(a, _mm_loadu_ps(p + 12 * ld), 3);
}
static inline void store_quarters(float *p, int64_t ld, vf a) {
    _mm_storeu_ps(p, _mm512_castps512_ps128(a));
    _mm_storeu_ps(p + 4 * ld, _mm512_extractf32x4_ps(a, 1));
    _mm_storeu_ps(p + 8 * ld, _mm512_extractf32x4_ps(a, 2));
    _mm_storeu_ps(p + 12 * ld, _mm512_extractf32x4_ps(a, 3));
}
static inline vcolumns v_load_columns(const float *p, int64_t ld) {
    return transpose4(load_quarters(p, ld), load_quarters(p + ld, ld),
                      load_quarters(p + 2 * ld, ld), load_quarters(p + 3 * ld, ld));
}
static inline void v_store_columns(float *p, int64_t ld, vcolumns a) {
    vcolumns rows = transpose4(a.column[0], a.column[1], a.column[2], a.column[3]);
    for (int j = 0; j < 4; j++) store_quarters(p + j * ld, ld, rows.column[j]);
}

static inline vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf v_sqrt(vf a) { return _mm512_sqrt_ps(a); }
static inline vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static inline vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
static inline vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }

static inline vm v_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline vm v_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
static inline vm v_gt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
static inline vm v_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline vm v_isnan(vf a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
static inline vm vm_and(vm a, vm b) { return (vm)(a & b); }
static inline vm vm_or(vm a, vm b) { return (vm)(a | b); }
static inline vm vm_andnot(vm a, vm b) { return (vm)(a & ~b); } /* a and not b */
static inline uint32_t vm_bits(vm m) { return m; }
static inline vf v_blend(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }

static inline vi v_bits(vf a) { return _mm512_castps_si512(a); }
static inline vf v_float(vi a) { return _mm512_castsi512_ps(a); }
static inline vf v_abs(vf a) {
    return v_float(_mm512_and_si512(v_bits(a), _mm512_set1_epi32(0x7fffffff)));
}
static inline vf v_copysign(vf a, vf s) {
    vi sign = _mm512_andnot_si512(_mm512_set1_epi32(0x7fffffff), v_bits(s));
    return v_float(_mm512_or_si512(v_bits(v_abs(a)), sign));
}

static inline vi vi_set1(int32_t a) { return _mm512_set1_epi32(a); }
static inline vi vi_load(const int32_t *p) { return _mm512_loadu_si512(p); }
static inline void vi_store(int32_t *p, vi a) { _mm512_storeu_si512(p, a); }
static inline vi vi_load_m(const int32_t *p, vm m) { return _mm512_maskz_loadu_epi32(m, p); }
static inline void vi_store_m(int32_t *p, vm m, vi a) { _mm512_mask_storeu_epi32(p, m, a); }
static inline vi vi_load_u8(const uint8_t *p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
}
static inline void vi_store_u8(uint8_t *p, vi a) {
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(a));
}
static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
#define vi_shl(a, n) _mm512_slli_epi32((a), (n))
static inline vm vi_eq(vi a, vi b) { return _mm512_cmpeq_epi32_mask(a, b); }
static inline vi vi_blend(vm m, vi a, vi b) { return _mm512_mask_blend_epi32(m, b, a); }

#endif
