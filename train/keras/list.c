/* The tensors of a Keras file. SPDX-License-Identifier: Apache-2.0 */
#include "train/keras/list.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/keras/answer.h"
#include "train/keras/texts.h"

/* Groups that are walked through: links of a hostile file may go in circles. */
enum { DEPTH_MAX = 12, LINKS_MAX = 1 << 16 };

static noreturn void bad(const char *layer, const char *name, const char *problem) {
    answer_fail(WEIR_ERROR_FORMAT, "%.200s/%.200s: %s", layer, name, problem);
}

static char *copy_name(const char *name) {
    const size_t length = strlen(name);
    if (length > KERAS_NAME_MAX)
        answer_fail(WEIR_ERROR_FORMAT, "a name of %zu bytes, accepted: at most %d", length,
                    KERAS_NAME_MAX);
    return memcpy(allocate(length + 1), name, length + 1);
}

static void read_shape(tensor_list *list, tensor *t) {
    hsize_t dims[KERAS_RANK_MAX];
    const hid_t space = H5Dget_space(t->dataset);
    t->rank = H5Sget_simple_extent_ndims(space);
    if (H5Sget_simple_extent_type(space) == H5S_NULL || t->rank < 0 || t->rank > KERAS_RANK_MAX ||
        H5Sget_simple_extent_dims(space, dims, NULL) < 0)
        bad(t->layer, t->name, "has no shape, or one of more than 8 sizes");
    H5Sclose(space);
    t->floats = 1;
    for (int i = 0; i < t->rank; i++) {
        t->dims[i] = (int64_t)dims[i];
        if (t->dims[i] < 0 || __builtin_mul_overflow(t->floats, t->dims[i], &t->floats))
            bad(t->layer, t->name, "has too large a shape");
    }
    if (t->floats > (list->limit - list->bytes) / (int64_t)sizeof(float))
        answer_fail(WEIR_ERROR_FORMAT,
                    "%.200s/%.200s: with its %lld floats the file would have more than %lld bytes "
                    "of them, the most accepted",
                    t->layer, t->name, (long long)t->floats, (long long)list->limit);
    list->bytes += t->floats * (int64_t)sizeof(float);
}

/* Whether its numbers are in the file: not in another, and not never written. */
static bool has_data(const tensor *t) {
    const hid_t how = H5Dget_create_plist(t->dataset);
    const bool here = H5Pget_layout(how) != H5D_VIRTUAL && H5Pget_external_count(how) == 0;
    H5Pclose(how);
    H5D_space_status_t written = H5D_SPACE_STATUS_NOT_ALLOCATED;
    return here && H5Dget_space_status(t->dataset, &written) >= 0 &&
           (t->floats == 0 || written != H5D_SPACE_STATUS_NOT_ALLOCATED);
}

void list_add(tensor_list *list, hid_t group, const char *path, const char *layer,
              const char *name) {
    if (list->count == KERAS_TENSORS_MAX)
        answer_fail(WEIR_ERROR_FORMAT, "more than %d tensors", KERAS_TENSORS_MAX);
    tensor *t = &list->items[list->count++];
    *t = (tensor){.layer = copy_name(layer),
                  .name = copy_name(name),
                  .dataset = H5Dopen2(group, path, H5P_DEFAULT)};
    if (t->dataset < 0) bad(layer, name, "is missing, damaged or in another file");
    const hid_t type = H5Dget_type(t->dataset);
    if (H5Tget_class(type) != H5T_FLOAT || H5Tget_size(type) > 8)
        bad(layer, name, "is no array of floats of 16, 32 or 64 bits");
    H5Tclose(type);
    read_shape(list, t);
    if (!has_data(t)) bad(layer, name, "has no data, or has them in another file");
}

void list_layers(tensor_list *list, hid_t group) {
    int layers = 0;
    char **layer = texts_read_list(group, "layer_names", &layers);
    for (int i = 0; i < layers; i++) {
        const hid_t inside = H5Gopen2(group, layer[i], H5P_DEFAULT);
        if (inside < 0)
            answer_fail(WEIR_ERROR_FORMAT, "%.200s: no such group, though layer_names has it",
                        layer[i]);
        int weights = 0;
        char **weight = texts_read_list(inside, "weight_names", &weights);
        for (int k = 0; k < weights; k++) list_add(list, inside, weight[k], layer[i], weight[k]);
        H5Gclose(inside);
    }
}

typedef struct walk {
    tensor_list *list;
    int links;
} walk;

/* A dataset of a group "vars", whose layer is `layer`. Whole numbers are the state of random numbers,
 * and no weights. */
static void take_variable(const walk *w, hid_t group, const char *layer, const char *name) {
    const hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT), type = H5Dget_type(dataset);
    if (H5Tget_class(type) != H5T_INTEGER) list_add(w->list, group, name, layer, name);
    H5Tclose(type);
    H5Dclose(dataset);
}

static void walk_group(walk *w, hid_t group, const char *layer, bool vars, int depth);

static void walk_link(walk *w, hid_t group, const char *layer, const char *name, bool vars,
                      int depth) {
    const hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0) bad(layer, name, "is damaged or in another file");
    const H5I_type_t type = H5Iget_type(object);
    if (type == H5I_DATASET && vars) take_variable(w, group, layer, name);
    if (type == H5I_GROUP) {
        char below[KERAS_NAME_MAX + 1];
        const bool into = strcmp(name, "vars") == 0;
        const int length = into ? snprintf(below, sizeof below, "%s", layer)
                                : snprintf(below, sizeof below, "%s/%s", layer, name);
        if (length < 0 || length >= (int)sizeof below || depth == DEPTH_MAX)
            bad(layer, name, "is too deep in groups");
        walk_group(w, object, below, into, depth + 1);
    }
    H5Oclose(object);
}

static void walk_group(walk *w, hid_t group, const char *layer, bool vars, int depth) {
    H5G_info_t info;
    if (H5Gget_info(group, &info) < 0) bad(layer, "", "is damaged");
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[KERAS_NAME_MAX + 1];
        const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name,
                                                  sizeof name, H5P_DEFAULT);
        if (length <= 0 || length >= (ssize_t)sizeof name) bad(layer, "", "is damaged");
        if (++w->links > LINKS_MAX)
            answer_fail(WEIR_ERROR_FORMAT, "more than %d groups and tensors", LINKS_MAX);
        walk_link(w, group, layer, name, vars, depth);
    }
}

void list_vars(tensor_list *list, hid_t file, const char *name) {
    walk w = {.list = list};
    const hid_t group = H5Gopen2(file, name, H5P_DEFAULT);
    if (group < 0) answer_fail(WEIR_ERROR_FORMAT, "group %s is damaged", name);
    walk_group(&w, group, "layers", false, 0);
    H5Gclose(group);
}
