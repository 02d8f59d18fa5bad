/* Times of a data file's rows. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_TIMESTAMP_H
#define WEIR_TRAIN_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#define TIMESTAMP_ACCEPTED "dd.mm.yyyy hh:mm[:ss] or yyyy-mm-dd[(T or space)hh:mm[:ss][Z]]"
enum { TIMESTAMP_LENGTH = 19 };

/* Seconds since 01.01.1970 from all of [begin, end), in one of the accepted forms; false when it is
 * none of them or no date of the calendar. */
bool timestamp_parse(const char *begin, const char *end, int64_t *seconds);

/* Writes "dd.mm.yyyy hh:mm:ss", TIMESTAMP_LENGTH characters and no zero. Years 0 to 9999. */
void timestamp_format(int64_t seconds, char *text);
/* The same as "yyyy-mm-ddThh:mm:ss" and a zero. */
void timestamp_format_iso(int64_t seconds, char text[TIMESTAMP_LENGTH + 1]);

#endif
