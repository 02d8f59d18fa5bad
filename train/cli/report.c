/* The folder of a report: results as JSON, and the page made of them. SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include "train/cli/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "train/cli/plot.h"
#include "train/cli/report_html.h"
#include "train/cli/text_file.h"
#include "train/model/atomic_file.h"
#include "train/model/failed_in.h"
#include "train/model/json.h"

enum { PATH_BYTES = 4096, RESULTS_BYTES_MAX = 64 << 20 };

/* What a report can hold, in the order of the page. */
static const struct {
    const char *kind, *family;
    weir_status (*write)(const cJSON *results, int index, FILE *to);
} parts[] = {
    {"compare", "jena", report_compare},
    {"downsampling", "jena", report_downsampling},
    {"compare", "imdb", report_compare},
    {"downsampling", "imdb", report_downsampling},
};
enum { PARTS = sizeof parts / sizeof parts[0] };

static weir_status join(const char *dir, const char *name, char path[PATH_BYTES]) {
    const int n = snprintf(path, PATH_BYTES, "%s/%s", dir, name);
    if (n < PATH_BYTES) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "the report's folder has a name of %zu bytes, accepted: "
                     "at most %d",
                     strlen(dir), PATH_BYTES - 64);
}

static weir_status part_path(const char *dir, int part, char path[PATH_BYTES]) {
    char name[64];
    snprintf(name, sizeof name, "%s-%s.json", parts[part].kind, parts[part].family);
    return join(dir, name, path);
}

/* ---- reading results ---- */

/* *results is NULL when there is no such file. */
static weir_status read_part(const char *path, cJSON **results) {
    *results = NULL;
    size_t length = 0, at = 0;
    char *text = NULL;
    errno = 0;
    const weir_status status = text_file_read(path, RESULTS_BYTES_MAX, &text, &length);
    if (status == WEIR_ERROR_SYSTEM && errno == ENOENT) return WEIR_OK;
    if (status != WEIR_OK) return status;
    *results = weir_json_parse(text, length, &at);
    free(text);
    if (*results || length == 0) return WEIR_OK; /* empty: somebody is about to write it */
    return weir_fail(WEIR_ERROR_FORMAT, "%s: not JSON from byte %zu on", path, at);
}

/* ---- the page ---- */

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Weir: results</title>\n<style>\n"
    ":root { color-scheme: light dark; --ink: #1f2328; --paper: #ffffff; --faint: #59636e;"
    " --line: #d1d9e0; --shade: #f6f8fa; }\n"
    "@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117;"
    " --faint: #9198a1; --line: #3d444d; --shade: #161b22; } }\n"
    "body { margin: 0 auto; max-width: 76rem; padding: 1rem; color: var(--ink);"
    " background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }\n"
    "h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }\n"
    "dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }\n"
    "dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }\n"
    "pre { padding: .75rem; background: var(--shade); white-space: pre-wrap;"
    " overflow-wrap: anywhere; }\n"
    ".wide { overflow-x: auto; } .warning { border-left: 4px solid #d4a017; padding-left: .75rem; "
    "}\n"
    "table { border-collapse: collapse; font-variant-numeric: tabular-nums; }\n"
    "th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right; }\n"
    "thead th { vertical-align: bottom; color: var(--faint); font-weight: normal; }\n"
    "tbody th, thead th:first-child { text-align: left; font-weight: 600; } tbody th { "
    "white-space: nowrap; }\n"
    ".plots { display: grid; gap: 1rem;"
    " grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }\n"
    "figure { margin: 0; } svg { width: 100%; height: auto; }\n"
    "svg [stroke=\"" PLOT_INK_STROKE "\"] { stroke: var(--ink); }\n"
    "svg [fill=\"" PLOT_INK_FILL "\"] { fill: var(--ink); }\n"
    "</style>\n</head>\n<body>\n<h1>Weir: results</h1>\n";

static weir_status write_part(const char *dir, int i, FILE *to, int *written) {
    char path[PATH_BYTES];
    cJSON *results = NULL;
    weir_status status = part_path(dir, i, path);
    if (status == WEIR_OK) status = read_part(path, &results);
    if (status != WEIR_OK || !results) return status;
    status = parts[i].write(results, i, to);
    cJSON_Delete(results);
    *written += 1;
    if (status == WEIR_OK) return status;
    return weir_failed_in(path, status);
}

static weir_status write_page(const char *dir, FILE *to, int *written) {
    fputs(head, to);
    for (int i = 0; i < PARTS; i++) {
        weir_status status = write_part(dir, i, to, written);
        if (status != WEIR_OK) return status;
    }
    fputs("</body>\n</html>\n", to);
    return WEIR_OK;
}

static weir_status no_results(const char *dir) {
    return weir_fail(
        WEIR_ERROR_ARGUMENT,
        "%s has no results, accepted: a folder with those of weir compare --report (or "
        "what its --json prints, as compare-jena.json, downsampling-jena.json, "
        "compare-imdb.json, downsampling-imdb.json)",
        dir);
}

/* The page of what the folder has; page->data is the caller's to free. */
static weir_status make_page(const char *dir, chunk *page, int *written) {
    char *text = NULL;
    size_t length = 0;
    *page = (chunk){NULL, 0};
    *written = 0;
    FILE *to = open_memstream(&text, &length);
    if (!to) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a report");
    weir_status status = write_page(dir, to, written);
    if (fclose(to) != 0 && status == WEIR_OK)
        status = weir_fail(WEIR_ERROR_MEMORY, "no memory for a report");
    *page = (chunk){text, length};
    return status;
}

weir_status report_build(const char *dir) {
    char path[PATH_BYTES];
    chunk page;
    int written;
    weir_status status = join(dir, "index.html", path);
    if (status != WEIR_OK) return status;
    status = make_page(dir, &page, &written);
    if (status == WEIR_OK && written == 0) status = no_results(dir);
    if (status == WEIR_OK) status = weir_atomic_file_write(path, &page, 1);
    free((void *)page.data);
    return status;
}

weir_status report_check(const char *dir) {
    char path[PATH_BYTES];
    weir_status status = join(dir, "index.html", path);
    if (status != WEIR_OK) return status;
    struct stat about;
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return weir_fail(WEIR_ERROR_SYSTEM, "%s: no folder can be made: %s", dir, strerror(errno));
    if (stat(dir, &about) != 0 || !S_ISDIR(about.st_mode))
        return weir_fail(WEIR_ERROR_SYSTEM, "%s is no folder, accepted: a folder or a new name",
                         dir);
    status = weir_atomic_file_check(path);
    if (status == WEIR_OK) status = plot_check();
    if (status != WEIR_OK) return status;
    /* What is there already goes onto the page too. */
    chunk page;
    int written;
    status = make_page(dir, &page, &written);
    free((void *)page.data);
    return status;
}

weir_status report_add(const char *dir, const cJSON *results) {
    char path[PATH_BYTES];
    int i = 0;
    while (i < PARTS && (strcmp(parts[i].kind, html_string(results, "kind")) != 0 ||
                         strcmp(parts[i].family, html_string(results, "family")) != 0))
        i++;
    if (i == PARTS) return weir_fail(WEIR_ERROR_FORMAT, "results of no known kind and family");
    weir_status status = part_path(dir, i, path);
    if (status != WEIR_OK) return status;
    char *text = weir_json_print_lines(results);
    if (!text) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the results");
    const chunk lines[] = {{text, strlen(text)}, {"\n", 1}};
    status = weir_atomic_file_write(path, lines, 2);
    cJSON_free(text);
    return status == WEIR_OK ? report_build(dir) : status;
}
