/* The state of a training in a model file. SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/model/checkpoint.h"

#include "train/model/json.h"

static const char *const tensor_names[CHECKPOINT_TENSORS_MAX] = {"weir.optimizer.0",
                                                                 "weir.optimizer.1", "weir.best"};
enum { BEST = 2 };

static const char *const kinds[WEIR_OPTIMIZER_KIND_COUNT] = {"rmsprop", "adam"};

typedef struct rate {
    const char *key;
    size_t offset;
} rate;

static const rate rates[] = {
    {"rate", offsetof(weir_optimizer, rate)},       {"rho", offsetof(weir_optimizer, rho)},
    {"beta1", offsetof(weir_optimizer, beta1)},     {"beta2", offsetof(weir_optimizer, beta2)},
    {"epsilon", offsetof(weir_optimizer, epsilon)},
};
enum { RATES = sizeof rates / sizeof rates[0] };

/* ---- writing ---- */

char *weir_checkpoint_write(const weir_model *m) {
    const weir_optimizer *o = &m->options.optimizer;
    char seed[24];
    /* A double does not hold every seed. */
    snprintf(seed, sizeof seed, "%" PRIu64, m->options.seed);
    cJSON *json = weir_json_object();
    weir_json_add_string(json, "optimizer", kinds[o->kind]);
    for (int i = 0; i < RATES; i++) {
        const double *value = (const void *)((const char *)o + rates[i].offset);
        weir_json_add(json, rates[i].key, weir_json_number(*value));
    }
    weir_json_add_bool(json, "epsilon_inside", o->epsilon_inside);
    weir_json_add(json, "steps", weir_json_number((double)m->optimizer.steps));
    weir_json_add_string(json, "loss", weir_loss_name(m->options.loss));
    weir_json_add_string(json, "seed", seed);
    char *text = weir_json_print(json);
    cJSON_Delete(json);
    return text;
}

int weir_checkpoint_tensors(const weir_model *m, const float *best, safetensors_entry *entries) {
    const float *data[CHECKPOINT_TENSORS_MAX] = {m->optimizer.states[0], m->optimizer.states[1],
                                                 best};
    int count = 0;
    for (int i = 0; i < CHECKPOINT_TENSORS_MAX; i++)
        if (data[i])
            entries[count++] = (safetensors_entry){.name = tensor_names[i],
                                                   .rank = 1,
                                                   .dims = {m->parameters},
                                                   .floats = m->parameters,
                                                   .data = data[i]};
    return count;
}

/* ---- reading ---- */

static weir_status wrong(const char *key, const char *expected) {
    return weir_fail(WEIR_ERROR_FORMAT, CHECKPOINT_KEY ": %s must be %s", key, expected);
}

/* The index of a text in a list; -1: it is not there. */
static int find(const cJSON *json, const char *key, const char *const *list, int count) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
    for (int i = 0; text && i < count; i++)
        if (strcmp(list[i], text) == 0) return i;
    return -1;
}

static bool read_seed(const cJSON *json, uint64_t *seed) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "seed"));
    char *end = NULL;
    errno = 0;
    if (!text || text[0] < '0' || text[0] > '9') return false;
    *seed = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static weir_status read_optimizer(const cJSON *json, weir_optimizer *o) {
    const int kind = find(json, "optimizer", kinds, WEIR_OPTIMIZER_KIND_COUNT);
    if (kind < 0) return wrong("optimizer", "rmsprop or adam");
    o->kind = (weir_optimizer_kind)kind;
    for (int i = 0; i < RATES; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, rates[i].key);
        if (!cJSON_IsNumber(item)) return wrong(rates[i].key, "a number");
        *(double *)(void *)((char *)o + rates[i].offset) = item->valuedouble;
    }
    const cJSON *inside = cJSON_GetObjectItemCaseSensitive(json, "epsilon_inside");
    if (!cJSON_IsBool(inside)) return wrong("epsilon_inside", "true or false");
    o->epsilon_inside = cJSON_IsTrue(inside);
    return WEIR_OK;
}

static weir_status read_state(const cJSON *json, training_state *out) {
    weir_status status = read_optimizer(json, &out->options.optimizer);
    if (status != WEIR_OK) return status;
    const char *losses[WEIR_LOSS_COUNT];
    for (int i = 0; i < WEIR_LOSS_COUNT; i++) losses[i] = weir_loss_name((weir_loss)i);
    const int loss = find(json, "loss", losses, WEIR_LOSS_COUNT);
    if (loss < 0) return wrong("loss", "one that is known");
    out->options.loss = (weir_loss)loss;
    const cJSON *steps = cJSON_GetObjectItemCaseSensitive(json, "steps");
    const double count = cJSON_IsNumber(steps) ? steps->valuedouble : -1;
    if (!(count >= 0 && count <= 0x1p53) || floor(count) != count)
        return wrong("steps", "a whole number, 0 or more");
    out->steps = (int64_t)count;
    return read_seed(json, &out->options.seed) ? WEIR_OK : wrong("seed", "a text of digits");
}

weir_status weir_checkpoint_read(const char *text, training_state *out) {
    *out = (training_state){.options = weir_model_options_default(2)};
    cJSON *json = weir_json_parse(text, strlen(text), NULL);
    if (!json) return weir_fail(WEIR_ERROR_FORMAT, CHECKPOINT_KEY " is not JSON");
    weir_status status = read_state(json, out);
    cJSON_Delete(json);
    return status;
}

bool weir_checkpoint_owns(const char *name) {
    for (int i = 0; i < CHECKPOINT_TENSORS_MAX; i++)
        if (strcmp(tensor_names[i], name) == 0) return true;
    return false;
}

/* *found NULL: there is none. */
static weir_status find_tensor(const safetensors *s, const char *name, int64_t floats,
                               const safetensors_entry **found) {
    *found = NULL;
    for (int i = 0; i < s->count; i++) {
        if (strcmp(s->entries[i].name, name) != 0) continue;
        if (*found)
            return weir_fail(WEIR_ERROR_FORMAT, "%s: tensor '%s' is there twice", s->path, name);
        *found = &s->entries[i];
    }
    if (!*found || ((*found)->rank == 1 && (*found)->floats == floats)) return WEIR_OK;
    return weir_fail(WEIR_ERROR_FORMAT, "%s: tensor '%s' has not the %lld floats of the model",
                     s->path, name, (long long)floats);
}

static weir_status read_best(const safetensors *s, const weir_model *m, float **best) {
    const safetensors_entry *e = NULL;
    *best = NULL;
    weir_status status = find_tensor(s, tensor_names[BEST], m->parameters, &e);
    if (status != WEIR_OK || !e) return status;
    float *values = malloc((size_t)m->parameters * sizeof *values + 1);
    if (!values) return weir_fail(WEIR_ERROR_MEMORY, "no memory to read %s", s->path);
    status = weir_safetensors_read(s, e, values);
    if (status == WEIR_OK)
        *best = values;
    else
        free(values);
    return status;
}

weir_status weir_checkpoint_restore(const safetensors *s, const training_state *t, weir_model *m,
                                    float **best) {
    m->optimizer.steps = t->steps;
    for (int i = 0; m->parameters > 0 && i < weir_optimizer_state_count(m->optimizer.o.kind); i++) {
        const safetensors_entry *e = NULL;
        weir_status status = find_tensor(s, tensor_names[i], m->parameters, &e);
        if (status == WEIR_OK && !e)
            status = weir_fail(WEIR_ERROR_FORMAT, "%s: tensor '%s' is missing", s->path,
                               tensor_names[i]);
        if (status == WEIR_OK) status = weir_safetensors_read(s, e, m->optimizer.states[i]);
        if (status != WEIR_OK) return status;
    }
    return best ? read_best(s, m, best) : WEIR_OK;
}
