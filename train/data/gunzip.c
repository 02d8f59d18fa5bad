/* gzip data in memory, block by block, with zlib. SPDX-License-Identifier: Apache-2.0
 *
 * libarchive could read gzip as well, but compares no CRC: a flipped bit would be a changed letter.
 */
#include "train/data/gunzip.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { BLOCK = 1 << 17, GZIP_ONLY = 16 + MAX_WBITS };

struct gunzip {
    z_stream z;
    const unsigned char *next, *end; /* what zlib has not been given yet */
    bool ended;
    const char *error;
    unsigned char block[BLOCK];
};

bool gunzip_fits(const void *data, size_t bytes) {
    return bytes >= 2 && memcmp(data, "\x1f\x8b", 2) == 0;
}

gunzip *gunzip_open(const void *data, size_t bytes) {
    gunzip *g = calloc(1, sizeof *g);
    if (g == NULL) return NULL;
    g->next = data;
    g->end = g->next + bytes;
    if (inflateInit2(&g->z, GZIP_ONLY) == Z_OK) return g;
    free(g);
    return NULL;
}

/* zlib counts in unsigned int. */
static void give_more(gunzip *g) {
    if (g->z.avail_in > 0) return;
    const size_t left = (size_t)(g->end - g->next);
    g->z.next_in = (unsigned char *)g->next;
    g->z.avail_in = left < INT_MAX ? (unsigned)left : INT_MAX;
    g->next += g->z.avail_in;
}

/* Behind the end of a gzip stream another may follow; what does not begin as one is passed over. */
static void end_stream(gunzip *g) {
    const unsigned char *rest = g->next - g->z.avail_in;
    if (gunzip_fits(rest, (size_t)(g->end - rest)))
        inflateReset(&g->z);
    else
        g->ended = true;
}

ptrdiff_t gunzip_read(gunzip *g, const void **block) {
    *block = g->block;
    g->z.next_out = g->block;
    g->z.avail_out = BLOCK;
    while (g->z.avail_out > 0 && !g->ended && g->error == NULL) {
        give_more(g);
        const int result = inflate(&g->z, Z_NO_FLUSH);
        if (result == Z_STREAM_END)
            end_stream(g);
        else if (result == Z_BUF_ERROR ||
                 (result == Z_OK && g->z.avail_in == 0 && g->next == g->end && g->z.avail_out > 0))
            g->error = "the gzip data end too early";
        else if (result != Z_OK)
            g->error = g->z.msg != NULL ? g->z.msg : "the gzip data are wrong";
    }
    return g->error == NULL ? (ptrdiff_t)(BLOCK - g->z.avail_out) : -1;
}

const char *gunzip_error(const gunzip *g) { return g->error; }

void gunzip_close(gunzip *g) {
    if (g == NULL) return;
    inflateEnd(&g->z);
    free(g);
}
