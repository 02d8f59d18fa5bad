/* What the machine can do: FMA peak and memory bandwidth. SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "harness.h"
#include "team.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bench {

/* A buffer of so many floats for one thread is meant to lie in memory. */
static constexpr int64_t memory_floats = (64 << 20) / 4;

#if defined(__x86_64__)

/* Independent chains: at least latency (4 or 5 cycles) times units (2). */
static constexpr int chains = 12;
static constexpr int unroll = 4;

#define FOR_CHAINS(X, a, b) \
    X(0, a, b)              \
    X(1, a, b)              \
    X(2, a, b)              \
    X(3, a, b)              \
    X(4, a, b) X(5, a, b) X(6, a, b) X(7, a, b) X(8, a, b) X(9, a, b) X(10, a, b) X(11, a, b)
#define SET_YMM(i, a, b) "vbroadcastss %1, %%ymm" #i "\n\t"
#define FMA_YMM(i, a, b) "vfmadd231ps %%ymm" a ", %%ymm" b ", %%ymm" #i "\n\t"
#define SET_ZMM(i, a, b) "vbroadcastss %1, %%zmm" #i "\n\t"
#define FMA_ZMM(i, a, b) "vfmadd231ps %%zmm" a ", %%zmm" b ", %%zmm" #i "\n\t"
#define CLOBBERS                                                                             \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
        "xmm11", "xmm14", "xmm15", "cc"

/* In assembly, so that no compiler can fold the chains or put them in memory. */
static void fma_avx2(int64_t rounds) {
    const float one = 1.0f, small = 1e-9f;
    __asm__ volatile(
        FOR_CHAINS(SET_YMM, , ) "vbroadcastss %1, %%ymm14\n\t"
                                "vbroadcastss %2, %%ymm15\n\t"
                                ".p2align 5\n"
                                "1:\n\t" FOR_CHAINS(FMA_YMM, "14", "15")
                                    FOR_CHAINS(FMA_YMM, "14", "15") FOR_CHAINS(FMA_YMM, "14", "15")
                                        FOR_CHAINS(FMA_YMM, "14", "15") "dec %0\n\t"
                                                                        "jnz 1b\n\t"
                                                                        "vzeroupper"
        : "+r"(rounds)
        : "m"(one), "m"(small)
        : CLOBBERS);
}

static void fma_avx512(int64_t rounds) {
    const float one = 1.0f, small = 1e-9f;
    __asm__ volatile(
        FOR_CHAINS(SET_ZMM, , ) "vbroadcastss %1, %%zmm14\n\t"
                                "vbroadcastss %2, %%zmm15\n\t"
                                ".p2align 5\n"
                                "1:\n\t" FOR_CHAINS(FMA_ZMM, "14", "15")
                                    FOR_CHAINS(FMA_ZMM, "14", "15") FOR_CHAINS(FMA_ZMM, "14", "15")
                                        FOR_CHAINS(FMA_ZMM, "14", "15") "dec %0\n\t"
                                                                        "jnz 1b\n\t"
                                                                        "vzeroupper"
        : "+r"(rounds)
        : "m"(one), "m"(small)
        : CLOBBERS);
}

/* Loads only, 512 bytes per iteration. */
#define LOAD_YMM(offset) "vmovaps " #offset "(%1), %%ymm0\n\t"
#define LOAD_ZMM(offset) "vmovaps " #offset "(%1), %%zmm0\n\t"

static void read_avx2(const float *floats, int64_t n) {
    int64_t left = n / 128;
    __asm__ volatile(".p2align 5\n"
                     "1:\n\t" LOAD_YMM(0) LOAD_YMM(32) LOAD_YMM(64) LOAD_YMM(96) LOAD_YMM(128)
                         LOAD_YMM(160) LOAD_YMM(192) LOAD_YMM(224) LOAD_YMM(256) LOAD_YMM(288)
                             LOAD_YMM(320) LOAD_YMM(352) LOAD_YMM(384) LOAD_YMM(416) LOAD_YMM(448)
                                 LOAD_YMM(480) "add $512, %1\n\t"
                                               "dec %0\n\t"
                                               "jnz 1b\n\t"
                                               "vzeroupper"
                     : "+r"(left), "+r"(floats)
                     :
                     : "xmm0", "cc", "memory");
}

static void read_avx512(const float *floats, int64_t n) {
    int64_t left = n / 128;
    __asm__ volatile(".p2align 5\n"
                     "1:\n\t" LOAD_ZMM(0) LOAD_ZMM(64) LOAD_ZMM(128) LOAD_ZMM(192) LOAD_ZMM(256)
                         LOAD_ZMM(320) LOAD_ZMM(384) LOAD_ZMM(448) "add $512, %1\n\t"
                                                                   "dec %0\n\t"
                                                                   "jnz 1b\n\t"
                                                                   "vzeroupper"
                     : "+r"(left), "+r"(floats)
                     :
                     : "xmm0", "cc", "memory");
}

/* Hardware prefetchers stop at the end of a page: ask for the next one. */
#define FETCH(offset) "prefetcht0 4096 + " #offset "(%1)\n\t"
static void read_memory(const float *floats, int64_t n) {
    int64_t left = n / 128;
    __asm__ volatile(".p2align 5\n"
                     "1:\n\t" FETCH(0) LOAD_YMM(0) LOAD_YMM(32) FETCH(64) LOAD_YMM(64) LOAD_YMM(96)
                         FETCH(128) LOAD_YMM(128) LOAD_YMM(160) FETCH(192) LOAD_YMM(192)
                             LOAD_YMM(224) FETCH(256) LOAD_YMM(256) LOAD_YMM(288) FETCH(320)
                                 LOAD_YMM(320) LOAD_YMM(352) FETCH(384) LOAD_YMM(384) LOAD_YMM(416)
                                     FETCH(448) LOAD_YMM(448) LOAD_YMM(480) "add $512, %1\n\t"
                                                                            "dec %0\n\t"
                                                                            "jnz 1b\n\t"
                                                                            "vzeroupper"
                     : "+r"(left), "+r"(floats)
                     :
                     : "xmm0", "cc", "memory");
}

bool machine_has(weir_isa isa) { return isa == WEIR_ISA_AVX2 || isa == WEIR_ISA_AVX512; }

double fma_flops(weir_isa isa, int64_t rounds) {
    const double lanes = isa == WEIR_ISA_AVX512 ? 16 : 8;
    return 2 * lanes * chains * unroll * static_cast<double>(rounds);
}

void fma_run(weir_isa isa, int64_t rounds) {
    if (isa == WEIR_ISA_AVX512)
        fma_avx512(rounds);
    else
        fma_avx2(rounds);
}

void read_run(weir_isa isa, const float *floats, int64_t n, int64_t rounds) {
    for (int64_t r = 0; r < rounds; r++) {
        if (n >= memory_floats)
            read_memory(floats, n);
        else if (isa == WEIR_ISA_AVX512)
            read_avx512(floats, n);
        else
            read_avx2(floats, n);
    }
}

#else

bool machine_has(weir_isa) { return false; }
double fma_flops(weir_isa, int64_t) { return 0; }
void fma_run(weir_isa, int64_t) {}
void read_run(weir_isa, const float *, int64_t, int64_t) {}

#endif

double time_together(int threads, const std::function<void(int)> &prepare,
                     const std::function<void(int)> &body) {
    using clock = std::chrono::steady_clock;
    std::atomic<int> ready{0};
    std::vector<double> seconds(static_cast<size_t>(threads));
    const auto placed = [&](int i) {
        team_bind_thread(i);
        prepare(i);
        ready++;
        while (ready < threads) std::this_thread::yield();
        const auto start = clock::now();
        body(i);
        seconds[static_cast<size_t>(i)] =
            std::chrono::duration<double>(clock::now() - start).count();
    };
    std::vector<std::thread> team;
    for (int i = 1; i < threads; i++) team.emplace_back(placed, i);
    placed(0);
    for (auto &thread : team) thread.join();
    team_unbind_main();
    return *std::max_element(seconds.begin(), seconds.end());
}

double fma_peak(weir_isa isa, int threads) {
    if (!machine_has(isa)) return 0;
    constexpr int64_t rounds = 300000; /* about 2 ms */
    double best = 1e9;
    for (int trial = 0; trial < 10; trial++) {
        /* what is not timed wakes the vector units and the clock up */
        const double seconds = time_together(
            threads, [=](int) { fma_run(isa, rounds / 8); }, [=](int) { fma_run(isa, rounds); });
        best = std::min(best, seconds);
    }
    return threads * fma_flops(isa, rounds) / best;
}

double read_bandwidth(weir_isa isa, int threads, int64_t bytes) {
    if (!machine_has(isa)) return 0;
    const int64_t floats = bytes / 512 * 128, rounds = (64 << 20) / bytes + 1;
    std::vector<Tensor> buffers(static_cast<size_t>(threads));
    const auto buffer = [&](int i) -> Tensor & { return buffers[static_cast<size_t>(i)]; };
    /* Each thread's buffer is written by that thread, so that it lies on its node. */
    time_together(
        threads, [&](int i) { buffer(i) = zero_tensor(floats); }, [](int) {});
    const auto read = [&](int i) { read_run(isa, buffer(i).data(), floats, rounds); };
    double best = 1e9;
    for (int trial = 0; trial < 10; trial++)
        best = std::min(best, time_together(
                                  threads, [](int) {}, read));
    return 4.0 * static_cast<double>(floats * rounds) * threads / best;
}

std::vector<MemoryLevel> memory_levels(const weir_machine_info &info, int threads) {
    std::vector<MemoryLevel> levels;
    if (info.l1d_bytes > 0) levels.push_back({"L1", threads * info.l1d_bytes, info.l1d_bytes / 2});
    if (info.l2_bytes > 0) levels.push_back({"L2", threads * info.l2_bytes, info.l2_bytes / 2});
    if (info.l3_bytes > 0)
        levels.push_back({"L3", info.l3_bytes, info.l3_bytes / 2 / std::max(2, threads)});
    constexpr int64_t least = 64 << 20;
    levels.push_back({"memory", INT64_MAX,
                      std::max(least, std::max<int64_t>(4 * info.l3_bytes, 128 << 20) / threads)});
    return levels;
}

} // namespace bench
