/* What the machine can do: FMA peak and memory bandwidth. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_MACHINE_H
#define WEIR_BENCH_MACHINE_H

#include <cstdint>
#include <functional>
#include <vector>

#include "weir/runtime.h"

namespace bench {

/* True when fma_run and read_run have a body for this instruction set. Says nothing about the CPU. */
bool machine_has(weir_isa isa);

/* Floating-point operations of fma_run(isa, rounds) on one thread. */
double fma_flops(weir_isa isa, int64_t rounds);
/* Independent fused multiply-adds in registers: as fast as the core can. */
void fma_run(weir_isa isa, int64_t rounds);
/* Reads floats[0 .. n) `rounds` times; n is a multiple of 128, floats is 64-byte aligned. */
void read_run(weir_isa isa, const float *floats, int64_t n, int64_t rounds);

/* FLOP/s that `threads` threads reach together: the best of several short trials. 0: unknown. */
double fma_peak(weir_isa isa, int threads);
/* Bytes per second that `threads` threads read together, each its own buffer of `bytes`. 0: unknown. */
double read_bandwidth(weir_isa isa, int threads, int64_t bytes);

/* A level of the memory hierarchy. */
struct MemoryLevel {
    const char *name;
    int64_t capacity; /* bytes that `threads` threads keep there together */
    int64_t buffer;   /* bytes for each thread that measure it */
};
/* From the nearest; levels that this machine does not have, or does not tell of, are left out. The
 * last one is the memory. */
std::vector<MemoryLevel> memory_levels(const weir_machine_info &info, int threads);

/* The same work on `threads` threads, each in its place, all starting together; seconds of the
 * slowest. prepare(i) comes first and is not timed. The main thread is free again afterwards. */
double time_together(int threads, const std::function<void(int)> &prepare,
                     const std::function<void(int)> &body);

} // namespace bench
#endif
