/* Models that get their input row by row. SPDX-License-Identifier: Apache-2.0
 *
 * A run: a reset and T rows, each pushed on its own. A sample is a row. No peer: oneDNN has no models.
 */
#include "harness.h"
#include "weir/model.h"

namespace bench {
namespace {

class Rows : public Case {
  public:
    Rows(const std::string &model_name, int64_t rows, int64_t C_in)
        : name(model_name), T(rows), options(weir_model_options_default(2)),
          x(random_tensor(rows * C_in, 1)), y(zero_tensor(1)) {
        options.T = rows;
        options.C_in = C_in;
        options.seed = 1;
    }
    Work prepare(const Backend &backend) override {
        weir_model *created = nullptr;
        weir_stream *begun = nullptr;
        check(weir_model_create(runtime_of(backend), name.c_str(), &options, &created));
        const std::shared_ptr<weir_model> model(created, weir_model_destroy);
        check(weir_stream_create(created, &begun));
        const std::shared_ptr<weir_stream> stream(
            begun, [model](weir_stream *s) { weir_stream_destroy(s); });
        return {[this, stream] {
                    weir_stream_reset(stream.get());
                    for (int64_t t = 0; t < T; t++)
                        check(weir_stream_push(stream.get(), x.data() + t * options.C_in, y.data(),
                                               nullptr));
                },
                [this] {
                    return Results{{"y", y}};
                },
                ""};
    }

  private:
    std::string name;
    int64_t T;
    weir_model_options options;
    Tensor x, y;
};

std::vector<Group> groups(const Options &options) {
    std::vector<Group> list;
    for (const char *model : {"jena-conv", "jena-gru", "jena-lstm", "jena-conv-gru"}) {
        for (const Shape &shape : read_shapes(options.shapes, {"T", "Cin"})) {
            const int64_t T = shape.get("T"), C_in = shape.get("Cin");
            Group group;
            group.op = std::string("stream/") + model;
            group.shape = shape.name({"T", "Cin"});
            group.samples = static_cast<double>(T);
            group.backends = weir_backends(options);
            group.open = [model, T, C_in] { return std::make_unique<Rows>(model, T, C_in); };
            list.push_back(group);
        }
    }
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv, {"stream", "stream.txt", "", bench::groups, {1}});
}
