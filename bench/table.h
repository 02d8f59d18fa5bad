/* The table that a benchmark program prints. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_TABLE_H
#define WEIR_BENCH_TABLE_H

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "collector.h"
#include "harness.h"
#include "json.h"
#include "roofline.h"

namespace bench {

/* Rows are printed as soon as a group is done, so the growing table is the progress. */
class Table {
  public:
    /* versions: of the oneDNN of this program and of the peer's, as "2.6"; empty: none. */
    Table(const Area &area, const Roofline &roofline, const Options &options,
          const std::pair<std::string, std::string> &versions);
    /* The widest of these labels makes the first column. */
    void head(const std::vector<Group> &groups);
    /* On a terminal: says what runs now. */
    void progress(const Group &group, size_t number, size_t count) const;
    /* A backend's time, what it chose, what went wrong. */
    void add(const Backend &backend, const Timing &timing, const std::string &implementation,
             const std::string &error);
    /* The rows of a group whose backends were all added. */
    void print(const Group &group);
    /* Means, doubts, and what the columns are. */
    void finish() const;
    /* Every row, those of the baseline too. */
    const std::vector<JsonObject> &json() const { return json_rows; }
    /* No row is missing or wrong. */
    bool complete() const { return errors.empty(); }

  private:
    struct Cell {
        const Backend *backend;
        Timing timing;
        std::string implementation, error;
    };
    const Cell *find(const std::string &name, int threads) const;
    /* The fastest baseline with so many threads. */
    const Cell *baseline(int threads, bool plain) const;
    bool is_baseline(const Cell &cell) const;
    bool disturbed(const Group &group, const Cell *cell) const;
    std::string version(const Cell *cell) const;
    void add_row(const Group &group, const Cell &cell, bool print);
    void check_row(const Group &group, const Cell &cell);

    const Area &area;
    const Roofline &roofline;
    const bool quick, best, onednn;
    const std::pair<std::string, std::string> versions;
    int label_width = 20;
    std::vector<Cell> cells;                                  /* of the group being collected */
    std::map<std::string, std::pair<double, int>> log_ratios; /* op, backend, threads: sum, count */
    int rows = 0, disturbed_rows = 0;
    std::vector<JsonObject> json_rows;
    std::vector<std::string> errors;
};

} // namespace bench
#endif
