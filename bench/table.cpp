/* The table that a benchmark program prints. SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "machine.h"
#include "onednn.h"

namespace bench {

Peaks::Peaks(const Options &options) {
    weir_machine_info info;
    check(weir_machine_describe(&info));
    for (const weir_isa isa : {WEIR_ISA_AVX2, WEIR_ISA_AVX512}) {
        if (!info.isa_available[isa] || !machine_has(isa)) continue;
        best = isa;
        for (const int threads : options.threads)
            flops_per_second[{isa, threads}] = fma_peak(isa, threads);
    }
}

double Peaks::of(const Backend &backend) const {
    const weir_isa isa = backend.library == Backend::WEIR ? backend.isa : best;
    const auto known = flops_per_second.find({isa, backend.threads});
    return known == flops_per_second.end() ? 0 : known->second;
}

void Peaks::describe() const {
    weir_machine_info info;
    check(weir_machine_describe(&info));
    std::printf("%s, %d cores allowed; weir %s; oneDNN: %s\n", info.cpu_model, info.cores_allowed,
                weir_version(), onednn_description().c_str());
    benchmark::AddCustomContext("cpu_model", info.cpu_model);
    benchmark::AddCustomContext("weir", weir_version());
    double load = 0;
    if (getloadavg(&load, 1) == 1 && load > 0.5)
        std::printf("disturbed: the load is %.1f before the first benchmark\n", load);
    for (const auto &peak : flops_per_second) {
        const std::string name = std::string("FMA peak ") + weir_isa_name(peak.first.first) +
                                 " threads:" + std::to_string(peak.first.second);
        char value[32];
        std::snprintf(value, sizeof value, "%.1f GFLOP/s", peak.second / 1e9);
        std::printf("%s: %s\n", name.c_str(), value);
        benchmark::AddCustomContext(name, value);
    }
}

static std::string label_of(const Group &group) {
    return group.shape.empty() ? group.op : group.op + "/" + group.shape;
}

Table::Table(const Area &the_area, const Peaks &the_peaks, const Options &options)
    : area(the_area), peaks(the_peaks), quick(options.quick), best(options.best) {
    const std::string base = area.baseline.empty() ? "" : area.baseline + " ms";
    const char *plain = area.baseline == "onednn" ? "plain ms" : "";
    std::printf("\n%-56s %3s %-7s %10s %8s %6s %7s  %10s %6s  %9s %6s  %s\n", "operation and shape",
                "thr", "backend", "ms", "GFLOP/s", "%peak", "GB/s", base.c_str(),
                area.baseline.empty() ? "" : "ratio", plain, plain[0] ? "ratio" : "",
                area.baseline == "onednn" ? "implementation in oneDNN" : "note");
    std::fflush(stdout);
}

void Table::progress(const Group &group, size_t number, size_t count) const {
    if (!isatty(STDOUT_FILENO)) return;
    std::printf("[%zu/%zu] %s ...\r", number, count, label_of(group).c_str());
    std::fflush(stdout);
}

void Table::add(const Backend &backend, const Timing &timing, const std::string &implementation,
                const std::string &error) {
    cells.push_back({&backend, timing, implementation, error});
}

const Table::Cell *Table::find(const std::string &name, int threads) const {
    for (const Cell &cell : cells)
        if (cell.backend->name == name && cell.backend->threads == threads) return &cell;
    return nullptr;
}

/* "-" where there is nothing to say. */
static std::string number(const char *format, double value) {
    if (!(value > 0)) return "-";
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

bool Table::is_baseline(const Cell &cell) const {
    return cell.backend->name == area.baseline || cell.backend->name == area.baseline + "_plain";
}

/*
 * Something else used the machine: threads were preempted (each time costs some milliseconds), most
 * repetitions were far slower than the best, two threads lost whole time slices against one, or
 * oneDNN's convolution, which scales well, did not.
 */
bool Table::disturbed(const Group &group, const Cell *cell) const {
    if (!cell || cell->timing.shown <= 0) return false;
    const double seconds = cell->timing.shown;
    if (seconds > 1.5 * cell->timing.best || cell->timing.preemptions > 50) return true;
    const Cell *one = find(cell->backend->name, 1);
    if (cell->backend->threads != 2 || !one) return false;
    if (seconds > 1e-3 && seconds > 2 * one->timing.shown) return true;
    return cell->backend->library == Backend::ONEDNN && group.op.rfind("conv1d", 0) == 0 &&
           one->timing.shown > 0.5e-3 && one->timing.shown < 1.7 * seconds;
}

void Table::print_row(const Group &group, const Cell &cell) {
    const Backend &backend = *cell.backend;
    const Cell *base = find(area.baseline, backend.threads);
    const Cell *plain = find(area.baseline + "_plain", backend.threads);
    const double time = cell.timing.shown;
    const auto rate = [&](double amount) { return time > 0 ? amount / time : 0; };
    const auto seconds = [](const Cell *c) { return c ? c->timing.shown : 0; };
    const double ratio = rate(seconds(base)), peak = peaks.of(backend);
    const bool doubt = disturbed(group, &cell) || disturbed(group, base);
    std::string note =
        base && !base->implementation.empty() ? base->implementation : cell.implementation;
    if (group.samples > 0) note = number("%.0f samples/s", rate(group.samples));
    std::printf("%-56s %3d %-7s %10s %8s %6s %7s  %10s %6s%c %9s %6s  %s\n",
                label_of(group).c_str(), backend.threads, backend.name.c_str(),
                number("%.4f", time * 1e3).c_str(), number("%.1f", rate(group.flops) / 1e9).c_str(),
                number("%.1f", peak > 0 ? 100 * rate(group.flops) / peak : 0).c_str(),
                number("%.1f", rate(group.bytes) / 1e9).c_str(),
                base ? number("%.4f", seconds(base) * 1e3).c_str() : "",
                base ? number("%.2f", ratio).c_str() : "", doubt ? '~' : ' ',
                plain ? number("%.4f", seconds(plain) * 1e3).c_str() : "",
                plain ? number("%.2f", rate(seconds(plain))).c_str() : "", note.c_str());
    rows++;
    disturbed_rows += doubt;
    if (ratio <= 0 || doubt || is_baseline(cell)) return;
    auto &mean =
        log_ratios[group.op + " " + backend.name + " threads:" + std::to_string(backend.threads)];
    mean.first += std::log(ratio);
    mean.second++;
}

void Table::print(const Group &group) {
    if (isatty(STDOUT_FILENO)) std::printf("\033[K");
    const bool only_baseline = std::all_of(cells.begin(), cells.end(),
                                           [&](const Cell &cell) { return is_baseline(cell); });
    for (const Cell &cell : cells) {
        if (only_baseline || !is_baseline(cell)) print_row(group, cell);
        if (cell.error.empty()) continue;
        errors.push_back(group.op + "/" + cell.backend->name + "/" + group.shape +
                         "/threads:" + std::to_string(cell.backend->threads) + ": " + cell.error);
        std::printf("FAILED %s\n", errors.back().c_str());
    }
    cells.clear();
    std::fflush(stdout);
}

void Table::finish() const {
    if (!log_ratios.empty() && !quick) {
        std::printf("\nratio: time of %s over time of the backend; above 1 the backend is faster. "
                    "Geometric means:\n",
                    area.baseline.c_str());
        for (const auto &mean : log_ratios)
            std::printf("  %-48s %5.2f over %d shapes\n", mean.first.c_str(),
                        std::exp(mean.second.first / mean.second.second), mean.second.second);
    }
    if (area.baseline == "onednn" && onednn_available())
        std::printf("onednn: its own layouts, reorders not timed; plain: plain tensors in and out, "
                    "reorders timed.\n");
    if (quick)
        std::printf(
            "quick: each was run a few times on a small batch; the results agree, the times "
            "mean little.\n");
    if (best) std::printf("best: times are those of the best repetition, not medians.\n");
    if (disturbed_rows > 0)
        std::printf("disturbed: %d of %d rows, marked ~ and left out of the means: something else "
                    "used the machine.\n",
                    disturbed_rows, rows);
    for (const std::string &error : errors) std::printf("FAILED %s\n", error.c_str());
}

} // namespace bench
