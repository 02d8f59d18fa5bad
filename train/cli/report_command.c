/* weir report. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "train/cli/commands.h"
#include "train/cli/options.h"
#include "train/cli/report.h"

static const char *const examples[] = {
    "weir compare jena --generated --report results",
    "weir report results",
    "weir compare imdb --data aclImdb_v1.tar.gz --json > results/compare-imdb.json && weir report "
    "results",
    NULL,
};

int cmd_report(int argc, char **argv) {
    const char *dir = NULL;
    const option table[] = {OPTION_END};
    const positional names[] = {{"DIR", &dir, true, "the folder that weir compare --report made"},
                                {0}};
    const command_line line = {
        .command = "report",
        .summary = "Make DIR/index.html, a page with plots, of the results in DIR.",
        .options = table,
        .positionals = names,
        .examples = examples,
        .notes =
            "Results are JSON, as weir compare --json prints them: compare-jena.json, "
            "compare-imdb.json, downsampling-jena.json, downsampling-imdb.json. The page needs "
            "no other file. gnuplot draws the plots."};
    const int parsed = options_parse(&line, argc, argv);
    if (parsed >= 0) return parsed;
    const weir_status status = report_build(dir);
    if (status != WEIR_OK) return command_failed("report", status);
    printf("%s/index.html\n", dir);
    return STATUS_OK;
}
