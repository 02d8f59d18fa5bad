/* Max and average pooling, forward and backward. SPDX-License-Identifier: Apache-2.0 */
#include <algorithm>
#include <stdexcept>

#include "harness.h"
#include "onednn.h"

namespace bench {
namespace {

weir_pool pool_of(const Shape &shape, weir_pool_kind kind) {
    weir_pool p = {};
    p.kind = kind;
    p.N = shape.get("N");
    p.T = shape.get("T");
    p.C = shape.get("C");
    p.P = shape.get("P");
    p.S = shape.get("P");
    p.padding = WEIR_VALID;
    if (weir_pool_t_out(&p) == 0)
        throw std::runtime_error(shape.name({"N", "T", "C", "P"}) +
                                 ": no output, the window is longer than the input");
    return p;
}

class PoolCase : public Case {
  public:
    PoolCase(const Shape &shape, weir_pool_kind kind)
        : p(pool_of(shape, kind)), x(random_tensor(p.N * p.T * p.C, 1)),
          y(zero_tensor(p.N * weir_pool_t_out(&p) * p.C)),
          winner(static_cast<size_t>(weir_pool_winner_bytes(&p))) {}

  protected:
    void *winner_or_null() { return p.kind == WEIR_POOL_MAX ? winner.data() : nullptr; }
    const weir_pool p;
    Tensor x, y;
    std::vector<uint8_t> winner;
};

class Forward : public PoolCase {
  public:
    using PoolCase::PoolCase;
    Work prepare(const Backend &backend) override {
        if (backend.library == Backend::ONEDNN) return onednn_pool_fwd(backend, p, x.data());
        weir_runtime *rt = runtime_of(backend);
        return {[this, rt] { check(weir_pool_fwd(rt, &p, x.data(), y.data(), winner_or_null())); },
                [this] {
                    return Results{{"y", y}};
                },
                ""};
    }
};

class Backward : public PoolCase {
  public:
    Backward(const Shape &shape, weir_pool_kind kind)
        : PoolCase(shape, kind), dy(random_tensor(static_cast<int64_t>(y.size()), 2)),
          dx(zero_tensor(static_cast<int64_t>(x.size()))) {}
    Work prepare(const Backend &backend) override {
        if (backend.library == Backend::ONEDNN)
            return onednn_pool_bwd(backend, p, x.data(), dy.data());
        weir_runtime *rt = runtime_of(backend);
        check(weir_pool_fwd(rt, &p, x.data(), y.data(), winner_or_null()));
        return {
            [this, rt] { check(weir_pool_bwd(rt, &p, dy.data(), winner_or_null(), dx.data())); },
            [this] {
                return Results{{"dx", dx}};
            },
            ""};
    }

  private:
    Tensor dy, dx;
};

/* bytes: x and y, or dx and dy, once; with the maximum also the winners. */
template <class C>
Group group_of(const Options &options, const std::string &op, const Shape &shape,
               weir_pool_kind kind) {
    const weir_pool p = pool_of(shape, kind);
    const int64_t y = p.N * weir_pool_t_out(&p) * p.C;
    Group group;
    group.op = op;
    group.shape = shape.name({"N", "T", "C", "P"});
    group.bytes = static_cast<double>(4 * (p.N * p.T * p.C + y) + weir_pool_winner_bytes(&p));
    group.operations = static_cast<double>(y * p.P); /* comparisons or additions */
    group.backends = op_backends(options);
    group.open = [shape, kind] { return std::make_unique<C>(shape, kind); };
    return group;
}

std::vector<Group> groups(const Options &options) {
    std::vector<Shape> shapes = read_shapes(options.shapes, {"N", "T", "C", "P"});
    for (Shape &shape : shapes)
        if (options.quick) shape.set("N", std::min<int64_t>(shape.get("N"), 2));
    std::vector<Group> list;
    for (const weir_pool_kind kind : {WEIR_POOL_MAX, WEIR_POOL_AVG}) {
        const std::string name = kind == WEIR_POOL_MAX ? "pool_max" : "pool_avg";
        for (const Shape &shape : shapes)
            list.push_back(group_of<Forward>(options, name + "_fwd", shape, kind));
        for (const Shape &shape : shapes)
            list.push_back(group_of<Backward>(options, name + "_bwd", shape, kind));
    }
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv, {"pool", "pool.txt", "onednn", bench::groups});
}
