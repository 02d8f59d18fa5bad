/* The mean of each pair of numbers, in C++. SPDX-License-Identifier: Apache-2.0 */
#include <iostream>
#include <memory>
#include <stdexcept>
#include <vector>
#include <weir/weir.h>

static void check(weir_status status) {
    if (status != WEIR_OK) throw std::runtime_error(weir_last_error());
}

int main() try {
    weir_runtime *created = nullptr;
    check(weir_runtime_create(nullptr, &created));
    const std::unique_ptr<weir_runtime, decltype(&weir_runtime_destroy)> rt(created,
                                                                            weir_runtime_destroy);
    weir_pool pairs = {};
    pairs.kind = WEIR_POOL_AVG;
    pairs.N = pairs.C = 1;
    pairs.T = 4;
    pairs.P = pairs.S = 2;
    const std::vector<float> x = {1, 2, 3, 6};
    std::vector<float> y(2);
    check(weir_pool_fwd(rt.get(), &pairs, x.data(), y.data(), nullptr));
    std::cout << "Weir " << weir_version() << ": " << y[0] << " " << y[1] << "\n";
} catch (const std::exception &error) {
    std::cerr << error.what() << "\n";
    return 1;
}
