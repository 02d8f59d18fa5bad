/* LSTM forward and backward through time. SPDX-License-Identifier: Apache-2.0
 *
 * fwd is the forward pass of training, which keeps what the backward pass needs; infer does not.
 * oneDNN's peer is vanilla_lstm. Nobody else has dropout masks inside the LSTM: mask1 (shared by the
 * gates) and mask4 (one each) compare with the same operation without.
 */
#include <algorithm>

#include "harness.h"
#include "onednn.h"

namespace bench {
namespace {

weir_lstm lstm_of(const Shape &shape, int mask_gates = 0) {
    weir_lstm p = {};
    p.N = shape.get("N");
    p.T = shape.get("T");
    p.C_in = shape.get("Cin");
    p.H = shape.get("H");
    p.activation = WEIR_TANH;
    p.recurrent = WEIR_SIGMOID;
    p.return_sequences = true;
    p.mask_gates = mask_gates;
    return p;
}

/* A mask of dropout at rate 1/5: empty without masks. */
Tensor mask_of(int64_t size, unsigned seed) {
    Tensor mask = random_tensor(size, seed);
    for (float &m : mask) m = m < -0.6f ? 0.0f : 1.25f;
    return mask;
}

class LstmCase : public Case {
  public:
    LstmCase(const Shape &shape, int mask_gates)
        : p(lstm_of(shape, mask_gates)), x(random_tensor(p.N * p.T * p.C_in, 1)),
          w(random_tensor(p.C_in * 4 * p.H, 2, 0.2f)), u(random_tensor(p.H * 4 * p.H, 3, 0.2f)),
          b(random_tensor(4 * p.H, 4, 0.5f)), mask_x(mask_of(p.N * p.mask_gates * p.C_in, 6)),
          mask_h(mask_of(p.N * p.mask_gates * p.H, 7)), y(zero_tensor(p.N * p.T * p.H)),
          reserve(zero_tensor(weir_lstm_reserve_floats(&p))) {
        tensors.x = x.data();
        tensors.w = w.data();
        tensors.u = u.data();
        tensors.b = b.data();
        if (p.mask_gates == 0) return;
        tensors.mask_x = mask_x.data();
        tensors.mask_h = mask_h.data();
    }

  protected:
    const weir_lstm p;
    Tensor x, w, u, b, mask_x, mask_h, y, reserve;
    weir_lstm_tensors tensors = {};
};

/* In training the reserve is written. */
template <bool training> class Forward : public LstmCase {
  public:
    using LstmCase::LstmCase;
    Work prepare(const Backend &backend) override {
        if (backend.library == Backend::ONEDNN)
            return onednn_lstm_fwd(backend, p, tensors, training);
        weir_runtime *rt = runtime_of(backend);
        float *kept = training ? reserve.data() : nullptr;
        return {
            [this, rt, kept] { check(weir_lstm_fwd(rt, &p, &tensors, y.data(), nullptr, kept)); },
            [this] {
                return Results{{"y", y}};
            },
            ""};
    }
};

class Backward : public LstmCase {
  public:
    Backward(const Shape &shape, int mask_gates)
        : LstmCase(shape, mask_gates), dy(random_tensor(p.N * p.T * p.H, 5)),
          dx(zero_tensor(p.N * p.T * p.C_in)), dw(zero_tensor(p.C_in * 4 * p.H)),
          du(zero_tensor(p.H * 4 * p.H)), db(zero_tensor(4 * p.H)) {
        gradients.dy = dy.data();
        gradients.dx = dx.data();
        gradients.dw = dw.data();
        gradients.du = du.data();
        gradients.db = db.data();
    }
    Work prepare(const Backend &backend) override {
        if (backend.library == Backend::ONEDNN)
            return onednn_lstm_bwd(backend, p, tensors, dy.data());
        weir_runtime *rt = runtime_of(backend);
        check(weir_lstm_fwd(rt, &p, &tensors, y.data(), nullptr, reserve.data()));
        return {[this, rt] { check(weir_lstm_bwd(rt, &p, &tensors, reserve.data(), &gradients)); },
                [this] {
                    return Results{{"dx", dx}, {"dw", dw}, {"du", du}, {"db", db}};
                },
                ""};
    }

  private:
    Tensor dy, dx, dw, du, db;
    weir_lstm_gradients gradients = {};
};

/* x, y and the weights once; both ways also their gradients. */
double bytes_of(const weir_lstm &p) {
    return 4.0 * static_cast<double>(p.N * p.T * (p.C_in + p.H) + 4 * p.H * (p.C_in + p.H));
}

template <class C>
Group group_of(const Options &options, const std::string &op, int mask_gates, const Shape &shape,
               double passes) {
    const weir_lstm p = lstm_of(shape, mask_gates);
    Group group;
    group.op = op;
    if (p.mask_gates) group.op += "_mask" + std::to_string(p.mask_gates);
    group.shape = shape.name({"N", "T", "Cin", "H"});
    group.flops =
        passes * 2.0 * static_cast<double>(p.N * p.T * 4 * p.H) * static_cast<double>(p.C_in + p.H);
    group.bytes = passes * bytes_of(p);
    /* Backward takes the gates from the reserve and the activated state from the state. */
    const double units = static_cast<double>(p.N * p.T * p.H);
    group.activations = {{p.activation, units}};
    if (passes < 2) group.activations = {{p.recurrent, 3 * units}, {p.activation, 2 * units}};
    group.backends = p.mask_gates ? weir_backends(options) : op_backends(options);
    group.open = [shape, mask_gates] { return std::make_unique<C>(shape, mask_gates); };
    return group;
}

std::vector<Group> groups(const Options &options) {
    std::vector<Shape> shapes = read_shapes(options.shapes, {"N", "T", "Cin", "H"});
    for (Shape &shape : shapes)
        if (options.quick) shape.set("N", std::min<int64_t>(shape.get("N"), 2));
    std::vector<Group> list;
    for (const Shape &shape : shapes)
        list.push_back(group_of<Forward<false>>(options, "lstm_infer", 0, shape, 1));
    for (const Shape &shape : shapes)
        list.push_back(group_of<Forward<true>>(options, "lstm_fwd", 0, shape, 1));
    for (const Shape &shape : shapes)
        list.push_back(group_of<Backward>(options, "lstm_bwd", 0, shape, 2));
    for (const int mask_gates : {1, 4}) {
        const Shape &shape = shapes.front(); /* one is enough */
        list.push_back(group_of<Forward<true>>(options, "lstm_fwd", mask_gates, shape, 1));
        list.push_back(group_of<Backward>(options, "lstm_bwd", mask_gates, shape, 2));
    }
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv, {"lstm", "lstm.txt", "onednn", bench::groups});
}
