/* Embedding forward and backward. SPDX-License-Identifier: Apache-2.0
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

std::vector<Group> groups(const Options &options) {
    std::vector<Group> list;
    std::vector<Shape> shapes = read_shapes(options.shapes, {"N", "T", "V", "C"});
    for (Shape &shape : shapes)
        if (options.quick) shape.set("N", std::min<int64_t>(shape.get("N"), 2));
    for (const Shape &shape : shapes)
        list.push_back(group_of<Forward>(options, "embedding_fwd", shape, false));
    for (const Shape &shape : shapes)
        list.push_back(group_of<Backward>(options, "embedding_bwd", shape, true));
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv, {"embedding", "embedding.txt", "", bench::groups});
}
