/* The table that a benchmark program prints. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_TABLE_H
#define WEIR_BENCH_TABLE_H

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness.h"

namespace bench {

/* FMA peaks measured when the program starts. */
class Peaks {
  public:
    explicit Peaks(const Options &options);
    /* FLOP/s; 0: unknown. For other libraries the best instruction set of the machine. */
    double of(const Backend &backend) const;
    /* Prints them and adds them to the JSON context. */
    void describe() const;

  private:
    std::map<std::pair<weir_isa, int>, double> flops_per_second;
    weir_isa best = WEIR_ISA_SCALAR;
};

/* Seconds of one run, over the repetitions; 0: not timed. */
struct Timing {
    double shown = 0; /* the median, or with --best the best */
    double best = 0;
    double preemptions = 0; /* per second, in the repetition shown */
};

/* Rows are printed as soon as a group is done, so the growing table is the progress. */
class Table {
  public:
    Table(const Area &area, const Peaks &peaks, const Options &options);
    /* On a terminal: says what runs now. */
    void progress(const Group &group, size_t number, size_t count) const;
    /* A backend's time, what it chose, what went wrong. */
    void add(const Backend &backend, const Timing &timing, const std::string &implementation,
             const std::string &error);
    /* The rows of a group whose backends were all added. */
    void print(const Group &group);
    /* Means, doubts, and what the columns are. */
    void finish() const;

  private:
    struct Cell {
        const Backend *backend;
        Timing timing;
        std::string implementation, error;
    };
    const Cell *find(const std::string &name, int threads) const;
    void print_row(const Group &group, const Cell &cell);
    bool is_baseline(const Cell &cell) const;
    bool disturbed(const Group &group, const Cell *cell) const;

    const Area &area;
    const Peaks &peaks;
    const bool quick, best;
    std::vector<Cell> cells;                                  /* of the group being collected */
    std::map<std::string, std::pair<double, int>> log_ratios; /* op, backend, threads: sum, count */
    int rows = 0, disturbed_rows = 0;
    std::vector<std::string> errors;
};

} // namespace bench
#endif
