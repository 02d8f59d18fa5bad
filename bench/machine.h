/* What the machine can do: FMA peak and memory bandwidth. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_MACHINE_H
#define WEIR_BENCH_MACHINE_H

#include <cstdint>

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

} // namespace bench
#endif
