/* Activations, losses, optimizers and add, element by element. SPDX-License-Identifier: Apache-2.0
 */
#include "kernels/kernels.h"
#include "kernels/vec.h"
#include "kernels/vmath.h"

void WEIR_KERNEL(activation_fwd)(weir_activation activation, int64_t i0, int64_t i1, const float *x,
                                 float *y) {
    for (int64_t i = i0; i < i1; i += VL) {
        vm m = v_tail(i1 - i);
        v_store_m(y + i, m, v_activate(activation, v_load_m(x + i, m)));
    }
}

void WEIR_KERNEL(activation_bwd)(weir_activation activation, int64_t i0, int64_t i1, const float *y,
                                 const float *dy, float *dx) {
    for (int64_t i = i0; i < i1; i += VL) {
        vm m = v_tail(i1 - i);
        vf slope = v_activate_grad(activation, v_load_m(y + i, m));
        v_store_m(dx + i, m, v_mul(v_load_m(dy + i, m), slope));
    }
}

void WEIR_KERNEL(exp)(int64_t i0, int64_t i1, const float *x, float *y) {
    for (int64_t i = i0; i < i1; i += VL) {
        vm m = v_tail(i1 - i);
        v_store_m(y + i, m, v_exp(v_load_m(x + i, m)));
    }
}

void WEIR_KERNEL(add)(int64_t i0, int64_t i1, float *a, const float *b) {
    for (int64_t i = i0; i < i1; i += VL) {
        vm m = v_tail(i1 - i);
        v_store_m(a + i, m, v_add(v_load_m(a + i, m), v_load_m(b + i, m)));
    }
}

/* The losses sum in double, one element after the other, so the compiler must not make vectors of
 * the sum; it doesn't, as that would need -ffast-math. */
double WEIR_KERNEL(loss_mae)(int64_t n, const float *y, const float *target, float *dy) {
    double sum = 0;
    float slope = (float)(1 / (double)n);
    for (int64_t i = 0; i < n; i++) {
        double e = (double)y[i] - (double)target[i];
        sum += e < 0 ? -e : e;
        /* NaN, which is neither below nor above 0, passes. */
        if (dy) dy[i] = e > 0 ? slope : e < 0 ? -slope : (float)e;
    }
    return sum;
}

double WEIR_KERNEL(loss_mse)(int64_t n, const float *y, const float *target, float *dy) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double e = (double)y[i] - (double)target[i];
        sum += e * e;
        if (dy) dy[i] = (float)(2 * e / (double)n);
    }
    return sum;
}

/*
 * v = fma(rho, v, ((1 - rho) g) g)
 * p = p - (rate g) / (sqrt(v) + epsilon), or (rate g) / sqrt(v + epsilon)
 */
void WEIR_KERNEL(rmsprop)(const weir_rmsprop *o, int64_t i0, int64_t i1, const float *g, float *v,
                          float *p) {
    vf rate = v_set1(o->rate), rho = v_set1(o->rho), rest = v_set1(1.0f - o->rho);
    vf outside = v_set1(o->epsilon_inside ? 0.0f : o->epsilon);
    vf inside = v_set1(o->epsilon_inside ? o->epsilon : 0.0f);
    for (int64_t i = i0; i < i1; i += VL) {
        vm m = v_tail(i1 - i);
        vf slope = v_load_m(g + i, m);
        vf mean = v_fma(rho, v_load_m(v + i, m), v_mul(v_mul(rest, slope), slope));
        vf root = v_add(v_sqrt(v_add(mean, inside)), outside);
        v_store_m(v + i, m, mean);
        v_store_m(p + i, m, v_sub(v_load_m(p + i, m), v_div(v_mul(rate, slope), root)));
    }
}

/*
 * m = fma(beta1, m, (1 - beta1) g)
 * v = fma(beta2, v, ((1 - beta2) g) g)
 * p = p - (rate m) / (sqrt(v) + epsilon)
 */
void WEIR_KERNEL(adam)(const weir_adam *o, float rate, int64_t i0, int64_t i1, const float *g,
                       float *m, float *v, float *p) {
    vf beta1 = v_set1(o->beta1), rest1 = v_set1(1.0f - o->beta1);
    vf beta2 = v_set1(o->beta2), rest2 = v_set1(1.0f - o->beta2);
    vf step = v_set1(rate), epsilon = v_set1(o->epsilon);
    for (int64_t i = i0; i < i1; i += VL) {
        vm lanes = v_tail(i1 - i);
        vf slope = v_load_m(g + i, lanes);
        vf first = v_fma(beta1, v_load_m(m + i, lanes), v_mul(rest1, slope));
        vf second = v_fma(beta2, v_load_m(v + i, lanes), v_mul(v_mul(rest2, slope), slope));
        vf change = v_div(v_mul(step, first), v_add(v_sqrt(second), epsilon));
        v_store_m(m + i, lanes, first);
        v_store_m(v + i, lanes, second);
        v_store_m(p + i, lanes, v_sub(v_load_m(p + i, lanes), change));
    }
}
