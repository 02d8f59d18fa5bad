/* weir data: downloads data sets, generates one of the Jena file's shape, shows what is in one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "train/cli/commands.h"
#include "train/cli/interrupt.h"
#include "train/cli/options.h"
#include "train/cli/progress.h"
#include "train/data/fetch.h"
#include "train/data/series.h"

static void show_download(void *user, int64_t done, int64_t total, int64_t before) {
    progress *p = user;
    p->total = total;
    progress_skip(p, before);
    progress_update(p, done, NULL);
}

static int fetched_jena(const fetch_result *result) {
    printf("%s: %d rows, header and first row as expected%s\n", result->file, JENA_ROWS,
           result->was_there ? " (was there already)" : "");
    if (!result->was_there)
        printf("sha256 of the archive: %s (%s)\n", result->sha256,
               result->recorded ? "recorded" : "as recorded at the first download");
    return STATUS_OK;
}

static int fetched_imdb(const fetch_result *result) {
    printf("%s: %d reviews to train on, %d for the test%s\nMD5: %s\n", result->file, IMDB_REVIEWS,
           IMDB_REVIEWS, result->was_there ? " (was there already)" : "", result->md5);
    return STATUS_OK;
}

/* Makes it lower case; 32 hexadecimal digits, or none. */
static bool take_md5(const char *given, char md5[MD5_TEXT]) {
    if (strcmp(given, "none") == 0) return true;
    const size_t n = strlen(given);
    if (n != MD5_TEXT - 1 || strspn(given, "0123456789abcdefABCDEF") != n) return false;
    for (size_t i = 0; i <= n; i++)
        md5[i] = (char)(given[i] >= 'A' && given[i] <= 'F' ? given[i] - 'A' + 'a' : given[i]);
    return true;
}

static int fetch(int argc, char **argv) {
    static const char *const examples[] = {"weir data fetch jena",
                                           "weir data fetch imdb --dir ~/data",
                                           "weir train jena-conv-gru --data data/" JENA_CSV,
                                           "weir data show imdb --data data/" IMDB_ARCHIVE, NULL};
    const char *name = NULL, *dir = "data", *url = NULL, *md5 = NULL;
    char sum[MD5_TEXT] = "";
    const option table[] = {
        OPTION_STRING("dir", "DIR", &dir, "where to put the file"),
        OPTION_STRING_DEFAULT("url", "URL", &url, "where to get the archive", "its public place"),
        OPTION_STRING_DEFAULT("md5", "HEX", &md5, "MD5 of the reviews' archive; none: any",
                              IMDB_MD5),
        OPTION_END};
    const positional names[] = {{"SET", &name, true, "the data set: jena or imdb"}, {0}};
    const command_line line = {
        .command = "data fetch",
        .summary = "download the Jena climate data (13.5 MB) or the IMDB reviews (84 MB)",
        .options = table,
        .positionals = names,
        .examples = examples,
        .notes =
            "A download that was stopped goes on where it was. Of the Jena data, 2009 to 2016, "
            "header,\nfirst row and number of rows are checked, and the archive's sha256 is "
            "recorded at the first\ndownload and compared later. Of the reviews, the archive's "
            "MD5 and their number are checked;\nthe archive is not unpacked. On a machine "
            "without a network put the archive into DIR yourself."};
    const int parsed = options_parse(&line, argc, argv);
    if (parsed >= 0) return parsed;
    const bool jena = strcmp(name, "jena") == 0;
    if (!jena && strcmp(name, "imdb") != 0)
        return options_error(&line, "data set is \"%s\", accepted: jena, imdb", name);
    if (jena && md5) return options_error(&line, "--md5 is an option of imdb");
    if (!take_md5(md5 ? md5 : IMDB_MD5, sum))
        return options_error(&line, "--md5 is \"%s\", accepted: 32 hexadecimal digits, none", md5);

    progress bar;
    fetch_result result;
    progress_start(&bar, jena ? JENA_ZIP : IMDB_ARCHIVE, 0, "B");
    if (url == NULL) url = jena ? JENA_URL : IMDB_URL;
    const weir_status status =
        jena ? fetch_jena(dir, url, show_download, &bar, &result)
             : fetch_imdb(dir, url, sum[0] ? sum : NULL, show_download, &bar, &result);
    progress_end(&bar);
    if (status != WEIR_OK) return command_failed("data fetch", status);
    return jena ? fetched_jena(&result) : fetched_imdb(&result);
}

static int generate(int argc, char **argv) {
    static const char *const examples[] = {"weir data generate --rows 70000 --out station.csv",
                                           "weir train jena-gru --data station.csv", NULL};
    const char *out = NULL;
    int64_t rows = JENA_ROWS, seed = 1;
    const option table[] = {
        OPTION_STRING("out", "FILE", &out, "the CSV file to write (replaced when it exists)"),
        OPTION_INT("rows", "N", &rows, 1, (double)SERIES_GENERATE_MAX,
                   "rows, one for every 10 minutes"),
        OPTION_INT("seed", "N", &seed, 0, 9007199254740992.0, "another seed is another weather"),
        OPTION_END};
    const command_line line = {
        .command = "data generate",
        .summary = "write a made-up weather station's data in the Jena file's format",
        .options = table,
        .examples = examples,
        .notes = "The data are generated: seasons, days, weather fronts and noise. They serve "
                 "trying out and\ntesting; a model's error on them says nothing about the real "
                 "climate."};
    const int parsed = options_parse(&line, argc, argv);
    if (parsed >= 0) return parsed;
    if (out == NULL) return options_error(&line, "--out is missing: the CSV file to write");

    series s;
    weir_status status = series_generate(rows, (uint64_t)seed, &s);
    if (status == WEIR_OK) {
        interrupt_catch();
        status = series_write_csv(&s, out, interrupt_seen);
        if (status == WEIR_OK)
            printf("%s: %" PRId64 " rows, %" PRId64 " columns, %s\n", out, s.rows, s.columns,
                   s.source);
        series_free(&s);
    }
    if (status != WEIR_ERROR_STATE)
        return status == WEIR_OK ? STATUS_OK : command_failed("data generate", status);
    fprintf(stderr, "weir data generate: %s; %s was not written\n", interrupt_word(), out);
    return interrupt_status();
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} subcommands[] = {
    {"fetch", fetch, "download the Jena climate data or the IMDB reviews"},
    {"generate", generate, "write made-up data of the Jena data's shape"},
    {"show", cmd_data_show, "show what is in the reviews"},
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

static void print_usage(FILE *to) {
    fputs("Usage: weir data COMMAND [options]\n\nCommands:\n", to);
    for (int i = 0; i < SUBCOMMANDS; i++)
        fprintf(to, "  %-10s%s\n", subcommands[i].name, subcommands[i].summary);
    fputs("\nweir data COMMAND --help says more about one.\n", to);
}

int cmd_data(int argc, char **argv) {
    if (argc >= 2) {
        for (int i = 0; i < SUBCOMMANDS; i++)
            if (strcmp(subcommands[i].name, argv[1]) == 0)
                return subcommands[i].run(argc - 1, argv + 1);
        if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
            print_usage(stdout);
            return STATUS_OK;
        }
        fprintf(stderr, "weir data: unknown command \"%s\"\n\n", argv[1]);
    }
    print_usage(stderr);
    return STATUS_USAGE;
}
