/* What the CPU and the operating system can run. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "runtime/parts.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

enum {
    SAVES_YMM = 0x06, /* XCR0: xmm and ymm state */
    SAVES_ZMM = 0xe6  /* and opmask, upper halves of zmm0-15, zmm16-31 */
};

static unsigned saved_state(void) {
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static const char *why_not_x86(weir_isa isa) {
    unsigned a, b, c, d, a7, b7 = 0, c7, d7;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return "the CPU has no cpuid";
    const bool osxsave = c & bit_OSXSAVE;
    const bool fma = c & bit_FMA;
    if (__get_cpuid_count(7, 0, &a7, &b7, &c7, &d7) == 0) b7 = 0;
    if (!(b7 & bit_AVX2)) return "the CPU has no AVX2";
    if (!fma) return "the CPU has no FMA";
    if (isa == WEIR_ISA_AVX512 && !(b7 & bit_AVX512F)) return "the CPU has no AVX-512F";
    if (!osxsave) return "the operating system does not save AVX registers";
    const unsigned state = saved_state();
    if ((state & SAVES_YMM) != SAVES_YMM) return "the operating system does not save AVX registers";
    if (isa == WEIR_ISA_AVX512 && (state & SAVES_ZMM) != SAVES_ZMM)
        return "the operating system does not save AVX-512 registers";
    return NULL;
}

unsigned weir_denormals_flush(void) {
    const unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | _MM_FLUSH_ZERO_ON | 0x40 /* denormals are zero */);
    return saved;
}

void weir_denormals_restore(unsigned saved) { _mm_setcsr(saved); }

void weir_cpu_model(char *model, size_t bytes) {
    unsigned words[13] = {0};
    for (unsigned i = 0; i < 3; i++) {
        unsigned *w = words + 4 * i;
        if (!__get_cpuid(0x80000002U + i, w, w + 1, w + 2, w + 3)) break;
    }
    const char *name = (const char *)words;
    name += strspn(name, " ");
    snprintf(model, bytes, "%s", *name ? name : "unknown x86-64");
    for (size_t n = strlen(model); n > 0 && model[n - 1] == ' '; n--) model[n - 1] = '\0';
}

#else

static const char *why_not_x86(weir_isa isa) {
    (void)isa;
    return "the CPU is not an x86-64";
}

unsigned weir_denormals_flush(void) { return 0; }

void weir_denormals_restore(unsigned saved) { (void)saved; }

void weir_cpu_model(char *model, size_t bytes) { snprintf(model, bytes, "unknown"); }

#endif

bool weir_cpu_has(weir_isa isa, const char **why_not) {
    const char *reason = NULL;
    if (isa == WEIR_ISA_AVX2 || isa == WEIR_ISA_AVX512)
        reason = why_not_x86(isa);
    else if (isa != WEIR_ISA_SCALAR && isa != WEIR_ISA_GENERIC)
        reason = "no such instruction set";
    if (why_not) *why_not = reason;
    return reason == NULL;
}
