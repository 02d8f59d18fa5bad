/* Activations, optimizers and add, element by element. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/kernels.h"
#include "kernels/vec.h"
#include "kernels/vmath.h"

#define EACH_INLINE static inline __attribute__((always_inline))

/* CALL(i, m, masked) for each vector of elements; only the last may need a mask. */
#define EACH_VECTOR(i0, i1, CALL)                                   \
    do {                                                            \
        int64_t i = (i0);                                           \
        for (; i + VL <= (i1); i += VL) CALL(i, v_tail(VL), false); \
        if (i < (i1)) CALL(i, v_tail((i1)-i), true);                \
    } while (0)

EACH_INLINE void activate(weir_activation activation, const float *x, float *y, vm m,
                          const bool masked) {
    v_store_if(y, m, v_activate(activation, v_load_if(x, m, masked)), masked);
}

void WEIR_KERNEL(activation_fwd)(weir_activation activation, int64_t i0, int64_t i1, const float *x,
                                 float *y) {
#define CALL(i, m, masked) activate(activation, x + (i), y + (i), m, masked)
    EACH_VECTOR(i0, i1, CALL);
#undef CALL
}

EACH_INLINE void differentiate(weir_activation activation, const float *y, const float *dy,
                               float *dx, vm m, const bool masked) {
    vf slope = v_activate_grad(activation, v_load_if(y, m, masked));
    v_store_if(dx, m, v_mul(v_load_if(dy, m, masked), slope), masked);
}

void WEIR_KERNEL(activation_bwd)(weir_activation activation, int64_t i0, int64_t i1, const float *y,
                                 const float *dy, float *dx) {
#define CALL(i, m, masked) differentiate(activation, y + (i), dy + (i), dx + (i), m, masked)
    EACH_VECTOR(i0, i1, CALL);
#undef CALL
}

void WEIR_KERNEL(exp)(int64_t i0, int64_t i1, const float *x, float *y) {
#define CALL(i, m, masked) v_store_if(y + (i), m, v_exp(v_load_if(x + (i), m, masked)), masked)
    EACH_VECTOR(i0, i1, CALL);
#undef CALL
}

EACH_INLINE void add(float *a, const float *b, vm m, const bool masked) {
    v_store_if(a, m, v_add(v_load_if(a, m, masked), v_load_if(b, m, masked)), masked);
}

void WEIR_KERNEL(add)(int64_t i0, int64_t i1, float *a, const float *b) {
#define CALL(i, m, masked) add(a + (i), b + (i), m, masked)
    EACH_VECTOR(i0, i1, CALL);
#undef CALL
}

/*
 * v = fma(rho, v, ((1 - rho) g) g)
 * p = p - (rate g) / (sqrt(v) + epsilon), or (rate g) / sqrt(v + epsilon)
 */
EACH_INLINE void rmsprop(const weir_rmsprop *o, const float *g, float *v, float *p, vm m,
                         const bool masked) {
    vf slope = v_load_if(g, m, masked);
    vf square = v_mul(v_mul(v_set1(1.0f - o->rho), slope), slope);
    vf mean = v_fma(v_set1(o->rho), v_load_if(v, m, masked), square);
    vf epsilon = v_set1(o->epsilon);
    vf root = o->epsilon_inside ? v_sqrt(v_add(mean, epsilon)) : v_add(v_sqrt(mean), epsilon);
    vf change = v_div(v_mul(v_set1(o->rate), slope), root);
    v_store_if(v, m, mean, masked);
    v_store_if(p, m, v_sub(v_load_if(p, m, masked), change), masked);
}

void WEIR_KERNEL(rmsprop)(const weir_rmsprop *o, int64_t i0, int64_t i1, const float *g, float *v,
                          float *p) {
    const weir_rmsprop copy = *o; /* which the stores can't change */
#define CALL(i, m, masked) rmsprop(&copy, g + (i), v + (i), p + (i), m, masked)
    EACH_VECTOR(i0, i1, CALL);
#undef CALL
}

/*
 * m = fma(beta1, m, (1 - beta1) g)
 * v = fma(beta2, v, ((1 - beta2) g) g)
 * p = p - (rate m) / (sqrt(v) + epsilon)
 */
EACH_INLINE void adam(const weir_adam *o, float rate, const float *g, float *m, float *v, float *p,
                      vm lanes, const bool masked) {
    vf slope = v_load_if(g, lanes, masked);
    vf part = v_mul(v_set1(1.0f - o->beta1), slope);
    vf square = v_mul(v_mul(v_set1(1.0f - o->beta2), slope), slope);
    vf first = v_fma(v_set1(o->beta1), v_load_if(m, lanes, masked), part);
    vf second = v_fma(v_set1(o->beta2), v_load_if(v, lanes, masked), square);
    vf change = v_div(v_mul(v_set1(rate), first), v_add(v_sqrt(second), v_set1(o->epsilon)));
    v_store_if(m, lanes, first, masked);
    v_store_if(v, lanes, second, masked);
    v_store_if(p, lanes, v_sub(v_load_if(p, lanes, masked), change), masked);
}

void WEIR_KERNEL(adam)(const weir_adam *o, float rate, int64_t i0, int64_t i1, const float *g,
                       float *m, float *v, float *p) {
    const weir_adam copy = *o; /* which the stores can't change */
#define CALL(i, lanes, masked) adam(&copy, rate, g + (i), m + (i), v + (i), p + (i), lanes, masked)
    EACH_VECTOR(i0, i1, CALL);
#undef CALL
}
