/* Line plots as SVG, drawn by gnuplot. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/cli/plot.h"

#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

/* Of text and axes; the page finds it by PLOT_INK_STROKE and PLOT_INK_FILL. */
#define INK "#404850"

/* Told apart on white and on black. */
static const char *const palette[] = {"#4e79a7", "#f28e2b", "#e15759", "#59a14f", "#b07aa1",
                                      "#76b7b2", "#d4a017", "#ff7f9e", "#9c755f", "#8a8f98"};
enum { COLOURS = sizeof palette / sizeof palette[0] };

/* ---- running gnuplot ---- */

/* gnuplot [argument], with in as its input and out as its output, without the user's settings. Its
 * messages go nowhere: what is wrong with a script is ours. */
static weir_status run_gnuplot(char *argument, FILE *in, FILE *out) {
    char name[] = "gnuplot", settings[] = "--default-settings";
    char *argv[] = {name, settings, argument, NULL};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    if (in) posix_spawn_file_actions_adddup2(&files, fileno(in), 0);
    posix_spawn_file_actions_adddup2(&files, fileno(out), 1);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", 1 /* O_WRONLY */, 0);
    pid_t child;
    const int error = posix_spawnp(&child, name, &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    if (error)
        return weir_fail(
            WEIR_ERROR_SYSTEM,
            "gnuplot, which draws the plots, can't be run: %s (Debian: apt-get install "
            "gnuplot-nox)",
            strerror(error));
    int state = 0;
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {}
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return WEIR_OK;
    return weir_fail(WEIR_ERROR_SYSTEM, "gnuplot failed with status %d",
                     WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state));
}

weir_status plot_check(void) {
    FILE *out = tmpfile();
    if (!out) return weir_fail(WEIR_ERROR_SYSTEM, "no temporary file: %s", strerror(errno));
    char argument[] = "--version";
    const weir_status status = run_gnuplot(argument, NULL, out);
    fclose(out);
    return status;
}

/* ---- the script ---- */

/* A string of gnuplot's. Names of models are anybody's text. */
static void write_string(FILE *to, const char *text) {
    fputc('"', to);
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        fputc(c < ' ' || strchr("\"\\$`@{}", c) ? '?' : c, to);
    }
    fputc('"', to);
}

/* Writes those that can be drawn, and counts them; to may be NULL. */
static int points_of(const plot *p, const plot_series *s, FILE *to) {
    int points = 0;
    for (int i = 0; i < s->count; i++) {
        if (!isfinite(s->x[i]) || !isfinite(s->y[i])) continue;
        if ((p->log_x && s->x[i] <= 0) || (p->log_y && s->y[i] <= 0)) continue;
        if (to) fprintf(to, "%.9g %.9g\n", s->x[i], s->y[i]);
        points++;
    }
    return points;
}

/* At its own points, which powers of the base would miss. */
static void write_tics(const plot_series *s, FILE *to) {
    int marks = 0;
    fputs("set xtics (", to);
    for (int i = 0; i < s->count; i++)
        if (isfinite(s->x[i]) && s->x[i] > 0)
            fprintf(to, "%s%.9g", marks++ > 0 ? ", " : "", s->x[i]);
    fputs(")\nset autoscale xfix\n", to);
}

static void write_settings(const plot *p, FILE *to) {
    fprintf(to,
            "set terminal svg size 440,340 dynamic noenhanced name '%s' font 'sans-serif,13'\n"
            "set border 3 lc rgb '" INK "'\nset tics nomirror textcolor rgb '" INK "'\n"
            "set grid ytics lc rgb '" INK "' lt 1 lw 0.2\n"
            "set key below textcolor rgb '" INK
            "'\nset offsets graph 0, 0, graph 0.05, graph 0.05\n",
            p->id);
    fputs("set title textcolor rgb '" INK "' ", to);
    write_string(to, p->title);
    fputs("\n", to);
    if (p->log_x) fputs("set logscale x 2\n", to);
    if (p->log_x && !p->points) write_tics(&p->series[0], to);
    if (p->log_y) fputs("set logscale y 10\n", to);
}

/* Returns the number of series that have points. */
static int write_script(const plot *p, FILE *to) {
    write_settings(p, to);
    for (int i = 0; i < p->count; i++) {
        fprintf(to, "$data%d << END\n", i);
        points_of(p, &p->series[i], to);
        fputs("END\n", to);
    }
    int drawn = 0;
    for (int i = 0; i < p->count; i++) {
        const plot_series *s = &p->series[i];
        if (points_of(p, s, NULL) == 0) continue;
        fprintf(to, "%s$data%d with %s pt 7 ps %g lw 2 lc rgb '%s' dt %d title ",
                drawn++ ? ", " : "plot ", i, p->points ? "points" : "linespoints",
                p->points ? 1.2 : 0.3, palette[s->colour % COLOURS], 1 + s->colour / COLOURS % 4);
        write_string(to, s->name);
    }
    fputs("\n", to);
    return drawn;
}

/* ---- the picture ---- */

static char *read_all(FILE *from) {
    if (fseek(from, 0, SEEK_END) != 0) return NULL;
    const long bytes = ftell(from);
    char *text = bytes >= 0 ? malloc((size_t)bytes + 1) : NULL;
    if (!text) return NULL;
    rewind(from);
    const size_t n = fread(text, 1, (size_t)bytes, from);
    text[n] = '\0';
    return text;
}

static weir_status draw(const plot *p, FILE *script, FILE *picture, FILE *to) {
    if (write_script(p, script) == 0) {
        fputs("<p>Nothing to draw.</p>\n", to);
        return WEIR_OK;
    }
    if (fflush(script) != 0)
        return weir_fail(WEIR_ERROR_SYSTEM, "a temporary file: %s", strerror(errno));
    rewind(script);
    char argument[] = "-";
    weir_status status = run_gnuplot(argument, script, picture);
    if (status != WEIR_OK) return status;
    char *text = read_all(picture);
    if (!text) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a plot");
    char *svg = strstr(text, "<svg"); /* past the XML declaration */
    if (svg) fputs(svg, to);
    free(text);
    return svg ? WEIR_OK : weir_fail(WEIR_ERROR_SYSTEM, "gnuplot drew no picture");
}

weir_status plot_write(const plot *p, FILE *to) {
    FILE *script = tmpfile(), *picture = tmpfile();
    weir_status status =
        script && picture ? draw(p, script, picture, to)
                          : weir_fail(WEIR_ERROR_SYSTEM, "no temporary file: %s", strerror(errno));
    if (script) fclose(script);
    if (picture) fclose(picture);
    return status;
}
