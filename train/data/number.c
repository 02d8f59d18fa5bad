/* Decimal numbers from text, correctly rounded. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/data/number.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What the text says: (-1)^negative digits 10^exponent, if digits is 2^53 or less. */
typedef struct decimal {
    uint64_t digits;
    int exponent;
    bool negative;
} decimal;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Digits that do not fit are dropped: by then the number is far above 2^53. */
static void append_digit(decimal *d, char c) {
    if (d->digits < UINT64_MAX / 10 - 1) d->digits = 10 * d->digits + (uint64_t)(c - '0');
}

/* Reads the grammar; the exponent's digits saturate far outside the range of a double. */
static bool scan(const char *p, const char *end, decimal *d) {
    bool any = false;
    *d = (decimal){0};
    if (p < end && (*p == '-' || *p == '+')) d->negative = *p++ == '-';
    for (; p < end && is_digit(*p); p++, any = true) append_digit(d, *p);
    if (p < end && *p == '.') {
        p++;
        for (; p < end && is_digit(*p); p++, any = true) {
            append_digit(d, *p);
            d->exponent--;
        }
    }
    if (!any) return false;
    if (p == end) return true;
    if (*p != 'e' && *p != 'E') return false;
    p++;
    bool negative = false;
    int exponent = 0;
    if (p < end && (*p == '-' || *p == '+')) negative = *p++ == '-';
    if (p == end) return false;
    for (; p < end && is_digit(*p); p++)
        if (exponent < 100000) exponent = 10 * exponent + (*p - '0');
    d->exponent += negative ? -exponent : exponent;
    return p == end;
}

/* strtod as in the "C" locale, on a copy that ends with a zero. */
static number_result parse_slowly(const char *begin, const char *end, double *value) {
    char copy[256];
    const size_t length = (size_t)(end - begin);
    if (length >= sizeof copy) return NUMBER_RANGE;
    memcpy(copy, begin, length);
    copy[length] = '\0';
    const locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (c == (locale_t)0) return NUMBER_RANGE;
    const locale_t before = uselocale(c);
    *value = strtod(copy, NULL);
    uselocale(before);
    freelocale(c);
    return isfinite(*value) ? NUMBER_OK : NUMBER_RANGE;
}

number_result number_parse(const char *begin, const char *end, double *value) {
    /* Powers of ten that a double holds exactly. */
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    decimal d;
    if (!scan(begin, end, &d)) return NUMBER_BAD;
    /* Both operands exact: one rounding, so the result is the nearest double (Clinger 1990). */
    if (d.digits <= UINT64_C(1) << 53 && d.exponent >= -22 && d.exponent <= 22) {
        const double digits = (double)d.digits;
        const double size =
            d.exponent < 0 ? digits / power[-d.exponent] : digits * power[d.exponent];
        *value = d.negative ? -size : size;
        return NUMBER_OK;
    }
    return parse_slowly(begin, end, value);
}
