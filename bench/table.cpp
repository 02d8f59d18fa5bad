/* The table that a benchmark program prints. SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "entry.h"

namespace bench {

static constexpr size_t line_width = 160;

static std::string label_of(const Group &group) {
    return group.shape.empty() ? group.op : group.op + "/" + group.shape;
}

Table::Table(const Area &the_area, const Roofline &the_roofline, const Options &options,
             const std::pair<std::string, std::string> &the_versions)
    : area(the_area), roofline(the_roofline), quick(options.quick), best(options.best),
      onednn(the_area.baseline == "onednn" &&
             !(the_versions.first.empty() && the_versions.second.empty())),
      versions(the_versions) {}

/* Cut to the width that the page promises, without spaces at the end. */
static void print_line(std::string line) {
    if (line.size() > line_width) line = line.substr(0, line_width - 3) + "...";
    line.erase(line.find_last_not_of(' ') + 1);
    std::printf("%s\n", line.c_str());
}

/* The columns after the label; ratio and what follows stay empty without a baseline. */
static std::string columns(const std::string &label, int label_width, const char *threads,
                           const std::string &backend, const std::vector<std::string> &numbers) {
    char text[400];
    std::snprintf(text, sizeof text, "%-*s %3s %-8s %9s %7s %5s %6s %5s %-7s %6s%1s %6s %-5s %s",
                  label_width, label.c_str(), threads, backend.c_str(), numbers[0].c_str(),
                  numbers[1].c_str(), numbers[2].c_str(), numbers[3].c_str(), numbers[4].c_str(),
                  numbers[5].c_str(), numbers[6].c_str(), numbers[7].c_str(), numbers[8].c_str(),
                  numbers[9].c_str(), numbers[10].c_str());
    return text;
}

void Table::head(const std::vector<Group> &groups) {
    for (const Group &group : groups)
        label_width = std::max(label_width, static_cast<int>(label_of(group).size()));
    std::printf("\n");
    print_line(columns("operation and shape", label_width, "thr", "backend",
                       {"ms", "GFLOP/s", "%peak", "GB/s", "%roof", "bound",
                        area.baseline.empty() ? "" : "ratio", "", onednn ? "plain" : "",
                        onednn ? "of" : "", onednn ? "implementation in oneDNN" : "note"}));
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

bool Table::is_baseline(const Cell &cell) const {
    return onednn ? cell.backend->library == Backend::ONEDNN : cell.backend->name == area.baseline;
}

const Table::Cell *Table::baseline(int threads, bool plain) const {
    const Cell *fastest = nullptr;
    for (const Cell &cell : cells) {
        if (!is_baseline(cell) || cell.backend->threads != threads) continue;
        if (cell.backend->plain != plain || cell.timing.shown <= 0 || !cell.error.empty()) continue;
        if (!fastest || cell.timing.shown < fastest->timing.shown) fastest = &cell;
    }
    return fastest;
}

std::string Table::version(const Cell *cell) const {
    if (!cell || cell->backend->library != Backend::ONEDNN) return "";
    return cell->backend->peer ? versions.second : versions.first;
}

/* "-" where there is nothing to say. */
static std::string number(const char *format, double value) {
    if (!(value > 0)) return "-";
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
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

void Table::add_row(const Group &group, const Cell &cell, bool print) {
    const Backend &backend = *cell.backend;
    const Cell *base = is_baseline(cell) ? nullptr : baseline(backend.threads, false);
    const Cell *plain = is_baseline(cell) ? nullptr : baseline(backend.threads, true);
    const double time = cell.timing.shown;
    const auto rate = [&](double amount) { return time > 0 ? amount / time : 0; };
    const double ratio = base ? rate(base->timing.shown) : 0;
    const double plain_ratio = plain ? rate(plain->timing.shown) : 0;
    const double peak = roofline.peak(backend);
    const Bound bound = roofline.bound(group, backend);
    const bool doubt = disturbed(group, &cell) || disturbed(group, base);
    std::string note =
        base && !base->implementation.empty() ? base->implementation : cell.implementation;
    const Cell *one = backend.threads > 1 ? find(backend.name, 1) : nullptr;
    const double speedup = one ? rate(one->timing.shown) : 0;
    if (group.samples > 0) note = number("%.0f samples/s", rate(group.samples));
    if (group.samples > 0 && speedup > 0) note += number(", %.2f x 1 thread", speedup);
    json_rows.push_back(JsonObject()
                            .text("op", group.op)
                            .text("shape", group.shape)
                            .text("backend", backend.name)
                            .text("oneDNN", version(&cell))
                            .flag("plain", backend.plain)
                            .flag("baseline", is_baseline(cell))
                            .number("threads", backend.threads)
                            .number("seconds", time)
                            .number("flops", group.flops)
                            .number("operations", group.operations)
                            .number("bytes", group.bytes)
                            .number("samples", group.samples)
                            .number("speedup", speedup)
                            .number("peak_flops_per_second", peak)
                            .number("bound_seconds", bound.seconds)
                            .text("bound", bound.by)
                            .number("ratio", ratio)
                            .number("plain_ratio", plain_ratio)
                            .text("ratio_of", version(base))
                            .text("implementation", cell.implementation)
                            .flag("disturbed", doubt)
                            .text("error", cell.error));
    if (!print) return;
    print_line(columns(
        label_of(group), label_width, std::to_string(backend.threads).c_str(), backend.name,
        {number(time < 1e-5 ? "%.6f" : "%.4f", time * 1e3), number("%.1f", rate(group.flops) / 1e9),
         number("%.1f", peak > 0 ? 100 * rate(group.flops) / peak : 0),
         number("%.1f", rate(group.bytes) / 1e9), number("%.1f", 100 * rate(bound.seconds)),
         bound.seconds > 0 ? bound.by : "-", base ? number("%.2f", ratio) : "", doubt ? "~" : "",
         plain ? number("%.2f", plain_ratio) : "", version(base), note}));
    rows++;
    disturbed_rows += doubt;
    if (ratio <= 0 || doubt) return;
    auto &mean =
        log_ratios[group.op + " " + backend.name + " threads:" + std::to_string(backend.threads)];
    mean.first += std::log(ratio);
    mean.second++;
}

/* Every benchmark that was asked for has a time, or the run fails. */
void Table::check_row(const Group &group, const Cell &cell) {
    if (cell.error.empty() && cell.timing.shown > 0) return;
    errors.push_back(cell.error.empty()
                         ? "MISSING " + full_name(group, *cell.backend)
                         : "FAILED " + full_name(group, *cell.backend) + ": " + cell.error);
    std::printf("%s\n", errors.back().c_str());
}

void Table::print(const Group &group) {
    if (isatty(STDOUT_FILENO)) std::printf("\033[K");
    const bool only_baseline = std::all_of(cells.begin(), cells.end(),
                                           [&](const Cell &cell) { return is_baseline(cell); });
    for (const Cell &cell : cells) {
        add_row(group, cell, only_baseline || !onednn || !is_baseline(cell));
        check_row(group, cell);
    }
    cells.clear();
    std::fflush(stdout);
}

void Table::finish() const {
    if (rows == 0) std::printf("no benchmark matches the filter\n");
    if (!log_ratios.empty() && !quick) {
        std::printf("\nGeometric means of the ratios; above 1 the backend is faster:\n");
        for (const auto &mean : log_ratios)
            std::printf("  %-48s %5.2f over %d shapes\n", mean.first.c_str(),
                        std::exp(mean.second.first / mean.second.second), mean.second.second);
    }
    if (onednn)
        std::printf(
            "ratio: oneDNN's time over the backend's, in oneDNN's own layouts, reorders not "
            "timed; plain: with plain tensors, reorders timed%s.\n",
            versions.second.empty() ? "" : "; of: the faster version");
    else if (!area.baseline.empty())
        std::printf("ratio: time of %s over time of the backend.\n", area.baseline.c_str());
    if (quick)
        std::printf(
            "quick: each was run a few times on a small batch; the results agree, the times "
            "mean little.\n");
    if (best) std::printf("best: times are those of the best repetition, not medians.\n");
    if (disturbed_rows > 0)
        std::printf("disturbed: %d of %d rows, marked ~ and left out of the means: something else "
                    "used the machine.\n",
                    disturbed_rows, rows);
    for (const std::string &error : errors) std::printf("%s\n", error.c_str());
}

} // namespace bench
