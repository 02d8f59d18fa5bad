/* Processes that train. SPDX-License-Identifier: Apache-2.0 */
#include "training.h"

#include <chrono>
#include <memory>
#include <stdexcept>

#include "harness.h"
#include "options.h"
#include "team.h"
#include "weir/model.h"

namespace bench {

static constexpr int64_t T = 240, C_in = 14;

bool TrainingOptions::take(Words &words) {
    std::string value;
    if (words.take("--batch", &value))
        batch = parse_number("--batch", value, 1);
    else if (words.take("--caller", &value))
        caller = parse_place("--caller", value);
    else
        return false;
    return true;
}

int parse_place(const std::string &name, const std::string &text) {
    weir_machine_info info;
    check(weir_machine_describe(&info));
    const int place = parse_number(name, text, 0);
    if (place >= info.pus_allowed)
        throw std::runtime_error(name + ": " + text + ", accepted: 0 to " +
                                 std::to_string(info.pus_allowed - 1));
    return place;
}

std::vector<std::string> parse_models(const std::string &list) {
    const std::vector<std::string> models = split(list);
    for (const std::string &model : models) {
        int i = 0;
        std::string accepted;
        for (const weir_builtin *b = nullptr; (b = weir_model_builtin(i)); i++) {
            if (model == b->name) break;
            accepted += std::string(i ? "," : "") + b->name;
        }
        if (!weir_model_builtin(i))
            throw std::runtime_error("--model: '" + model + "', accepted: " + accepted);
    }
    if (models.empty()) throw std::runtime_error("--model needs a name");
    return models;
}

std::string training_shape(int batch) {
    return "N:" + std::to_string(batch) + "/T:" + std::to_string(T) +
           "/Cin:" + std::to_string(C_in);
}

std::vector<std::string> training_arguments(const std::string &model,
                                            const TrainingOptions &training, int threads) {
    std::vector<std::string> arguments{"--model",   model,
                                       "--batch",   std::to_string(training.batch),
                                       "--threads", std::to_string(threads)};
    if (training.caller >= 0)
        arguments.insert(arguments.end(), {"--caller", std::to_string(training.caller)});
    return arguments;
}

namespace {

class Trainer {
  public:
    Trainer(const FigureOptions &common, const std::string &name, const TrainingOptions &training)
        : N(training.batch), x(random_tensor(N * T * C_in, 1)), target(random_tensor(N, 2)) {
        Backend backend;
        backend.threads = common.threads;
        backend.threading = common.backends.front().threading;
        weir_model_options options = weir_model_options_default(2);
        options.T = T;
        options.C_in = C_in;
        weir_model *created = nullptr;
        check(weir_model_create(runtime_of(backend), name.c_str(), &options, &created));
        model.reset(created);
        for (int i = 0; i < 3; i++) step();
        /* Now, for OpenMP's threads would inherit it. */
        if (training.caller >= 0) team_bind_thread(training.caller);
    }
    std::vector<double> run(double seconds) {
        using clock = std::chrono::steady_clock;
        std::vector<double> times;
        for (int i = 0; i < 2; i++) step();
        const auto start = clock::now();
        for (auto before = start;
             std::chrono::duration<double>(before - start).count() < seconds;) {
            step();
            const auto after = clock::now();
            times.push_back(std::chrono::duration<double>(after - before).count());
            before = after;
        }
        return times;
    }

  private:
    void step() { check(weir_model_train_step(model.get(), N, x.data(), target.data(), nullptr)); }
    const int64_t N;
    Tensor x, target;
    std::unique_ptr<weir_model, decltype(&weir_model_destroy)> model{nullptr, weir_model_destroy};
};

} // namespace

void serve_training(const FigureOptions &common, const std::string &model,
                    const TrainingOptions &training) {
    Trainer trainer(common, model, training);
    serve_requests(common.serve, "", [&](const std::string &seconds) {
        return numbers_text(trainer.run(std::stod(seconds)));
    });
}

} // namespace bench
