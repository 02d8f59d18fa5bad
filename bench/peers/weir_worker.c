/* Weir's side of the comparison with other frameworks. SPDX-License-Identifier: Apache-2.0
 *
 * weir_worker THREADS: reads commands from standard input, a line each, and answers each with a line of
 * JSON; worker.py is its counterpart and says what the commands are. Built on the public API alone.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weir/weir.h"

enum { BATCH = 128, COLUMNS = 14, TIMES_MAX = 1 << 16, PATH_BYTES = 4096, WARM_CALLS = 3 };

/* The open model, its batch in memory, and room for what is measured. */
typedef struct session {
    weir_runtime *runtime;
    weir_model *model;
    float *x, *target, y[BATCH];
    double times[TIMES_MAX];
} session;

/* ---- answers ---- */

/* {"error": "..."}; always false. */
static bool fail(const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("{\"error\": \"");
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\') putchar('\\');
        putchar((unsigned char)*c < ' ' ? ' ' : *c);
    }
    printf("\"}\n");
    return false;
}

static bool check(weir_status status) {
    return status == WEIR_OK ? true : fail("%s", weir_last_error());
}

static bool greet(const weir_runtime *runtime) {
    weir_machine_info info;
    if (!check(weir_machine_describe(&info))) return false;
    printf("{\"name\": \"Weir\", \"version\": \"%s\", \"about\": \"%s\", \"machine\": {\"cpu\": "
           "\"%s\", "
           "\"cores\": %d, \"cores_allowed\": %d, \"numa_nodes\": %d, \"l1d_bytes\": %lld, "
           "\"l2_bytes\": %lld, \"l3_bytes\": %lld, \"memory_bytes\": %lld}}\n",
           weir_version(), weir_isa_name(weir_runtime_isa(runtime)), info.cpu_model, info.cores,
           info.cores_allowed, info.numa_nodes, (long long)info.l1d_bytes, (long long)info.l2_bytes,
           (long long)info.l3_bytes, (long long)info.memory_bytes);
    return true;
}

/* ---- open ---- */

/* count floats of FOLDER/name, malloc'd. */
static bool read_floats(const char *folder, const char *name, size_t count, float **floats) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) return fail("%s: %s", path, strerror(errno));
    *floats = malloc(count * sizeof **floats);
    const size_t got = *floats ? fread(*floats, sizeof **floats, count, file) : 0;
    fclose(file);
    return got == count ? true : fail("%s: %zu floats, expected %zu", path, got, count);
}

/* Fresh biases are zero, and with them a peer could pass that takes them wrongly. */
static bool move_parameters(weir_model *model) {
    const int64_t count = weir_model_parameters(model);
    float *values = malloc((size_t)count * sizeof *values);
    if (!values) return fail("no memory for %lld parameters", (long long)count);
    weir_model_get_parameters(model, values);
    uint32_t s = 1;
    for (int64_t i = 0; i < count; i++) {
        s = s * 1664525U + 1013904223U;
        values[i] += 0.05F * ((float)(s >> 8) / (float)(1 << 23) - 1.0F);
    }
    weir_model_set_parameters(model, values);
    free(values);
    return true;
}

static void close_model(session *s) {
    weir_model_destroy(s->model);
    free(s->x);
    free(s->target);
    s->model = NULL;
    s->x = s->target = NULL;
}

static bool create_model(session *s, const weir_builtin *about) {
    weir_model_options options = weir_model_options_default(3);
    options.T = about->T;
    options.C_in = about->text ? 1 : COLUMNS;
    options.seed = 1;
    options.loss = about->loss;
    options.optimizer.rate = about->rate;
    return check(weir_model_create(s->runtime, about->name, &options, &s->model)) &&
           move_parameters(s->model);
}

/* open MODEL FOLDER: the batch is there, the parameters are written there for the others. */
static bool open_model(session *s, const char *name, const char *folder) {
    const weir_builtin *about;
    close_model(s);
    if (!check(weir_model_builtin_find(name, &about)) || !create_model(s, about)) return false;
    const size_t floats = (size_t)(BATCH * weir_model_T(s->model) * weir_model_C_in(s->model));
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/weights.safetensors", folder);
    if (!read_floats(folder, "x.f32", floats, &s->x) ||
        !read_floats(folder, "target.f32", BATCH, &s->target) ||
        !check(weir_model_save(s->model, path)))
        return false;
    printf("{\"parameters\": %lld, \"variants\": [\"train:step\", \"infer:predict\"], "
           "\"exact\": [\"train:step\"], \"notes\": []}\n",
           (long long)weir_model_parameters(s->model));
    return true;
}

/* ---- use ---- */

/* predict VARIANT: of the whole batch. */
static bool predict(session *s) {
    if (!check(weir_model_predict(s->model, BATCH, s->x, s->y))) return false;
    printf("{\"y\": [");
    for (int i = 0; i < BATCH; i++) printf("%s%.9g", i > 0 ? ", " : "", (double)s->y[i]);
    printf("]}\n");
    return true;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static weir_status run_once(session *s, bool train, int64_t N, double *loss) {
    return train ? weir_model_train_step(s->model, N, s->x, s->target, loss)
                 : weir_model_predict(s->model, N, s->x, s->y);
}

/* time VARIANT N SECONDS: one call that doesn't count, then calls for so long. */
static bool time_calls(session *s, bool train, int64_t N, double seconds) {
    double loss = 0;
    if (!check(run_once(s, train, N, &loss))) return false;
    int count = 0;
    const double start = now();
    for (double before = start; count == 0 || (count < TIMES_MAX && before - start < seconds);) {
        if (!check(run_once(s, train, N, &loss))) return false;
        const double after = now();
        s->times[count++] = after - before;
        before = after;
    }
    qsort(s->times, (size_t)count, sizeof *s->times, compare);
    printf("{\"seconds\": %.9g, \"calls\": %d, \"loss\": %.9g}\n", s->times[count / 2], count,
           loss);
    return true;
}

/* warm VARIANT N: the losses of the first training steps. */
static bool warm(session *s, bool train, int64_t N) {
    double losses[WARM_CALLS] = {0};
    for (int i = 0; i < WARM_CALLS; i++)
        if (!check(run_once(s, train, N, &losses[i]))) return false;
    printf("{\"losses\": [%.9g, %.9g, %.9g]}\n", losses[0], losses[1], losses[2]);
    return true;
}

static bool obey(session *s, char *line) {
    char variant[64], name[64];
    int used = 0;
    long long N = 0;
    double seconds = 0;
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "open %63s %n", name, &used) == 1 && used > 0) {
        const bool opened = open_model(s, name, line + used);
        if (!opened) close_model(s);
        return opened;
    }
    if (!s->model) return fail("no model is open");
    if (sscanf(line, "predict %63s", variant) == 1) return predict(s);
    const bool timed = sscanf(line, "time %63s %lld %lf", variant, &N, &seconds) == 3;
    if (!timed && sscanf(line, "warm %63s %lld", variant, &N) != 2)
        return fail("unknown command '%s'", line);
    if (N < 1 || N > BATCH) return fail("N is %lld, accepted: 1 to %d", N, BATCH);
    const bool train = strncmp(variant, "train:", 6) == 0;
    return timed ? time_calls(s, train, N, seconds) : warm(s, train, N);
}

int main(int argc, char **argv) {
    static session s;
    static char line[PATH_BYTES + 128];
    weir_runtime_options options = weir_runtime_options_default();
    options.threads = argc == 2 ? atoi(argv[1]) : 0;
    if (options.threads < 1) {
        fprintf(stderr, "Usage: weir_worker THREADS\n");
        return 2;
    }
    bool ok = check(weir_runtime_create(&options, &s.runtime)) && greet(s.runtime);
    fflush(stdout);
    while (ok && fgets(line, sizeof line, stdin)) {
        obey(&s, line);
        fflush(stdout);
    }
    close_model(&s);
    weir_runtime_destroy(s.runtime);
    return ok ? 0 : 1;
}
