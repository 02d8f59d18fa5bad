/* Writing safetensors files. SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/model/atomic_file.h"
#include "train/model/checksum.h"
#include "train/model/json.h"
#include "train/model/safetensors.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little endian");

static int by_name(const void *a, const void *b) {
    const safetensors_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static cJSON *entry_json(const safetensors_entry *e, int64_t begin) {
    cJSON *json = weir_json_object();
    weir_json_add_string(json, "dtype", "F32");
    cJSON *dims = weir_json_add_array(json, "shape");
    for (int i = 0; i < e->rank; i++) weir_json_append(dims, weir_json_number((double)e->dims[i]));
    cJSON *offsets = weir_json_add_array(json, "data_offsets");
    weir_json_append(offsets, weir_json_number((double)begin));
    weir_json_append(offsets, weir_json_number((double)begin + 4 * (double)e->floats));
    return json;
}

/* metadata with the checksum in it. */
static cJSON *with_checksum(const safetensors_entry *entries, int count, const cJSON *metadata) {
    uint64_t sum = weir_safetensors_checksum_texts(metadata);
    for (int i = 0; i < count; i++)
        sum = weir_checksum_add(sum, entries[i].data, (size_t)entries[i].floats * sizeof(float));
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, sum);
    cJSON *copy = weir_json_copy(metadata);
    weir_json_add_string(copy, weir_safetensors_checksum_key, text);
    return copy;
}

/* The header with its length in front, padded with spaces to a multiple of 8 bytes. */
static char *header_text(const safetensors_entry *entries, int count, const cJSON *metadata,
                         size_t *bytes) {
    cJSON *header = weir_json_object();
    weir_json_add(header, "__metadata__", with_checksum(entries, count, metadata));
    int64_t begin = 0;
    for (int i = 0; i < count; i++) {
        weir_json_add(header, entries[i].name, entry_json(&entries[i], begin));
        begin += 4 * entries[i].floats;
    }
    char *json = weir_json_print(header);
    cJSON_Delete(header);
    if (!json) return NULL;
    const size_t length = strlen(json), padded = (length + 7) / 8 * 8;
    char *text = malloc(8 + padded);
    if (text) {
        const uint64_t stored = padded;
        memcpy(text, &stored, 8);
        memcpy(text + 8, json, length);
        memset(text + 8 + length, ' ', padded - length);
        *bytes = 8 + padded;
    }
    cJSON_free(json);
    return text;
}

weir_status weir_safetensors_write(const char *path, safetensors_entry *entries, int count,
                                   const cJSON *metadata) {
    if (count > 0) qsort(entries, (size_t)count, sizeof *entries, by_name);
    size_t bytes = 0;
    char *header = header_text(entries, count, metadata, &bytes);
    chunk *chunks = malloc(((size_t)count + 1) * sizeof *chunks);
    weir_status status = WEIR_OK;
    if (!header || !chunks) {
        status = weir_fail(WEIR_ERROR_MEMORY, "no memory to write %s", path);
    } else if (bytes - 8 > SAFETENSORS_HEADER_MAX) {
        status = weir_fail(WEIR_ERROR_FORMAT,
                           "%s: its header would have %zu bytes, accepted: at most %d", path,
                           bytes - 8, SAFETENSORS_HEADER_MAX);
    } else {
        chunks[0] = (chunk){header, bytes};
        for (int i = 0; i < count; i++)
            chunks[i + 1] = (chunk){entries[i].data, (size_t)entries[i].floats * sizeof(float)};
        status = weir_atomic_file_write(path, chunks, count + 1);
    }
    free(header);
    free(chunks);
    return status;
}
