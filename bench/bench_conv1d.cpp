/* conv1d forward, backward, and the downsampling block. SPDX-License-Identifier: Apache-2.0 */
#include <algorithm>
#include <stdexcept>

#include "harness.h"
#include "onednn.h"

namespace bench {
namespace {

weir_conv1d conv_of(const Shape &shape) {
    weir_conv1d p = {};
    p.N = shape.get("N");
    p.T = shape.get("T");
    p.C_in = shape.get("Cin");
    p.C_out = shape.get("Cout");
    p.K = shape.get("K");
    p.S = shape.get("S");
    p.D = shape.get("D");
    p.padding = WEIR_VALID;
    p.activation = WEIR_RELU;
    if (weir_conv1d_t_out(&p) == 0)
        throw std::runtime_error(shape.name({"N", "T", "Cin", "Cout", "K", "S", "D"}) +
                                 ": no output, the kernel is longer than the input");
    return p;
}

struct Sizes {
    explicit Sizes(const weir_conv1d &p)
        : x(p.N * p.T * p.C_in), y(p.N * weir_conv1d_t_out(&p) * p.C_out),
          w(p.K * p.C_in * p.C_out), b(p.C_out) {}
    int64_t x, y, w, b;
};

double flops_of(const weir_conv1d &p) {
    return 2.0 * static_cast<double>(p.N * weir_conv1d_t_out(&p) * p.C_out) *
           static_cast<double>(p.K * p.C_in);
}

double bytes_of(const weir_conv1d &p) {
    const Sizes n(p);
    return 4.0 * static_cast<double>(n.x + n.y + n.w + n.b);
}

/* Tensors of one shape; each operation uses some of them. */
class ConvCase : public Case {
  public:
    explicit ConvCase(const Shape &shape)
        : p(conv_of(shape)), n(p), x(random_tensor(n.x, 1)), w(random_tensor(n.w, 2, 0.2f)),
          b(random_tensor(n.b, 3)), y(zero_tensor(n.y)) {}

  protected:
    const weir_conv1d p;
    const Sizes n;
    Tensor x, w, b, y;
};

class Forward : public ConvCase {
  public:
    using ConvCase::ConvCase;
    Work prepare(const Backend &backend) override {
        if (backend.library == Backend::ONEDNN)
            return onednn_conv1d_fwd(backend, p, x.data(), w.data(), b.data());
        weir_runtime *rt = runtime_of(backend);
        return {
            [this, rt] { check(weir_conv1d_fwd(rt, &p, x.data(), w.data(), b.data(), y.data())); },
            [this] {
                return Results{{"y", y}};
            },
            ""};
    }
};

class BackwardData : public ConvCase {
  public:
    explicit BackwardData(const Shape &shape)
        : ConvCase(shape), dy(random_tensor(n.y, 4)), dx(zero_tensor(n.x)) {}
    Work prepare(const Backend &backend) override {
        if (backend.library == Backend::ONEDNN)
            return onednn_conv1d_bwd_data(backend, p, dy.data(), w.data());
        weir_runtime *rt = runtime_of(backend);
        return {[this, rt] { check(weir_conv1d_bwd_data(rt, &p, dy.data(), w.data(), dx.data())); },
                [this] {
                    return Results{{"dx", dx}};
                },
                ""};
    }

  private:
    Tensor dy, dx;
};

class BackwardWeights : public ConvCase {
  public:
    explicit BackwardWeights(const Shape &shape)
        : ConvCase(shape), dy(random_tensor(n.y, 4)), dw(zero_tensor(n.w)), db(zero_tensor(n.b)) {}
    Work prepare(const Backend &backend) override {
        if (backend.library == Backend::ONEDNN)
            return onednn_conv1d_bwd_weights(backend, p, x.data(), dy.data());
        weir_runtime *rt = runtime_of(backend);
        return {[this, rt] {
                    check(
                        weir_conv1d_bwd_weights(rt, &p, x.data(), dy.data(), dw.data(), db.data()));
                },
                [this] {
                    return Results{{"dw", dw}, {"db", db}};
                },
                ""};
    }

  private:
    Tensor dy, dw, db;
};

/* conv1d + bias + ReLU + max-pool, forward and backward, as a training step needs them: as one op, or
 * as the single ops in turn. */
template <bool FUSED> class Block : public ConvCase {
  public:
    explicit Block(const Shape &shape)
        : ConvCase(shape), with_dx(shape.get("dx") != 0), pool(pool_of(p, shape.get("P"))),
          pooled(zero_tensor(p.N * weir_pool_t_out(&pool) * p.C_out)),
          dpooled(random_tensor(p.N * weir_pool_t_out(&pool) * p.C_out, 4)),
          winner(static_cast<size_t>(weir_pool_winner_bytes(&pool))), dy(zero_tensor(n.y)),
          dx(zero_tensor(n.x)), dw(zero_tensor(n.w)), db(zero_tensor(n.b)) {}

    Work prepare(const Backend &backend) override {
        if (backend.library == Backend::ONEDNN)
            return onednn_block(backend, p, pool.P, with_dx, x.data(), w.data(), b.data(),
                                dpooled.data());
        weir_runtime *rt = runtime_of(backend);
        return {[this, rt] {
                    if (FUSED) {
                        fused(rt);
                    } else {
                        forward(rt);
                        backward(rt);
                    }
                },
                [this] { return results(); }, ""};
    }

  private:
    static weir_pool pool_of(const weir_conv1d &p, int64_t P) {
        weir_pool pool = {};
        pool.kind = WEIR_POOL_MAX;
        pool.N = p.N;
        pool.T = weir_conv1d_t_out(&p);
        pool.C = p.C_out;
        pool.P = P;
        pool.S = P;
        pool.padding = WEIR_VALID;
        return pool;
    }
    void fused(weir_runtime *rt) {
        const weir_conv1d_pool block = {p, pool.P};
        check(weir_conv1d_pool_fwd(rt, &block, x.data(), w.data(), b.data(), pooled.data(),
                                   winner.data()));
        check(weir_conv1d_pool_bwd(rt, &block, x.data(), w.data(), pooled.data(), winner.data(),
                                   dpooled.data(), with_dx ? dx.data() : nullptr, dw.data(),
                                   db.data()));
    }
    void forward(weir_runtime *rt) {
        check(weir_conv1d_fwd(rt, &p, x.data(), w.data(), b.data(), y.data()));
        check(weir_pool_fwd(rt, &pool, y.data(), pooled.data(), winner.data()));
    }
    void backward(weir_runtime *rt) {
        check(weir_pool_bwd(rt, &pool, dpooled.data(), winner.data(), dy.data()));
        check(weir_activation_bwd(rt, p.activation, n.y, y.data(), dy.data(), dy.data()));
        check(weir_conv1d_bwd_weights(rt, &p, x.data(), dy.data(), dw.data(), db.data()));
        if (with_dx) check(weir_conv1d_bwd_data(rt, &p, dy.data(), w.data(), dx.data()));
    }
    Results results() const {
        Results list{{"y", pooled}, {"dw", dw}, {"db", db}};
        if (with_dx) list.emplace_back("dx", dx);
        return list;
    }

    const bool with_dx;
    const weir_pool pool;
    Tensor pooled, dpooled;
    std::vector<uint8_t> winner;
    Tensor dy, dx, dw, db;
};

template <class C>
Group group_of(const Options &options, const std::string &op, const Shape &shape) {
    Group group;
    group.op = op;
    group.shape = shape.name({"N", "T", "Cin", "Cout", "K", "S", "D"});
    const weir_conv1d p = conv_of(shape);
    group.flops = flops_of(p);
    group.bytes = bytes_of(p);
    group.backends = op_backends(options);
    group.open = [shape] { return std::make_unique<C>(shape); };
    return group;
}

/* flops: what the dense computation needs, whether or not a backend skips what ReLU and the pool
 * make zero. */
template <bool FUSED>
Group block_group(const Options &options, const std::string &op, const Shape &shape) {
    Group group = group_of<Block<FUSED>>(options, op, shape);
    if (!FUSED) group.backends = weir_backends(options);
    group.shape = shape.name({"N", "T", "Cin", "Cout", "K", "S", "D", "P", "dx"});
    group.flops *= shape.get("dx") ? 3 : 2;
    group.bytes *= shape.get("dx") ? 3 : 2;
    return group;
}

std::vector<Group> groups(const Options &options) {
    std::vector<Group> list;
    std::vector<Shape> shapes =
        read_shapes(options.shapes, {"N", "T", "Cin", "Cout", "K"}, {"S", "D", "P", "dx"});
    for (Shape &shape : shapes)
        if (options.quick) shape.set("N", std::min<int64_t>(shape.get("N"), 2));
    for (const Shape &shape : shapes)
        list.push_back(group_of<Forward>(options, "conv1d_fwd", shape));
    for (const Shape &shape : shapes)
        list.push_back(group_of<BackwardData>(options, "conv1d_bwd_data", shape));
    for (const Shape &shape : shapes)
        list.push_back(group_of<BackwardWeights>(options, "conv1d_bwd_weights", shape));
    for (const Shape &shape : shapes)
        if (shape.has("P")) {
            list.push_back(block_group<true>(options, "conv1d_block", shape));
            list.push_back(block_group<false>(options, "conv1d_block_single", shape));
        }
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv, {"conv1d", "conv1d.txt", "onednn", bench::groups});
}
