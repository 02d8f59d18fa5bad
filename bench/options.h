/* The command line of the benchmark programs. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_OPTIONS_H
#define WEIR_BENCH_OPTIONS_H

#include <string>
#include <vector>

#include "harness.h"

namespace bench {

struct CommandLine {
    Options options;
    std::string out;                   /* JSON file, or empty */
    std::string text;                  /* the whole line, for the record */
    std::vector<std::string> counters; /* of the hardware, for Google Benchmark */
    bool list = false;                 /* only print the names */
    int serve = -1;                    /* socket of the program whose peer this is */
};

/* Takes out the options of this suite, hands the rest to Google Benchmark. Exits after --help;
 * throws std::runtime_error for what nobody understands. */
CommandLine parse_command_line(int argc, char **argv, const Area &area);

/* "--name VALUE" or "--name=VALUE" at argv[*i]. */
bool take_value(int argc, char **argv, int *i, const std::string &name, std::string *value);
/* A number of at least `least`; throws std::runtime_error that names the option. */
int parse_number(const std::string &name, const std::string &text, int least);
/* The words between commas. */
std::vector<std::string> split(const std::string &list);

} // namespace bench
#endif
