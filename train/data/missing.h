/* Missing cells of a series. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_MISSING_H
#define WEIR_TRAIN_MISSING_H

#include "train/data/series.h"

/* Fills the cells marked by NaN as the policy (HOLD or INTERPOLATE) says. Errors: FORMAT (a column
 * without any value). */
weir_status missing_fill(series *s, missing_policy policy);

#endif
