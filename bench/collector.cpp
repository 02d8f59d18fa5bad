/* What Google Benchmark reports: times and JSON. SPDX-License-Identifier: Apache-2.0 */
#include "collector.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace bench {

Collector::Collector(bool only_best) : show_best(only_best) {
    json.SetOutputStream(&text);
    json.ReportContext(Context());
}

void Collector::ReportRuns(const std::vector<Run> &reports) {
    std::vector<Run> runs = reports;
    for (Run &run : runs) {
        run.run_name.time_type.clear(); /* "/real_time": all times here are */
        if (run.run_type != Run::RT_Iteration || run.iterations == 0) continue;
        for (const auto &counter : run.counters) counters.insert(counter.first);
        samples[run.run_name.str()].emplace_back(run.real_accumulated_time /
                                                     static_cast<double>(run.iterations),
                                                 run.counters["preemptions/s"].value);
    }
    json.ReportRuns(runs);
}

Timing Collector::timing(const std::string &name) {
    auto &s = samples[name];
    if (s.empty()) return {};
    std::sort(s.begin(), s.end());
    const size_t middle = s.size() / 2;
    const auto &shown = show_best ? s[0] : s[middle];
    const bool between = !show_best && s.size() % 2 == 0;
    return {between ? (s[middle - 1].first + shown.first) / 2 : shown.first, s[0].first,
            shown.second};
}

void Collector::write(const std::string &path, const JsonObject &weir) {
    json.Finalize();
    std::string content = text.str();
    content.erase(content.find_last_of('}'));
    content.erase(content.find_last_not_of(" \n") + 1);
    const std::string part = path + ".part";
    std::ofstream file(part);
    file << content << ",\n  \"weir\": " << weir.str() << "\n}\n";
    file.close();
    if (!file || std::rename(part.c_str(), path.c_str()) != 0)
        throw std::runtime_error(path + ": can't be written");
}

} // namespace bench
