/* Training steps on one thread and on all. SPDX-License-Identifier: Apache-2.0
 *
 * Two processors of a virtual machine may be one core of the host, or have other neighbours there, and
 * then two threads can't be twice as fast. So beside the speed-up stands what the machine gives at the
 * same time: as many processes as threads, each training on one thread and its own processor, with
 * nothing to wait for.
 */
#include <algorithm>
#include <cstdio>
#include <thread>

#include "figures.h"
#include "options.h"
#include "training.h"

namespace bench {
namespace {

const char *const help_text =
    "Usage: bench_speedup [option]...\n"
    "  --model LIST      built-in models; default jena-conv,jena-gru,jena-conv-gru\n"
    "  --batch N         samples of a step; default 128\n"
    "  --backend LIST    default: all there are of pool, libgomp, libomp\n"
    "  --threads N       default: the cores allowed\n"
    "  --caller P        pins the calling thread to a processor\n"
    "  --rounds N        in which each takes its turn; default 15\n"
    "  --quick           two rounds of a small batch: times mean little\n"
    "  --benchmark_out FILE (JSON)\n";

struct Settings {
    FigureOptions common;
    TrainingOptions training;
    std::vector<std::string> models{"jena-conv", "jena-gru", "jena-conv-gru"};
    int rounds = 15;
};

Settings parse(int argc, char **argv) {
    Settings s;
    s.common = parse_figure_options(argc, argv, help_text, [&](Words &words) {
        std::string value;
        if (s.training.take(words)) return true;
        if (words.take("--model", &value))
            s.models = parse_models(value);
        else if (words.take("--rounds", &value))
            s.rounds = parse_number("--rounds", value, 1);
        else
            return false;
        return true;
    });
    if (s.common.quick) {
        s.training.batch = std::min(s.training.batch, 8);
        s.rounds = std::min(s.rounds, 2);
    }
    return s;
}

using Team = std::vector<std::unique_ptr<Member>>;

/* Seconds of a step of one member, while the first `count` train at the same time. */
std::vector<double> train_together(const Team &team, size_t count, bool quick) {
    std::vector<double> seconds(count);
    std::vector<std::thread> askers;
    for (size_t i = 0; i < count; i++)
        askers.emplace_back(
            [&, i] { seconds[i] = quantile(team[i]->ask(quick ? "0.005" : "0.08"), 0.5); });
    for (std::thread &asker : askers) asker.join();
    return seconds;
}

/* One of each round. */
struct Series {
    std::vector<double> one, all, speedup;
};

void measure_model(const std::string &model, const Settings &s, Figures &figures) {
    const int threads = s.common.threads;
    Team singles, teams;
    for (int i = 0; i < threads; i++) {
        TrainingOptions placed = s.training;
        placed.caller = i;
        singles.push_back(
            std::make_unique<Member>(threadings().front(), training_arguments(model, placed, 1)));
    }
    for (const Threading &backend : s.common.backends)
        teams.push_back(
            std::make_unique<Member>(backend, training_arguments(model, s.training, threads)));
    std::vector<double> attainable;
    std::vector<Series> series(teams.size());
    for (int round = 0; round < s.rounds; round++) {
        const double one = train_together(singles, 1, s.common.quick)[0];
        double together = 0;
        for (const double each : train_together(singles, singles.size(), s.common.quick))
            together += one / each;
        attainable.push_back(together);
        for (size_t i = 0; i < teams.size(); i++) {
            const double all = quantile(teams[i]->ask(s.common.quick ? "0.005" : "0.08"), 0.5);
            series[i].one.push_back(one);
            series[i].all.push_back(all);
            series[i].speedup.push_back(one / all);
        }
    }
    const double most = quantile(attainable, 0.5);
    for (size_t i = 0; i < teams.size(); i++) {
        const double speedup = quantile(series[i].speedup, 0.5);
        FigureRow row{"train_step_speedup/" + model,
                      training_shape(s.training.batch),
                      teams[i]->name(),
                      threads,
                      quantile(series[i].all, 0.5),
                      {}};
        row.figures = {{"1 thread ms", "%.3f", 1e3 * quantile(series[i].one, 0.5)},
                       {"all ms", "%.3f", 1e3 * quantile(series[i].all, 0.5)},
                       {"speed-up", "%.2f", speedup},
                       {"attainable", "%.2f", most},
                       {"of it %", "%.0f", 100 * speedup / most}};
        figures.add(row);
    }
}

int run(const Settings &s) {
    if (s.common.serve >= 0) {
        serve_training(s.common, s.models.front(), s.training);
        return 0;
    }
    Figures figures("speedup", s.common);
    for (const std::string &model : s.models) measure_model(model, s, figures);
    std::printf("\nspeed-up: of all threads over one, median of the rounds; attainable: of as many "
                "processes at once that\ntrain on one thread each, with nothing to wait for.\n");
    figures.write();
    return 0;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_figures("speedup", [&] { return bench::run(bench::parse(argc, argv)); });
}
