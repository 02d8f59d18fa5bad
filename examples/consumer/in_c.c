/* The mean of each pair of numbers, in C. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <weir/weir.h>

int main(void) {
    const weir_pool pairs = {.kind = WEIR_POOL_AVG, .N = 1, .T = 4, .C = 1, .P = 2, .S = 2};
    const float x[4] = {1, 2, 3, 6};
    float y[2] = {0, 0};
    weir_runtime *rt = NULL;
    weir_status status = weir_runtime_create(NULL, &rt);
    if (!status) status = weir_pool_fwd(rt, &pairs, x, y, NULL);
    if (status) fprintf(stderr, "%s\n", weir_last_error());
    printf("Weir %s: %g %g\n", weir_version(), (double)y[0], (double)y[1]);
    weir_runtime_destroy(rt);
    return status != WEIR_OK;
}
