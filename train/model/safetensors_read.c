/* Reading safetensors files; nothing in them is trusted. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/model/checksum.h"
#include "train/model/safetensors.h"

static weir_status system_error(const char *path, const char *what) {
    char reason[128];
    if (strerror_r(errno, reason, sizeof reason) != 0) strcpy(reason, "unknown reason");
    return weir_fail(WEIR_ERROR_SYSTEM, "%s: can't be %s: %s", path, what, reason);
}

/* Reads exactly `bytes` at an offset. */
static weir_status read_at(const safetensors *s, void *out, int64_t bytes, int64_t offset) {
    char *to = out;
    while (bytes > 0) {
        const ssize_t n = pread(s->fd, to, (size_t)(bytes < (1 << 30) ? bytes : 1 << 30), offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error(s->path, "read");
        if (n == 0)
            return weir_fail(WEIR_ERROR_FORMAT, "%s: ends at byte %lld, %lld bytes are missing",
                             s->path, (long long)offset, (long long)bytes);
        to += n;
        bytes -= n;
        offset += n;
    }
    return WEIR_OK;
}

static bool whole_number(const cJSON *json, int64_t *out) {
    if (!cJSON_IsNumber(json)) return false;
    const double value = json->valuedouble;
    if (!(value >= 0 && value <= 0x1p53) || floor(value) != value) return false;
    *out = (int64_t)value;
    return true;
}

static weir_status bad_entry(const safetensors *s, const char *name, const char *problem) {
    return weir_fail(WEIR_ERROR_FORMAT, "%s: tensor '%.80s': %s", s->path, name, problem);
}

static weir_status read_shape(const safetensors *s, const cJSON *shape, safetensors_entry *e) {
    e->floats = 1;
    if (!cJSON_IsArray(shape) || cJSON_GetArraySize(shape) > SAFETENSORS_RANK_MAX)
        return bad_entry(s, e->name, "shape must be a list of at most 8 sizes");
    const cJSON *size;
    cJSON_ArrayForEach(size, shape) {
        int64_t dim = 0;
        if (!whole_number(size, &dim) || __builtin_mul_overflow(e->floats, dim, &e->floats))
            return bad_entry(s, e->name,
                             "shape has a size that is not a whole number, or too large");
        e->dims[e->rank++] = dim;
    }
    return WEIR_OK;
}

static weir_status read_entry(const safetensors *s, const cJSON *json, safetensors_entry *e) {
    *e = (safetensors_entry){.name = json->string};
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(json, "dtype");
    if (!cJSON_IsString(dtype)) return bad_entry(s, e->name, "dtype is missing");
    if (strcmp(dtype->valuestring, "F32") != 0)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: tensor '%.80s': dtype is %.20s, accepted: F32",
                         s->path, e->name, dtype->valuestring);
    weir_status status = read_shape(s, cJSON_GetObjectItemCaseSensitive(json, "shape"), e);
    if (status != WEIR_OK) return status;
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(json, "data_offsets");
    int64_t end = 0;
    if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 ||
        !whole_number(offsets->child, &e->begin) || !whole_number(offsets->child->next, &end))
        return bad_entry(s, e->name, "data_offsets must be two byte offsets");
    if (end < e->begin || (end - e->begin) % 4 != 0 || (end - e->begin) / 4 != e->floats)
        return weir_fail(WEIR_ERROR_FORMAT,
                         "%s: tensor '%.80s': data_offsets [%lld, %lld] don't fit a shape of %lld "
                         "floats",
                         s->path, e->name, (long long)e->begin, (long long)end,
                         (long long)e->floats);
    return WEIR_OK;
}

static int by_begin(const void *a, const void *b) {
    const safetensors_entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return x->floats < y->floats ? -1 : x->floats > y->floats;
}

/* The tensors must lie end to end from the start of the data to the end of the file. */
static weir_status check_cover(safetensors *s, int64_t data_bytes) {
    int64_t next = 0;
    if (s->count > 0) qsort(s->entries, (size_t)s->count, sizeof *s->entries, by_begin);
    for (int i = 0; i < s->count; i++) {
        const safetensors_entry *e = &s->entries[i];
        if (e->begin != next)
            return weir_fail(WEIR_ERROR_FORMAT,
                             "%s: tensor '%.80s': begins at byte %lld of the data, expected %lld",
                             s->path, e->name, (long long)e->begin, (long long)next);
        next += 4 * e->floats;
        if (next > data_bytes)
            return weir_fail(WEIR_ERROR_FORMAT,
                             "%s: tensor '%.80s': ends at byte %lld of the data, the file has %lld "
                             "(is it truncated?)",
                             s->path, e->name, (long long)next, (long long)data_bytes);
    }
    if (next != data_bytes)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: %lld bytes behind the last tensor", s->path,
                         (long long)(data_bytes - next));
    return WEIR_OK;
}

static weir_status read_entries(safetensors *s, int64_t data_bytes) {
    const int count = cJSON_GetArraySize(s->header);
    if (count > SAFETENSORS_COUNT_MAX)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: %d tensors, accepted: at most %d", s->path, count,
                         SAFETENSORS_COUNT_MAX);
    s->entries = calloc((size_t)count + 1, sizeof *s->entries);
    if (!s->entries) return weir_fail(WEIR_ERROR_MEMORY, "no memory to read %s", s->path);
    for (const cJSON *item = s->header->child; item; item = item->next) {
        weir_status status = WEIR_OK;
        if (strcmp(item->string, "__metadata__") == 0)
            s->metadata = item;
        else
            status = read_entry(s, item, &s->entries[s->count++]);
        if (status != WEIR_OK) return status;
    }
    return check_cover(s, data_bytes);
}

static weir_status read_header(safetensors *s, int64_t file_bytes) {
    uint64_t length = 0;
    if (file_bytes < 8)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: not a safetensors file: %lld bytes", s->path,
                         (long long)file_bytes);
    weir_status status = read_at(s, &length, 8, 0);
    if (status != WEIR_OK) return status;
    if (length < 2 || length > SAFETENSORS_HEADER_MAX || length > (uint64_t)file_bytes - 8)
        return weir_fail(WEIR_ERROR_FORMAT,
                         "%s: not a safetensors file, or truncated: a header of %llu bytes in a "
                         "file of %lld",
                         s->path, (unsigned long long)length, (long long)file_bytes);
    char *text = malloc((size_t)length + 1);
    if (!text) return weir_fail(WEIR_ERROR_MEMORY, "no memory to read %s", s->path);
    text[length] = '\0'; /* cJSON before 1.7.18 may look one byte too far */
    status = read_at(s, text, (int64_t)length, 8);
    size_t at = 0;
    if (status == WEIR_OK) {
        s->header = weir_json_parse(text, (size_t)length, &at);
        if (!s->header || !cJSON_IsObject(s->header))
            status = weir_fail(WEIR_ERROR_FORMAT,
                               "%s: not a safetensors file: no JSON object from byte %zu on",
                               s->path, at + 8);
    }
    free(text);
    s->data_start = 8 + (int64_t)length;
    return status != WEIR_OK ? status : read_entries(s, file_bytes - s->data_start);
}

weir_status weir_safetensors_open(const char *path, safetensors *s) {
    *s = (safetensors){.path = path};
    /* Not waiting: a named pipe must not hold up the reader. */
    s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (s->fd < 0) return system_error(path, "opened");
    struct stat info;
    weir_status status = WEIR_OK;
    if (fstat(s->fd, &info) != 0)
        status = system_error(path, "read");
    else if (!S_ISREG(info.st_mode))
        status = weir_fail(WEIR_ERROR_FORMAT, "%s: not a regular file", path);
    else
        status = read_header(s, (int64_t)info.st_size);
    if (status != WEIR_OK) weir_safetensors_close(s);
    return status;
}

void weir_safetensors_close(safetensors *s) {
    if (s->fd >= 0) close(s->fd);
    cJSON_Delete(s->header);
    free(s->entries);
    *s = (safetensors){.fd = -1};
}

weir_status weir_safetensors_read(const safetensors *s, const safetensors_entry *entry,
                                  float *out) {
    return read_at(s, out, 4 * entry->floats, s->data_start + entry->begin);
}

/* ---- the checksum ---- */

const char weir_safetensors_checksum_key[] = "weir.checksum";

uint64_t weir_safetensors_checksum_texts(const cJSON *metadata) {
    uint64_t sum = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, metadata) {
        const char *text = cJSON_GetStringValue(item);
        if (!text || strcmp(item->string, weir_safetensors_checksum_key) == 0) continue;
        sum = weir_checksum_add(sum, item->string, strlen(item->string));
        sum = weir_checksum_add(sum, text, strlen(text));
    }
    return sum;
}

weir_status weir_safetensors_verify(const safetensors *s) {
    const char *stored = cJSON_GetStringValue(
        cJSON_GetObjectItemCaseSensitive(s->metadata, weir_safetensors_checksum_key));
    if (!stored) return WEIR_OK;
    uint64_t sum = weir_safetensors_checksum_texts(s->metadata);
    int64_t largest = 0;
    for (int i = 0; i < s->count; i++)
        if (s->entries[i].floats > largest) largest = s->entries[i].floats;
    float *data = malloc((size_t)largest * sizeof *data + 1);
    if (!data) return weir_fail(WEIR_ERROR_MEMORY, "no memory to read %s", s->path);
    weir_status status = WEIR_OK;
    for (int i = 0; i < s->count && status == WEIR_OK; i++) {
        const safetensors_entry *e = &s->entries[i];
        status = weir_safetensors_read(s, e, data);
        if (status == WEIR_OK) sum = weir_checksum_add(sum, data, (size_t)e->floats * sizeof *data);
    }
    free(data);
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, sum);
    if (status != WEIR_OK || strcmp(text, stored) == 0) return status;
    return weir_fail(
        WEIR_ERROR_FORMAT,
        "%s: damaged, or changed by a program that left weir.checksum as it was: it is %.20s, that "
        "of texts and tensors is %s",
        s->path, stored, text);
}
