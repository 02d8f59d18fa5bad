/* The state of a training in a model file. SPDX-License-Identifier: Apache-2.0
 *
 * Texts: "weir.training", JSON: the optimizer, its steps, the loss and the seed. Tensors as large as all
 * parameters together, in the order of weir_model_get_parameters(): "weir.optimizer.0" and, of Adam,
 * "weir.optimizer.1"; "weir.best".
 */
#ifndef WEIR_TRAIN_CHECKPOINT_H
#define WEIR_TRAIN_CHECKPOINT_H

#include "train/model/safetensors.h"
#include "train/model/sequential.h"

#define CHECKPOINT_KEY "weir.training"
enum { CHECKPOINT_TENSORS_MAX = 3 };

/* The text, for the caller to cJSON_free(). NULL: no memory. */
char *weir_checkpoint_write(const weir_model *m);
/* The tensors; best: NULL for none. Returns how many. */
int weir_checkpoint_tensors(const weir_model *m, const float *best, safetensors_entry *entries);

typedef struct training_state {
    weir_model_options options; /* seed, optimizer, loss */
    int64_t steps;
} training_state;

/* Errors: FORMAT (names what is wrong). */
weir_status weir_checkpoint_read(const char *text, training_state *out);
/* A tensor with this name is none of the model's layers. */
bool weir_checkpoint_owns(const char *name);
/* Reads the tensors into a model that was allocated. *best (unless best is NULL): for the caller to
 * free(), or NULL. Errors: SYSTEM, FORMAT, MEMORY. */
weir_status weir_checkpoint_restore(const safetensors *s, const training_state *t, weir_model *m,
                                    float **best);

#endif
