/* SimpleRNN forward and backward through time. SPDX-License-Identifier: Apache-2.0
 *
 * fwd is the forward pass of training, which keeps what the backward pass needs; infer does not.
 * oneDNN's peer is vanilla_rnn. Nobody else passes over steps: the rows _steps compare with the same
 * operation without; sample n of N begins after n / N of the steps.
 */
#include <algorithm>

#include "harness.h"
#include "onednn.h"

namespace bench {
namespace {

weir_rnn rnn_of(const Shape &shape) {
    weir_rnn p = {};
    p.N = shape.get("N");
    p.T = shape.get("T");
    p.C_in = shape.get("Cin");
    p.H = shape.get("H");
    p.activation = WEIR_TANH;
    p.return_sequences = true;
    return p;
}

class RnnCase : public Case {
  public:
    RnnCase(const Shape &shape, bool masked)
        : p(rnn_of(shape)), x(random_tensor(p.N * p.T * p.C_in, 1)),
          w(random_tensor(p.C_in * p.H, 2, 0.2f)), u(random_tensor(p.H * p.H, 3, 0.2f)),
          b(random_tensor(p.H, 4, 0.5f)), y(zero_tensor(p.N * p.T * p.H)),
          reserve(zero_tensor(weir_rnn_reserve_floats(&p))),
          step_mask(static_cast<size_t>(p.N * p.T)) {
        tensors.x = x.data();
        tensors.w = w.data();
        tensors.u = u.data();
        tensors.b = b.data();
        if (masked) tensors.step_mask = step_mask.data();
        /* Sample n begins after n / N of the steps. */
        for (int64_t n = 0; n < p.N; n++)
            for (int64_t t = p.T * n / p.N; t < p.T; t++)
                step_mask[static_cast<size_t>(n * p.T + t)] = 1;
    }

  protected:
    const weir_rnn p;
    Tensor x, w, u, b, y, reserve;
    std::vector<uint8_t> step_mask;
    weir_rnn_tensors tensors = {};
};

/* In training the reserve is written. */
template <bool training> class Forward : public RnnCase {
  public:
    using RnnCase::RnnCase;
    Work prepare(const Backend &backend) override {
        if (backend.library == Backend::ONEDNN)
            return onednn_rnn_fwd(backend, p, tensors, training);
        weir_runtime *rt = runtime_of(backend);
        float *kept = training ? reserve.data() : nullptr;
        return {[this, rt, kept] { check(weir_rnn_fwd(rt, &p, &tensors, y.data(), kept)); },
                [this] {
                    return Results{{"y", y}};
                },
                ""};
    }
};

class Backward : public RnnCase {
  public:
    Backward(const Shape &shape, bool masked)
        : RnnCase(shape, masked), dy(random_tensor(p.N * p.T * p.H, 5)),
          dx(zero_tensor(p.N * p.T * p.C_in)), dw(zero_tensor(p.C_in * p.H)),
          du(zero_tensor(p.H * p.H)), db(zero_tensor(p.H)) {
        gradients.dy = dy.data();
        gradients.dx = dx.data();
        gradients.dw = dw.data();
        gradients.du = du.data();
        gradients.db = db.data();
    }
    Work prepare(const Backend &backend) override {
        if (backend.library == Backend::ONEDNN)
            return onednn_rnn_bwd(backend, p, tensors, dy.data());
        weir_runtime *rt = runtime_of(backend);
        check(weir_rnn_fwd(rt, &p, &tensors, y.data(), reserve.data()));
        return {[this, rt] { check(weir_rnn_bwd(rt, &p, &tensors, reserve.data(), &gradients)); },
                [this] {
                    return Results{{"dx", dx}, {"dw", dw}, {"du", du}, {"db", db}};
                },
                ""};
    }

  private:
    Tensor dy, dx, dw, du, db;
    weir_rnn_gradients gradients = {};
};

/* passes: 1 forward, 2 backward, which costs twice as much. */
template <class C>
Group group_of(const Options &options, const std::string &op, const Shape &shape, double passes,
               bool masked) {
    const weir_rnn p = rnn_of(shape);
    const double steps = static_cast<double>(p.N * p.T), C_in = static_cast<double>(p.C_in),
                 H = static_cast<double>(p.H);
    Group group;
    group.op = masked ? op + "_steps" : op;
    group.shape = shape.name({"N", "T", "Cin", "H"});
    group.flops = passes * 2.0 * steps * H * (C_in + H);
    /* x, y and the weights once; both ways also their gradients. */
    group.bytes = passes * 4.0 * (steps + H) * (C_in + H);
    if (passes < 2) group.activations = {{p.activation, steps * H}};
    group.backends = masked ? weir_backends(options) : op_backends(options);
    group.open = [shape, masked] { return std::make_unique<C>(shape, masked); };
    return group;
}

std::vector<Group> groups(const Options &options) {
    std::vector<Shape> shapes = read_shapes(options.shapes, {"N", "T", "Cin", "H"});
    for (Shape &shape : shapes)
        if (options.quick) shape.set("N", std::min<int64_t>(shape.get("N"), 2));
    std::vector<Group> list;
    for (const Shape &shape : shapes)
        list.push_back(group_of<Forward<false>>(options, "rnn_infer", shape, 1, false));
    for (const Shape &shape : shapes)
        list.push_back(group_of<Forward<true>>(options, "rnn_fwd", shape, 1, false));
    for (const Shape &shape : shapes)
        list.push_back(group_of<Backward>(options, "rnn_bwd", shape, 2, false));
    const Shape &shape = shapes.front(); /* one is enough */
    list.push_back(group_of<Forward<true>>(options, "rnn_fwd", shape, 1, true));
    list.push_back(group_of<Backward>(options, "rnn_bwd", shape, 2, true));
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv, {"rnn", "rnn.txt", "onednn", bench::groups});
}
