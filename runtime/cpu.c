/* What the CPU and the operating system can run. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "runtime/parts.h"

enum {
    SAVES_AVX = 0x06,   /* XCR0: xmm, ymm */
    SAVES_AVX512 = 0xe6 /* and opmask, upper halves of zmm0-15, zmm16-31 */
};

const char *weir_x86_why_not(const weir_x86 *x86, weir_isa isa) {
    const bool avx512 = isa == WEIR_ISA_AVX512;
    if (!x86->avx2) return "the CPU has no AVX2";
    if (!x86->fma) return "the CPU has no FMA";
    if (avx512 && !x86->avx512f) return "the CPU has no AVX-512F";
    if (!x86->osxsave || (x86->saved & SAVES_AVX) != SAVES_AVX)
        return "the operating system does not save AVX registers";
    if (avx512 && (x86->saved & SAVES_AVX512) != SAVES_AVX512)
        return "the operating system does not save AVX-512 registers";
    return NULL;
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

enum { DENORMALS_ZERO = 0x40 }; /* MXCSR: those read; _MM_FLUSH_ZERO_ON: those made */

static const char *why_not(weir_isa isa) {
    weir_x86 x86 = {0};
    unsigned a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d)) {
        x86.fma = c & bit_FMA;
        x86.osxsave = c & bit_OSXSAVE;
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        x86.avx2 = b & bit_AVX2;
        x86.avx512f = b & bit_AVX512F;
    }
    unsigned high;
    if (x86.osxsave) __asm__("xgetbv" : "=a"(x86.saved), "=d"(high) : "c"(0));
    return weir_x86_why_not(&x86, isa);
}

unsigned weir_denormals_flush(void) {
    const unsigned mode = _MM_MASK_MASK | _MM_ROUND_NEAREST | _MM_FLUSH_ZERO_ON | DENORMALS_ZERO;
    const unsigned saved = _mm_getcsr();
    /* Writing takes several times as long as reading; exception flags change nothing. */
    if ((saved & ~(unsigned)_MM_EXCEPT_MASK) != mode) _mm_setcsr(mode);
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

static const char *why_not(weir_isa isa) {
    (void)isa;
    return "the CPU is not an x86-64";
}

#if defined(__aarch64__)

/* FPCR: nothing trapped, to nearest, and denormals are zero both read and made. */
unsigned weir_denormals_flush(void) {
    const uint64_t flush_to_zero = 1 << 24;
    uint64_t saved;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved)::"memory");
    __asm__ volatile("msr fpcr, %0" ::"r"(flush_to_zero) : "memory");
    return (unsigned)saved;
}

void weir_denormals_restore(unsigned saved) {
    __asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)saved) : "memory");
}

#else

unsigned weir_denormals_flush(void) { return 0; }

void weir_denormals_restore(unsigned saved) { (void)saved; }

#endif

void weir_cpu_model(char *model, size_t bytes) { snprintf(model, bytes, "unknown"); }

#endif

bool weir_cpu_has(weir_isa isa, const char **reason) {
    const char *r = NULL;
    if (isa == WEIR_ISA_AVX2 || isa == WEIR_ISA_AVX512)
        r = why_not(isa);
    else if (isa != WEIR_ISA_SCALAR && isa != WEIR_ISA_GENERIC)
        r = "no such instruction set";
    if (reason) *reason = r;
    return r == NULL;
}
