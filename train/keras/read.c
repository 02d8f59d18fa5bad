/* weir-keras read. SPDX-License-Identifier: Apache-2.0 */
#include "train/keras/work.h"

#include <hdf5.h>
#include <hdf5_hl.h>
#include <stdlib.h>
#include <string.h>

#include "train/keras/answer.h"
#include "train/keras/image.h"
#include "train/keras/list.h"
#include "train/keras/texts.h"

static bool has_group(hid_t file, const char *name) {
    return H5Lexists(file, name, H5P_DEFAULT) > 0;
}

/* Lists the tensors of whatever layout the file has. */
static keras_layout list_tensors(hid_t file, tensor_list *list) {
    if (has_group(file, "model_weights")) {
        const hid_t group = H5Gopen2(file, "model_weights", H5P_DEFAULT);
        if (group < 0) answer_fail(WEIR_ERROR_FORMAT, "group model_weights is damaged");
        list_layers(list, group);
        H5Gclose(group);
        return KERAS_LAYERS;
    }
    if (texts_has_list(file, "layer_names")) {
        list_layers(list, file);
        return KERAS_LAYERS;
    }
    /* The second name is that of TensorFlow 2.12 and 2.13. */
    static const char *const names[] = {"layers", "_layer_checkpoint_dependencies"};
    for (int i = 0; i < 2; i++) {
        if (!has_group(file, names[i])) continue;
        list_vars(list, file, names[i]);
        return KERAS_VARS;
    }
    answer_fail(WEIR_ERROR_FORMAT,
                "an HDF5 file, but not of Keras: no group model_weights or layers and no attribute "
                "layer_names in it");
}

/* The attribute's only text, or "". */
static const char *attribute_text(hid_t file, const char *name) {
    int count = 0;
    char **texts = texts_read(file, name, &count);
    return count > 0 ? texts[0] : "";
}

static void answer_tensors(const tensor_list *list) {
    answer_number((uint32_t)list->count);
    for (int i = 0; i < list->count; i++) {
        const tensor *t = &list->items[i];
        answer_text(t->layer);
        answer_text(t->name);
        answer_number((uint32_t)t->rank);
        answer_bytes(t->dims, (size_t)t->rank * sizeof *t->dims);
    }
}

static void answer_data(const tensor *t) {
    const size_t bytes = (size_t)t->floats * sizeof(float);
    float *data = allocate(bytes);
    memset(data, 0, bytes); /* HDF5 leaves what was never written as it is */
    if (t->floats > 0 &&
        H5Dread(t->dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        answer_fail(WEIR_ERROR_FORMAT, "%.200s/%.200s: its data are damaged or in another file",
                    t->layer, t->name);
    answer_ok();
    answer_send(data, bytes);
    free(data);
}

void keras_read(void) {
    image from;
    image_open(&from);
    /* In place; it is never released, as the process ends first. */
    const hid_t file = H5LTopen_file_image(
        from.hdf5, from.bytes, H5LT_FILE_IMAGE_DONT_COPY | H5LT_FILE_IMAGE_DONT_RELEASE);
    if (file < 0) answer_fail(WEIR_ERROR_FORMAT, "not an HDF5 file, or damaged or truncated");
    tensor_list list = {.items = allocate(KERAS_TENSORS_MAX * sizeof *list.items),
                        .limit = from.limit};
    const keras_layout layout = list_tensors(file, &list);
    answer_ok();
    answer_number(layout);
    answer_text(from.config ? from.config : attribute_text(file, "model_config"));
    answer_text(from.config ? "" : attribute_text(file, "keras_version"));
    answer_text(from.metadata ? from.metadata : "");
    answer_tensors(&list);
    answer_send(NULL, 0);
    for (int i = 0; i < list.count; i++) answer_data(&list.items[i]);
}
