/* A progress bar with rate and time left. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24, LINE = 256 };
static const double redraw_seconds = 0.1, plain_seconds = 10;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool set_in_environment(const char *name) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

void progress_start(progress *p, const char *label, int64_t total, const char *unit) {
    const char *term = getenv("TERM");
    *p = (progress){.label = label, .unit = unit, .total = total, .started = now()};
    p->terminal = isatty(STDERR_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
    p->color = p->terminal && !set_in_environment("NO_COLOR");
    p->drawn = p->terminal ? 0 : p->started;
}

void progress_skip(progress *p, int64_t done) { p->start = done; }

static void format_amount(const progress *p, int64_t done, char *text, size_t size) {
    if (strcmp(p->unit, "B") == 0) {
        const double mega = 1e-6;
        if (p->total > 0)
            snprintf(text, size, "%.1f/%.1f MB", mega * (double)done, mega * (double)p->total);
        else
            snprintf(text, size, "%.1f MB", mega * (double)done);
    } else if (p->total > 0) {
        snprintf(text, size, "%lld/%lld %s", (long long)done, (long long)p->total, p->unit);
    } else {
        snprintf(text, size, "%lld %s", (long long)done, p->unit);
    }
}

/* "45.2/s  0:05 left"; the time only when the total is known. */
static void format_rate(const progress *p, int64_t done, char *text, size_t size) {
    const double seconds = now() - p->started;
    const double rate = seconds > 0 ? (double)(done - p->start) / seconds : 0;
    const bool bytes = strcmp(p->unit, "B") == 0;
    const int used =
        snprintf(text, size, bytes ? "%.1f MB/s" : "%.1f/s", bytes ? 1e-6 * rate : rate);
    if (p->total <= 0 || rate <= 0 || used < 0 || (size_t)used >= size) return;
    const long left = (long)((double)(p->total - done) / rate + 0.5);
    char *rest = text + used;
    size -= (size_t)used;
    if (left >= 3600)
        snprintf(rest, size, "  %ld:%02ld:%02ld left", left / 3600, left / 60 % 60, left % 60);
    else
        snprintf(rest, size, "  %ld:%02ld left", left / 60, left % 60);
}

static void format_bar(const progress *p, int64_t done, char *bar) {
    int64_t filled = p->total > 0 ? done * BAR / p->total : 0;
    if (filled < 0) filled = 0;
    if (filled > BAR) filled = BAR;
    for (int i = 0; i < BAR; i++) bar[i] = i < filled ? '=' : i == filled ? '>' : ' ';
    bar[BAR] = '\0';
}

static int terminal_width(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

static void draw(progress *p, int64_t done, const char *note) {
    char bar[BAR + 1], amount[64], rate[96], line[LINE];
    format_amount(p, done, amount, sizeof amount);
    format_rate(p, done, rate, sizeof rate);
    note = note != NULL ? note : "";
    if (!p->terminal) {
        fprintf(stderr, "%s: %s  %s  %s\n", p->label, amount, rate, note);
        return;
    }
    format_bar(p, done, bar);
    if (p->total > 0)
        snprintf(line, sizeof line, "%s [%s] %s  %s  %s", p->label, bar, amount, rate, note);
    else
        snprintf(line, sizeof line, "%s %s  %s  %s", p->label, amount, rate, note);
    /* A line that wraps could not be taken off again. */
    fprintf(stderr, "\r\033[K%s%.*s%s", p->color ? "\033[36m" : "", terminal_width() - 1, line,
            p->color ? "\033[0m" : "");
    fflush(stderr);
    p->visible = true;
}

void progress_update(progress *p, int64_t done, const char *note) {
    const double time = now();
    if (time - p->drawn < (p->terminal ? redraw_seconds : plain_seconds)) return;
    p->drawn = time;
    draw(p, done, note);
}

void progress_end(progress *p) {
    if (p->visible) fputs("\r\033[K", stderr);
    p->visible = false;
    fflush(stderr);
}
