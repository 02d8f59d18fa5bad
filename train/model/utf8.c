/* Texts that files and other programs read. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/utf8.h"

#include <string.h>

int64_t weir_utf8_bytes(const char *text, int64_t size) {
    const unsigned char *p = (const unsigned char *)text;
    if (size < 1) return 0;
    const unsigned char c = p[0];
    unsigned char least = 0x80, most = 0xbf; /* of the second byte */
    int64_t length;
    if (c < 0x80) return 1;
    if (c < 0xc2 || c > 0xf4) return 0;
    length = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (c == 0xe0) least = 0xa0; /* not longer than needed */
    if (c == 0xed) most = 0x9f;  /* no surrogate */
    if (c == 0xf0) least = 0x90;
    if (c == 0xf4) most = 0x8f; /* up to U+10FFFF */
    if (size < length || p[1] < least || p[1] > most) return 0;
    for (int64_t i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    return length;
}

bool weir_utf8_valid(const char *text) {
    int64_t left = (int64_t)strlen(text);
    while (left > 0) {
        const int64_t bytes = weir_utf8_bytes(text, left);
        if (bytes == 0) return false;
        text += bytes;
        left -= bytes;
    }
    return true;
}
