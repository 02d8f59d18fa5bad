/* Model and weight files of any kind, recognised by their first bytes. SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/model/keras_model.h"
#include "train/model/model_file.h"

/* HDF5, or the zip of Keras 3. A file that can't be read is for the reader of the other kind to refuse. */
static bool is_keras(const char *path) {
    char first[8] = "";
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    const ssize_t n = pread(fd, first, sizeof first, 0);
    close(fd);
    return n == sizeof first && (memcmp(first, "\x89HDF\r\n\x1a\n", sizeof first) == 0 ||
                                 memcmp(first, "PK\3\4", 4) == 0);
}

weir_status weir_model_load(weir_runtime *runtime, const char *path,
                            const weir_model_options *options, weir_model **model) {
    if (!runtime || !path || !model)
        return weir_fail(WEIR_ERROR_ARGUMENT, "runtime, path and model must not be NULL");
    *model = NULL;
    return is_keras(path) ? weir_keras_load(runtime, path, options, model)
                          : weir_model_file_load(runtime, path, options, model);
}

weir_status weir_model_load_weights(weir_model *model, const char *path) {
    if (!model || !path) return weir_fail(WEIR_ERROR_ARGUMENT, "model and path must not be NULL");
    /* Beside the model's own, which stay when something goes wrong. */
    float *values = malloc(((size_t)model->parameters + 1) * sizeof *values);
    if (!values) return weir_fail(WEIR_ERROR_MEMORY, "no memory to read %s", path);
    weir_status status = is_keras(path) ? weir_keras_load_values(path, model, values)
                                        : weir_model_file_load_values(path, model, values);
    if (status == WEIR_OK) weir_model_set_parameters(model, values);
    free(values);
    return status;
}

weir_status weir_model_save_weights(weir_model *model, const char *path) {
    if (!model || !path) return weir_fail(WEIR_ERROR_ARGUMENT, "model and path must not be NULL");
    static const char ending[] = ".weights.h5";
    const size_t length = strlen(path);
    if (length < sizeof ending || strcmp(path + length - (sizeof ending - 1), ending) != 0)
        return weir_fail(WEIR_ERROR_ARGUMENT, "the path is %s, accepted: one that ends in %s", path,
                         ending);
    pthread_mutex_lock(&model->mutex);
    weir_status status = weir_keras_save_weights(model, path);
    pthread_mutex_unlock(&model->mutex);
    return status;
}
