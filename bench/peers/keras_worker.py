# Keras' side of the comparison, on TensorFlow. SPDX-License-Identifier: Apache-2.0
"""usage: keras_worker.py THREADS, then commands as in worker.py"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

import worker  # noqa: E402
from models import BATCH, WORDS, layer_names  # noqa: E402

ORDER = ("kernel", "recurrent_kernel", "bias", "embeddings")  # of a layer's weights


def make_layer(layer, name):
    kind, *numbers = layer
    if kind == "embedding":
        return keras.layers.Embedding(WORDS, numbers[0], name=name)
    if kind == "conv":
        return keras.layers.Conv1D(numbers[0], numbers[1], activation="relu", name=name)
    if kind == "pool":
        return keras.layers.MaxPooling1D(numbers[0], name=name)
    if kind == "last_max":
        return keras.layers.GlobalMaxPooling1D(name=name)
    if kind == "dense":
        return keras.layers.Dense(numbers[0], activation=numbers[1], name=name)
    if kind == "lstm":
        return keras.layers.LSTM(numbers[0], name=name)
    return keras.layers.GRU(numbers[0], dropout=numbers[1], recurrent_dropout=numbers[2], name=name)


def build(model, x, weights):
    net = keras.Sequential([keras.Input(x.shape[1:], dtype=x.dtype.name)])
    for name, layer in zip(layer_names(model), model.layers):
        net.add(make_layer(layer, name))
        arrays = [weights[f"{name}/{tensor}"] for tensor in ORDER if f"{name}/{tensor}" in weights]
        if arrays:
            net.layers[-1].set_weights(arrays)
    loss = {
        "mae": keras.losses.MeanAbsoluteError(),
        "bce": keras.losses.BinaryCrossentropy(),
        "bce_logits": keras.losses.BinaryCrossentropy(from_logits=True),
    }[model.loss]
    net.compile(keras.optimizers.RMSprop(model.rate, rho=0.9, epsilon=1e-7), loss, jit_compile=False)
    return net


class Framework:
    def __init__(self, threads):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        keras.utils.set_random_seed(1)

    def greeting(self):
        return {"name": "Keras", "version": keras.__version__, "about": f"TensorFlow {tf.__version__}"}

    def open(self, model, x, target, weights):
        keras.backend.clear_session()
        xs = {n: tf.constant(x[:n]) for n in (1, BATCH)}
        target = tf.constant(target)

        def made(way, *arguments):
            return worker.attempt(lambda: way(build(model, x, weights), xs, *arguments))

        return build(model, x, weights).count_params(), {
            "train:train_on_batch": made(train_on_batch, target),
            "train:function": made(trainer, target, False),
            "train:xla": made(trainer, target, True),
            "infer:predict_on_batch": made(predict_on_batch),
            "infer:function": made(inference, False),
            "infer:xla": made(inference, True),
        }


def train_on_batch(net, xs, target):
    return worker.Variant(lambda n: net.train_on_batch(xs[n], target), lambda: net(xs[BATCH]).numpy())


def trainer(net, xs, target, xla):
    """The step of net.fit without its bookkeeping. The gradient of an embedding is made dense: else Keras
    squares the parts of a word that occurs again before they are summed."""

    @tf.function(jit_compile=xla)
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = net.loss(y, net(x, training=True))
        gradients = tape.gradient(loss, net.trainable_variables)
        net.optimizer.apply(list(map(tf.convert_to_tensor, gradients)), net.trainable_variables)
        return loss

    net.optimizer.build(net.trainable_variables)
    return worker.Variant(lambda n: step(xs[n], target).numpy(), lambda: net(xs[BATCH]).numpy(), True)


def predict_on_batch(net, xs):
    return worker.Variant(lambda n: net.predict_on_batch(xs[n]), lambda: net.predict_on_batch(xs[BATCH]))


def inference(net, xs, xla):
    infer = tf.function(lambda x: net(x, training=False), jit_compile=xla)
    return worker.Variant(lambda n: infer(xs[n]).numpy(), lambda: infer(xs[BATCH]).numpy())


if __name__ == "__main__":
    worker.serve(Framework)
