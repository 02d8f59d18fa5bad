/* One kernel table per instruction set. SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "kernels/kernels.h"

#define K(name, type, params) .name = weir_##name##_scalar,
static const weir_kernels scalar = {
#include "kernels/kernels.def"
};
#undef K

#ifdef WEIR_HAVE_GENERIC
#define K(name, type, params) .name = weir_##name##_generic,
static const weir_kernels generic = {
#include "kernels/kernels.def"
};
#undef K
#endif

#ifdef WEIR_HAVE_AVX2
#define K(name, type, params) .name = weir_##name##_avx2,
static const weir_kernels avx2 = {
#include "kernels/kernels.def"
};
#undef K
#endif

#ifdef WEIR_HAVE_AVX512
#define K(name, type, params) .name = weir_##name##_avx512,
static const weir_kernels avx512 = {
#include "kernels/kernels.def"
};
#undef K
#endif

const weir_kernels *weir_kernels_get(weir_isa isa) {
    static const weir_kernels *const tables[WEIR_ISA_COUNT] = {
        [WEIR_ISA_SCALAR] = &scalar,
#ifdef WEIR_HAVE_GENERIC
        [WEIR_ISA_GENERIC] = &generic,
#endif
#ifdef WEIR_HAVE_AVX2
        [WEIR_ISA_AVX2] = &avx2,
#endif
#ifdef WEIR_HAVE_AVX512
        [WEIR_ISA_AVX512] = &avx512,
#endif
    };
    return isa >= 0 && isa < WEIR_ISA_COUNT ? tables[isa] : NULL;
}
