/* Training steps beside a busy process. SPDX-License-Identifier: Apache-2.0
 *
 * A neighbour computes without end, pinned to one of the processors that the step uses. With two of
 * them, what is left is one and a half: the fair share is the time alone times 2 / 1.5. A library that
 * waits for a thread which the system has put aside loses whole time slices instead.
 *
 * The backends take turns: each runs alone, then beside the neighbour, and meanwhile the others stand
 * still. Steps are timed one by one.
 */
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include "figures.h"
#include "harness.h"
#include "neighbour.h"
#include "options.h"
#include "training.h"

namespace bench {
namespace {

const char *const help_text =
    "Usage: bench_contention [option]...\n"
    "  --model LIST      built-in models; default jena-conv-gru,jena-conv\n"
    "  --batch N         samples of a step; default 128\n"
    "  --backend LIST    default: all there are of pool, libgomp, libomp\n"
    "  --threads N       default: the cores allowed\n"
    "  --neighbour P     which of the processors allowed is busy, from 0; default: the last that\n"
    "                    has a thread\n"
    "  --caller P        pins the calling thread to one; default: it runs where the system puts "
    "it\n"
    "  --steps N         beside the neighbour, for each model and backend, at least; default 300\n"
    "  --seconds N       beside the neighbour, for each model and backend, at least; default 0\n"
    "  --quick           a few steps of a small batch: times mean little\n"
    "  --benchmark_out FILE (JSON)\n";

struct Settings {
    FigureOptions common;
    TrainingOptions training;
    std::vector<std::string> models{"jena-conv-gru", "jena-conv"};
    int steps = 300, seconds = 0;
    int neighbour = -1; /* place */
};

Settings parse(int argc, char **argv) {
    Settings s;
    weir_machine_info info;
    check(weir_machine_describe(&info));
    const int places = info.pus_allowed;
    s.common = parse_figure_options(argc, argv, help_text, [&](Words &words) {
        std::string value;
        if (s.training.take(words)) return true;
        if (words.take("--model", &value))
            s.models = parse_models(value);
        else if (words.take("--steps", &value))
            s.steps = parse_number("--steps", value, 1);
        else if (words.take("--seconds", &value))
            s.seconds = parse_number("--seconds", value, 0);
        else if (words.take("--neighbour", &value))
            s.neighbour = parse_place("--neighbour", value);
        else
            return false;
        return true;
    });
    if (s.neighbour < 0) s.neighbour = std::min(s.common.threads, places) - 1;
    if (s.common.quick) {
        s.training.batch = std::min(s.training.batch, 8);
        s.steps = std::min(s.steps, 20);
        s.seconds = 0;
    }
    return s;
}

struct Samples {
    std::vector<double> alone, beside;
    double wall = 0, taken = 0; /* seconds beside the neighbour, and what it had of them */
};

void append(std::vector<double> &list, const std::vector<double> &more) {
    list.insert(list.end(), more.begin(), more.end());
}

/* One turn: alone for a while, then beside the neighbour. */
void take_turn(Member &member, const Neighbour &neighbour, bool quick, Samples &samples) {
    const std::string alone = quick ? "0.005" : "0.1", beside = quick ? "0.05" : "0.4";
    append(samples.alone, member.ask(alone));
    neighbour.resume();
    std::this_thread::sleep_for(std::chrono::milliseconds(10)); /* it is at full speed */
    const auto start = std::chrono::steady_clock::now();
    const double before = neighbour.seconds();
    const std::vector<double> times = member.ask(beside);
    samples.taken += neighbour.seconds() - before;
    samples.wall += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    neighbour.pause();
    append(samples.beside, times);
}

FigureRow row_of(const std::string &model, const std::string &backend, const Settings &s,
                 const Samples &samples) {
    const int threads = s.common.threads;
    const double alone = quantile(samples.alone, 0.5), median = quantile(samples.beside, 0.5),
                 p99 = quantile(samples.beside, 0.99), most = quantile(samples.beside, 1);
    const double fair = alone * threads / (threads - 0.5);
    FigureRow row{"train_step_contended/" + model,
                  training_shape(s.training.batch),
                  backend,
                  threads,
                  median,
                  {}};
    row.figures = {{"alone ms", "%.3f", alone * 1e3},
                   {"fair ms", "%.3f", fair * 1e3},
                   {"median ms", "%.3f", median * 1e3},
                   {"p99 ms", "%.3f", p99 * 1e3},
                   {"max ms", "%.3f", most * 1e3},
                   {"med/fair", "%.2f", median / fair},
                   {"p99/med", "%.2f", p99 / median},
                   {"other %", "%.1f", 100 * samples.taken / samples.wall},
                   {"steps", "%.0f", static_cast<double>(samples.beside.size())}};
    return row;
}

void measure_model(const std::string &model, const Settings &s, const Neighbour &neighbour,
                   Figures &figures) {
    const std::vector<std::string> arguments =
        training_arguments(model, s.training, s.common.threads);
    std::vector<std::unique_ptr<Member>> members;
    for (const Threading &backend : s.common.backends)
        members.push_back(std::make_unique<Member>(backend, arguments));
    std::vector<Samples> samples(members.size());
    const auto wants_more = [&](const Samples &one) {
        return one.beside.size() < static_cast<size_t>(s.steps) || one.wall < s.seconds;
    };
    while (std::any_of(samples.begin(), samples.end(), wants_more))
        for (size_t i = 0; i < members.size(); i++)
            if (wants_more(samples[i]))
                take_turn(*members[i], neighbour, s.common.quick, samples[i]);
    for (size_t i = 0; i < members.size(); i++)
        figures.add(row_of(model, members[i]->name(), s, samples[i]));
}

int run(const Settings &s) {
    if (s.common.serve >= 0) {
        serve_training(s.common, s.models.front(), s.training);
        return 0;
    }
    const Neighbour neighbour(s.neighbour);
    Figures figures("contention", s.common);
    for (const std::string &model : s.models) measure_model(model, s, neighbour, figures);
    std::printf(
        "\nfair: the time alone * threads / (threads - 0.5), for the neighbour is due half of "
        "one processor;\nother: what it had of it. Aims: med/fair <= 1.25, p99/med <= 2.\n");
    figures.write();
    return 0;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_figures("contention", [&] { return bench::run(bench::parse(argc, argv)); });
}
