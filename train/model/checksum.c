/* A fast checksum: four lanes of multiply and fold. SPDX-License-Identifier: Apache-2.0
 *
 * Each step is one to one in the lane's state, so that a change within one word is always noticed;
 * four lanes keep the multiplier busy.
 */
#include "train/model/checksum.h"

#include <string.h>

enum { LANES = 4, BLOCK = LANES * sizeof(uint64_t) };

static uint64_t step(uint64_t state, uint64_t word) {
    state = (state ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return state ^ state >> 32;
}

uint64_t weir_checksum_add(uint64_t start, const void *data, size_t bytes) {
    const unsigned char *p = data;
    uint64_t lanes[LANES], words[LANES] = {0}, sum = step(start, bytes);
    for (int i = 0; i < LANES; i++) lanes[i] = step(start, (uint64_t)i);
    for (; bytes >= BLOCK; bytes -= BLOCK, p += BLOCK) {
        memcpy(words, p, BLOCK);
        for (int i = 0; i < LANES; i++) lanes[i] = step(lanes[i], words[i]);
    }
    if (bytes > 0) {
        memset(words, 0, sizeof words);
        memcpy(words, p, bytes);
        for (int i = 0; i < LANES; i++) lanes[i] = step(lanes[i], words[i]);
    }
    for (int i = 0; i < LANES; i++) sum = step(sum, lanes[i]);
    return sum;
}
