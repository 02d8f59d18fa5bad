/* Which parameter of a model a tensor of a Keras file is. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/keras_match.h"

#include <stdio.h>
#include <string.h>

/* Kernel, recurrent kernel and bias of a cell. */
enum { CELL_PARAMETERS = 3, SHAPE_TEXT = 96 };

static const char *shape_text(int rank, const int64_t *dims, char text[SHAPE_TEXT]) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < rank && used < SHAPE_TEXT; i++)
        used += (size_t)snprintf(text + used, SHAPE_TEXT - used, "%s%lld", i > 0 ? ", " : "",
                                 (long long)dims[i]);
    return text;
}

static weir_status check_shape(const keras_file *f, const keras_tensor *t, const layer *l,
                               const parameter *p) {
    bool same = t->rank == p->rank;
    for (int i = 0; same && i < p->rank; i++) same = t->dims[i] == p->dims[i];
    if (same) return WEIR_OK;
    char has[SHAPE_TEXT], needs[SHAPE_TEXT], name[KERAS_TENSOR_NAME];
    const bool bias = l->spec.kind == WEIR_LAYER_GRU && t->rank + p->rank == 3;
    return weir_fail(WEIR_ERROR_FORMAT, "%s: %s: shape is [%s], %s of layer %d needs [%s]%s",
                     f->process.path, weir_keras_tensor_name(f, t, name),
                     shape_text(t->rank, t->dims, has), p->name, l->index,
                     shape_text(p->rank, p->dims, needs),
                     bias ? " (a GRU has two biases with reset_after, else one)" : "");
}

/* ---- Keras 2: layers in order ---- */

static int same_layer(const keras_file *f, int first) {
    int end = first;
    while (end < f->count && strcmp(f->tensors[end].layer, f->tensors[first].layer) == 0) end++;
    return end - first;
}

static weir_status match_layers(const keras_file *f, const weir_model *m,
                                const parameter **parameters) {
    int at = 0;
    for (int i = 0; i < m->layer_count; i++) {
        const layer *l = &m->layers[i];
        if (l->parameter_count == 0) continue;
        const int has = at < f->count ? same_layer(f, at) : 0;
        if (has == 0)
            return weir_fail(WEIR_ERROR_FORMAT,
                             "%s: no weights for layer %d (%s): the file has those of fewer layers",
                             f->process.path, i, l->name);
        if (has != l->parameter_count)
            return weir_fail(
                WEIR_ERROR_FORMAT, "%s: %.80s has %d tensors, layer %d (%s) of the model needs %d",
                f->process.path, f->tensors[at].layer, has, i, l->name, l->parameter_count);
        for (int k = 0; k < has; k++, at++) {
            parameters[at] = &l->parameters[k];
            weir_status status = check_shape(f, &f->tensors[at], l, parameters[at]);
            if (status != WEIR_OK) return status;
        }
    }
    if (at == f->count) return WEIR_OK;
    return weir_fail(WEIR_ERROR_FORMAT,
                     "%s: weights of a layer %.80s, which the model does not have", f->process.path,
                     f->tensors[at].layer);
}

/* ---- Keras 3: places ---- */

/* Keras counts the classes of the layers; what is inside of Bidirectional does not count. */
static int same_class_before(const weir_model *m, const layer *l) {
    int count = 0;
    for (int i = 0; i < l->index; i++) {
        const layer *other = &m->layers[i];
        const bool wrapped = weir_layer_bidirectional(other);
        count += wrapped == weir_layer_bidirectional(l) && (wrapped || other->type == l->type);
    }
    return count;
}

const char *weir_keras_layer(const weir_model *m, const layer *l, char place[KERAS_PLACE]) {
    const int before = same_class_before(m, l);
    char number[16] = "";
    if (before > 0) snprintf(number, sizeof number, "_%d", before);
    snprintf(place, KERAS_PLACE, "layers/%s%s",
             weir_layer_bidirectional(l) ? "bidirectional" : l->type->prefix, number);
    return place;
}

int weir_keras_place(const weir_model *m, const layer *l, int i, char place[KERAS_PLACE]) {
    char name[KERAS_PLACE];
    const char *inside = "";
    if (l->type->cell) inside = "/cell";
    if (weir_layer_bidirectional(l))
        inside = i < CELL_PARAMETERS ? "/forward_layer/cell" : "/backward_layer/cell";
    snprintf(place, KERAS_PLACE, "%.64s%s", weir_keras_layer(m, l, name), inside);
    return l->type->cell ? i % CELL_PARAMETERS : i;
}

static int find_tensor(const keras_file *f, const char *place, int number) {
    char name[16];
    snprintf(name, sizeof name, "%d", number);
    for (int i = 0; i < f->count; i++)
        if (strcmp(f->tensors[i].name, name) == 0 && strcmp(f->tensors[i].layer, place) == 0)
            return i;
    return -1;
}

static weir_status match_places(const keras_file *f, const weir_model *m,
                                const parameter **parameters) {
    char place[KERAS_PLACE], name[KERAS_TENSOR_NAME];
    for (int i = 0; i < m->layer_count; i++) {
        const layer *l = &m->layers[i];
        for (int k = 0; k < l->parameter_count; k++) {
            const int number = weir_keras_place(m, l, k, place);
            const int found = find_tensor(f, place, number);
            if (found < 0)
                return weir_fail(WEIR_ERROR_FORMAT, "%s: %s/vars/%d is missing, the %s of layer %d",
                                 f->process.path, place, number, l->parameters[k].name, i);
            parameters[found] = &l->parameters[k];
            weir_status status = check_shape(f, &f->tensors[found], l, parameters[found]);
            if (status != WEIR_OK) return status;
        }
    }
    for (int i = 0; i < f->count; i++)
        if (!parameters[i])
            return weir_fail(WEIR_ERROR_FORMAT, "%s: has %s, which the model's layers do not have",
                             f->process.path, weir_keras_tensor_name(f, &f->tensors[i], name));
    return WEIR_OK;
}

weir_status weir_keras_match(const keras_file *f, const weir_model *m,
                             const parameter **parameters) {
    for (int i = 0; i < f->count; i++) parameters[i] = NULL;
    return f->layout == KERAS_LAYERS ? match_layers(f, m, parameters)
                                     : match_places(f, m, parameters);
}
