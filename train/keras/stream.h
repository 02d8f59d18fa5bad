/* What libweir and the program weir-keras say to each other. SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 and zip are read and written in a process of their own: a hostile file can at worst end that
 * process, and no HDF5 gets into the program that uses Weir, which may have another one.
 *
 * Numbers are those of the machine. A text is uint32_t bytes and the bytes; a shape is uint32_t rank
 * and int64_t dims[rank]. The answer is uint32_t KERAS_MAGIC and frames; a frame begins with uint32_t
 * status: 0, or a weir_status and a text, after which nothing follows.
 *
 * weir-keras read: stdin is the file, stdout the answer. The first frame is uint32_t layout, the texts
 * config (JSON; empty: weights only), version and metadata (JSON; empty unless the file is a zip),
 * uint32_t count, and for each tensor the texts layer and name, and its shape. Then a frame of floats
 * for each tensor.
 *
 * weir-keras write: stdin is uint32_t KERAS_MAGIC, uint32_t count, and count times a text path, a shape
 * and floats; rank KERAS_GROUP stands for a group without dims and floats. Groups on the way to a
 * path are made. The answer is one frame: uint64_t bytes and the bytes of the HDF5 file.
 */
#ifndef WEIR_KERAS_STREAM_H
#define WEIR_KERAS_STREAM_H

#include <stdint.h>

#define KERAS_MAGIC UINT32_C(0x314b5257)
#define KERAS_GROUP UINT32_MAX

enum {
    KERAS_RANK_MAX = 8,
    KERAS_TENSORS_MAX = 4096,
    KERAS_NAME_MAX = 1023,
    KERAS_TEXT_MAX = 16 << 20
};

typedef enum keras_layout {
    KERAS_LAYERS =
        1,     /* Keras 2 and the .h5 of Keras 3: groups of the layers, in order; layer "gru_1",
                         name "gru_1/gru_cell/kernel:0" */
    KERAS_VARS /* Keras 3: layer "layers/gru/cell", name "0" */
} keras_layout;

/* Bytes that the floats of a file, and those unpacked from a zip, may have: weights hardly get smaller
 * when they are packed. */
static inline int64_t keras_data_limit(int64_t file_bytes) {
    return (INT64_C(64) << 20) + 4 * file_bytes;
}

#endif
