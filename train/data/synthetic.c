/* A made-up weather station. SPDX-License-Identifier: Apache-2.0
 *
 * Seasons and days are sine waves. Weather is a sequence of fronts, some three days apart: before
 * one the pressure falls, wind and clouds increase; with it comes another air mass (temperature,
 * moisture, cloud cover, wind direction), which replaces the old one over hours and fades towards
 * the season's mean over days. Slow and fast random drifts and the instruments' noise are added.
 * Humidity, density and the like follow from temperature, dew point and pressure.
 *
 * Only +, -, *, / and sqrt are used, whose results IEEE 754 fixes, and the values are rounded to
 * two decimals as the station's are: the same seed gives the same bits on every machine.
 * The constants were chosen to resemble a station in central Europe before any model was run, and
 * are not tuned to one.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/data/jena.h"
#include "train/data/series.h"
#include "train/model/random.h"

enum { DAY_ROWS = 144, HOUR_ROWS = 6 };
static const int64_t start_time = 1230768600; /* 01.01.2009 00:10:00 */

/* exp for |x| < 20, by a Taylor series of x / 32 and squaring. */
static double plain_exp(double x) {
    const double r = x * (1.0 / 32);
    double sum = 1;
    for (int k = 12; k >= 1; k--) sum = 1 + r * sum / k;
    for (int k = 0; k < 5; k++) sum *= sum;
    return sum;
}

/* Vapour pressure over water at saturation, mbar (Magnus; the constants the station itself uses). */
static double saturation(double celsius) {
    return 6.1078 * plain_exp(17.08085 * celsius / (234.175 + celsius));
}

/* T (1000 / p)^0.286: temperature of the air brought to 1000 mbar. */
static double potential_temperature(double kelvin, double p) {
    const double z = (1000 - p) / (1000 + p); /* log(1000 / p) = 2 atanh z, |z| is small */
    const double log_ratio = 2 * z * (1 + z * z * (1.0 / 3 + z * z / 5));
    return kelvin * plain_exp(0.286 * log_ratio);
}

/* A point that goes round the unit circle by a fixed angle per row. */
typedef struct rotation {
    double x, y, dx, dy;
} rotation;

static void rotate(rotation *r) {
    const double x = r->x * r->dx - r->y * r->dy;
    r->y = r->x * r->dy + r->y * r->dx;
    r->x = x;
}

/* Random numbers of one seed: number `next` of the stream, counted on. */
typedef struct dice {
    uint64_t seed, next;
} dice;

static double roll(dice *d) { return random_uniform(d->seed, RANDOM_GENERATE, d->next++); }

/* About normal with deviation 1: the sum of the four 16-bit parts of one number. */
static double roll_normal(dice *d) {
    const uint64_t u = random_u64(d->seed, RANDOM_GENERATE, d->next++);
    const uint64_t sum = (u & 0xffff) + (u >> 16 & 0xffff) + (u >> 32 & 0xffff) + (u >> 48);
    return ((double)sum - 2 * 65535.0) * (1.7320508075688772 / 65536);
}

/* Ornstein-Uhlenbeck process with the given deviation and memory. */
typedef struct drift {
    double value, keep, kick;
} drift;

static drift drift_start(double deviation, double hours, dice *d) {
    const double rate = 1 / (hours * HOUR_ROWS);
    return (drift){.value = deviation * roll_normal(d),
                   .keep = 1 - rate,
                   .kick = deviation * sqrt(rate * (2 - rate))};
}

static double drift_step(drift *o, dice *d) {
    o->value = o->keep * o->value + o->kick * roll_normal(d);
    return o->value;
}

/* What a front brings. */
typedef struct air {
    double temperature; /* above the season's mean, degC */
    double dryness;     /* temperature less dew point, degC */
    double clouds;      /* 0 .. 1 */
    double direction;   /* of the wind, degrees */
    double depth;       /* fall of pressure before the front, mbar */
    int64_t row;        /* when it passes */
} air;

typedef struct station {
    dice dice;
    rotation year, day;
    air now, next; /* now: mixed, on its way to what the last front brought */
    air brought;
    double last_depth;
    int64_t last_row;
    drift slow, fast, pressure, moisture, wind, direction;
} station;

static air next_front(dice *d, int64_t row) {
    return (air){.temperature = 6.0 * roll_normal(d),
                 .dryness = 4.5 + 2.0 * roll_normal(d),
                 .clouds = roll(d),
                 .direction = 360 * roll(d),
                 .depth = 4 + 14 * roll(d),
                 .row = row + (int64_t)((0.8 + 4.4 * roll(d)) * DAY_ROWS)};
}

static station station_start(uint64_t seed) {
    station s = {.dice = {.seed = seed}};
    /* Angles per row: 2 pi / (365.25 days) and 2 pi / day; the coldest day is 20 January, the
     * warmest hour 15:00. */
    s.year = (rotation){.x = 0.9442631682782293,
                        .y = -0.32919153851999367,
                        .dx = 0.9999999928645017,
                        .dy = 0.00011946127637529533};
    s.day = (rotation){.x = -0.7071067811865476,
                       .y = 0.7071067811865476,
                       .dx = 0.9990482215818578,
                       .dy = 0.043619387365336};
    s.brought = s.now = next_front(&s.dice, 0);
    s.next = next_front(&s.dice, 0);
    s.slow = drift_start(1.8, 240, &s.dice);
    s.fast = drift_start(0.45, 1.5, &s.dice);
    s.pressure = drift_start(6, 96, &s.dice);
    s.moisture = drift_start(0.7, 8, &s.dice);
    s.wind = drift_start(0.45, 2, &s.dice);
    s.direction = drift_start(30, 3, &s.dice);
    return s;
}

/* 1 at the front's passage, falling to 0 over the hours before and after. */
static double bump(int64_t rows, double hours) {
    const double part = 1 - (double)rows / (hours * HOUR_ROWS);
    return part > 0 ? part * part * (3 - 2 * part) : 0;
}

/* Moves the air mass on by one row; returns how near a front is, weighted by its depth in mbar. */
static double pass_fronts(station *s, int64_t row) {
    if (row >= s->next.row) {
        s->brought = s->next;
        s->last_depth = s->next.depth;
        s->last_row = row;
        s->next = next_front(&s->dice, row);
    }
    const double mix = 1.0 / (5 * HOUR_ROWS), fade = 1.0 / (90 * HOUR_ROWS);
    s->brought.temperature -= fade * s->brought.temperature;
    s->now.temperature += mix * (s->brought.temperature - s->now.temperature);
    s->now.dryness += mix * (s->brought.dryness - s->now.dryness);
    s->now.clouds += mix * (s->brought.clouds - s->now.clouds);
    const double before = s->next.depth * bump(s->next.row - row, 22);
    const double after = s->last_depth * bump(row - s->last_row, 14);
    return before > after ? before : after;
}

static double at_least(double x, double least) { return x > least ? x : least; }

/* Everything that follows from pressure, temperature, dew point and wind. */
static void derive(double *v, double p, double t, double dew, double wind, double gust,
                   double direction) {
    const double kelvin = t + 273.15, full = saturation(t), actual = saturation(dew);
    const double whole_turns = floor(direction / 360);
    const double row[JENA_COLUMNS] = {p,
                                      t,
                                      potential_temperature(kelvin, p),
                                      dew,
                                      100 * actual / full,
                                      full,
                                      actual,
                                      full - actual,
                                      622 * actual / (p - 0.378 * actual),
                                      1000 * actual / p,
                                      1e5 * (p - 0.378 * actual) / (287.05 * kelvin),
                                      wind,
                                      gust,
                                      direction - 360 * whole_turns};
    memcpy(v, row, sizeof row);
}

static void next_row(station *s, int64_t row, double *v) {
    const double front = pass_fronts(s, row);
    rotate(&s->year);
    rotate(&s->day);
    const double summer = -s->year.x; /* -1 in January, 1 in July */
    const double clouds = s->now.clouds + 0.03 * front > 1 ? 1 : s->now.clouds + 0.03 * front;
    /* Clear days are warm and clear nights cold, in summer more so. */
    const double swing = (4.6 + 3.0 * summer) * (1 - 0.75 * clouds);
    const double mean = 9.3 + 9.2 * summer + s->now.temperature + drift_step(&s->slow, &s->dice);
    const double t = mean + swing * s->day.x + 0.15 * front * (0.5 - s->now.clouds) +
                     drift_step(&s->fast, &s->dice) + 0.06 * roll_normal(&s->dice);
    const double dryness = at_least(s->now.dryness * (1.5 - clouds) + 0.25 * swing, 0.4);
    double dew = mean - dryness + drift_step(&s->moisture, &s->dice);
    if (dew > t - 0.1) dew = t - 0.1;
    const double p =
        990 + drift_step(&s->pressure, &s->dice) - front + 0.05 * roll_normal(&s->dice);
    /* Wind speed is a square, so that it has a long tail and no negative value. */
    const double root = 1.25 + 0.04 * front + 0.25 * s->day.x + drift_step(&s->wind, &s->dice);
    const double wind = root * root + 0.02;
    const double gust = wind * (1.5 + 0.2 * roll(&s->dice)) + 0.3;
    const double direction =
        s->brought.direction + drift_step(&s->direction, &s->dice) + 8 * roll_normal(&s->dice);
    derive(v, p, t, dew, wind, gust, direction);
}

/* Two decimals, as the file has them: the double nearest to a whole number of hundredths. */
static float round_value(double x) { return (float)(floor(100 * x + 0.5) / 100); }

static weir_status allocate(int64_t rows, uint64_t seed, series *out) {
    char source[64];
    snprintf(source, sizeof source, "generated (seed %llu)", (unsigned long long)seed);
    out->columns = JENA_COLUMNS;
    out->values = malloc((size_t)(rows * JENA_COLUMNS) * sizeof *out->values);
    out->names = calloc(JENA_COLUMNS, sizeof *out->names);
    out->source = strdup(source);
    bool complete = out->values != NULL && out->names != NULL && out->source != NULL;
    for (int i = 0; complete && i < JENA_COLUMNS; i++) {
        out->names[i] = strdup(jena_columns[i]);
        complete = out->names[i] != NULL;
    }
    if (complete) return WEIR_OK;
    series_free(out);
    return weir_fail(WEIR_ERROR_MEMORY, "no memory for %lld rows of %d columns", (long long)rows,
                     JENA_COLUMNS);
}

weir_status series_generate(int64_t rows, uint64_t seed, series *out) {
    *out = (series){0};
    if (rows < 1 || rows > SERIES_GENERATE_MAX)
        return weir_fail(WEIR_ERROR_ARGUMENT, "rows is %lld, accepted: 1 to %lld", (long long)rows,
                         (long long)SERIES_GENERATE_MAX);
    const weir_status status = allocate(rows, seed, out);
    if (status != WEIR_OK) return status;
    out->rows = rows;
    out->target = JENA_TEMPERATURE;
    out->generated = true;
    out->first_time = start_time;
    out->step_seconds = 86400.0 / DAY_ROWS;
    station s = station_start(seed);
    double v[JENA_COLUMNS];
    for (int64_t row = 0; row < rows; row++) {
        next_row(&s, row, v);
        for (int i = 0; i < JENA_COLUMNS; i++)
            out->values[row * JENA_COLUMNS + i] = round_value(v[i]);
    }
    return WEIR_OK;
}
