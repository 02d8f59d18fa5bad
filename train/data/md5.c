/* MD5 as in RFC 1321. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/md5.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 64, LENGTH_AT = BLOCK - 8 };

/* floor(2^32 |sin(i + 1)|). */
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static uint32_t rotate_left(uint32_t x, int bits) { return x << bits | x >> (32 - bits); }

static void add_block(uint32_t state[4], const unsigned char *p) {
    static const int turns[4][4] = {
        {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t w[16], a = state[0], b = state[1], c = state[2], d = state[3];
    for (int i = 0; i < 16; i++, p += 4)
        w[i] = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    for (int i = 0; i < 64; i++) {
        uint32_t f;
        int word;
        switch (i / 16) {
        case 0: f = (b & c) | (~b & d), word = i; break;
        case 1: f = (d & b) | (~d & c), word = 5 * i + 1; break;
        case 2: f = b ^ c ^ d, word = 3 * i + 5; break;
        default: f = c ^ (b | ~d), word = 7 * i; break;
        }
        const uint32_t sum = a + f + sines[i] + w[word % 16];
        a = d;
        d = c;
        c = b;
        b += rotate_left(sum, turns[i / 16][i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

/* The last `n` bytes, fewer than a block, then 0x80, zeros and the number of bits. */
static void add_end(uint32_t state[4], unsigned char block[BLOCK], size_t n, uint64_t bytes) {
    block[n++] = 0x80;
    memset(block + n, 0, BLOCK - n);
    if (n > LENGTH_AT) {
        add_block(state, block);
        memset(block, 0, BLOCK);
    }
    for (int i = 0; i < 8; i++) block[LENGTH_AT + i] = (unsigned char)(8 * bytes >> 8 * i);
    add_block(state, block);
}

weir_status md5_file(const char *path, char text[MD5_TEXT]) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return weir_fail(WEIR_ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    unsigned char buffer[256 * BLOCK];
    uint64_t bytes = 0;
    size_t n;
    while ((n = fread(buffer, 1, sizeof buffer, file)) == sizeof buffer) {
        for (size_t i = 0; i < n; i += BLOCK) add_block(state, buffer + i);
        bytes += n;
    }
    const bool failed = ferror(file) != 0;
    fclose(file);
    if (failed) return weir_fail(WEIR_ERROR_SYSTEM, "%s: reading: %s", path, strerror(errno));
    for (size_t i = 0; i + BLOCK <= n; i += BLOCK) add_block(state, buffer + i);
    add_end(state, buffer + n / BLOCK * BLOCK, n % BLOCK, bytes + n);
    for (int i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned)(state[i / 4] >> 8 * (i % 4) & 0xff));
    return WEIR_OK;
}
