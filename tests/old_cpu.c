/* Linked with --wrap=weir_cpu_has: a CPU without AVX2. SPDX-License-Identifier: Apache-2.0 */
#include "runtime/runtime.h"

bool __real_weir_cpu_has(weir_isa isa, const char **why_not);
bool __wrap_weir_cpu_has(weir_isa isa, const char **why_not);
bool __wrap_weir_cpu_has(weir_isa isa, const char **why_not) {
    if (isa < WEIR_ISA_AVX2) return __real_weir_cpu_has(isa, why_not);
    *why_not = "the CPU has no AVX2";
    return false;
}
