/* Streams: a model that gets its input row by row. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "train/model/sequential.h"
#include "train/model/stream_stage.h"

struct weir_stream {
    weir_model *model;
    int64_t stride, outputs;
    int64_t rows;  /* since the reset */
    float *memory; /* of the stages */
    int count;
    stage stages[];
};

static weir_status plan(weir_stream *s) {
    const weir_model *m = s->model;
    s->stride = 1;
    for (int i = 0; i < m->layer_count; i++) {
        bool does;
        stage *next = &s->stages[s->count];
        weir_status status = weir_stage_plan(&m->layers[i], next, &does);
        if (status != WEIR_OK) return status;
        if (does && __builtin_mul_overflow(s->stride, next->stride, &s->stride))
            s->stride = INT64_MAX;
        s->count += does;
    }
    s->outputs = m->layers[m->layer_count - 1].out.C;
    return WEIR_OK;
}

static weir_status place(weir_stream *s) {
    int64_t sum = 16;
    for (int i = 0; i < s->count; i++) {
        const int64_t floats = weir_stage_floats(&s->stages[i]);
        if (floats < 0)
            return weir_fail(WEIR_ERROR_MEMORY,
                             "no memory for a stream: layer %d (%s) looks at %lld steps of %lld",
                             s->stages[i].one.index, s->stages[i].one.name,
                             (long long)s->stages[i].span, (long long)s->stages[i].width);
        sum += floats;
    }
    s->memory = aligned_alloc(64, (size_t)sum * sizeof *s->memory);
    if (!s->memory)
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for a stream: %lld floats", (long long)sum);
    float *next = s->memory;
    for (int i = 0; i < s->count; i++) {
        weir_stage_place(&s->stages[i], next);
        next += weir_stage_floats(&s->stages[i]);
    }
    return WEIR_OK;
}

weir_status weir_stream_create(weir_model *model, weir_stream **stream) {
    if (!model || !stream)
        return weir_fail(WEIR_ERROR_ARGUMENT, "model and stream must not be NULL");
    *stream = NULL;
    weir_stream *s = calloc(1, sizeof *s + (size_t)model->layer_count * sizeof s->stages[0]);
    if (!s) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a stream");
    s->model = model;
    pthread_mutex_lock(&model->mutex); /* a layer's buffers move when a batch grows */
    weir_status status = plan(s);
    pthread_mutex_unlock(&model->mutex);
    if (status == WEIR_OK) status = place(s);
    if (status != WEIR_OK)
        weir_stream_destroy(s);
    else
        *stream = s;
    return status;
}

void weir_stream_destroy(weir_stream *stream) {
    if (!stream) return;
    free(stream->memory);
    free(stream);
}

int64_t weir_stream_outputs(const weir_stream *stream) { return stream->outputs; }
int64_t weir_stream_stride(const weir_stream *stream) { return stream->stride; }
int64_t weir_stream_rows(const weir_stream *stream) { return stream->rows; }

void weir_stream_reset(weir_stream *stream) {
    pthread_mutex_lock(&stream->model->mutex);
    for (int i = 0; i < stream->count; i++) weir_stage_reset(&stream->stages[i]);
    stream->rows = 0;
    pthread_mutex_unlock(&stream->model->mutex);
}

typedef struct push_call {
    weir_stream *s;
    const float *row;
    float *y;
    bool made;
    weir_status status;
} push_call;

/* Runs as a parallel loop of one part, so that no op in it wakes a worker and denormals are what they
 * are in ops. */
static void push(void *arg, int64_t begin, int64_t end, int worker) {
    (void)begin;
    (void)end;
    (void)worker;
    push_call *c = arg;
    weir_stream *s = c->s;
    const pass p = {.runtime = s->model->runtime, .N = 1};
    const float *x = c->row;
    uint8_t real = 1;
    c->made = true;
    for (int i = 0; i < s->count && c->made && c->status == WEIR_OK; i++) {
        c->status = weir_stage_push(&s->stages[i], &p, x, &real, &c->made);
        x = s->stages[i].y;
    }
    if (c->made && c->status == WEIR_OK) memcpy(c->y, x, (size_t)s->outputs * sizeof *x);
}

weir_status weir_stream_push(weir_stream *stream, const float *row, float *y, bool *ready) {
    if (!stream || !row || !y)
        return weir_fail(WEIR_ERROR_ARGUMENT, "stream, row and y must not be NULL");
    push_call c = {.s = stream, .row = row, .y = y};
    pthread_mutex_lock(&stream->model->mutex);
    weir_status status = weir_parallel_for(stream->model->runtime, 1, 1, push, &c);
    if (status == WEIR_OK) status = c.status;
    stream->rows += status == WEIR_OK;
    pthread_mutex_unlock(&stream->model->mutex);
    if (status == WEIR_OK && ready) *ready = c.made;
    return status;
}
