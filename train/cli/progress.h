/* A progress bar with rate and time left. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_PROGRESS_H
#define WEIR_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * On a terminal a bar on stderr that is redrawn at most ten times a second:
 *     epoch 3/20 [==========>         ] 250/500 steps  45.2/s  0:05 left  loss 0.2712
 * Otherwise (pipe, file, TERM=dumb) a plain line every ten seconds, so that short work prints
 * nothing. Colour only on a terminal and without NO_COLOR in the environment.
 */
typedef struct progress {
    const char *label;     /* "epoch 3/20" */
    const char *unit;      /* "steps"; "B" counts bytes and is shown in MB */
    int64_t total;         /* 0: not known */
    int64_t start;         /* done before the clock started (a resumed download) */
    double started, drawn; /* seconds */
    bool terminal, color, visible;
} progress;

/* The strings must live until progress_end. */
void progress_start(progress *p, const char *label, int64_t total, const char *unit);
/* Work that was already done when the clock started: left out of the rate. */
void progress_skip(progress *p, int64_t done);
/* note: printed behind ("loss 0.2712"), may be NULL. Cheap enough to call every step. */
void progress_update(progress *p, int64_t done, const char *note);
/* Takes the bar off the terminal, so that the caller prints the result in its place. */
void progress_end(progress *p);

#endif
