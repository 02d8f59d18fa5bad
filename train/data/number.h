/* Decimal numbers from text, correctly rounded, independent of the locale.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_NUMBER_H
#define WEIR_TRAIN_NUMBER_H

typedef enum number_result {
    NUMBER_OK = 0,
    NUMBER_BAD,  /* not a decimal number: [+-] digits [. digits] [e [+-] digits] */
    NUMBER_RANGE /* too large for a double, or longer than 255 characters */
} number_result;

/* Parses all of [begin, end). "nan" and "inf" are not numbers here. */
number_result number_parse(const char *begin, const char *end, double *value);

#endif
