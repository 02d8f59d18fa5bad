/* Running groups of benchmarks: prepare, compare, time in turns. SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <benchmark/benchmark.h>
#include <regex.h>

#include <cstdio>
#include <map>
#include <stdexcept>
#include <tuple>

#include "collector.h"
#include "entry.h"
#include "member.h"
#include "onednn.h"
#include "options.h"
#include "peer.h"
#include "roofline.h"
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

/* Times the entries in turns. */
void run_group(const Group &group, std::vector<Entry> &entries, Peer *peer,
               const Roofline &roofline, Collector &collector, Table &table, bool quick) {
    Bench bench(group, peer, quick);
    bool any = false;
    benchmark::ClearRegisteredBenchmarks();
    for (Entry &entry : entries) {
        bench.prepare(entry);
        if (!entry.error.empty()) continue;
        any = true;
        auto *timed =
            benchmark::RegisterBenchmark(entry.name.c_str(), [&](benchmark::State &state) {
                bench.time(state, entry, roofline);
            });
        timed->Unit(benchmark::kMillisecond);
        if (entry.backend->peer)
            timed->UseManualTime();
        else
            timed->UseRealTime();
    }
    if (any) benchmark::RunSpecifiedBenchmarks(&collector, nullptr, ".");
    for (const Entry &entry : entries)
        table.add(*entry.backend, collector.timing(entry.name), entry.work.implementation,
                  entry.error);
    table.print(group);
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

/* "2.6" of "2.6.3, avx512_core, OpenMP" */
std::string short_version(const std::string &description) {
    return description.substr(0, description.find('.', description.find('.') + 1));
}

void describe_machine() {
    weir_machine_info info;
    check(weir_machine_describe(&info));
    std::printf("%s, %d cores allowed; weir %s; ", info.cpu_model, info.cores_allowed,
                weir_version());
    benchmark::AddCustomContext("cpu_model", info.cpu_model);
    benchmark::AddCustomContext("weir", weir_version());
}

/* The versions of oneDNN in this run, after they were said; empty: none. */
std::pair<std::string, std::string> describe_libraries(const Area &area, const Peer *peer) {
    describe_machine();
    benchmark::AddCustomContext("oneDNN", onednn_description());
    if (!area.baseline.empty() && area.baseline == openmp_name()) {
        std::printf("OpenMP: %s%s\n", openmp_name().c_str(),
                    peer ? ("; and " + other_openmp().name).c_str() : "");
        return {};
    }
    std::printf("oneDNN: %s%s\n", onednn_description().c_str(),
                peer ? ("; and " + peer->description()).c_str() : "");
    if (peer) benchmark::AddCustomContext("oneDNN of the peer program", peer->description());
    return {onednn_available() ? short_version(onednn_description()) : "",
            peer ? short_version(peer->description()) : ""};
}

JsonObject describe_run(const Area &area, const CommandLine &line, const Roofline &roofline,
                        const Table &table) {
    return JsonObject()
        .text("area", area.name)
        .text("command", line.text)
        .flag("quick", line.options.quick)
        .flag("best", line.options.best)
        .object("machine", roofline.json())
        .array("rows", table.json());
}

void list_names(const std::vector<Group> &groups) {
    for (const Group &group : groups)
        for (const Entry &entry : select(group)) std::printf("%s\n", entry.name.c_str());
}

int run_groups(const Area &area, const CommandLine &line) {
    const std::vector<Group> groups = area.groups(line.options);
    if (line.serve >= 0) return serve(groups, line.options.quick, line.serve);
    if (line.list) {
        list_names(groups);
        return 0;
    }
    std::unique_ptr<Peer> peer;
    if (!line.options.peer.empty()) peer = std::make_unique<Peer>(line.options);
    const auto versions = describe_libraries(area, peer.get());
    Roofline roofline(line.options, groups);
    roofline.describe();
    Collector collector(line.options.best);
    Table table(area, roofline, line.options, versions);
    table.head(groups);
    for (size_t i = 0; i < groups.size(); i++) {
        std::vector<Entry> entries = select(groups[i]);
        if (entries.empty()) continue;
        table.progress(groups[i], i + 1, groups.size());
        roofline.refresh(groups[i]);
        run_group(groups[i], entries, peer.get(), roofline, collector, table, line.options.quick);
    }
    table.finish();
    for (const std::string &counter : line.counters)
        if (!collector.counted(counter))
            std::printf(
                "%s was not counted: this Google Benchmark has no libpfm, or the machine no "
                "such counter\n",
                counter.c_str());
    if (!line.out.empty()) collector.write(line.out, describe_run(area, line, roofline, table));
    return table.complete() ? 0 : 1;
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

/* oneDNN of this program, or of its peer, with its own layouts and with plain tensors. */
static void add_onednn(std::vector<Backend> &backends, const Options &options,
                       const std::string &name, bool peer) {
    for (const int threads : options.threads) {
        Backend backend;
        backend.library = Backend::ONEDNN;
        backend.threads = threads;
        backend.peer = peer;
        backend.name = name;
        backends.push_back(backend);
        backend.name = name + "_plain";
        backend.plain = true;
        backends.push_back(backend);
    }
}

std::vector<Backend> op_backends(const Options &options) {
    std::vector<Backend> backends = weir_backends(options);
    if (onednn_available()) add_onednn(backends, options, "onednn", false);
    const std::string peer = WEIR_BENCH_PEER; /* empty in a build with one oneDNN */
    if (!options.peer.empty()) add_onednn(backends, options, peer.empty() ? "peer" : peer, true);
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
