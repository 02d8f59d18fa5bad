/* The columns of the Jena climate file. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_JENA_H
#define WEIR_TRAIN_JENA_H

enum { JENA_COLUMNS = 14, JENA_TEMPERATURE = 1 };

/* Their names, in the file's order, without that of the times. */
extern const char *const jena_columns[JENA_COLUMNS];

#endif
