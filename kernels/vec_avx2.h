/* Vector layer on AVX2 and FMA; vec.h says what each function does.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_VEC_AVX2_H
#define WEIR_VEC_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#define VL 8
#define VREGS 16

typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm;

static inline vf v_zero(void) { return _mm256_setzero_ps(); }
static inline vf v_set1(float a) { return _mm256_set1_ps(a); }
static inline vf v_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void v_store(float *p, vf a) { _mm256_storeu_ps(p, a); }

static inline vm v_tail(int64_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    int32_t below = n > VL ? VL : (int32_t)n;
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(below), lane));
}
static inline vf v_load_m(const float *p, vm m) {
    return _mm256_maskload_ps(p, _mm256_castps_si256(m));
}
static inline void v_store_m(float *p, vm m, vf a) {
    _mm256_maskstore_ps(p, _mm256_castps_si256(m), a);
}

static inline void v_stream(float *p, vf a) { _mm256_stream_ps(p, a); }
static inline void v_stream_end(void) { _mm_sfence(); }

typedef struct vcolumns {
    vf column[4];
} vcolumns;

/* In each half a square of 4 floats. */
static inline vcolumns transpose4(vf a, vf b, vf c, vf d) {
    __m256d ab0 = _mm256_castps_pd(_mm256_unpacklo_ps(a, b));
    __m256d ab1 = _mm256_castps_pd(_mm256_unpackhi_ps(a, b));
    __m256d cd0 = _mm256_castps_pd(_mm256_unpacklo_ps(c, d));
    __m256d cd1 = _mm256_castps_pd(_mm256_unpackhi_ps(c, d));
    return (vcolumns){{_mm256_castpd_ps(_mm256_unpacklo_pd(ab0, cd0)),
                       _mm256_castpd_ps(_mm256_unpackhi_pd(ab0, cd0)),
                       _mm256_castpd_ps(_mm256_unpacklo_pd(ab1, cd1)),
                       _mm256_castpd_ps(_mm256_unpackhi_pd(ab1, cd1))}};
}
static inline vf load_halves(const float *p, int64_t ld) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + 4 * ld),
                                1);
}
static inline void store_halves(float *p, int64_t ld, vf a) {
    _mm_storeu_ps(p, _mm256_castps256_ps128(a));
    _mm_storeu_ps(p + 4 * ld, _mm256_extractf128_ps(a, 1));
}
static inline vcolumns v_load_columns(const float *p, int64_t ld) {
    return transpose4(load_halves(p, ld), load_halves(p + ld, ld), load_halves(p + 2 * ld, ld),
                      load_halves(p + 3 * ld, ld));
}
static inline void v_store_columns(float *p, int64_t ld, vcolumns a) {
    vcolumns rows = transpose4(a.column[0], a.column[1], a.column[2], a.column[3]);
    for (int j = 0; j < 4; j++) store_halves(p + j * ld, ld, rows.column[j]);
}

static inline vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
static inline vf v_sqrt(vf a) { return _mm256_sqrt_ps(a); }
static inline vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
static inline vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
static inline vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }

static inline vm v_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
static inline vm v_le(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
static inline vm v_gt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
static inline vm v_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
static inline vm v_isnan(vf a) { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
static inline vm vm_and(vm a, vm b) { return _mm256_and_ps(a, b); }
static inline vm vm_or(vm a, vm b) { return _mm256_or_ps(a, b); }
static inline vm vm_andnot(vm a, vm b) { return _mm256_andnot_ps(b, a); } /* a and not b */
static inline uint32_t vm_bits(vm m) { return (uint32_t)_mm256_movemask_ps(m); }
static inline vf v_blend(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }

static inline vi v_bits(vf a) { return _mm256_castps_si256(a); }
static inline vf v_float(vi a) { return _mm256_castsi256_ps(a); }
static inline vf v_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
static inline vf v_copysign(vf a, vf s) {
    return _mm256_or_ps(v_abs(a), _mm256_and_ps(_mm256_set1_ps(-0.0f), s));
}

static inline vi vi_set1(int32_t a) { return _mm256_set1_epi32(a); }
static inline vi vi_load(const int32_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline void vi_store(int32_t *p, vi a) { _mm256_storeu_si256((__m256i *)p, a); }
static inline vi vi_load_m(const int32_t *p, vm m) {
    return _mm256_maskload_epi32(p, _mm256_castps_si256(m));
}
static inline void vi_store_m(int32_t *p, vm m, vi a) {
    _mm256_maskstore_epi32(p, _mm256_castps_si256(m), a);
}
static inline vi vi_load_u8(const uint8_t *p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
}
static inline void vi_store_u8(uint8_t *p, vi a) { /* the low byte of each lane, then 4 and 4 */
    const __m256i low = _mm256_set1_epi32(0x0c080400);
    __m256i bytes = _mm256_shuffle_epi8(a, low);
    __m128i all =
        _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
    _mm_storel_epi64((__m128i *)p, all);
}
static inline vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
#define vi_shl(a, n) _mm256_slli_epi32((a), (n))
static inline vm vi_eq(vi a, vi b) { return _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)); }
static inline vi vi_blend(vm m, vi a, vi b) {
    return _mm256_blendv_epi8(b, a, _mm256_castps_si256(m));
}

#endif
