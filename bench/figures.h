/* The frame of programs that measure something else than the time of a loop.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Their command line, their table, and the JSON that report.py reads beside Google Benchmark's.
 */
#ifndef WEIR_BENCH_FIGURES_H
#define WEIR_BENCH_FIGURES_H

#include <functional>
#include <string>
#include <vector>

#include "member.h"

namespace bench {

/* Goes through a command line. */
class Words {
  public:
    Words(int the_argc, char **the_argv) : argc(the_argc), argv(the_argv) {}
    bool next() { return ++i < argc; }
    bool is(const char *flag) const { return word() == flag; }
    /* "--name VALUE" or "--name=VALUE"; throws std::runtime_error without a value. */
    bool take(const char *name, std::string *value);
    std::string word() const { return argv[i]; }

  private:
    const int argc;
    char **const argv;
    int i = 0;
};

/* What all these programs understand. */
struct FigureOptions {
    std::vector<Threading> backends = threadings();
    int threads = 1; /* default: the cores allowed */
    bool quick = false;
    std::string out, text; /* JSON file, or empty; the whole line, for the record */
    int serve = -1;        /* this is a Member: its socket */
};

/* own(words) takes a program's own options first, and says whether it did. --help prints `help` and exits.
 * Throws std::runtime_error for what nobody understands. */
FigureOptions parse_figure_options(int argc, char **argv, const char *help,
                                   const std::function<bool(Words &)> &own);

/* A column and its value in a row. */
struct Figure {
    const char *name, *format; /* "p99 ms", "%.3f" */
    double value;              /* negative: not measured, a "-" */
};

struct FigureRow {
    std::string op, shape, backend;
    int threads = 1;
    double seconds = 0; /* what a chart would show */
    std::vector<Figure> figures;
};

/* A table whose rows are printed as they come, and written as JSON at the end. */
class Figures {
  public:
    Figures(const std::string &the_area, const FigureOptions &the_options)
        : area(the_area), options(the_options) {}
    /* All rows have the same columns. */
    void add(const FigureRow &row);
    /* Where --benchmark_out says, if it does. Throws std::runtime_error. */
    void write() const;

  private:
    const std::string area;
    const FigureOptions &options;
    std::vector<FigureRow> rows;
};

/* The smallest sample that at least a part q of them does not exceed (nearest rank); 0 of none. */
double quantile(std::vector<double> samples, double q);

/* The body of main: exit status 2 and a message for what is thrown. */
int run_figures(const std::string &area, const std::function<int()> &body);

} // namespace bench
#endif
