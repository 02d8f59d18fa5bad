/* The three parts of a data set. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_SPLIT_H
#define WEIR_TRAIN_SPLIT_H

typedef enum split { SPLIT_TRAIN = 0, SPLIT_VAL, SPLIT_TEST, SPLIT_COUNT } split;

#endif
