/* What Google Benchmark reports: times and JSON. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_COLLECTOR_H
#define WEIR_BENCH_COLLECTOR_H

#include <benchmark/benchmark.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "json.h"

namespace bench {

/* Seconds of one run, over the repetitions; 0: not timed. */
struct Timing {
    double shown = 0; /* the median, or with --best the best */
    double best = 0;
    double preemptions = 0; /* per second, in the repetition shown */
};

class Collector : public benchmark::BenchmarkReporter {
  public:
    explicit Collector(bool only_best);
    bool ReportContext(const Context &) override { return true; }
    void ReportRuns(const std::vector<Run> &reports) override;
    Timing timing(const std::string &name);
    /* Some benchmark had this counter. */
    bool counted(const std::string &counter) const { return counters.count(counter) > 0; }
    /* Google Benchmark's JSON with one more member, "weir". The file appears when all is written.
     * Throws std::runtime_error. */
    void write(const std::string &path, const JsonObject &weir);

  private:
    const bool show_best;
    std::ostringstream text;
    benchmark::JSONReporter json;
    std::set<std::string> counters;
    std::map<std::string, std::vector<std::pair<double, double>>> samples; /* and preemptions/s */
};

} // namespace bench
#endif
