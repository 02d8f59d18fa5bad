/* gzip data in memory, block by block. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_GUNZIP_H
#define WEIR_TRAIN_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct gunzip gunzip;

/* Whether the data begin as a gzip file does. */
bool gunzip_fits(const void *data, size_t bytes);
/* The data are the caller's and must outlive it. NULL: no memory. */
gunzip *gunzip_open(const void *data, size_t bytes);
/*
 * The next bytes in *block, valid until the next call, and their number; 0 at the end, when length and
 * CRC have been compared with those that the file gives. -1: damaged, gunzip_error says how.
 */
ptrdiff_t gunzip_read(gunzip *g, const void **block);
const char *gunzip_error(const gunzip *g);
/* NULL is allowed. */
void gunzip_close(gunzip *g);

#endif
