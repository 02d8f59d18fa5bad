/* Through SIMDe the AVX-512 kernels run where AVX2 does. SPDX-License-Identifier: Apache-2.0 */
#include "runtime/runtime.h"

/* The linker's --wrap puts this between the program and weir_cpu_has(). */
bool __real_weir_cpu_has(weir_isa isa, const char **why_not);
bool __wrap_weir_cpu_has(weir_isa isa, const char **why_not);

bool __wrap_weir_cpu_has(weir_isa isa, const char **why_not) {
    return __real_weir_cpu_has(isa == WEIR_ISA_AVX512 ? WEIR_ISA_AVX2 : isa, why_not);
}
