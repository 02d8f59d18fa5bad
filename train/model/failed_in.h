/* Messages that say which file something was wrong in. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_FAILED_IN_H
#define WEIR_TRAIN_FAILED_IN_H

#include "weir/status.h"

/* Puts "WHERE: " in front of the message of the call that failed, and returns its status. */
weir_status weir_failed_in(const char *where, weir_status status);
/* The same of what a file says: that an argument is wrong is then an error of FORMAT. */
weir_status weir_failed_in_file(const char *path, weir_status status);

#endif
