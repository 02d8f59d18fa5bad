/* What the recurrent layers share: dropout masks held for the whole sequence, directions, parameters.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "train/model/dropout.h"
#include "train/model/merge.h"
#include "train/model/recurrent.h"

/* Parameters of a direction: kernel, recurrent kernel, bias. */
enum { DIRECTION_PARAMETERS = 3, DIRECTIONS_MAX = 2 };

static int directions(const layer *l) { return l->spec.merge == WEIR_MERGE_NONE ? 1 : 2; }

static int mask_gates(const layer *l) {
    const bool dropout = l->spec.dropout > 0 || l->spec.recurrent_dropout > 0;
    if (!dropout) return 0;
    return l->spec.shared_masks ? 1 : l->type->cell->gates;
}

/* ---- building ---- */

weir_status weir_recurrent_check_activation(const layer *l) {
    const weir_activation a = l->spec.activation;
    if (a == WEIR_TANH || a == WEIR_RELU) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d (%s): activation is %s, accepted: tanh, relu",
                     l->index, l->name, weir_activation_name(a));
}

weir_status weir_recurrent_check_gates(const layer *l) {
    const weir_activation a = l->spec.recurrent;
    if (a == WEIR_SIGMOID || a == WEIR_HARD_SIGMOID || a == WEIR_HARD_SIGMOID6) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "layer %d (%s): recurrent activation is %s, accepted: sigmoid, "
                     "hard_sigmoid, hard_sigmoid6",
                     l->index, l->name, weir_activation_name(a));
}

/* The op's limits. */
static weir_status check_size(const layer *l, const char *what, int64_t value) {
    const int64_t max = l->type->cell->size_max;
    if (value >= 1 && value <= max) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d (%s): %s is %lld, accepted: 1 to %lld",
                     l->index, l->name, what, (long long)value, (long long)max);
}

static weir_status check_merge(const layer *l) {
    if (l->spec.merge < 0 || l->spec.merge >= WEIR_MERGE_COUNT)
        return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d (%s): merge is %d, accepted: 0 to %d",
                         l->index, l->name, (int)l->spec.merge, WEIR_MERGE_COUNT - 1);
    if (l->spec.merge != WEIR_MERGE_NONE && l->spec.go_backwards)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "layer %d (%s): go_backwards is true, accepted: false, as the layer is "
                         "bidirectional",
                         l->index, l->name);
    return WEIR_OK;
}

static weir_status check(const layer *l) {
    weir_status status = weir_layer_need_time(l);
    if (status == WEIR_OK) status = check_size(l, "C_in", l->in.C);
    if (status == WEIR_OK) status = check_size(l, "H", l->spec.units);
    if (status == WEIR_OK) status = weir_layer_check_rate(l, "dropout", l->spec.dropout);
    if (status == WEIR_OK)
        status = weir_layer_check_rate(l, "recurrent_dropout", l->spec.recurrent_dropout);
    if (status == WEIR_OK) status = check_merge(l);
    return status == WEIR_OK ? l->type->cell->check(l) : status;
}

/* `prefix` is "" or what Keras puts before the names of one direction of a Bidirectional. */
static weir_status add_parameters(layer *l, const char *prefix) {
    const int64_t H = l->spec.units, GH = l->type->cell->gates * H;
    char name[64];
    snprintf(name, sizeof name, "%skernel", prefix);
    weir_status status =
        weir_layer_add_parameter(l, name, INIT_GLOROT_UNIFORM, 2, (int64_t[]){l->in.C, GH});
    if (status != WEIR_OK) return status;
    snprintf(name, sizeof name, "%srecurrent_kernel", prefix);
    status = weir_layer_add_parameter(l, name, INIT_ORTHOGONAL, 2, (int64_t[]){H, GH});
    if (status != WEIR_OK) return status;
    snprintf(name, sizeof name, "%sbias", prefix);
    return l->type->cell->add_bias(l, name);
}

weir_status weir_recurrent_build(layer *l) {
    weir_status status = check(l);
    if (status != WEIR_OK) return status;
    const int64_t H = l->spec.units;
    if (!l->spec.return_sequences) l->steps_out = NULL;
    l->out = (shape){l->spec.return_sequences ? l->in.T : 0,
                     l->spec.merge == WEIR_MERGE_CONCAT ? 2 * H : H};
    if (directions(l) == 1) return add_parameters(l, "");
    char prefix[64];
    snprintf(prefix, sizeof prefix, "forward_%s/", l->inner_name);
    status = add_parameters(l, prefix);
    if (status != WEIR_OK) return status;
    snprintf(prefix, sizeof prefix, "backward_%s/", l->inner_name);
    return add_parameters(l, prefix);
}

/* ---- memory ----
 * keep, for each direction: the op's reserve, the masks of the input, those of the state. Behind them,
 * with two directions and a layer below: dx of the second one.
 * work, with two directions: the output of each, in backward the gradients by them.
 */

static int64_t padded(int64_t floats) { return (floats + 15) / 16 * 16; }

static int64_t reserve_floats(const layer *l, int64_t N) {
    const cell_call c = {.l = l, .N = N, .T = l->in.T, .mask_gates = mask_gates(l)};
    return padded(l->type->cell->reserve_floats(&c));
}

static int64_t mask_x_floats(const layer *l, int64_t N) {
    return l->spec.dropout > 0 ? N * mask_gates(l) * l->in.C : 0;
}

static int64_t mask_h_floats(const layer *l, int64_t N) {
    return l->spec.recurrent_dropout > 0 ? N * mask_gates(l) * l->spec.units : 0;
}

static int64_t direction_floats(const layer *l, int64_t N) {
    return padded(reserve_floats(l, N) + mask_x_floats(l, N) + mask_h_floats(l, N));
}

static int64_t output_floats(const layer *l, int64_t N) {
    return padded(N * (l->spec.return_sequences ? l->in.T : 1) * l->spec.units);
}

int64_t weir_recurrent_keep_floats(const layer *l, int64_t N) {
    int64_t floats = directions(l) * direction_floats(l, N);
    if (directions(l) == 2 && l->index > 0) floats += N * l->in.T * l->in.C;
    return floats;
}

int64_t weir_recurrent_work_floats(const layer *l, int64_t N) {
    return directions(l) == 2 ? 2 * output_floats(l, N) : 0;
}

/* ---- passes ---- */

/* In training with the masks that draw_masks() put into keep. */
static cell_call call_of(const layer *l, const pass *p, const float *x, int direction) {
    const int first = DIRECTION_PARAMETERS * direction;
    cell_call c = {.l = l,
                   .runtime = p->runtime,
                   .N = p->N,
                   .T = l->in.T,
                   .backwards = l->spec.go_backwards || direction == 1,
                   .mask_gates = p->training ? mask_gates(l) : 0,
                   .x = x,
                   .step_mask = weir_layer_step_mask(l, p->N),
                   .w = weir_layer_value(l, first),
                   .u = weir_layer_value(l, first + 1),
                   .b = weir_layer_value(l, first + 2)};
    if (!p->training) return c;
    const float *masks = l->keep + direction * direction_floats(l, p->N) + reserve_floats(l, p->N);
    if (l->spec.dropout > 0) c.mask_x = masks;
    if (l->spec.recurrent_dropout > 0) c.mask_h = masks + mask_x_floats(l, p->N);
    return c;
}

static weir_status draw_masks(const layer *l, const pass *p, int direction) {
    float *masks = l->keep + direction * direction_floats(l, p->N) + reserve_floats(l, p->N);
    weir_status status = WEIR_OK;
    if (l->spec.dropout > 0)
        status = weir_dropout_mask(p, weir_dropout_number(l, 2 * direction), l->spec.dropout,
                                   mask_gates(l) * l->in.C, masks);
    if (status == WEIR_OK && l->spec.recurrent_dropout > 0)
        status = weir_dropout_mask(p, weir_dropout_number(l, 2 * direction + 1),
                                   l->spec.recurrent_dropout, mask_gates(l) * l->spec.units,
                                   masks + mask_x_floats(l, p->N));
    return status;
}

static weir_status forward_direction(const layer *l, const pass *p, const float *x, float *y,
                                     int direction) {
    if (p->training) {
        weir_status status = draw_masks(l, p, direction);
        if (status != WEIR_OK) return status;
    }
    const cell_call c = call_of(l, p, x, direction);
    return l->type->cell->forward(
        &c, y, p->training ? l->keep + direction * direction_floats(l, p->N) : NULL);
}

static weir_status backward_direction(const layer *l, const pass *p, const float *x,
                                      const float *dy, float *dx, int direction) {
    const int first = DIRECTION_PARAMETERS * direction;
    const cell_call c = call_of(l, p, x, direction);
    return l->type->cell->backward(&c, l->keep + direction * direction_floats(l, p->N), dy, dx,
                                   weir_layer_gradient(l, first), weir_layer_gradient(l, first + 1),
                                   weir_layer_gradient(l, first + 2));
}

static merge merge_of(const layer *l, const pass *p) {
    return (merge){.N = p->N,
                   .T = l->spec.return_sequences ? l->in.T : 1,
                   .H = l->spec.units,
                   .concat = l->spec.merge == WEIR_MERGE_CONCAT};
}

weir_status weir_recurrent_forward(const layer *l, const pass *p, const float *x, float *y) {
    if (directions(l) == 1) return forward_direction(l, p, x, y, 0);
    float *part[DIRECTIONS_MAX] = {l->work, l->work + output_floats(l, p->N)};
    for (int d = 0; d < DIRECTIONS_MAX; d++) {
        weir_status status = forward_direction(l, p, x, part[d], d);
        if (status != WEIR_OK) return status;
    }
    const merge m = merge_of(l, p);
    return weir_merge_fwd(p->runtime, &m, part[0], part[1], y);
}

weir_status weir_recurrent_backward(const layer *l, const pass *p, const float *x, const float *y,
                                    float *dy, float *dx) {
    (void)y;
    if (directions(l) == 1) return backward_direction(l, p, x, dy, dx, 0);
    float *part[DIRECTIONS_MAX] = {l->work, l->work + output_floats(l, p->N)};
    const merge m = merge_of(l, p);
    weir_status status = weir_merge_bwd(p->runtime, &m, dy, part[0], part[1]);
    if (status == WEIR_OK) status = backward_direction(l, p, x, part[0], dx, 0);
    float *other = dx ? l->keep + 2 * direction_floats(l, p->N) : NULL;
    if (status == WEIR_OK) status = backward_direction(l, p, x, part[1], other, 1);
    if (status == WEIR_OK && dx)
        status = weir_merge_add(p->runtime, p->N * l->in.T * l->in.C, other, dx);
    return status;
}
