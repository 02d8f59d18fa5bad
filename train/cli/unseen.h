/* The last steps of a sample that convolution and pooling do not look at. SPDX-License-Identifier: Apache-2.0
 */
#ifndef WEIR_CLI_UNSEEN_H
#define WEIR_CLI_UNSEEN_H

#include "weir/model.h"

/*
 * How many of the last steps of a sample of T steps a model of these layers does not see: a window that
 * would reach beyond the last step is left out, and with it the steps that only it has. 0 where T is too
 * short for the layers.
 */
int64_t unseen_steps(const weir_model *model, int64_t T);
/* The largest number of steps, at most T, of which none is left out. */
int64_t unseen_none(const weir_model *model, int64_t T);

#endif
