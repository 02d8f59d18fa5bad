/* Text to words, as Keras' text_to_word_sequence. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/tokenize.h"

#include <stdbool.h>
#include <string.h>

#include "train/model/utf8.h"

/* What becomes of ASCII: 16 characters in a line. */
static const char ascii[0x80 + 1] =
    "\x00\x01\x02\x03\x04\x05\x06\x07\x08  \x0b\x0c \x0e\x0f"
    "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"
    "       \'        "
    "0123456789      "
    " abcdefghijklmno"
    "pqrstuvwxyz     "
    " abcdefghijklmno"
    "pqrstuvwxyz    \x7f";

/* Lower case of a code point from U+00C0 to U+017F; most capitals of Latin Extended-A are followed
 * by their small letter. */
static unsigned lower(unsigned c) {
    if (c <= 0xde) return c == 0xd7 ? c : c + 0x20;
    if (c < 0x100 || c == 0x130 || c == 0x138 || c == 0x149 || c == 0x17f) return c;
    if (c == 0x178) return 0xff;
    const bool odd_capitals = (c > 0x138 && c < 0x149) || c > 0x178;
    return c % 2 == odd_capitals ? c + 1 : c;
}

/* A two-byte sequence of UTF-8 at p. */
static void lower_pair(unsigned char *p) {
    const unsigned c = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    const unsigned small = c < 0xc0 ? c : lower(c);
    p[0] = (unsigned char)(0xc0 | small >> 6);
    p[1] = (unsigned char)(0x80 | (small & 0x3f));
}

void text_normalise(char *text, int64_t size) {
    unsigned char *p = (unsigned char *)text, *end = p + size;
    while (p < end) {
        if (*p < 0x80) {
            *p = (unsigned char)ascii[*p];
            p++;
        } else if (*p >= 0xc3 && *p <= 0xc5 && p + 1 < end && (p[1] & 0xc0) == 0x80) {
            lower_pair(p);
            p += 2;
        } else {
            p++;
        }
    }
}

int64_t text_invalid_bytes(const char *text, int64_t size) {
    const unsigned char *p = (const unsigned char *)text;
    int64_t invalid = 0;
    for (int64_t i = 0; i < size;) {
        uint64_t eight;
        if (i + (int64_t)sizeof eight <= size) {
            memcpy(&eight, p + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += (int64_t)sizeof eight;
                continue;
            }
        }
        const int64_t length = weir_utf8_bytes(text + i, size - i);
        if (length == 0) invalid++;
        i += length > 0 ? length : 1;
    }
    return invalid;
}

const char *text_next_word(const char **at, const char *end) {
    const char *p = *at;
    while (p < end && *p == ' ') p++;
    const char *begin = p;
    while (p < end && *p != ' ') p++;
    *at = p;
    return p > begin ? begin : NULL;
}
