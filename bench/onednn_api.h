/* What differs between oneDNN 2.x and 3.x. SPDX-License-Identifier: Apache-2.0
 *
 * 3.x has no descriptors of operations, one pooling with dilation, and no scale in post-ops.
 */
#ifndef WEIR_BENCH_ONEDNN_API_H
#define WEIR_BENCH_ONEDNN_API_H

#include <oneapi/dnnl/dnnl.hpp>

namespace bench {

using dnnl::memory;
using tag = memory::format_tag;

inline const dnnl::engine &cpu() {
    static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

#if DNNL_VERSION_MAJOR >= 3

using PoolFwd = dnnl::pooling_forward;
using PoolBwd = dnnl::pooling_backward;

template <class P, class... A>
typename P::primitive_desc describe(const dnnl::primitive_attr &attr, const A &...a) {
    return typename P::primitive_desc(cpu(), a..., attr);
}
template <class P, class Hint, class... A>
typename P::primitive_desc describe_bwd(const Hint &hint, const A &...a) {
    return typename P::primitive_desc(cpu(), a..., hint);
}
inline void append_relu(dnnl::post_ops &ops) {
    ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
}
/* The gradient of ReLU from its output. */
inline dnnl::eltwise_backward::primitive_desc describe_relu_bwd(const memory::desc &md) {
    const auto relu = dnnl::algorithm::eltwise_relu_use_dst_for_bwd;
    const auto forward =
        describe<dnnl::eltwise_forward>({}, dnnl::prop_kind::forward_training, relu, md, md);
    return describe_bwd<dnnl::eltwise_backward>(forward, relu, md, md, md);
}

#else

using PoolFwd = dnnl::pooling_v2_forward;
using PoolBwd = dnnl::pooling_v2_backward;

template <class P, class... A>
typename P::primitive_desc describe(const dnnl::primitive_attr &attr, const A &...a) {
    return typename P::primitive_desc(typename P::desc(a...), attr, cpu());
}
template <class P, class Hint, class... A>
typename P::primitive_desc describe_bwd(const Hint &hint, const A &...a) {
    return typename P::primitive_desc(typename P::desc(a...), cpu(), hint);
}
inline void append_relu(dnnl::post_ops &ops) {
    ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
}
/* The gradient of ReLU from its output. */
inline dnnl::eltwise_backward::primitive_desc describe_relu_bwd(const memory::desc &md) {
    const auto relu = dnnl::algorithm::eltwise_relu_use_dst_for_bwd;
    const auto forward =
        describe<dnnl::eltwise_forward>({}, dnnl::prop_kind::forward_training, relu, md);
    return describe_bwd<dnnl::eltwise_backward>(forward, relu, md, md);
}

#endif

} // namespace bench
#endif
