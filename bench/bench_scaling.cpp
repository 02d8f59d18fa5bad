/* Training steps on machines with several nodes, from their plans. SPDX-License-Identifier: Apache-2.0
 *
 * See planned.h for what is measured and what is not.
 */
#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "figures.h"
#include "harness.h"
#include "options.h"
#include "planned.h"
#include "weir/model.h"

namespace bench {
namespace {

const char *const help_text =
    "Usage: bench_scaling [option]...\n"
    "  --model LIST      built-in models on series; default jena-conv-gru,jena-gru,jena-conv\n"
    "  --batch N         samples of a step; default 128\n"
    "  --nodes LIST      NUMA nodes of the machines; default 1,2,4,8, at most 64\n"
    "  --cores N         of each node; default 4\n"
    "  --repetitions N   of each step; the least time counts; default 15\n"
    "  --quick           two repetitions of a small batch\n"
    "  --benchmark_out FILE (JSON)\n";

struct Settings {
    FigureOptions common;
    std::vector<std::string> models{"jena-conv-gru", "jena-gru", "jena-conv"};
    std::vector<int> nodes{1, 2, 4, 8};
    int batch = 128, cores = 4, repetitions = 15;
};

Settings parse(int argc, char **argv) {
    Settings s;
    s.common = parse_figure_options(argc, argv, help_text, [&](Words &words) {
        std::string value;
        if (words.take("--model", &value)) {
            s.models = split(value);
        } else if (words.take("--batch", &value)) {
            s.batch = parse_number("--batch", value, 1);
        } else if (words.take("--cores", &value)) {
            s.cores = parse_number("--cores", value, 1);
        } else if (words.take("--repetitions", &value)) {
            s.repetitions = parse_number("--repetitions", value, 1);
        } else if (words.take("--nodes", &value)) {
            s.nodes.clear();
            for (const std::string &word : split(value))
                s.nodes.push_back(parse_number("--nodes", word, 1));
            for (const int n : s.nodes)
                if (n > 64)
                    throw std::runtime_error("--nodes: " + std::to_string(n) +
                                             ", accepted: 1 to 64");
        } else {
            for (const char *other : {"--backend", "--threads", "--serve"})
                if (words.is(other)) throw std::runtime_error("unknown option " + words.word());
            return false;
        }
        return true;
    });
    if (s.common.quick) s.batch = std::min(s.batch, 16), s.repetitions = std::min(s.repetitions, 2);
    return s;
}

/* A model and a batch in the memory of a planned machine. */
class Training {
  public:
    Training(const PlannedMachine &the_machine, const std::string &the_name, int batch)
        : machine(the_machine), name(the_name), N(batch) {}
    ~Training() {
        weir_model_destroy(model);
        weir_tensor_free(machine.runtime(), x);
        weir_tensor_free(machine.runtime(), target);
    }
    Training(const Training &) = delete;
    Training &operator=(const Training &) = delete;
    void create() {
        weir_model_options options = weir_model_options_default(2);
        options.T = T;
        options.C_in = C_in;
        check(weir_model_create(machine.runtime(), name.c_str(), &options, &model));
        fill(N * T * C_in, 1, &x);
        fill(N, 2, &target);
    }
    void step() { check(weir_model_train_step(model, N, x, target, nullptr)); }
    static std::string shape(int batch) {
        return "N:" + std::to_string(batch) + "/T:" + std::to_string(T) +
               "/Cin:" + std::to_string(C_in);
    }

  private:
    static constexpr int64_t T = 240, C_in = 14;
    void fill(int64_t floats, unsigned seed, float **tensor) {
        check(weir_tensor_alloc(machine.runtime(), floats, tensor));
        const Tensor values = random_tensor(floats, seed);
        std::copy(values.begin(), values.end(), *tensor);
    }
    const PlannedMachine &machine;
    const std::string name;
    const int64_t N;
    weir_model *model = nullptr;
    float *x = nullptr, *target = nullptr;
};

struct StepCost {
    StepTime time;
    StepTraffic traffic;
    int workers;
};

StepCost measure(const std::string &model, const Settings &s, int nodes) {
    PlannedMachine machine(nodes, s.cores);
    Training training(machine, model, s.batch);
    StepCost cost;
    cost.traffic = machine.trace([&] { training.create(); }, [&] { training.step(); });
    cost.time = machine.time([&] { training.step(); }, s.repetitions);
    cost.workers = machine.workers();
    return cost;
}

FigureRow row_of(const std::string &model, const Settings &s, int nodes, const StepCost &cost) {
    FigureRow row{"train_step_planned/" + model,
                  Training::shape(s.batch),
                  "nodes:" + std::to_string(nodes),
                  cost.workers,
                  cost.time.critical,
                  {}};
    const double parallel = cost.time.work / cost.time.critical;
    row.figures = {{"work ms", "%.3f", cost.time.work * 1e3},
                   {"critical ms", "%.3f", cost.time.critical * 1e3},
                   {"caller ms", "%.3f", cost.time.between * 1e3},
                   {"calls", "%.0f", static_cast<double>(cost.time.calls)},
                   {"speed-up", "%.2f", parallel},
                   {"MB used", "%.2f", cost.traffic.bytes / 1e6},
                   {"MB crossing", "%.3f", cost.traffic.crossing / 1e6},
                   {"unplanned", "%.3f", cost.traffic.unplanned / 1e6}};
    return row;
}

int run(const Settings &s) {
    Figures figures("scaling", s.common);
    for (const std::string &model : s.models)
        for (const int nodes : s.nodes)
            figures.add(row_of(model, s, nodes, measure(model, s, nodes)));
    std::printf(
        "\nwork: of all workers together, on this machine one after the other; critical: the "
        "slowest worker of each\nparallel call, and what the caller does between them; speed-up: "
        "work over critical; MB used: pages of 4 KiB\nthat the nodes touch, once for each call "
        "and node; crossing: of those, on another node; unplanned: the same\nif all memory lay on "
        "the first node.\n");
    figures.write();
    return 0;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_figures("scaling", [&] { return bench::run(bench::parse(argc, argv)); });
}
