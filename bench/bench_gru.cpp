/* GRU forward and backward through time, both reset variants. SPDX-License-Identifier: Apache-2.0
 *
 * fwd is the forward pass of training, which keeps what the backward pass needs; infer does not.
 * oneDNN's peers are vanilla_gru (reset before) and lbr_gru (reset after). Nobody else has dropout
 * masks inside the GRU: mask1 (shared by the gates) and mask3 (one each) compare with the same
 * operation without.
 */
#include <algorithm>

#include "harness.h"
#include "onednn.h"

namespace bench {
namespace {

weir_gru gru_of(const Shape &shape, bool reset_after, int mask_gates = 0) {
    weir_gru p = {};
    p.N = shape.get("N");
    p.T = shape.get("T");
    p.C_in = shape.get("Cin");
    p.H = shape.get("H");
    p.activation = WEIR_TANH;
    p.recurrent = WEIR_SIGMOID;
    p.reset_after = reset_after;
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

class GruCase : public Case {
  public:
    GruCase(const Shape &shape, bool reset_after, int mask_gates)
        : p(gru_of(shape, reset_after, mask_gates)), x(random_tensor(p.N * p.T * p.C_in, 1)),
          w(random_tensor(p.C_in * 3 * p.H, 2, 0.2f)), u(random_tensor(p.H * 3 * p.H, 3, 0.2f)),
          b(random_tensor(bias_rows() * p.H, 4, 0.5f)),
          mask_x(mask_of(p.N * p.mask_gates * p.C_in, 6)),
          mask_h(mask_of(p.N * p.mask_gates * p.H, 7)), y(zero_tensor(p.N * p.T * p.H)),
          reserve(zero_tensor(weir_gru_reserve_floats(&p))) {
        tensors.x = x.data();
        tensors.w = w.data();
        tensors.u = u.data();
        tensors.b = b.data();
        if (p.mask_gates == 0) return;
        tensors.mask_x = mask_x.data();
        tensors.mask_h = mask_h.data();
    }

  protected:
    int64_t bias_rows() const { return p.reset_after ? 6 : 3; }
    const weir_gru p;
    Tensor x, w, u, b, mask_x, mask_h, y, reserve;
    weir_gru_tensors tensors = {};
};

/* In training the reserve is written. */
template <bool training> class Forward : public GruCase {
  public:
    using GruCase::GruCase;
    Work prepare(const Backend &backend) override {
        if (backend.library == Backend::ONEDNN)
            return onednn_gru_fwd(backend, p, tensors, training);
        weir_runtime *rt = runtime_of(backend);
        float *kept = training ? reserve.data() : nullptr;
        return {[this, rt, kept] { check(weir_gru_fwd(rt, &p, &tensors, y.data(), kept)); },
                [this] {
                    return Results{{"y", y}};
                },
                ""};
    }
};

class Backward : public GruCase {
  public:
    Backward(const Shape &shape, bool reset_after, int mask_gates)
        : GruCase(shape, reset_after, mask_gates), dy(random_tensor(p.N * p.T * p.H, 5)),
          dx(zero_tensor(p.N * p.T * p.C_in)), dw(zero_tensor(p.C_in * 3 * p.H)),
          du(zero_tensor(p.H * 3 * p.H)), db(zero_tensor(bias_rows() * p.H)) {
        gradients.dy = dy.data();
        gradients.dx = dx.data();
        gradients.dw = dw.data();
        gradients.du = du.data();
        gradients.db = db.data();
    }
    Work prepare(const Backend &backend) override {
        if (backend.library == Backend::ONEDNN)
            return onednn_gru_bwd(backend, p, tensors, dy.data());
        weir_runtime *rt = runtime_of(backend);
        check(weir_gru_fwd(rt, &p, &tensors, y.data(), reserve.data()));
        return {[this, rt] { check(weir_gru_bwd(rt, &p, &tensors, reserve.data(), &gradients)); },
                [this] {
                    return Results{{"dx", dx}, {"dw", dw}, {"du", du}, {"db", bias_gradient()}};
                },
                ""};
    }

  private:
    /* As oneDNN gives it, with reset after: z, r, candidate, recurrent candidate. */
    Tensor bias_gradient() const {
        Tensor rows(db.begin(), db.begin() + static_cast<ptrdiff_t>(3 * p.H));
        if (p.reset_after)
            rows.insert(rows.end(), db.begin() + static_cast<ptrdiff_t>(5 * p.H), db.end());
        return rows;
    }
    Tensor dy, dx, dw, du, db;
    weir_gru_gradients gradients = {};
};

/* x, y and the weights once; both ways also their gradients. */
double bytes_of(const weir_gru &p) {
    return 4.0 * static_cast<double>(p.N * p.T * (p.C_in + p.H) + 3 * p.H * (p.C_in + p.H));
}

/* mask_gates as in weir_gru. */
struct Variant {
    std::string op;
    bool reset_after;
    int mask_gates;
};

template <class C>
Group group_of(const Options &options, const Variant &variant, const std::string &pass,
               const Shape &shape, double passes) {
    const weir_gru p = gru_of(shape, variant.reset_after, variant.mask_gates);
    Group group;
    group.op = variant.op + pass;
    if (p.mask_gates) group.op += "_mask" + std::to_string(p.mask_gates);
    group.shape = shape.name({"N", "T", "Cin", "H"});
    group.flops =
        passes * 2.0 * static_cast<double>(p.N * p.T * 3 * p.H) * static_cast<double>(p.C_in + p.H);
    group.bytes = passes * bytes_of(p);
    /* Forward the two gates and the candidate are activated; backward takes them from the reserve. */
    const double units = static_cast<double>(p.N * p.T * p.H);
    if (passes < 2) group.activations = {{p.recurrent, 2 * units}, {p.activation, units}};
    group.backends = p.mask_gates ? weir_backends(options) : op_backends(options);
    group.open = [shape, variant] {
        return std::make_unique<C>(shape, variant.reset_after, variant.mask_gates);
    };
    return group;
}

std::vector<Group> groups(const Options &options) {
    std::vector<Shape> shapes = read_shapes(options.shapes, {"N", "T", "Cin", "H"});
    for (Shape &shape : shapes)
        if (options.quick) shape.set("N", std::min<int64_t>(shape.get("N"), 2));
    std::vector<Group> list;
    for (const bool after : {false, true}) {
        const Variant plain = {after ? "gru_after" : "gru_before", after, 0};
        for (const Shape &shape : shapes)
            list.push_back(group_of<Forward<false>>(options, plain, "_infer", shape, 1));
        for (const Shape &shape : shapes)
            list.push_back(group_of<Forward<true>>(options, plain, "_fwd", shape, 1));
        for (const Shape &shape : shapes)
            list.push_back(group_of<Backward>(options, plain, "_bwd", shape, 2));
        for (const int mask_gates : {1, 3}) {
            const Variant masked = {plain.op, after, mask_gates};
            const Shape &shape = shapes.front(); /* one is enough */
            list.push_back(group_of<Forward<true>>(options, masked, "_fwd", shape, 1));
            list.push_back(group_of<Backward>(options, masked, "_bwd", shape, 2));
        }
    }
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv, {"gru", "gru.txt", "onednn", bench::groups});
}
