/* The parts of weir-numa. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_VALIDATE_NUMA_H
#define WEIR_VALIDATE_NUMA_H

#include "weir/weir.h"

/* Ends the program when a call failed. */
void numa_must(weir_status status);

/* Prints "hash NAME 16-HEX-DIGITS" of the results of a few ops and of training steps. */
void numa_results(weir_runtime *rt);

#endif
