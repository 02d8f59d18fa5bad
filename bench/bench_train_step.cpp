/* Whole training steps of the built-in models. SPDX-License-Identifier: Apache-2.0
 *
 * A step: forward with dropout, loss, backward, optimizer, on tensors in memory. No peer: oneDNN has
 * no models.
 */
#include <algorithm>

#include "harness.h"
#include "member.h"
#include "weir/model.h"

namespace bench {
namespace {

class Step : public Case {
  public:
    Step(const std::string &model_name, int64_t batch, int64_t T, int64_t C_in)
        : name(model_name), N(batch), options(weir_model_options_default(2)),
          x(random_tensor(N * T * C_in, 1)), target(random_tensor(N, 2)) {
        options.T = T;
        options.C_in = C_in;
        options.seed = 1;
    }
    Work prepare(const Backend &backend) override {
        weir_model *created = nullptr;
        check(weir_model_create(runtime_of(backend), name.c_str(), &options, &created));
        const std::shared_ptr<weir_model> model(created, weir_model_destroy);
        return {[this, model] {
                    check(weir_model_train_step(model.get(), N, x.data(), target.data(), nullptr));
                },
                [model] {
                    Tensor parameters = zero_tensor(weir_model_parameters(model.get()));
                    weir_model_get_parameters(model.get(), parameters.data());
                    return Results{{"parameters", parameters}};
                },
                ""};
    }

  private:
    std::string name;
    int64_t N;
    weir_model_options options;
    Tensor x, target;
};

/* Weir's pool on each instruction set, and the best one on OpenMP. */
std::vector<Backend> step_backends(const Options &options) {
    std::vector<Backend> backends = weir_backends(options);
    if (openmp_name().empty()) return backends;
    for (const int threads : options.threads) {
        Backend backend;
        backend.name = "openmp";
        backend.isa = *std::max_element(options.isas.begin(), options.isas.end());
        backend.threads = threads;
        backend.threading = WEIR_THREADING_OPENMP;
        backends.push_back(backend);
    }
    return backends;
}

std::vector<Group> groups(const Options &options) {
    std::vector<Group> list;
    for (const char *model : {"jena-dense", "jena-conv", "jena-gru", "jena-conv-gru"}) {
        for (Shape shape : read_shapes(options.shapes, {"N", "T", "Cin"})) {
            if (options.quick) shape.set("N", std::min<int64_t>(shape.get("N"), 8));
            const int64_t N = shape.get("N"), T = shape.get("T"), C_in = shape.get("Cin");
            Group group;
            group.op = std::string("train_step/") + model;
            group.shape = shape.name({"N", "T", "Cin"});
            group.samples = static_cast<double>(N);
            group.backends = step_backends(options);
            group.open = [model, N, T, C_in] { return std::make_unique<Step>(model, N, T, C_in); };
            list.push_back(group);
        }
    }
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv, {"train_step", "train_step.txt", "", bench::groups});
}
