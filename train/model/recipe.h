/* How a definition is trained: the object "weir" in its JSON. SPDX-License-Identifier: Apache-2.0
 *
 *     {"class_name": "Sequential", "config": {...},
 *      "weir": {"task": "jena", "layers": "GRU 32, Dense 1", "loss": "mae", "rate": 0.001,
 *               "batch_size": 128, "epochs": 20, "step_minutes": 60}}
 *
 * Keras passes over the object. All of it may be left out.
 */
#ifndef WEIR_TRAIN_RECIPE_H
#define WEIR_TRAIN_RECIPE_H

#include "train/model/definition.h"

extern const char *const weir_recipe_tasks[]; /* "jena", "imdb", NULL */

/*
 * What the object says, and for the rest: the task of the first layer (one that reads tokens: imdb),
 * the loss of the task and of the last activation, the book's usual numbers. The texts in *out point
 * into json and *d, which must stay; out->json is left NULL.
 * Errors: FORMAT (names the key and what is accepted).
 */
weir_status weir_recipe_read(const cJSON *json, const definition *d, weir_builtin *out);

/* The object alone, over what *out has. Errors: FORMAT. */
weir_status weir_recipe_read_object(const cJSON *weir, weir_builtin *out);

/* The loss of a task for a model whose last layer has this activation. */
weir_loss weir_recipe_loss(bool text, weir_activation last);

/* The object, for the caller to delete. NULL: no memory. */
cJSON *weir_recipe_write(const weir_builtin *b);

#endif
