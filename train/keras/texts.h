/* Texts in the attributes of an HDF5 file. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_KERAS_TEXTS_H
#define WEIR_KERAS_TEXTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The attribute of a group or file (a hid_t of HDF5), a list of texts; *count 0 when there is no such
 * attribute. Texts and list are malloc'ed. Answers an error when it holds something else.
 */
char **texts_read(int64_t object, const char *name, int *count);
/* The same, and where Keras has cut a long list into NAME0, NAME1, ... all of these. */
char **texts_read_list(int64_t object, const char *name, int *count);
/* Whether there is a list NAME or NAME0. */
bool texts_has_list(int64_t object, const char *name);

#endif
