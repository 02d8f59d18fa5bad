/* Line plots as SVG, drawn by gnuplot. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_PLOT_H
#define WEIR_CLI_PLOT_H

#include <stdbool.h>
#include <stdio.h>

#include "weir/status.h"

enum { PLOT_SERIES_MAX = 32 };

/* How the colour of text and axes stands in the attributes of the SVG, for the style of a page. */
#define PLOT_INK_STROKE "rgb( 64,  72,  80)"
#define PLOT_INK_FILL "rgb(64,72,80)"

typedef struct plot_series {
    const char *name;
    const double *x, *y; /* [count]; points that are not finite are left out */
    int count;
    int colour; /* which of the palette */
} plot_series;

typedef struct plot {
    const char *id; /* of the SVG's elements: letters and digits, another for each plot of a page */
    const char *title;
    bool log_x, log_y; /* x to base 2, with marks at the points of the first series; y to base 10 */
    bool points;       /* a mark for each series, without lines */
    plot_series series[PLOT_SERIES_MAX];
    int count;
} plot;

/* Whether gnuplot can be run. Errors: SYSTEM (names the package). */
weir_status plot_check(void);

/* Writes an <svg> element. Errors: SYSTEM (gnuplot failed), MEMORY. */
weir_status plot_write(const plot *p, FILE *to);

#endif
