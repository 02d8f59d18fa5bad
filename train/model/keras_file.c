/* Keras files, opened for reading. SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE

#include "train/model/keras_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/model/json.h"

static weir_status cant_open(const char *path) {
    char reason[128];
    return weir_fail(WEIR_ERROR_SYSTEM, "%s: can't be opened: %s", path,
                     strerror_r(errno, reason, sizeof reason));
}

/* 2 or 3 from "2.21.0" or, as Keras 3 puts it beside the model, {"keras_version": "3.15.1", ...}. */
static int keras_of(const char *version, const char *metadata) {
    cJSON *json = weir_json_parse(metadata, strlen(metadata), NULL);
    const char *text =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "keras_version"));
    const int major = atoi(text ? text : version);
    cJSON_Delete(json);
    return major == 2 || major == 3 ? major : 0;
}

static weir_status receive_number(keras_file *f, uint32_t max, uint32_t *number) {
    weir_status status = weir_keras_receive(&f->process, number, sizeof *number);
    if (status != WEIR_OK || *number <= max) return status;
    return weir_fail(WEIR_ERROR_FORMAT, "%s: it is damaged: a number is %u, accepted: at most %u",
                     f->process.path, *number, max);
}

static weir_status receive_shape(keras_file *f, keras_tensor *t) {
    uint32_t rank = 0;
    weir_status status = receive_number(f, KERAS_RANK_MAX, &rank);
    if (status == WEIR_OK)
        status = weir_keras_receive(&f->process, t->dims, rank * sizeof *t->dims);
    if (status != WEIR_OK) return status;
    t->rank = (int)rank;
    t->floats = 1;
    for (int i = 0; i < t->rank; i++)
        if (t->dims[i] < 0 || __builtin_mul_overflow(t->floats, t->dims[i], &t->floats))
            return weir_fail(WEIR_ERROR_FORMAT, "%s: it is damaged: a size is %lld",
                             f->process.path, (long long)t->dims[i]);
    return WEIR_OK;
}

static weir_status receive_tensors(keras_file *f) {
    uint32_t count = 0;
    weir_status status = receive_number(f, KERAS_TENSORS_MAX, &count);
    if (status != WEIR_OK) return status;
    f->tensors = calloc((size_t)count + 1, sizeof *f->tensors);
    if (!f->tensors) return weir_fail(WEIR_ERROR_MEMORY, "no memory to read %s", f->process.path);
    for (f->count = 0; f->count < (int)count && status == WEIR_OK;) {
        keras_tensor *t = &f->tensors[f->count++];
        status = weir_keras_receive_text(&f->process, KERAS_NAME_MAX, &t->layer);
        if (status == WEIR_OK)
            status = weir_keras_receive_text(&f->process, KERAS_NAME_MAX, &t->name);
        if (status == WEIR_OK) status = receive_shape(f, t);
    }
    return status;
}

static weir_status receive_start(keras_file *f) {
    uint32_t layout = 0;
    char *version = NULL, *metadata = NULL;
    weir_status status = weir_keras_receive_start(&f->process);
    if (status == WEIR_OK) status = receive_number(f, KERAS_VARS, &layout);
    if (status == WEIR_OK)
        status = weir_keras_receive_text(&f->process, KERAS_TEXT_MAX, &f->config);
    if (status == WEIR_OK) status = weir_keras_receive_text(&f->process, KERAS_TEXT_MAX, &version);
    if (status == WEIR_OK) status = weir_keras_receive_text(&f->process, KERAS_TEXT_MAX, &metadata);
    if (status == WEIR_OK) status = receive_tensors(f);
    if (status == WEIR_OK) {
        f->layout = (keras_layout)layout;
        f->keras = keras_of(version, metadata);
    }
    free(version);
    free(metadata);
    return status;
}

weir_status weir_keras_open(const char *path, keras_file *f) {
    *f = (keras_file){.process = {.path = path, .pid = -1, .fd = -1}};
    /* Not waiting: a named pipe must not hold up the reader. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return cant_open(path);
    struct stat info;
    weir_status status = WEIR_OK;
    if (fstat(fd, &info) != 0)
        status = cant_open(path);
    else if (!S_ISREG(info.st_mode))
        status = weir_fail(WEIR_ERROR_FORMAT, "%s: not a regular file", path);
    else
        status = weir_keras_start(&f->process, path, "read", fd, (int64_t)info.st_size);
    close(fd);
    if (status == WEIR_OK) status = receive_start(f);
    if (status != WEIR_OK) weir_keras_close(f);
    return status;
}

weir_status weir_keras_read(keras_file *f, const keras_tensor *t, float *out) {
    weir_status status = weir_keras_receive_status(&f->process);
    if (status != WEIR_OK) return status;
    return weir_keras_receive(&f->process, out, (size_t)t->floats * sizeof *out);
}

void weir_keras_close(keras_file *f) {
    weir_keras_end(&f->process);
    for (int i = 0; f->tensors && i < f->count; i++) {
        free(f->tensors[i].layer);
        free(f->tensors[i].name);
    }
    free(f->tensors);
    free(f->config);
    *f = (keras_file){.process = {.pid = -1, .fd = -1}};
}

const char *weir_keras_tensor_name(const keras_file *f, const keras_tensor *t,
                                   char text[KERAS_TENSOR_NAME]) {
    snprintf(text, KERAS_TENSOR_NAME, "%s/%s%s", t->layer, f->layout == KERAS_VARS ? "vars/" : "",
             t->name);
    return text;
}
