/* Times of a data file's rows. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/timestamp.h"

#include <string.h>

enum { DAY = 86400, DAYS_IN_400_YEARS = 146097, DAYS_TO_1970 = 719468 /* from 01.03.0000 */ };

/* Days since 01.01.1970 in the Gregorian calendar; years begin in March, so that the leap day is
 * the last of its year. */
static int64_t days_from_date(int64_t year, int month, int day) {
    if (month <= 2) year--;
    const int64_t from_march = (month + 9) % 12;
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * from_march + 2) / 5 + day - 1 -
           DAYS_TO_1970;
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Takes exactly `digits` digits at *p. */
static bool take_number(const char **p, const char *end, int digits, int *value) {
    *value = 0;
    for (int i = 0; i < digits; i++, (*p)++) {
        if (*p >= end || **p < '0' || **p > '9') return false;
        *value = 10 * *value + (**p - '0');
    }
    return true;
}

static bool take(const char **p, const char *end, char c) {
    if (*p >= end || **p != c) return false;
    (*p)++;
    return true;
}

static bool take_date(const char **p, const char *end, bool *iso, int64_t *days) {
    int year, month, day;
    *iso = end - *p > 4 && (*p)[4] == '-';
    if (*iso) {
        if (!take_number(p, end, 4, &year) || !take(p, end, '-') ||
            !take_number(p, end, 2, &month) || !take(p, end, '-') || !take_number(p, end, 2, &day))
            return false;
    } else if (!take_number(p, end, 2, &day) || !take(p, end, '.') ||
               !take_number(p, end, 2, &month) || !take(p, end, '.') ||
               !take_number(p, end, 4, &year)) {
        return false;
    }
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *days = days_from_date(year, month, day);
    return true;
}

static bool take_time(const char **p, const char *end, int *seconds) {
    int hour, minute, second = 0;
    if (!take_number(p, end, 2, &hour) || !take(p, end, ':') || !take_number(p, end, 2, &minute))
        return false;
    if (take(p, end, ':') && !take_number(p, end, 2, &second)) return false;
    *seconds = (hour * 60 + minute) * 60 + second;
    return hour < 24 && minute < 60 && second < 60;
}

bool timestamp_parse(const char *begin, const char *end, int64_t *seconds) {
    const char *p = begin;
    int64_t days;
    int time = 0;
    bool iso;
    if (!take_date(&p, end, &iso, &days)) return false;
    if (p < end || !iso) {
        if (!take(&p, end, ' ') && !(iso && take(&p, end, 'T'))) return false;
        if (!take_time(&p, end, &time)) return false;
        if (iso) take(&p, end, 'Z');
    }
    *seconds = days * DAY + time;
    return p == end;
}

static void put_number(char *text, int digits, int64_t value) {
    for (int i = digits - 1; i >= 0; i--, value /= 10) text[i] = (char)('0' + value % 10);
}

void timestamp_format(int64_t seconds, char *text) {
    int64_t days = seconds / DAY, time = seconds % DAY;
    if (time < 0) {
        time += DAY;
        days--;
    }
    /* The inverse of days_from_date, within an era of 400 years. */
    days += DAYS_TO_1970;
    const int64_t era = days / DAYS_IN_400_YEARS, d = days % DAYS_IN_400_YEARS;
    const int64_t y = (d - d / 1460 + d / 36524 - d / (DAYS_IN_400_YEARS - 1)) / 365;
    const int64_t day_of_year = d - (365 * y + y / 4 - y / 100);
    const int64_t from_march = (5 * day_of_year + 2) / 153;
    const int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
    put_number(text, 2, day_of_year - (153 * from_march + 2) / 5 + 1);
    text[2] = '.';
    put_number(text + 3, 2, month);
    text[5] = '.';
    put_number(text + 6, 4, era * 400 + y + (month <= 2));
    text[10] = ' ';
    put_number(text + 11, 2, time / 3600);
    text[13] = ':';
    put_number(text + 14, 2, time / 60 % 60);
    text[16] = ':';
    put_number(text + 17, 2, time % 60);
}

void timestamp_format_iso(int64_t seconds, char text[TIMESTAMP_LENGTH + 1]) {
    char german[TIMESTAMP_LENGTH];
    timestamp_format(seconds, german);
    memcpy(text, german + 6, 4);
    memcpy(text + 5, german + 3, 2);
    memcpy(text + 8, german, 2);
    text[4] = text[7] = '-';
    text[10] = 'T';
    memcpy(text + 11, german + 11, 8);
    text[TIMESTAMP_LENGTH] = '\0';
}
