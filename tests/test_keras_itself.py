#!/usr/bin/env python3
# The files of a Keras that is installed: its predictions and Weir's. SPDX-License-Identifier: Apache-2.0
"""usage: test_keras_itself.py LIBWEIR.so WEIR_KERAS

Exit status 77: no Keras here. WEIR_KERAS_PYTHON names a Python that has one, WEIR_KERAS_MODULE=tf_keras
takes Keras 2. On jax KERAS_BACKEND=jax JAX_ENABLE_X64=1 are needed.

The reference is Keras in double precision. Weir must be as near to it as Keras in float32, but for a
factor of 8 (another order of the sums) and 16 ulp of the largest value."""
import ctypes
import os
import sys
import tempfile
import unittest

if os.environ.get("WEIR_KERAS_PYTHON", sys.executable) != sys.executable:
    os.execv(os.environ["WEIR_KERAS_PYTHON"], [os.environ["WEIR_KERAS_PYTHON"], *sys.argv])
try:
    import numpy
    keras = __import__(os.environ.get("WEIR_KERAS_MODULE", "keras"))
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

import keras_models as models

MAJOR = int(keras.__version__.split(".", maxsplit=1)[0])
N = 5
LIB = None


class Weir:
    """A model of libweir."""

    def __init__(self, runtime, path):
        self.model = ctypes.c_void_p()
        check(LIB.weir_model_load(runtime, path.encode(), None, ctypes.byref(self.model)))
        self.count = LIB.weir_model_parameters(self.model)

    def __del__(self):
        LIB.weir_model_destroy(self.model)

    def predict(self, x):
        x = numpy.ascontiguousarray(x, "<f4")
        y = numpy.empty((len(x), LIB.weir_model_outputs(self.model)), "<f4")
        check(LIB.weir_model_predict(self.model, ctypes.c_int64(len(x)), pointer(x), pointer(y)))
        return y

    def randomize(self, seed):
        values = numpy.random.default_rng(seed).uniform(-0.5, 0.5, self.count).astype("<f4")
        LIB.weir_model_set_parameters(self.model, pointer(values))

    def load_weights(self, path):
        check(LIB.weir_model_load_weights(self.model, path.encode()))

    def save_weights(self, path):
        check(LIB.weir_model_save_weights(self.model, path.encode()))


def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


def check(status):
    if status:
        raise RuntimeError(LIB.weir_last_error().decode())


def load_library(path):
    lib = ctypes.CDLL(path)
    lib.weir_last_error.restype = ctypes.c_char_p
    lib.weir_model_parameters.restype = lib.weir_model_outputs.restype = ctypes.c_int64
    lib.weir_model_destroy.restype = lib.weir_model_set_parameters.restype = None
    return lib


def layer(kind, options):
    if kind == "Bidirectional":
        return keras.layers.Bidirectional(layer(*options["layer"]), merge_mode=options["merge_mode"])
    return getattr(keras.layers, kind)(**options)


def set_floats(kind):
    keras.backend.set_floatx(kind)
    if MAJOR == 2:
        keras.mixed_precision.set_global_policy(kind)
    else:
        keras.config.set_dtype_policy(kind)


def build(model, kind):
    (T, C), layers = model
    set_floats(kind)
    shape = keras.Input((T,), dtype="int32") if C is None else keras.Input((T, C))
    out = keras.Sequential([shape, *[layer(*l) for l in layers]])
    set_floats("float32")
    return out


def data(model):
    (T, C), _ = model
    random = numpy.random.default_rng(5)
    if C is None:
        tokens = random.integers(1, models.V, (N, T))
        tokens[0, :T // 2] = 0 # padding
        return tokens.astype("int32")
    return random.uniform(-1, 1, (N, T, C))


class Keras(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.runtime = ctypes.c_void_p()
        check(LIB.weir_runtime_create(None, ctypes.byref(self.runtime)))

    def path(self, name):
        return os.path.join(self.folder, name)

    def near(self, weir, single, model, what):
        x = data(model)
        double = build(model, "float64")
        double.set_weights([w.astype("float64") for w in single.get_weights()])
        exact = numpy.asarray(double(x))
        self.assertEqual(exact.dtype, numpy.float64)
        of_keras = numpy.asarray(single(x.astype("float32") if x.dtype.kind == "f" else x))
        error = abs(weir.predict(x) - exact).max()
        bound = 8 * abs(of_keras - exact).max() + 16 * 2.0 ** -23 * abs(exact).max()
        print(f"  {what}: Weir's error {error:.1e}, Keras' {abs(of_keras - exact).max():.1e}, "
              f"outputs to {abs(exact).max():.2f}")
        self.assertGreater(abs(exact).max(), 1e-3, "outputs that show nothing")
        self.assertLessEqual(error, bound)

    def both_directions(self, name):
        model = models.MODELS[name]
        single = build(model, "float32")
        random = numpy.random.default_rng(3)
        single.set_weights([random.uniform(-0.5, 0.5, w.shape).astype("float32")
                            for w in single.get_weights()])
        for file in ["whole.keras", "whole.h5"]:
            single.save(self.path(file))
            self.near(Weir(self.runtime, self.path(file)), single, model, f"{name} from {file}")
        beside = Weir(self.runtime, self.path("whole.keras"))
        for file in ["x.weights.h5"] + (["x.h5"] if MAJOR == 2 else []):
            single.save_weights(self.path(file))
            beside.randomize(1)
            beside.load_weights(self.path(file))
            self.near(beside, single, model, f"{name} from {file}")
        beside.randomize(2)
        beside.save_weights(self.path("weir.weights.h5"))
        other = build(model, "float32")
        other.load_weights(self.path("weir.weights.h5"))
        self.near(beside, other, model, f"{name} to Keras")


for model_name in models.MODELS:
    setattr(Keras, f"test_{model_name}",
            lambda self, model_name=model_name: self.both_directions(model_name))


if __name__ == "__main__":
    LIB = load_library(os.path.abspath(sys.argv.pop(1)))
    os.environ["WEIR_KERAS_PROGRAM"] = os.path.abspath(sys.argv.pop(1))
    print(f"Keras {keras.__version__}")
    unittest.main()
