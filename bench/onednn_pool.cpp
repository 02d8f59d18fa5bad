/* Pooling of oneDNN. SPDX-License-Identifier: Apache-2.0 */
#include "onednn.h"
#include "onednn_parts.h"

namespace bench {

/* Pooling takes the layout it is given: try blocks of channels and channels last. */
template <class Prepare> static Work best_pool_layout(const weir_pool &p, const Prepare &prepare) {
    Work best = prepare(tag::nwc, " (nwc)");
    const auto consider = [&](tag layout, const char *note) {
        Work other = prepare(layout, note);
        if (quick_time(other) < quick_time(best)) best = other;
    };
    if (p.C % 8 == 0) consider(tag::nCw8c, " (nCw8c)");
    if (p.C % 16 == 0) consider(tag::nCw16c, " (nCw16c)");
    return best;
}

Work onednn_pool_fwd(const Backend &backend, const weir_pool &p, const float *x) {
    const auto prepare = [&](tag layout, const char *note) {
        const memory::dims src_dims{p.N, p.C, p.T}, dst_dims{p.N, p.C, weir_pool_t_out(&p)};
        const auto pd =
            describe_pool(p.kind, p.P, p.S, dense(src_dims, layout), dense(dst_dims, layout));
        const auto s = std::make_shared<Sequence>(backend.plain);
        const memory src = s->input(x, dense(src_dims, tag::nwc), pd.src_desc());
        const memory dst = s->output("y", dense(dst_dims, tag::nwc), pd.dst_desc());
        add_pool_fwd(*s, pd, src, dst);
        return Sequence::finish(s, note);
    };
    return best_pool_layout(p, prepare);
}

Work onednn_pool_bwd(const Backend &backend, const weir_pool &p, const float *x, const float *dy) {
    const auto prepare = [&](tag layout, const char *note) {
        const memory::dims src_dims{p.N, p.C, p.T}, dst_dims{p.N, p.C, weir_pool_t_out(&p)};
        const memory::desc src_md = dense(src_dims, layout), dst_md = dense(dst_dims, layout);
        const auto fwd = describe_pool(p.kind, p.P, p.S, src_md, dst_md);
        const auto pd = describe_pool_bwd(p.kind, p.P, p.S, src_md, dst_md, fwd);
        const auto s = std::make_shared<Sequence>(backend.plain);
        const memory src = s->input(x, dense(src_dims, tag::nwc), src_md);
        const memory workspace = add_pool_fwd(*s, fwd, src, s->empty(dst_md));
        s->run_once();
        const memory diff_dst = s->input(dy, dense(dst_dims, tag::nwc), dst_md);
        const memory diff_src = s->output("dx", dense(src_dims, tag::nwc), src_md);
        add_pool_bwd(*s, pd, diff_dst, workspace, diff_src);
        return Sequence::finish(s, note);
    };
    return best_pool_layout(p, prepare);
}

} // namespace bench
