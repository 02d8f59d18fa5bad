/* AVX-512F as kernels/vec_avx512.h uses it, by SIMDe on AVX2. SPDX-License-Identifier: Apache-2.0
 *
 * Found before the compiler's header of this name. An intrinsic that is not listed here does not
 * compile. SIMDe 0.7.4 has no masked loads and stores and few conversions; they are at the end.
 */
#ifndef WEIR_SIMDE_IMMINTRIN_H
#define WEIR_SIMDE_IMMINTRIN_H

#include_next <immintrin.h>
#include <simde/x86/avx512.h>
#include <stdint.h>

#define __m512 simde__m512
#define __m512d simde__m512d
#define __m512i simde__m512i
#define __mmask16 simde__mmask16

#define _mm512_add_epi32 simde_mm512_add_epi32
#define _mm512_add_ps simde_mm512_add_ps
#define _mm512_and_si512 simde_mm512_and_si512
#define _mm512_andnot_si512 simde_mm512_andnot_si512
#define _mm512_castpd_ps simde_mm512_castpd_ps
#define _mm512_castps128_ps512 simde_mm512_castps128_ps512
#define _mm512_castps512_ps128 simde_mm512_castps512_ps128
#define _mm512_castps_pd simde_mm512_castps_pd
#define _mm512_castps_si512 simde_mm512_castps_si512
#define _mm512_castsi512_ps simde_mm512_castsi512_ps
#define _mm512_cmp_ps_mask simde_mm512_cmp_ps_mask
#define _mm512_cmpeq_epi32_mask simde_mm512_cmpeq_epi32_mask
#define _mm512_div_ps simde_mm512_div_ps
#define _mm512_extractf32x4_ps simde_mm512_extractf32x4_ps
#define _mm512_fmadd_ps simde_mm512_fmadd_ps
#define _mm512_fnmadd_ps simde_mm512_fnmadd_ps
#define _mm512_insertf32x4 simde_mm512_insertf32x4
#define _mm512_loadu_ps simde_mm512_loadu_ps
#define _mm512_loadu_si512 simde_mm512_loadu_si512
#define _mm512_mask_blend_epi32 simde_mm512_mask_blend_epi32
#define _mm512_mask_blend_ps simde_mm512_mask_blend_ps
#define _mm512_max_ps simde_mm512_max_ps
#define _mm512_min_ps simde_mm512_min_ps
#define _mm512_mul_ps simde_mm512_mul_ps
#define _mm512_or_si512 simde_mm512_or_si512
#define _mm512_set1_epi32 simde_mm512_set1_epi32
#define _mm512_set1_ps simde_mm512_set1_ps
#define _mm512_setzero_ps simde_mm512_setzero_ps
#define _mm512_slli_epi32 simde_mm512_slli_epi32
#define _mm512_sqrt_ps simde_mm512_sqrt_ps
#define _mm512_storeu_ps simde_mm512_storeu_ps
#define _mm512_storeu_si512 simde_mm512_storeu_si512
#define _mm512_sub_epi32 simde_mm512_sub_epi32
#define _mm512_sub_ps simde_mm512_sub_ps
#define _mm512_unpackhi_pd simde_mm512_unpackhi_pd
#define _mm512_unpackhi_ps simde_mm512_unpackhi_ps
#define _mm512_unpacklo_pd simde_mm512_unpacklo_pd
#define _mm512_unpacklo_ps simde_mm512_unpacklo_ps
#define _mm512_maskz_loadu_epi32 weir_simde_maskz_loadu_epi32
#define _mm512_mask_storeu_epi32 weir_simde_mask_storeu_epi32
#define _mm512_maskz_loadu_ps weir_simde_maskz_loadu_ps
#define _mm512_mask_storeu_ps weir_simde_mask_storeu_ps
#define _mm512_cvtepu8_epi32 weir_simde_cvtepu8_epi32
#define _mm512_cvtepi32_epi8 weir_simde_cvtepi32_epi8
#define _mm512_stream_ps weir_simde_stream_ps

/* Eight lanes of a mask, beginning at its bit `first`. */
static inline __m256i weir_simde_lanes(__mmask16 m, int first) {
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(m >> first), bit), bit);
}

static inline __m512i weir_simde_maskz_loadu_epi32(__mmask16 m, const void *p) {
    simde__m512i_private a;
    for (int i = 0; i < 2; i++)
        a.m256i[i] = _mm256_maskload_epi32((const int *)p + 8 * i, weir_simde_lanes(m, 8 * i));
    return simde__m512i_from_private(a);
}

static inline void weir_simde_mask_storeu_epi32(void *p, __mmask16 m, __m512i a) {
    simde__m512i_private all = simde__m512i_to_private(a);
    for (int i = 0; i < 2; i++)
        _mm256_maskstore_epi32((int *)p + 8 * i, weir_simde_lanes(m, 8 * i), all.m256i[i]);
}

static inline __m512 weir_simde_maskz_loadu_ps(__mmask16 m, const void *p) {
    return simde_mm512_castsi512_ps(weir_simde_maskz_loadu_epi32(m, p));
}

static inline void weir_simde_mask_storeu_ps(void *p, __mmask16 m, __m512 a) {
    weir_simde_mask_storeu_epi32(p, m, simde_mm512_castps_si512(a));
}

static inline __m512i weir_simde_cvtepu8_epi32(__m128i a) {
    simde__m512i_private all;
    all.m256i[0] = _mm256_cvtepu8_epi32(a);
    all.m256i[1] = _mm256_cvtepu8_epi32(_mm_srli_si128(a, 8));
    return simde__m512i_from_private(all);
}

/* The low byte of each lane. */
static inline __m128i weir_simde_cvtepi32_epi8(__m512i a) {
    simde__m512i_private all = simde__m512i_to_private(a);
    uint8_t bytes[16];
    for (int i = 0; i < 16; i++) bytes[i] = (uint8_t)all.i32[i];
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

static inline void weir_simde_stream_ps(void *p, __m512 a) {
    simde__m512i_private all = simde__m512i_to_private(simde_mm512_castps_si512(a));
    for (int i = 0; i < 2; i++) _mm256_stream_si256((__m256i *)p + i, all.m256i[i]);
}

#endif
