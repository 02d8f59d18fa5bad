/* A model definition that the user wrote, or Keras. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_USER_MODEL_H
#define WEIR_CLI_USER_MODEL_H

#include <cjson/cJSON.h>

#include "weir/model.h"

/* A zeroed one may be freed. */
typedef struct user_model {
    cJSON *json;
    char *text;
    char name[128];
    int keras;          /* the version that the definition shows, else the one asked for, else 2 */
    int64_t T, C_in;    /* 0: the definition leaves them open */
    int64_t V;          /* tokens are 0 to V - 1; 0: no tokens */
    weir_builtin about; /* how it is trained; texts belong to the fields above */
} user_model;

/*
 * Reads a definition. keras: 2 or 3 for one that does not show its version; 0: not asked for.
 * Errors: SYSTEM (names the path), FORMAT (names the path and the place in the JSON), ARGUMENT (keras is
 * not the version that the definition shows), MEMORY.
 */
weir_status user_model_read(const char *path, int keras, user_model *out);
void user_model_free(user_model *m);

/* masks: of --dropout-masks, 0 when not given. Errors: ARGUMENT (given: the definition says it itself). */
weir_status user_model_check_masks(const char *path, int masks);
/* Whether a definition fits its task. Errors: ARGUMENT (its first layer reads tokens, the weather has
 * none). */
weir_status user_model_check_task(const user_model *m, const char *path, bool text);

/* A model with fresh parameters from about->json; path is for messages. Errors: those of
 * weir_model_create_json, ARGUMENT (it gives more than one number for a sample). */
weir_status user_model_create(weir_runtime *rt, const char *path, const weir_builtin *about,
                              const weir_model_options *o, weir_model **model);

#endif
