/* Texts in the attributes of an HDF5 file. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L

#include "train/keras/texts.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/keras/answer.h"
#include "train/keras/stream.h"

enum { NAME = 64 };

static noreturn void bad(const char *name, const char *problem) {
    answer_fail(WEIR_ERROR_FORMAT, "attribute %s %s", name, problem);
}

static char *copy(const char *name, const char *text, size_t length) {
    if (length > KERAS_TEXT_MAX) bad(name, "has a text that is too long");
    char *out = allocate(length + 1);
    memcpy(out, text, length);
    out[length] = '\0';
    return out;
}

/* Texts of one size, which end at a NUL or at that size. */
static void read_fixed(hid_t attribute, hid_t type, const char *name, int count, char **out) {
    const size_t size = H5Tget_size(type);
    if (size == 0 || size > KERAS_TEXT_MAX / (size_t)count) bad(name, "is too large");
    char *bytes = allocate(size * (size_t)count);
    if (H5Aread(attribute, type, bytes) < 0) bad(name, "can't be read");
    for (int i = 0; i < count; i++) {
        const char *text = bytes + (size_t)i * size;
        out[i] = copy(name, text, strnlen(text, size));
    }
    free(bytes);
}

static void read_variable(hid_t attribute, hid_t type, const char *name, int count, char **out) {
    char **texts = allocate((size_t)count * sizeof *texts);
    const hid_t memory = H5Tcopy(H5T_C_S1);
    if (memory < 0 || H5Tset_size(memory, H5T_VARIABLE) < 0 ||
        H5Tset_cset(memory, H5Tget_cset(type)) < 0 || H5Aread(attribute, memory, texts) < 0)
        bad(name, "can't be read");
    for (int i = 0; i < count; i++) {
        if (!texts[i]) bad(name, "has a text that is missing");
        out[i] = copy(name, texts[i], strlen(texts[i]));
        H5free_memory(texts[i]);
    }
    free(texts);
}

char **texts_read(hid_t object, const char *name, int *count) {
    *count = 0;
    if (H5Aexists(object, name) <= 0) return NULL;
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    if (points < 0) bad(name, "can't be read");
    if (points == 0) return NULL; /* numpy calls an empty list one of doubles */
    if (points > KERAS_TENSORS_MAX) bad(name, "is too long a list");
    if (H5Tget_class(type) != H5T_STRING) bad(name, "holds no texts");
    *count = (int)points;
    char **out = allocate((size_t)*count * sizeof *out);
    if (H5Tis_variable_str(type) > 0)
        read_variable(attribute, type, name, *count, out);
    else
        read_fixed(attribute, type, name, *count, out);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return out;
}

static void numbered(char part[NAME], const char *name, int number) {
    snprintf(part, NAME, "%s%d", name, number);
}

char **texts_read_list(hid_t object, const char *name, int *count) {
    char part[NAME];
    numbered(part, name, 0);
    if (H5Aexists(object, part) <= 0) return texts_read(object, name, count);
    char **out = NULL;
    *count = 0;
    for (int i = 0; i < KERAS_TENSORS_MAX; i++) {
        numbered(part, name, i);
        int more = 0;
        char **texts = texts_read(object, part, &more);
        if (more == 0) break;
        if (*count + more > KERAS_TENSORS_MAX) bad(name, "is too long a list");
        char **joined = allocate((size_t)(*count + more) * sizeof *joined);
        if (*count > 0) memcpy(joined, out, (size_t)*count * sizeof *joined);
        memcpy(joined + *count, texts, (size_t)more * sizeof *joined);
        free(out);
        free(texts);
        out = joined;
        *count += more;
    }
    return out;
}

bool texts_has_list(hid_t object, const char *name) {
    char part[NAME];
    numbered(part, name, 0);
    return H5Aexists(object, name) > 0 || H5Aexists(object, part) > 0;
}
