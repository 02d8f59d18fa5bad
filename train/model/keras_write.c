/* Weights into the files of Keras. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/keras/stream.h"
#include "train/model/atomic_file.h"
#include "train/model/keras_match.h"
#include "train/model/keras_model.h"
#include "train/model/keras_process.h"

enum { PATH_SIZE = KERAS_PLACE + 32 };

/* ---- sending ---- */

static weir_status send_number(keras_process *k, uint32_t number) {
    return weir_keras_send(k, &number, sizeof number);
}

static weir_status send_path(keras_process *k, const char *path) {
    const size_t length = strlen(path);
    weir_status status = send_number(k, (uint32_t)length);
    return status == WEIR_OK ? weir_keras_send(k, path, length) : status;
}

static weir_status send_tensor(keras_process *k, const weir_model *m, const char *path,
                               const parameter *p) {
    weir_status status = send_path(k, path);
    if (status == WEIR_OK) status = send_number(k, (uint32_t)p->rank);
    if (status == WEIR_OK) status = weir_keras_send(k, p->dims, (size_t)p->rank * sizeof *p->dims);
    if (status == WEIR_OK)
        status = weir_keras_send(k, m->values + p->offset, (size_t)p->floats * sizeof(float));
    return status;
}

static weir_status send_group(keras_process *k, const char *place, const char *inside) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s%svars", place, inside);
    weir_status status = send_path(k, path);
    return status == WEIR_OK ? send_number(k, KERAS_GROUP) : status;
}

/* Keras opens a group "vars" of everything that could have variables, TensorFlow's insists on it. */
static const char *const *groups_of(const layer *l) {
    static const char *const plain[] = {"/", NULL}, *const cell[] = {"/", "/cell/", NULL};
    static const char *const both[] = {"/",
                                       "/layer/",
                                       "/layer/cell/",
                                       "/forward_layer/",
                                       "/forward_layer/cell/",
                                       "/backward_layer/",
                                       "/backward_layer/cell/",
                                       NULL};
    if (!l->type->cell) return plain;
    return weir_layer_bidirectional(l) ? both : cell;
}

static uint32_t count_items(const weir_model *m) {
    uint32_t count = 1;
    for (int i = 0; i < m->layer_count; i++) {
        for (const char *const *g = groups_of(&m->layers[i]); *g; g++) count++;
        count += (uint32_t)m->layers[i].parameter_count;
    }
    return count;
}

static weir_status send_layer(keras_process *k, const weir_model *m, const layer *l) {
    char path[PATH_SIZE], place[KERAS_PLACE];
    weir_status status = WEIR_OK;
    for (const char *const *g = groups_of(l); *g && status == WEIR_OK; g++)
        status = send_group(k, weir_keras_layer(m, l, place), *g);
    for (int i = 0; i < l->parameter_count && status == WEIR_OK; i++) {
        const int number = weir_keras_place(m, l, i, place);
        snprintf(path, sizeof path, "%s/vars/%d", place, number);
        status = send_tensor(k, m, path, &l->parameters[i]);
    }
    return status;
}

static weir_status send_model(keras_process *k, const weir_model *m) {
    weir_status status = send_number(k, KERAS_MAGIC);
    if (status == WEIR_OK) status = send_number(k, count_items(m));
    if (status == WEIR_OK) status = send_group(k, "", "");
    for (int i = 0; i < m->layer_count && status == WEIR_OK; i++)
        status = send_layer(k, m, &m->layers[i]);
    return status;
}

/* ---- the file ---- */

static weir_status receive_file(keras_process *k, int64_t most) {
    uint64_t bytes = 0;
    weir_status status = weir_keras_receive_start(k);
    if (status == WEIR_OK) status = weir_keras_receive(k, &bytes, sizeof bytes);
    if (status != WEIR_OK) return status;
    if (bytes > (uint64_t)most)
        return weir_fail(WEIR_ERROR_SYSTEM, "%s: HDF5 made a file of %llu bytes of %lld at most",
                         k->path, (unsigned long long)bytes, (long long)most);
    char *image = malloc((size_t)bytes + 1);
    if (!image) return weir_fail(WEIR_ERROR_MEMORY, "no memory to write %s", k->path);
    status = weir_keras_receive(k, image, (size_t)bytes);
    const chunk whole = {image, (size_t)bytes};
    if (status == WEIR_OK) status = weir_atomic_file_write(k->path, &whole, 1);
    free(image);
    return status;
}

weir_status weir_keras_save_weights(const weir_model *m, const char *path) {
    weir_status status = weir_atomic_file_check(path);
    if (status != WEIR_OK) return status;
    keras_process k;
    const int64_t bytes = m->parameters * (int64_t)sizeof(float);
    status = weir_keras_start(&k, path, "write", -1, bytes);
    if (status != WEIR_OK) return status;
    status = send_model(&k, m);
    if (status == WEIR_OK)
        status = receive_file(&k, keras_data_limit(bytes));
    else if (status == WEIR_ERROR_STATE) /* it ended: why */
        status = weir_keras_receive_start(&k);
    weir_keras_end(&k);
    return status;
}
