/* Counter-based random numbers: a pure function of seed, stream and index, so that the numbers do
 * not depend on who asks for them or in which order. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_RANDOM_H
#define WEIR_TRAIN_RANDOM_H

#include <stdint.h>

/* The finalizer of SplitMix64 (Steele, Lea, Flood 2014; constants by David Stafford, variant 13). */
static inline uint64_t random_mix(uint64_t x) {
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/*
 * Number `index` of stream `stream` of seed `seed`: 64 random bits. Along index it is SplitMix64
 * with a start that seed and stream decide. Give every use (a layer's dropout masks, the training
 * rows, ...) a stream of its own.
 */
static inline uint64_t random_u64(uint64_t seed, uint64_t stream, uint64_t index) {
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t start = random_mix(random_mix(seed + golden) + stream * golden);
    return random_mix(start + (index + 1) * golden);
}

/* Streams that are taken. */
enum {
    RANDOM_TRAIN_ROWS = 1,
    RANDOM_GENERATE = 2,
    RANDOM_SPLIT = 3,
    RANDOM_EPOCH_ROWS = 4,
    RANDOM_MODEL = 256 /* and up: train/model */
};

/* Uniform in [0, 1), a multiple of 2^-53. */
static inline double random_uniform(uint64_t seed, uint64_t stream, uint64_t index) {
    return (double)(random_u64(seed, stream, index) >> 11) * 0x1p-53;
}

/* Uniform in 0 .. n - 1, for 1 <= n <= 2^53 (bias below n / 2^53). */
static inline int64_t random_below(uint64_t seed, uint64_t stream, uint64_t index, int64_t n) {
    return (int64_t)(random_uniform(seed, stream, index) * (double)n);
}

#endif
