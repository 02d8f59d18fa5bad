/* The frame of programs that measure something else than the time of a loop.
 * SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "collector.h"
#include "json.h"
#include "options.h"
#include "roofline.h"
#include "team.h"

namespace bench {

bool Words::take(const char *name, std::string *value) {
    return take_value(argc, argv, &i, name, value);
}

/* So that the JSON says which program it was. It keeps a pointer to the word. */
static void initialize_benchmark(char *program) {
    static char *argv[] = {program, nullptr};
    int argc = 1;
    benchmark::Initialize(&argc, argv);
    benchmark::AddCustomContext("weir", weir_version());
}

FigureOptions parse_figure_options(int argc, char **argv, const char *help,
                                   const std::function<bool(Words &)> &own) {
    FigureOptions options;
    initialize_benchmark(argv[0]);
    weir_machine_info info;
    check(weir_machine_describe(&info));
    options.threads = info.cores_allowed;
    for (int i = 1; i < argc; i++) options.text += (i > 1 ? " " : "") + std::string(argv[i]);
    std::string value;
    for (Words words(argc, argv); words.next();) {
        if (words.is("--help")) {
            std::printf("%s", help);
            std::exit(0);
        }
        if (own(words)) continue;
        if (words.is("--quick"))
            options.quick = true;
        else if (words.take("--backend", &value))
            options.backends = parse_threadings(value);
        else if (words.take("--threads", &value))
            options.threads = parse_number("--threads", value, 1);
        else if (words.take("--serve", &value))
            options.serve = parse_number("--serve", value, 0);
        else if (!words.take("--benchmark_out", &options.out))
            throw std::runtime_error("unknown option " + words.word());
    }
    if (options.serve >= 0 && !options.backends.front().environment.empty())
        throw std::runtime_error(options.backends.front().name + " could not be loaded");
    return options;
}

static constexpr int label_width = 52;

static int width_of(const Figure &figure) {
    return std::max(7, static_cast<int>(std::strlen(figure.name)));
}

static std::string text_of(const Figure &figure) {
    if (figure.value < 0) return "-";
    char text[32];
    std::snprintf(text, sizeof text, figure.format, figure.value);
    return text;
}

static void print_head(const FigureRow &row) {
    std::printf("\n%-*s %3s %-15s", label_width, "what", "thr", "backend");
    for (const Figure &figure : row.figures) std::printf(" %*s", width_of(figure), figure.name);
    std::printf("\n");
}

void Figures::add(const FigureRow &row) {
    if (rows.empty()) print_head(row);
    std::printf("%-*s %3d %-15s", label_width, (row.op + "/" + row.shape).c_str(), row.threads,
                row.backend.c_str());
    for (const Figure &figure : row.figures)
        std::printf(" %*s", width_of(figure), text_of(figure).c_str());
    std::printf("\n");
    std::fflush(stdout);
    rows.push_back(row);
}

double quantile(std::vector<double> samples, double q) {
    if (samples.empty()) return 0;
    std::sort(samples.begin(), samples.end());
    const double rank = std::ceil(q * static_cast<double>(samples.size()));
    return samples[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

/* With the members that every row of a benchmark has. */
static JsonObject json_of(const FigureRow &row) {
    std::vector<JsonObject> figures;
    for (const Figure &figure : row.figures)
        figures.push_back(JsonObject()
                              .text("name", figure.name)
                              .number("value", figure.value)
                              .text("text", text_of(figure)));
    JsonObject json;
    json.text("op", row.op).text("shape", row.shape).text("backend", row.backend);
    json.number("threads", row.threads).number("seconds", row.seconds);
    for (const char *key : {"flops", "operations", "bytes", "samples", "peak_flops_per_second",
                            "bound_seconds", "ratio", "plain_ratio"})
        json.number(key, 0);
    for (const char *key : {"oneDNN", "bound", "ratio_of", "implementation", "error"})
        json.text(key, "");
    for (const char *key : {"plain", "baseline", "disturbed"}) json.flag(key, false);
    return json.array("figures", figures);
}

void Figures::write() const {
    if (options.out.empty()) return;
    Options machine_only;
    machine_only.roofline = false;
    std::vector<JsonObject> list;
    for (const FigureRow &row : rows) list.push_back(json_of(row));
    Collector(false).write(options.out, JsonObject()
                                            .text("area", area)
                                            .text("command", options.text)
                                            .flag("quick", options.quick)
                                            .flag("best", false)
                                            .object("machine", Roofline(machine_only, {}).json())
                                            .array("rows", list));
}

int run_figures(const std::string &area, const std::function<int()> &body) {
    try {
        team_unbind_main(); /* remembers the processors that are allowed */
        return body();
    } catch (const std::exception &e) {
        std::fprintf(stderr, "bench_%s: %s\n", area.c_str(), e.what());
        return 2;
    }
}

} // namespace bench
