/* Streams of random numbers that models use; RANDOM_MODEL and up.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_STREAMS_H
#define WEIR_TRAIN_STREAMS_H

#include "train/model/random.h"

#define STREAM_INITIAL (RANDOM_MODEL + UINT64_C(0x100000000)) /* + number of the parameter tensor */
#define STREAM_DROPOUT (RANDOM_MODEL + UINT64_C(0x200000000)) /* + number of the mask */

#endif
