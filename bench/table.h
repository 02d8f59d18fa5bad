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

/* Rows are printed as soon as a group is done, so the growing table is the progress. */
class Table {
  public:
    Table(const Area &area, const Peaks &peaks);
    /* On a terminal: says what runs now. */
    void progress(const Group &group, size_t number, size_t count) const;
    /* A backend's median in seconds (0: none), what it chose, what went wrong. */
    void add(const Group &group, const Backend &backend, double seconds,
             const std::string &implementation, const std::string &error);
    /* The rows of a group whose backends were all added. */
    void print(const Group &group);
    /* Means, doubts, and what the columns are. */
    void finish() const;

  private:
    struct Cell {
        const Backend *backend;
        double seconds;
        std::string implementation, error;
    };
    const Cell *find(const std::string &name, int threads) const;
    void print_row(const Group &group, const Cell &cell);
    void doubt(const Group &group);

    const Area &area;
    const Peaks &peaks;
    std::vector<Cell> cells; /* of the group being collected */
    std::map<std::string, std::pair<double, int>>
        log_ratios; /* by op, backend, threads: sum, count */
    std::vector<std::string> doubts, errors;
};

} // namespace bench
#endif
