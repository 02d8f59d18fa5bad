/* Embedding, and a convolution over one, forward and backward. SPDX-License-Identifier: Apache-2.0
 *
 * No peer: oneDNN has no embedding.
 */
#include <algorithm>
#include <cmath>

#include "harness.h"

namespace bench {
namespace {

weir_embedding embedding_of(const Shape &shape) {
    return {shape.get("N"), shape.get("T"), shape.get("V"), shape.get("C")};
}

/* Word v has a frequency of about 1 / (v + 1) (Zipf's law), by its cumulative sum's logarithm; the same
 * tokens each time. */
std::vector<int32_t> zipf_tokens(const weir_embedding &p) {
    const Tensor uniform = random_tensor(p.N * p.T, 5, 0.5f);
    const double words = static_cast<double>(p.V);
    std::vector<int32_t> tokens;
    for (const float u : uniform) {
        const double rank = std::pow(words + 1, static_cast<double>(u) + 0.5) - 1;
        tokens.push_back(static_cast<int32_t>(std::min(rank, words - 1)));
    }
    return tokens;
}

class EmbeddingCase : public Case {
  public:
    explicit EmbeddingCase(const Shape &shape)
        : p(embedding_of(shape)), tokens(zipf_tokens(p)), table(random_tensor(p.V * p.C, 1)),
          y(random_tensor(p.N * p.T * p.C, 2)) {}

  protected:
    const weir_embedding p;
    const std::vector<int32_t> tokens;
    Tensor table, y;
};

class Forward : public EmbeddingCase {
  public:
    using EmbeddingCase::EmbeddingCase;
    Work prepare(const Backend &backend) override {
        weir_runtime *rt = runtime_of(backend);
        return {[this, rt] {
                    check(weir_embedding_fwd(rt, &p, tokens.data(), table.data(), y.data()));
                },
                [this] {
                    return Results{{"y", y}};
                },
                ""};
    }
};

class Backward : public EmbeddingCase {
  public:
    using EmbeddingCase::EmbeddingCase;
    Work prepare(const Backend &backend) override {
        weir_runtime *rt = runtime_of(backend);
        return {[this, rt] {
                    check(weir_embedding_bwd(rt, &p, tokens.data(), y.data(), table.data()));
                },
                [this] {
                    return Results{{"dtable", table}};
                },
                ""};
    }
};

/* A convolution over the text, K steps wide, and its gradients: through the products of the tokens that
 * occur, or as the single ops in turn. */
template <bool FUSED> class Conv : public EmbeddingCase {
  public:
    explicit Conv(const Shape &shape) : EmbeddingCase(shape), p_conv(conv_of(p, shape)) {
        const int64_t weights = p_conv.K * p_conv.C_in * p_conv.C_out;
        w = random_tensor(weights, 3, 0.2f);
        b = random_tensor(p_conv.C_out, 4);
        out = zero_tensor(p.N * weir_conv1d_t_out(&p_conv) * p_conv.C_out);
        dy = random_tensor(static_cast<int64_t>(out.size()), 5);
        dtable = zero_tensor(p.V * p.C);
        dw = zero_tensor(weights);
        db = zero_tensor(p_conv.C_out);
    }
    static weir_conv1d conv_of(const weir_embedding &p, const Shape &shape) {
        return {p.N, p.T, p.C, shape.get("Cout"), shape.get("K"), 1, 1, WEIR_VALID, WEIR_RELU};
    }
    Work prepare(const Backend &backend) override {
        weir_runtime *rt = runtime_of(backend);
        return {[this, rt] { FUSED ? fused(rt) : single(rt); },
                [this] {
                    return Results{{"y", out}, {"dtable", dtable}, {"dw", dw}, {"db", db}};
                },
                ""};
    }

  private:
    void fused(weir_runtime *rt) {
        const weir_embedding_conv1d q = {p, p_conv.C_out, p_conv.K, WEIR_VALID, WEIR_RELU};
        check(weir_embedding_conv1d_fwd(rt, &q, tokens.data(), table.data(), w.data(), b.data(),
                                        out.data()));
        check(weir_embedding_conv1d_bwd(rt, &q, tokens.data(), table.data(), w.data(), dy.data(),
                                        dtable.data(), dw.data(), db.data()));
    }
    void single(weir_runtime *rt) {
        check(weir_embedding_fwd(rt, &p, tokens.data(), table.data(), y.data()));
        check(weir_conv1d_fwd(rt, &p_conv, y.data(), w.data(), b.data(), out.data()));
        check(weir_conv1d_bwd_weights(rt, &p_conv, y.data(), dy.data(), dw.data(), db.data()));
        check(weir_conv1d_bwd_data(rt, &p_conv, dy.data(), w.data(), y.data()));
        check(weir_embedding_bwd(rt, &p, tokens.data(), y.data(), dtable.data()));
    }
    const weir_conv1d p_conv;
    Tensor w, b, out, dy, dtable, dw, db;
};

/* y once, the tokens once, and of the table the rows that occur (forward) or all of them (backward). */
double bytes_of(const weir_embedding &p, bool backward) {
    std::vector<int32_t> tokens = zipf_tokens(p);
    std::sort(tokens.begin(), tokens.end());
    const auto distinct = std::unique(tokens.begin(), tokens.end()) - tokens.begin();
    const int64_t rows = backward ? p.V : static_cast<int64_t>(distinct);
    return 4.0 * static_cast<double>(p.N * p.T * (p.C + 1) + rows * p.C);
}

template <class C>
Group group_of(const Options &options, const std::string &op, const Shape &shape, bool backward) {
    Group group;
    group.op = op;
    group.shape = shape.name({"N", "T", "V", "C"});
    group.bytes = bytes_of(embedding_of(shape), backward);
    group.backends = weir_backends(options);
    group.open = [shape] { return std::make_unique<C>(shape); };
    return group;
}

/* flops: what the dense computation needs, forward and for both gradients. */
template <bool FUSED>
Group conv_group(const Options &options, const std::string &op, const Shape &shape) {
    Group group = group_of<Conv<FUSED>>(options, op, shape, true);
    const weir_conv1d p = Conv<FUSED>::conv_of(embedding_of(shape), shape);
    group.shape = shape.name({"N", "T", "V", "C", "Cout", "K"});
    group.flops = 6.0 * static_cast<double>(p.N * weir_conv1d_t_out(&p) * p.C_out) *
                  static_cast<double>(p.K * p.C_in);
    group.bounded = false; /* most of these are not done */
    return group;
}

std::vector<Group> groups(const Options &options) {
    std::vector<Group> list;
    std::vector<Shape> shapes = read_shapes(options.shapes, {"N", "T", "V", "C"}, {"Cout", "K"});
    for (Shape &shape : shapes)
        if (options.quick) shape.set("N", std::min<int64_t>(shape.get("N"), 2));
    for (const Shape &shape : shapes)
        list.push_back(group_of<Forward>(options, "embedding_fwd", shape, false));
    for (const Shape &shape : shapes)
        list.push_back(group_of<Backward>(options, "embedding_bwd", shape, true));
    for (const Shape &shape : shapes)
        if (shape.has("K")) {
            list.push_back(conv_group<true>(options, "embedding_conv1d", shape));
            list.push_back(conv_group<false>(options, "embedding_conv1d_single", shape));
        }
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv, {"embedding", "embedding.txt", "", bench::groups});
}
