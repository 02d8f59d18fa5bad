/* Umbrella header. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_H
#define WEIR_H

#include "weir/model.h"
#include "weir/ops.h"
#include "weir/runtime.h"
#include "weir/status.h"

#endif
