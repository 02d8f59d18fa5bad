/* Quantiles of samples. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_QUANTILE_H
#define WEIR_BENCH_QUANTILE_H

#include <algorithm>
#include <cmath>
#include <vector>

namespace bench {

/* The smallest sample that at least a part q of them does not exceed (nearest rank); 0 of none. */
inline double quantile(std::vector<double> samples, double q) {
    if (samples.empty()) return 0;
    std::sort(samples.begin(), samples.end());
    const double rank = std::ceil(q * static_cast<double>(samples.size()));
    return samples[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

} // namespace bench
#endif
