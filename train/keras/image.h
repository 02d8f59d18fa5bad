/* The HDF5 file inside a Keras file. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_KERAS_IMAGE_H
#define WEIR_KERAS_IMAGE_H

#include <stddef.h>
#include <stdint.h>

typedef struct image {
    void *hdf5; /* the bytes of the HDF5 file */
    size_t bytes;
    char *config, *metadata; /* of a zip: config.json and metadata.json; else NULL */
    int64_t limit;           /* bytes of floats that are accepted */
} image;

/* What stdin is: an HDF5 file or the zip that Keras 3 writes. Limits this process first. */
void image_open(image *out);

#endif
