/*
 * Models: layers in sequence, trained and used on x[N][T][C_in] -> y[N][outputs].
 * SPDX-License-Identifier: Apache-2.0
 *
 *     weir_model *model;
 *     weir_model_options o = weir_model_options_default(2);
 *     o.T = 240;
 *     o.C_in = 14;
 *     if (weir_model_create(rt, "jena-conv-gru", &o, &model) == WEIR_OK) {
 *         for (int i = 0; i < steps; i++) weir_model_train_step(model, 128, x, target, &loss);
 *         weir_model_predict(model, 128, x, y);
 *         weir_model_save(model, "my.safetensors");
 *     }
 *     weir_model_destroy(model);
 *
 * Calls on different models may run at the same time, also on one runtime; calls on one model take
 * turns. Every tensor is dense float32, the caller's, and not kept after the call. A seed makes
 * initial parameters, dropout masks and so a whole training run repeatable bit for bit, with any
 * number of threads and any instruction set but scalar.
 *
 * A library configured with -Dtrain=disabled has none of these functions.
 */
#ifndef WEIR_MODEL_H
#define WEIR_MODEL_H

#include "weir/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_model weir_model;

/* ---- layers ----------------------------------------------------------------------------------
 */

typedef enum weir_layer_kind {
    WEIR_LAYER_CONV1D = 0,      /* [T][C_in] -> [T_out][units] */
    WEIR_LAYER_MAX_POOL,        /* [T][C] -> [T_out][C] */
    WEIR_LAYER_AVG_POOL,        /* [T][C] -> [T_out][C] */
    WEIR_LAYER_GLOBAL_MAX_POOL, /* [T][C] -> [C] */
    WEIR_LAYER_GLOBAL_AVG_POOL, /* [T][C] -> [C] */
    WEIR_LAYER_FLATTEN,         /* [T][C] -> [T C] */
    WEIR_LAYER_DENSE,           /* [C] -> [units], [T][C] -> [T][units] */
    WEIR_LAYER_GRU,             /* [T][C] -> [units], or [T][units] with return_sequences */
    WEIR_LAYER_LAST_VALUE,      /* [T][C] -> [1]: x[T - 1][channel], the common-sense forecast */
    WEIR_LAYER_DROPOUT,         /* as its input; in training elements are zeroed at random */
    WEIR_LAYER_LSTM,            /* as the GRU */
    WEIR_LAYER_RNN,             /* SimpleRNN; as the GRU */
    WEIR_LAYER_EMBEDDING,       /* tokens [T][1] -> [T][units]: a row of the table for each */
    WEIR_LAYER_MULTI_HOT,       /* tokens [T][1] -> [V]: 1 for each that occurs, else 0 */
    WEIR_LAYER_KIND_COUNT
} weir_layer_kind;

/* A second copy of a recurrent layer that reads backwards, as keras.layers.Bidirectional. With
 * return_sequences its outputs are put back into the order of x before they are merged. */
typedef enum weir_merge {
    WEIR_MERGE_NONE = 0, /* one direction */
    WEIR_MERGE_CONCAT,   /* [2 units]: forward, backward */
    WEIR_MERGE_SUM,      /* [units] */
    WEIR_MERGE_COUNT
} weir_merge;

WEIR_API const char *weir_merge_name(weir_merge merge); /* Keras names; "" for none */

/* One layer. Fields that its kind does not name are not looked at; "recurrent" are GRU, LSTM and
 * SimpleRNN. Start from weir_layer_default(). */
typedef struct weir_layer {
    weir_layer_kind kind;
    int64_t V;      /* embedding and multi-hot: tokens are 0 to V - 1 */
    bool mask_zero; /* embedding: a step with token 0 is padding, which recurrent layers behind
                             it pass over (as Keras; convolution and pooling make steps of their own,
                             so behind them there is no padding); default false */
    bool frozen;    /* embedding: not trained; default false */
    int64_t units;  /* conv1d, dense, embedding: C_out; recurrent: H */
    int64_t K, D;   /* conv1d: kernel width, dilation; default D 1 */
    int64_t P;      /* pools: window */
    int64_t S;      /* stride; default 1, pools: 0 stands for P */
    weir_padding padding;       /* conv1d and pools; default valid */
    weir_activation activation; /* conv1d, dense: default linear; recurrent: default tanh */
    weir_activation recurrent;  /* GRU, LSTM; default hard_sigmoid, as Keras 2 */
    bool reset_after;           /* GRU; default false */
    bool return_sequences, go_backwards; /* recurrent; default false */
    weir_merge merge; /* recurrent: bidirectional; then go_backwards must be false */
    /* Recurrent: rates on x and h in training; dropout: its rate. 0 <= rate < 1 */
    double dropout, recurrent_dropout;
    bool
        shared_masks; /* GRU, LSTM: one dropout mask for all gates, as Keras 3; default false: one for
                          each, as Keras 2.2 */
    int64_t channel; /* last value: which channel of x */
} weir_layer;

WEIR_API weir_layer weir_layer_default(weir_layer_kind kind);

/* ---- creating --------------------------------------------------------------------------------
 */

typedef enum weir_optimizer_kind {
    WEIR_OPTIMIZER_RMSPROP = 0,
    WEIR_OPTIMIZER_ADAM,
    WEIR_OPTIMIZER_KIND_COUNT
} weir_optimizer_kind;

typedef struct weir_optimizer {
    weir_optimizer_kind kind; /* default RMSprop */
    double rate;              /* default 1e-3 */
    double rho;               /* RMSprop; default 0.9 */
    double beta1, beta2;      /* Adam; default 0.9, 0.999 */
    double epsilon;           /* default 1e-7 */
    bool epsilon_inside;      /* RMSprop: as Keras 3 */
} weir_optimizer;

typedef struct weir_model_options {
    int64_t T, C_in;        /* input: time steps and channels, >= 1 */
    int64_t target;         /* jena-naive: the channel to repeat */
    int keras;              /* 2: the built-in models as of Keras 2.2; 3: as of Keras 3 (GRU with
                        reset_after and sigmoid). Of JSON: the defaults of a text that does not show
                        its version; a hard_sigmoid that it names has Keras 2's slope then */
    int64_t V;              /* built-in models of text: tokens are 0 to V - 1; default 10,000 */
    bool mask_zero, frozen; /* their embedding: as in weir_layer */
    bool shared_masks;      /* built-in models: weir_layer.shared_masks */
    uint64_t seed;
    weir_optimizer optimizer;
    weir_loss loss; /* default MAE */
} weir_model_options;

/* Defaults of Keras 2 or 3 (another number counts as 2); T and C_in are left 0. */
WEIR_API weir_model_options weir_model_options_default(int keras);

/* A built-in model and how the book trains it. */
typedef struct weir_builtin {
    const char *name;   /* "jena-conv-gru" */
    const char *layers; /* in words: "GRU 32, Dense 1" */
    bool text;          /* x holds tokens, C_in is 1; else a series */
    int64_t T;          /* steps of a sample */
    int64_t batch_size, epochs;
    double rate; /* of RMSprop */
    weir_loss loss;
    double step_minutes; /* of a series: from one step to the next */
    const char *json;    /* the definition, as weir_model_create_json() reads it */
} weir_builtin;

/* The built-in models, i = 0, 1, ...; NULL past the last. Static storage. */
WEIR_API const weir_builtin *weir_model_builtin(int i);
/* By name. Errors: ARGUMENT (unknown: lists the known ones). */
WEIR_API weir_status weir_model_builtin_find(const char *name, const weir_builtin **builtin);

/*
 * A built-in model with fresh parameters: Glorot uniform kernels, orthogonal recurrent kernels,
 * embeddings uniform in +-0.05, zero biases but LSTM's of the forget gate, which are 1, as Keras. The
 * runtime must outlive the model. After an error *model is NULL, here and in every function that makes one.
 * Errors: ARGUMENT (unknown name, an option out of range, T too short for the layers), MEMORY.
 */
WEIR_API weir_status weir_model_create(weir_runtime *runtime, const char *name,
                                       const weir_model_options *options, weir_model **model);
/*
 * A model with fresh parameters from its definition: a Sequential model in the JSON form of Keras 2 or
 * 3, as model.to_json() gives it. What makes no other model (names, module, build_config, dtype objects
 * of float32, ...) is passed over; a layer or an option that Weir does not have is refused.
 * Of the options T and C_in may be 0 where the definition has them and must be the same otherwise;
 * keras is for a definition that does not show its version; mask_zero and frozen, when true, are set in
 * its embeddings; target, V and shared_masks are not looked at: the definition has them.
 * Errors: FORMAT (names the path inside the JSON, and what is known or accepted there), ARGUMENT (as
 * weir_model_create; T or C_in is not the definition's), MEMORY.
 */
WEIR_API weir_status weir_model_create_json(weir_runtime *runtime, const char *json,
                                            const weir_model_options *options, weir_model **model);
/* The same from layers[count], 1 <= count <= 256, which are copied. */
WEIR_API weir_status weir_model_create_layers(weir_runtime *runtime, const char *name,
                                              const weir_layer *layers, int count,
                                              const weir_model_options *options,
                                              weir_model **model);
/* NULL is allowed. */
WEIR_API void weir_model_destroy(weir_model *model);

/* ---- what a model is -------------------------------------------------------------------------
 */

typedef struct weir_layer_info {
    weir_layer layer;
    const char *name;   /* Keras style: "conv1d", "conv1d_1", ...; lives as long as the model */
    const char *type;   /* "Conv1D", "MaxPooling1D", ...; static */
    int64_t T, C;       /* output [N][T][C]; T 0: [N][C] */
    int64_t parameters; /* floats */
} weir_layer_info;

WEIR_API const char *weir_model_name(const weir_model *model);
/* The definition as JSON, for the caller to free(): weir_model_create_json() makes the same layers from
 * it. Errors: MEMORY. */
WEIR_API weir_status weir_model_json(const weir_model *model, char **json);
WEIR_API int64_t weir_model_T(const weir_model *model);
WEIR_API int64_t weir_model_C_in(const weir_model *model);
WEIR_API int64_t weir_model_outputs(const weir_model *model); /* floats of y per sample */
WEIR_API int64_t weir_model_parameters(const weir_model *model);
/* Time steps that the first recurrent layer walks; 0 when the model has none. */
WEIR_API int64_t weir_model_recurrent_steps(const weir_model *model);
WEIR_API int weir_model_layer_count(const weir_model *model);
/* Layer i. Errors: ARGUMENT. */
WEIR_API weir_status weir_model_layer(const weir_model *model, int i, weir_layer_info *info);

/* A parameter tensor: w, u or b of a layer. */
typedef struct weir_tensor_info {
    const char *name; /* "conv1d_1/kernel", "gru/recurrent_kernel", ...; lives as the model */
    int rank;
    int64_t dims[3];
    int64_t offset, floats; /* where it lies in the flat parameters */
} weir_tensor_info;

WEIR_API int weir_model_tensor_count(const weir_model *model);
/* Tensor i. Errors: ARGUMENT. */
WEIR_API weir_status weir_model_tensor(const weir_model *model, int i, weir_tensor_info *info);

/* All parameters, flat: parameters[weir_model_parameters()]. Setting them leaves the optimizer's
 * state as it is. */
WEIR_API void weir_model_get_parameters(weir_model *model, float *parameters);
WEIR_API void weir_model_set_parameters(weir_model *model, const float *parameters);

/* ---- using -----------------------------------------------------------------------------------
 */

/*
 * x[N][T][C_in] -> y[N][outputs], without dropout. Numbers are as in training: a model of the `weir`
 * program was trained on columns less their mean, over their standard deviation, and so is its y
 * (both are in the metadata "data"). Errors: ARGUMENT (N < 0), MEMORY.
 */
WEIR_API weir_status weir_model_predict(weir_model *model, int64_t N, const float *x, float *y);

/*
 * One step of training: forward with dropout, loss, backward, optimizer. x[N][T][C_in],
 * target[N][outputs]; *loss (optional) is the loss before the update. With a loss that is not
 * finite the parameters stay as they were and the call succeeds: look at *loss. Allocates at the
 * first call and when N grows, else nothing.
 * Errors: ARGUMENT (N < 1), MEMORY, STATE (the model has no parameters).
 */
WEIR_API weir_status weir_model_train_step(weir_model *model, int64_t N, const float *x,
                                           const float *target, double *loss);

/* ---- streams ----------------------------------------------------------------------------------
 * A model that gets its input row by row and keeps what its layers must remember: the last steps under
 * a convolution or a pool, the state of a recurrent layer, the running maximum or mean of a global pool.
 *
 *     weir_stream *s;
 *     if (weir_stream_create(model, &s) == WEIR_OK)
 *         while (read_row(row))
 *             if (weir_stream_push(s, row, y, &ready) == WEIR_OK && ready) use(y);
 *     weir_stream_destroy(s);
 *
 * After n rows y is what the model's layers give for the sequence of just these n rows, with the last
 * output that they have for it: after T rows the bits of weir_model_predict, for finite numbers and with
 * any instruction set but scalar (of a model whose output has a time axis, its last step).
 *
 * Nothing ends a sequence but weir_stream_reset. Without it a recurrent layer goes on from a state that
 * is older than any it met in training on windows of T steps, which began at zero: that is what it makes
 * of a longer past, often as good, but not the prediction for the last T rows. A global pool looks back
 * to the reset, too. Who needs the window's prediction resets and pushes T rows, or keeps streams that
 * begin one after another.
 */
typedef struct weir_stream weir_stream;

/*
 * A fresh stream; the model must outlive it, and its parameters are those that the model has at each
 * push. Errors: ARGUMENT (names a layer that needs steps to come or all of them at once: padding same,
 * bidirectional, go_backwards, Flatten), MEMORY.
 */
WEIR_API weir_status weir_stream_create(weir_model *model, weir_stream **stream);
/* NULL is allowed. */
WEIR_API void weir_stream_destroy(weir_stream *stream);

/* Floats of y: weir_model_outputs, or the last layer's channels where its output has a time axis. */
WEIR_API int64_t weir_stream_outputs(const weir_stream *stream);
/* Rows from one output to the next: the product of the strides. */
WEIR_API int64_t weir_stream_stride(const weir_stream *stream);
/* Rows since the reset. */
WEIR_API int64_t weir_stream_rows(const weir_stream *stream);

/*
 * row[C_in]; where the model has a new output, *ready (optional) becomes true and y[outputs] is written,
 * else *ready becomes false and y stays as it was: y holds the newest output if it is the same each
 * time. Runs on the calling thread and allocates nothing from the second output on. Calls on a model
 * and its streams take turns. Errors: ARGUMENT (NULL; a row that is no token), MEMORY; after one the
 * stream is to be reset.
 */
WEIR_API weir_status weir_stream_push(weir_stream *stream, const float *row, float *y, bool *ready);
/* As if it were new. */
WEIR_API void weir_stream_reset(weir_stream *stream);

/* ---- files ------------------------------------------------------------------------------------
 * safetensors: tensors by name, and in __metadata__ the format version, the layers (Keras JSON), a
 * checksum and whatever text the caller attaches.
 *
 * Keras: whole models as .keras (Keras 3) and as HDF5 (Keras 2 and 3), weights as .weights.h5 (Keras
 * 3) and as HDF5 (save_weights() of Keras 2). They are read and written by a process of their own, the
 * program weir-keras, as HDF5 can't be trusted with a hostile file: it is the one named in the
 * environment variable WEIR_KERAS_PROGRAM, lies beside the running program, or where Weir was
 * installed. Calls on such files return UNSUPPORTED when it is not there or was not built.
 */

/* Attaches value to key (both copied) or, with value NULL, removes it. Keys "weir.*" and "format"
 * are the library's. Errors: ARGUMENT, MEMORY. */
WEIR_API weir_status weir_model_set_metadata(weir_model *model, const char *key, const char *value);
/* NULL when there is none. Valid until the next weir_model_set_metadata. */
WEIR_API const char *weir_model_metadata(const weir_model *model, const char *key);

/* Writes the model; a file that was there is replaced in one step, and only when all went well.
 * Errors: SYSTEM (names the path), MEMORY. */
WEIR_API weir_status weir_model_save(weir_model *model, const char *path);
/*
 * Reads a model: safetensors or a whole model of Keras, whatever the file's name is. options may be
 * NULL; only seed, optimizer and loss of it are used. Nothing in the file is trusted.
 * Errors: SYSTEM (can't read), FORMAT (names the path, the place and what was expected), MEMORY,
 * UNSUPPORTED.
 */
WEIR_API weir_status weir_model_load(weir_runtime *runtime, const char *path,
                                     const weir_model_options *options, weir_model **model);

/*
 * A checkpoint: a model file that also has what weir_model_train_step() needs to go on as if it had not
 * stopped, bit for bit: the optimizer with its state and its number of steps, the loss and the seed.
 * best, if not NULL, is parameters[weir_model_parameters()] to keep beside those of the model, for
 * example of the best epoch so far. Written as weir_model_save() does, with its errors.
 * weir_model_load() reads the model from it.
 */
WEIR_API weir_status weir_model_save_checkpoint(weir_model *model, const char *path,
                                                const float *best);
/*
 * Reads a checkpoint. *best (best may be NULL) is the caller's to free(), NULL when there is none. How
 * many steps the model has been trained is in weir_model_train_steps().
 * Errors: as weir_model_load; FORMAT when the file is a model and no checkpoint.
 */
WEIR_API weir_status weir_model_load_checkpoint(weir_runtime *runtime, const char *path,
                                                weir_model **model, float **best);
/* Training steps that the optimizer has taken. */
WEIR_API int64_t weir_model_train_steps(weir_model *model);

/*
 * Weights of the same layers into a model that is there: from any of these files. Keras goes by the
 * order of the layers, safetensors by the names of the tensors. The optimizer's state stays as it is,
 * and so do the weights when something is wrong.
 * Errors: as weir_model_load().
 */
WEIR_API weir_status weir_model_load_weights(weir_model *model, const char *path);
/*
 * Writes the weights as Keras 3's model.load_weights() reads them, in one step as weir_model_save()
 * does; the path must end in ".weights.h5", as Keras wants it.
 * Errors: ARGUMENT (another ending), SYSTEM (names the path), MEMORY, UNSUPPORTED.
 */
WEIR_API weir_status weir_model_save_weights(weir_model *model, const char *path);

#ifdef __cplusplus
}
#endif
#endif
