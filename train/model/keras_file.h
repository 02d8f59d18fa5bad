/* Keras files, opened for reading. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_KERAS_FILE_H
#define WEIR_TRAIN_KERAS_FILE_H

#include "train/keras/stream.h"
#include "train/model/keras_process.h"

typedef struct keras_tensor {
    char *layer, *name; /* owned; as stream.h has them */
    int rank;
    int64_t dims[KERAS_RANK_MAX];
    int64_t floats;
} keras_tensor;

typedef struct keras_file {
    keras_process process;
    keras_layout layout;
    char *config; /* owned; JSON, "": the file holds weights only */
    int keras;    /* 2 or 3; 0: it does not say */
    keras_tensor *tensors;
    int count;
} keras_file;

/*
 * Opens an HDF5 file of Keras or the zip of Keras 3 and reads all of it but the floats. Nothing in the
 * file is trusted. Errors: SYSTEM, FORMAT (names the path and what is wrong), MEMORY, UNSUPPORTED
 * (built or installed without the reader).
 */
weir_status weir_keras_open(const char *path, keras_file *f);
/* The floats of tensors[0], tensors[1], ..., in this order: out[floats]. Errors: as above. */
weir_status weir_keras_read(keras_file *f, const keras_tensor *t, float *out);
void weir_keras_close(keras_file *f);

/* For messages: "gru_1/gru_1/gru_cell/kernel:0", "layers/gru/cell/vars/0". */
enum { KERAS_TENSOR_NAME = 200 };
const char *weir_keras_tensor_name(const keras_file *f, const keras_tensor *t,
                                   char text[KERAS_TENSOR_NAME]);

#endif
