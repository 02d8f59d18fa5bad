/* What the checks of the recurrent layers share. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_VALIDATE_RECURRENT_H
#define WEIR_VALIDATE_RECURRENT_H

#include "validate/check.h"

/* step_mask[N][T]: a sample's steps are passed over at its beginning, at its end (as padded texts),
 * here and there, all or none. NULL half of the time. */
uint8_t *step_mask_draw(context *c, int64_t N, int64_t T);
/* Poisons rows of x[N][T][C_in] that are passed over: nobody may look at them. */
void step_mask_poison(const uint8_t *mask, int64_t rows, int64_t C_in, float *x);
/* [N][1], ordinary memory: the mask of one step alone, whose time is t. */
uint8_t *step_mask_of(context *c, const uint8_t *mask, int64_t N, int64_t T, int64_t t);

/* What the padding of H holds reaches no result: NaN would. */
void padding_poison(float *a, int64_t floats, int64_t H);
/* A bound that came out as no number: something was NaN or infinite. */
double bound_settle(const context *c, double bound);
/* The same of a sum with this magnitude: where that may leave float, there is no bound. */
double bound_settle_sum(const context *c, double bound, double magnitude);
/* The derivative of an activation whose value is y. */
double slope(weir_activation activation, double y);
/* The magnitude of a product of which a factor, the slope, may be 0: where the rest leaves float,
 * nothing is promised. */
double sloped(double rest, double slope);

#endif
