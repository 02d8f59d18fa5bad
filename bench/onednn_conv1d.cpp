/* conv1d of oneDNN. SPDX-License-Identifier: Apache-2.0 */
#include "onednn.h"
#include "onednn_parts.h"

namespace bench {

Work onednn_conv1d_fwd(const Backend &backend, const weir_conv1d &p, const float *x, const float *w,
                       const float *b) {
    const auto prepare = [&](tag data, const char *note) {
        const Conv c(p, data);
        const auto pd = c.fwd();
        const auto s = std::make_shared<Sequence>(backend.plain);
        const memory src = s->input(x, c.x, pd.src_desc());
        const memory weights = s->input(w, c.w, pd.weights_desc());
        const memory bias = s->input(b, c.b, pd.bias_desc());
        const memory dst = s->output("y", c.y, pd.dst_desc());
        s->add(pd, dnnl::convolution_forward(pd),
               {{DNNL_ARG_SRC, src},
                {DNNL_ARG_WEIGHTS, weights},
                {DNNL_ARG_BIAS, bias},
                {DNNL_ARG_DST, dst}});
        return Sequence::finish(s, note);
    };
    return best_layout(prepare);
}

Work onednn_conv1d_bwd_data(const Backend &backend, const weir_conv1d &p, const float *dy,
                            const float *w) {
    const auto prepare = [&](tag data, const char *note) {
        const Conv c(p, data);
        const auto pd = c.bwd_data();
        const auto s = std::make_shared<Sequence>(backend.plain);
        const memory diff_dst = s->input(dy, c.y, pd.diff_dst_desc());
        const memory weights = s->input(w, c.w, pd.weights_desc());
        const memory diff_src = s->output("dx", c.x, pd.diff_src_desc());
        s->add(pd, dnnl::convolution_backward_data(pd),
               {{DNNL_ARG_DIFF_DST, diff_dst},
                {DNNL_ARG_WEIGHTS, weights},
                {DNNL_ARG_DIFF_SRC, diff_src}});
        return Sequence::finish(s, note);
    };
    return best_layout(prepare);
}

Work onednn_conv1d_bwd_weights(const Backend &backend, const weir_conv1d &p, const float *x,
                               const float *dy) {
    const auto prepare = [&](tag data, const char *note) {
        const Conv c(p, data);
        const auto pd = c.bwd_weights();
        const auto s = std::make_shared<Sequence>(backend.plain);
        const memory src = s->input(x, c.x, pd.src_desc());
        const memory diff_dst = s->input(dy, c.y, pd.diff_dst_desc());
        const memory diff_weights = s->output("dw", c.w, pd.diff_weights_desc());
        const memory diff_bias = s->output("db", c.b, pd.diff_bias_desc());
        s->add(pd, dnnl::convolution_backward_weights(pd),
               {{DNNL_ARG_SRC, src},
                {DNNL_ARG_DIFF_DST, diff_dst},
                {DNNL_ARG_DIFF_WEIGHTS, diff_weights},
                {DNNL_ARG_DIFF_BIAS, diff_bias}});
        return Sequence::finish(s, note);
    };
    return best_layout(prepare);
}

} // namespace bench
