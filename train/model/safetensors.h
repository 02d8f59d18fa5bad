/* The safetensors format: float tensors by name, and text by key. SPDX-License-Identifier: Apache-2.0
 *
 * 8 bytes: length L of the header, little endian; L bytes of JSON; the data. The JSON object has for
 * each tensor {"dtype": "F32", "shape": [...], "data_offsets": [begin, end]}, offsets in bytes from
 * the end of the header, and "__metadata__", an object of texts. The tensors cover the data without
 * holes or overlaps. https://github.com/huggingface/safetensors
 */
#ifndef WEIR_TRAIN_SAFETENSORS_H
#define WEIR_TRAIN_SAFETENSORS_H

#include <stdint.h>

#include "train/model/json.h"
#include "weir/status.h"

enum { SAFETENSORS_RANK_MAX = 8, SAFETENSORS_COUNT_MAX = 4096 };
enum { SAFETENSORS_HEADER_MAX = 16 << 20 }; /* bytes; far more than the largest model needs */

typedef struct safetensors_entry {
    const char *name;
    int rank;
    int64_t dims[SAFETENSORS_RANK_MAX];
    int64_t floats;
    int64_t begin;     /* byte offset in the data; reading */
    const float *data; /* writing */
} safetensors_entry;

/* Orders the entries by name, as the reference implementation does, adds "weir.checksum" to the
 * metadata and replaces the file in one step. metadata: an object of texts, stays the caller's. Errors:
 * SYSTEM, MEMORY. */
weir_status weir_safetensors_write(const char *path, safetensors_entry *entries, int count,
                                   const cJSON *metadata);

/* A file that was opened and checked. */
typedef struct safetensors {
    const char *path; /* the caller's */
    int fd;
    cJSON *header;
    const cJSON *metadata; /* in header; NULL: none */
    safetensors_entry *entries;
    int count;
    int64_t data_start; /* byte offset in the file */
} safetensors;

/* Opens the file and checks all of it but the floats. Errors: SYSTEM, FORMAT (names the path, the
 * tensor and what is wrong), MEMORY. */
weir_status weir_safetensors_open(const char *path, safetensors *s);
void weir_safetensors_close(safetensors *s);
/* out[entry->floats]. Errors: SYSTEM. */
weir_status weir_safetensors_read(const safetensors *s, const safetensors_entry *entry, float *out);
/* Compares the checksum, where the file has one, with metadata and data. Errors: SYSTEM, FORMAT. */
weir_status weir_safetensors_verify(const safetensors *s);

/* ---- shared by reading and writing ---- */

extern const char weir_safetensors_checksum_key[];
/* Of the texts of the metadata but the checksum itself, in their order. */
uint64_t weir_safetensors_checksum_texts(const cJSON *metadata);

#endif
