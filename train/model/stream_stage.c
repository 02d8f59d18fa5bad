/* A layer that gets its input step by step. SPDX-License-Identifier: Apache-2.0
 *
 * Each output step is made by the op of the layer, from just the steps that it depends on: the ops'
 * results do not depend on how many other steps there are, so the bits are those of the whole sequence.
 */
#include <string.h>

#include "train/model/pair.h"
#include "train/model/recurrent.h"
#include "train/model/stream_stage.h"
#include "train/model/tokens.h"

/* ---- layers that look at a few steps ---- */

static weir_status run_forward(stage *s, const stage_input *in) {
    return s->one.type->forward(&s->one, in->p, in->x, s->y);
}

/* Before there are as many steps as the kernel spans, its first taps meet none. */
static weir_status run_conv(stage *s, const stage_input *in) {
    const layer *l = &s->one;
    weir_conv1d c = weir_layer_conv1d_params(l, 1);
    const int64_t taps = (in->rows - 1) / c.D + 1, without = c.K - taps;
    c.K = taps;
    c.T = (taps - 1) * c.D + 1;
    return weir_conv1d_fwd(in->p->runtime, &c, in->x + (in->rows - c.T) * c.C_in,
                           weir_layer_value(l, 0) + without * c.C_in * c.C_out,
                           weir_layer_value(l, 1), s->y);
}

static weir_status run_embedding(stage *s, const stage_input *in) {
    weir_status status = run_forward(s, in);
    if (status == WEIR_OK && s->one.spec.mask_zero) *in->real = *weir_layer_tokens(&s->one) != 0;
    return status;
}

/* ---- an embedding and the conv1d behind it, whose op adds in an order of its own ---- */

static weir_embedding_conv1d token_conv_params(const layer *conv, int64_t V) {
    return (weir_embedding_conv1d){.embedding = {.N = 1, .T = 1, .V = V, .C = conv->in.C},
                                   .C_out = conv->spec.units,
                                   .K = conv->spec.K,
                                   .padding = conv->spec.padding,
                                   .activation = conv->spec.activation};
}

/* A token comes in as the products of its row with all taps. */
static weir_status take_token(stage *s, const pass *p, const float *x, float *to) {
    layer one = *s->embedding;
    int32_t token = 0;
    one.in.T = 1;
    weir_status status = weir_layer_read_tokens(&one, p, x, &token);
    if (status != WEIR_OK) return status;
    weir_embedding_conv1d c = token_conv_params(&s->one, 1);
    c.padding = WEIR_CAUSAL; /* has an output with one step, too */
    return weir_embedding_conv1d_table(p->runtime, &c,
                                       weir_layer_value(&one, 0) + token * c.embedding.C,
                                       weir_layer_value(&s->one, 0), to);
}

static weir_status run_token_conv(stage *s, const stage_input *in) {
    weir_embedding_conv1d c = token_conv_params(&s->one, in->rows);
    c.embedding.T = in->rows;
    int32_t *order = (int32_t *)(void *)s->state;
    for (int64_t i = 0; i < in->rows; i++) order[i] = (int32_t)i;
    if (in->rows == c.K) c.padding = WEIR_VALID; /* the last step alone */
    float *outputs = c.padding == WEIR_VALID ? s->y : s->state + c.K;
    weir_status status = weir_embedding_conv1d_apply(in->p->runtime, &c, order, in->x,
                                                     weir_layer_value(&s->one, 1), outputs);
    if (status == WEIR_OK && outputs != s->y)
        memcpy(s->y, outputs + (in->rows - 1) * c.C_out, (size_t)c.C_out * sizeof *s->y);
    return status;
}

/* ---- layers that remember ---- */

/* y and the states: h and, of an LSTM, c, each now and before. */
static weir_status run_recurrent(stage *s, const stage_input *in) {
    const layer *l = &s->one;
    const int64_t H = l->spec.units;
    float *h = s->state, *c = s->state + H, *c_last = s->state + 2 * H;
    cell_call call = {.l = l,
                      .runtime = in->p->runtime,
                      .N = 1,
                      .T = 1,
                      .x = in->x,
                      .w = weir_layer_value(l, 0),
                      .u = weir_layer_value(l, 1),
                      .b = weir_layer_value(l, 2),
                      .step_mask = l->steps_in ? in->real : NULL,
                      .h0 = h};
    if (l->type->cell->has_c) {
        call.c0 = c;
        call.c_last = c_last;
    }
    weir_status status = l->type->cell->forward(&call, s->y, NULL);
    if (status != WEIR_OK) return status;
    memcpy(h, s->y, (size_t)H * sizeof *h);
    if (call.c_last) memcpy(c, c_last, (size_t)H * sizeof *c);
    return WEIR_OK;
}

/* The maximum so far and the new step as a window of two. */
static weir_status run_global_max(stage *s, const stage_input *in) {
    const int64_t C = s->one.in.C;
    const size_t bytes = (size_t)C * sizeof *s->y;
    if (s->seen == 1) {
        memcpy(s->y, in->x, bytes);
        return WEIR_OK;
    }
    memcpy(s->state, s->y, bytes);
    memcpy(s->state + C, in->x, bytes);
    const weir_pool p = {.kind = WEIR_POOL_MAX, .N = 1, .T = 2, .C = C, .P = 2, .S = 2};
    return weir_pool_fwd(in->p->runtime, &p, s->state, s->y, NULL);
}

/* As pool_fwd adds: ascending, from 0. Streams run with denormals taken for zero, as ops do. */
static weir_status run_global_avg(stage *s, const stage_input *in) {
    const float steps = (float)s->seen;
    for (int64_t i = 0; i < s->one.in.C; i++) {
        s->state[i] += in->x[i];
        s->y[i] = s->state[i] / steps;
    }
    return WEIR_OK;
}

static weir_status run_multi_hot(stage *s, const stage_input *in) {
    int32_t token = 0;
    weir_status status = weir_layer_read_tokens(&s->one, in->p, in->x, &token);
    if (status == WEIR_OK) s->y[token] = 1;
    return status;
}

/* ---- planning ---- */

static weir_status cannot(const layer *l, const char *why) {
    return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d (%s) can't stream: %s", l->index, l->name, why);
}

static weir_status plan_conv(const layer *l, stage *s) {
    const weir_layer *c = &l->spec;
    if (c->padding == WEIR_SAME)
        return cannot(l, "its padding is same, which sees steps to come; accepted: valid, causal");
    s->early = c->padding == WEIR_CAUSAL;
    s->stride = c->S;
    if (__builtin_mul_overflow(c->K - 1, c->D, &s->span)) s->span = INT64_MAX - 1;
    s->span++;
    s->one.spec.padding = WEIR_VALID;
    s->one.spec.S = 1;
    s->run = run_conv;
    /* The embedding in front has no stage: its tokens come here. */
    if (l->index == 0 || (l - 1)->pair != &weir_pair_token_conv) return WEIR_OK;
    s->embedding = l - 1;
    s->one.spec.padding = c->padding;
    s->take = take_token;
    s->run = run_token_conv;
    if (__builtin_mul_overflow(c->K, c->units, &s->width)) s->width = INT64_MAX;
    s->state_floats = c->K * (1 + c->units);
    return WEIR_OK;
}

static weir_status plan_pool(const layer *l, stage *s) {
    if (l->spec.padding != WEIR_VALID)
        return cannot(l, "its padding is same, which sees steps to come; accepted: valid");
    s->span = l->spec.P;
    s->stride = l->spec.S > 0 ? l->spec.S : l->spec.P;
    s->one.in.T = s->span;
    return WEIR_OK;
}

static weir_status plan_recurrent(const layer *l, stage *s) {
    if (weir_layer_bidirectional(l))
        return cannot(l, "it is bidirectional and reads from the sequence's end, too");
    if (l->spec.go_backwards) return cannot(l, "it reads from the sequence's end (go_backwards)");
    s->run = run_recurrent;
    s->state_floats = 3 * l->spec.units;
    return WEIR_OK;
}

weir_status weir_stage_plan(const layer *l, stage *s, bool *does) {
    *s = (stage){.one = *l, .span = 1, .stride = 1, .width = l->in.C, .run = run_forward};
    *does = true;
    s->y_floats = l->out.C;
    if (l->in.T > 0) s->one.in.T = 1;
    if (l->type->cell) return plan_recurrent(l, s);
    switch (l->spec.kind) {
    case WEIR_LAYER_CONV1D: return plan_conv(l, s);
    case WEIR_LAYER_MAX_POOL:
    case WEIR_LAYER_AVG_POOL: return plan_pool(l, s);
    case WEIR_LAYER_GLOBAL_MAX_POOL: s->run = run_global_max; break;
    case WEIR_LAYER_GLOBAL_AVG_POOL: s->run = run_global_avg; break;
    case WEIR_LAYER_MULTI_HOT: s->run = run_multi_hot; break;
    case WEIR_LAYER_EMBEDDING:
        *does = l->pair == NULL;
        s->run = run_embedding;
        break;
    case WEIR_LAYER_DROPOUT: *does = false; break;
    case WEIR_LAYER_FLATTEN:
        *does = false;
        if (l->in.T > 0) return cannot(l, "it needs all steps at once");
        break;
    case WEIR_LAYER_DENSE:
    case WEIR_LAYER_LAST_VALUE:
    case WEIR_LAYER_GRU:
    case WEIR_LAYER_LSTM:
    case WEIR_LAYER_RNN:
    case WEIR_LAYER_KIND_COUNT: break;
    }
    s->state_floats = 2 * l->in.C;
    return WEIR_OK;
}

/* ---- running ---- */

static int64_t padded(int64_t floats) { return (floats + 15) / 16 * 16; }

static int64_t window_floats(const stage *s) {
    int64_t floats;
    if (s->span == 1 && !s->take) return 0;
    if (__builtin_mul_overflow(s->width, s->span, &floats) || floats > INT64_C(1) << 30) return -1;
    return 2 * floats;
}

int64_t weir_stage_floats(const stage *s) {
    const int64_t window = window_floats(s), most = INT64_C(1) << 30;
    if (window < 0 || s->state_floats > most || s->y_floats > most) return -1;
    return padded(window) + padded(s->state_floats) + padded(s->y_floats);
}

void weir_stage_place(stage *s, float *memory) {
    s->window = memory;
    s->state = s->window + padded(window_floats(s));
    s->y = s->state + padded(s->state_floats);
    s->one.work = s->state; /* an embedding's token */
    weir_stage_reset(s);
}

void weir_stage_reset(stage *s) {
    s->seen = s->held = 0;
    memset(s->state, 0, (size_t)s->state_floats * sizeof *s->state);
    memset(s->y, 0, (size_t)s->y_floats * sizeof *s->y);
}

/* Where the next step goes in the window. */
static float *next_slot(stage *s) {
    if (s->held == 2 * s->span) {
        const int64_t kept = s->span - 1;
        memcpy(s->window, s->window + (s->held - kept) * s->width,
               (size_t)(kept * s->width) * sizeof *s->window);
        s->held = kept;
    }
    return s->window + s->held * s->width;
}

/* The step of input joins the window; in->x and in->rows become what an output is made of. */
static weir_status hold(stage *s, const float *x, stage_input *in) {
    float *to = next_slot(s);
    if (s->take) {
        weir_status status = s->take(s, in->p, x, to);
        if (status != WEIR_OK) return status;
    } else {
        memcpy(to, x, (size_t)s->width * sizeof *to);
    }
    s->held++;
    in->rows = s->seen < s->span - 1 ? s->seen + 1 : s->span;
    in->x = s->window + (s->held - in->rows) * s->width;
    return WEIR_OK;
}

weir_status weir_stage_push(stage *s, const pass *p, const float *x, uint8_t *real, bool *made) {
    stage_input in = {.p = p, .x = x, .rows = 1, .real = real};
    weir_status status = window_floats(s) > 0 ? hold(s, x, &in) : WEIR_OK;
    if (status != WEIR_OK) return status;
    const int64_t first = s->early ? 1 : s->span;
    s->seen++;
    *made = s->seen >= first && (s->seen - first) % s->stride == 0;
    return *made ? s->run(s, &in) : WEIR_OK;
}
