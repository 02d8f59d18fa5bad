/* Running groups of benchmarks: prepare, compare, time in turns. SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <benchmark/benchmark.h>
#include <regex.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "machine.h"
#include "onednn.h"
#include "options.h"
#include "table.h"
#include "team.h"

namespace bench {

Tensor random_tensor(int64_t size, unsigned seed, float scale) {
    Tensor tensor(static_cast<size_t>(size));
    uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
    for (float &value : tensor) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        value = scale * (static_cast<float>(state >> 40) / 8388608.0f - 1.0f);
    }
    return tensor;
}

Tensor zero_tensor(int64_t size) { return Tensor(static_cast<size_t>(size), 0.0f); }

void check(weir_status status) {
    if (status != WEIR_OK)
        throw std::runtime_error(std::string(weir_status_name(status)) + ": " + weir_last_error());
}

namespace {

weir_runtime *create_runtime(const Backend &backend) {
    weir_runtime_options options = weir_runtime_options_default();
    options.threads = backend.threads;
    options.isa = backend.isa;
    options.threading = backend.threading;
    weir_runtime *runtime = nullptr;
    team_unbind_main();
    check(weir_runtime_create(&options, &runtime));
    return runtime;
}

/* Makes the machine the backend's own: its threads in their places, the other's asleep. */
void enter(const Backend &backend, bool quick) {
    static int previous = -1;
    const int now = backend.library * 2 + backend.threading;
    if (backend.library == Backend::WEIR) {
        runtime_of(backend);
        if (backend.threading == WEIR_THREADING_POOL) team_bind_thread(0);
    }
    if (backend.library != Backend::WEIR || backend.threading == WEIR_THREADING_OPENMP)
        team_bind_openmp(backend.threads);
    /* libgomp's threads spin for some milliseconds after their last work. */
    if (previous != now && !quick) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    previous = now;
}

/* One benchmark of a group. */
struct Entry {
    const Backend *backend;
    std::string name;
    Work work;
    std::string error;
};

/* Empty when the outputs agree. The bound is loose: it finds wrong results, not rounding. */
std::string disagreement(const Entry &a, const Results &results_a, const Entry &b,
                         const Results &results_b) {
    if (results_a.empty() || results_b.empty()) return "";
    for (size_t i = 0; i < results_a.size(); i++) {
        const Tensor &u = results_a[i].second, &v = results_b.at(i).second;
        float largest = 0, difference = 0;
        bool finite = u.size() == v.size();
        for (size_t j = 0; finite && j < u.size(); j++) {
            largest = std::max(largest, std::fabs(u[j]));
            difference = std::max(difference, std::fabs(u[j] - v[j]));
            finite = std::isfinite(u[j]) && std::isfinite(v[j]);
        }
        if (finite && difference <= 1e-3f * largest) continue;
        return results_a[i].first + " of " + a.backend->name + " and " + b.backend->name +
               " differs by " + std::to_string(difference) + ", its largest value is " +
               std::to_string(largest);
    }
    return "";
}

/* Collects the times for the table and passes everything on to the JSON file. */
class Collector : public benchmark::BenchmarkReporter {
  public:
    Collector(const std::string &path, bool only_best) : show_best(only_best) {
        if (path.empty()) return;
        file.open(path);
        if (!file) throw std::runtime_error(path + ": can't be written");
        json.SetOutputStream(&file);
        json.ReportContext(Context());
    }
    bool ReportContext(const Context &) override { return true; }
    void ReportRuns(const std::vector<Run> &reports) override {
        std::vector<Run> runs = reports;
        for (Run &run : runs) {
            run.run_name.time_type.clear(); /* "/real_time": all times here are */
            if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
            samples[run.run_name.str()].emplace_back(run.real_accumulated_time /
                                                         static_cast<double>(run.iterations),
                                                     run.counters["preemptions/s"].value);
        }
        if (file.is_open()) json.ReportRuns(runs);
    }
    void close() {
        if (file.is_open()) json.Finalize();
    }
    /* Over the repetitions; 0 if there are none. */
    Timing timing(const std::string &name) {
        auto &s = samples[name];
        if (s.empty()) return {};
        std::sort(s.begin(), s.end());
        const size_t middle = s.size() / 2;
        const auto &shown = show_best ? s[0] : s[middle];
        const bool between = !show_best && s.size() % 2 == 0;
        return {between ? (s[middle - 1].first + shown.first) / 2 : shown.first, s[0].first,
                shown.second};
    }

  private:
    const bool show_best;
    std::ofstream file;
    benchmark::JSONReporter json;
    std::map<std::string, std::vector<std::pair<double, double>>> samples; /* and preemptions/s */
};

std::string full_name(const Group &group, const Backend &backend) {
    return group.op + "/" + backend.name + (group.shape.empty() ? "" : "/") + group.shape +
           "/threads:" + std::to_string(backend.threads);
}

void prepare(Case &tensors, Entry &entry, const Entry *first, Results &reference, bool quick) {
    try {
        enter(*entry.backend, quick);
        entry.work = tensors.prepare(*entry.backend);
        entry.work.run();
        if (!entry.work.results) return;
        if (!first)
            reference = entry.work.results();
        else
            entry.error = disagreement(*first, reference, entry, entry.work.results());
    } catch (const std::exception &e) {
        entry.error = e.what();
    }
}

/* How often the system took a processor from a thread of this process that wanted to go on. */
int64_t preemptions() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nivcsw;
}

void time_it(benchmark::State &state, const Group &group, const Entry &entry, double peak,
             bool quick) {
    enter(*entry.backend, quick);
    entry.work.run();
    const int64_t before = preemptions();
    for (auto _ : state) entry.work.run();
    state.counters["preemptions/s"] = benchmark::Counter(
        static_cast<double>(preemptions() - before), benchmark::Counter::kIsRate);
    const auto rate = benchmark::Counter::kIsIterationInvariantRate;
    if (group.flops > 0) state.counters["GFLOP/s"] = benchmark::Counter(group.flops / 1e9, rate);
    if (group.flops > 0 && peak > 0)
        state.counters["%peak"] = benchmark::Counter(100 * group.flops / peak, rate);
    if (group.bytes > 0) state.counters["GB/s"] = benchmark::Counter(group.bytes / 1e9, rate);
    if (group.samples > 0) state.counters["samples/s"] = benchmark::Counter(group.samples, rate);
    if (!entry.work.implementation.empty()) state.SetLabel(entry.work.implementation);
}

/* Times the entries in turns; false if one failed. */
bool run_group(const Group &group, std::vector<Entry> &entries, const Peaks &peaks,
               Collector &collector, Table &table, bool quick) {
    const std::unique_ptr<Case> tensors = group.open();
    Results reference;
    const Entry *first = nullptr;
    benchmark::ClearRegisteredBenchmarks();
    for (Entry &entry : entries) {
        prepare(*tensors, entry, first, reference, quick);
        if (!entry.error.empty()) continue;
        if (!first) first = &entry;
        benchmark::RegisterBenchmark(entry.name.c_str(),
                                     [&](benchmark::State &state) {
                                         time_it(state, group, entry, peaks.of(*entry.backend),
                                                 quick);
                                     })
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
    }
    if (first) benchmark::RunSpecifiedBenchmarks(&collector, nullptr, ".");
    bool good = true;
    for (const Entry &entry : entries) {
        table.add(*entry.backend, collector.timing(entry.name), entry.work.implementation,
                  entry.error);
        good = good && entry.error.empty();
    }
    table.print(group);
    return good;
}

/* --benchmark_filter: an extended regular expression, after a "-" what is left out. */
class Filter {
  public:
    explicit Filter(const std::string &filter) : inverted(!filter.empty() && filter[0] == '-') {
        const std::string text = filter == "all" ? "" : filter.substr(inverted ? 1 : 0);
        if (regcomp(&pattern, text.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
            throw std::runtime_error("--benchmark_filter: not a regular expression: " + filter);
    }
    ~Filter() { regfree(&pattern); }
    Filter(const Filter &) = delete;
    Filter &operator=(const Filter &) = delete;
    bool wants(const std::string &name) const {
        return (regexec(&pattern, name.c_str(), 0, nullptr, 0) == 0) != inverted;
    }

  private:
    bool inverted;
    regex_t pattern;
};

/* The benchmarks of a group that --benchmark_filter asks for. */
std::vector<Entry> select(const Group &group) {
    const Filter filter(benchmark::GetBenchmarkFilter());
    std::vector<Entry> entries;
    for (const Backend &backend : group.backends) {
        const std::string name = full_name(group, backend);
        if (filter.wants(name)) entries.push_back({&backend, name, {}, ""});
    }
    return entries;
}

int run_groups(const Area &area, const CommandLine &line) {
    const std::vector<Group> groups = area.groups(line.options);
    if (line.list) {
        for (const Group &group : groups)
            for (const Entry &entry : select(group)) std::printf("%s\n", entry.name.c_str());
        return 0;
    }
    const Peaks peaks(line.options);
    peaks.describe();
    benchmark::AddCustomContext("oneDNN", onednn_description());
    Collector collector(line.out, line.options.best);
    Table table(area, peaks, line.options);
    bool good = true;
    for (size_t i = 0; i < groups.size(); i++) {
        std::vector<Entry> entries = select(groups[i]);
        if (entries.empty()) continue;
        table.progress(groups[i], i + 1, groups.size());
        good = run_group(groups[i], entries, peaks, collector, table, line.options.quick) && good;
    }
    collector.close();
    table.finish();
    return good ? 0 : 1;
}

} // namespace

weir_runtime *runtime_of(const Backend &backend) {
    using Owned = std::unique_ptr<weir_runtime, decltype(&weir_runtime_destroy)>;
    static std::map<std::tuple<weir_isa, weir_threading, int>, Owned> runtimes;
    const auto key = std::make_tuple(backend.isa, backend.threading, backend.threads);
    const auto known = runtimes.find(key);
    if (known != runtimes.end()) return known->second.get();
    weir_runtime *runtime = create_runtime(backend);
    runtimes.emplace(key, Owned(runtime, weir_runtime_destroy));
    return runtime;
}

std::vector<Backend> weir_backends(const Options &options) {
    std::vector<Backend> backends;
    for (const int threads : options.threads) {
        for (const weir_isa isa : options.isas) {
            Backend backend;
            backend.name = weir_isa_name(isa);
            backend.isa = isa;
            backend.threads = threads;
            backends.push_back(backend);
        }
    }
    return backends;
}

std::vector<Backend> op_backends(const Options &options) {
    std::vector<Backend> backends = weir_backends(options);
    if (!onednn_available()) return backends;
    for (const int threads : options.threads) {
        Backend backend;
        backend.library = Backend::ONEDNN;
        backend.threads = threads;
        backend.name = "onednn";
        backends.push_back(backend);
        backend.name = "onednn_plain";
        backend.plain = true;
        backends.push_back(backend);
    }
    return backends;
}

int run_area(int argc, char **argv, const Area &area) {
    try {
        team_unbind_main(); /* remembers the processors that are allowed */
        const CommandLine line = parse_command_line(argc, argv, area);
        return run_groups(area, line);
    } catch (const std::exception &e) {
        std::fprintf(stderr, "bench_%s: %s\n", area.name.c_str(), e.what());
        return 2;
    }
}

} // namespace bench
