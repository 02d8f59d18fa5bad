# Files as Keras writes them, made with h5py alone. SPDX-License-Identifier: Apache-2.0
"""The layouts are those of Keras 3.15, tf_keras 2.21 and Keras 2.2; tests/test_keras_itself.py compares
with Keras where it is installed."""
import io
import json
import zipfile

import h5py
import numpy

import keras_models as models

LIST_OPTIONS = ("kernel_size", "pool_size", "strides", "dilation_rate")


def random_weights(model, seed=1):
    """For each layer its weights. The last numbers of a file, too, are none that could be there by
    chance."""
    random = numpy.random.default_rng(seed)
    return [[random.uniform(-0.5, 0.5, s).astype(numpy.float32) for s in layer]
            for layer in models.shapes(model)]


# ---- the model's definition ----

def layer_json(kind, options, name, keras):
    config = {"name": name, "trainable": True,
              "dtype": {"module": "keras", "class_name": "DTypePolicy",
                        "config": {"name": "float32"}, "registered_name": None}
                       if keras == 3 else "float32"}
    for key, value in options.items():
        if key == "layer":
            inner = value[0]
            config[key] = layer_json(*value, models.PREFIX[inner], keras)
        else:
            config[key] = [value] if key in LIST_OPTIONS else value
    if kind in models.CELLS: # as Keras 3.0 calls it
        config["recurrent_initializer"] = {"class_name": "OrthogonalInitializer",
                                           "config": {"gain": 1.0, "seed": None}}
    if kind == "Embedding" and keras == 2:
        config["batch_input_shape"] = [None, None]
    if "Pooling" in kind and not kind.startswith("Global"):
        config.setdefault("strides", config["pool_size"])
    out = {"class_name": kind, "config": config}
    if keras == 3:
        out.update({"module": "keras.layers", "registered_name": None})
    return out


def definition(model, keras):
    (T, C), layers = model
    shape = [None, T] if C is None else [None, T, C]
    counts = {}
    first = layer_json("InputLayer", {("batch_shape" if keras == 3 else "batch_input_shape"): shape},
                       "input_layer" if keras == 3 else "input_1", keras)
    del first["config"]["trainable"]
    named = [layer_json(kind, options, models.counted(models.PREFIX[kind], counts), keras)
             for kind, options in layers]
    out = {"class_name": "Sequential", "config": {"name": "sequential", "layers": [first, *named]}}
    if keras == 3:
        out.update({"module": "keras", "registered_name": None})
    return out


def definition_text(model, keras):
    """What model.to_json() gives."""
    json_form = definition(model, keras)
    if keras == 2:
        json_form.update({"keras_version": "2.21.0", "backend": "tensorflow"})
    return json.dumps(json_form)


# ---- HDF5 of Keras 2: groups by the names of the layers ----

def set_list(group, key, names, chunk, fixed):
    """A list of texts, of one size (Keras 2.2) or of any; in parts where Keras has found it too long."""
    def value(part):
        # What numpy makes of an empty list.
        if not part:
            return numpy.zeros(0)
        return numpy.array([n.encode() for n in part]) if fixed else numpy.array(part, dtype=object)
    if not chunk:
        group.attrs[key] = value(names)
        return
    for i in range(0, len(names), chunk):
        group.attrs[f"{key}{i // chunk}"] = value(names[i:i + chunk])


def write_layers(file, model, weights, whole, chunk=0, fixed=False, prefix="my_"):
    """whole: a model, else what save_weights() writes."""
    counts = {}
    if whole:
        file.attrs["model_config"] = json.dumps(definition(model, 2))
        file.attrs["keras_version"] = "2.21.0"
        file.attrs["backend"] = "tensorflow"
        file = file.create_group("model_weights")
    names = [prefix + models.counted(models.PREFIX[kind], counts) for kind, _ in model[1]]
    set_list(file, "layer_names", names, chunk, fixed)
    for name, parts, tensors in zip(names, models.weir_names(model), weights):
        group = file.create_group(name)
        parts = [f"{name}/{'/'.join(part.split('/')[1:])}:0" for part in parts]
        set_list(group, "weight_names", parts, chunk, fixed)
        for part, tensor in zip(parts, tensors):
            group.create_dataset(part, data=tensor)


# ---- HDF5 of Keras 3: groups by classes ----

def write_vars(file, model, weights, top="layers"):
    file.create_group("vars").attrs["name"] = "sequential"
    for paths, tensors in zip(models.vars_paths(model), weights):
        for path, tensor in zip(paths, tensors):
            file.create_dataset(path.replace("layers", top, 1), data=tensor)
    file.create_dataset(f"{top}/dropout/seed_generator/vars/0", data=numpy.arange(2, dtype="uint32"))


def vars_image(model, weights):
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        write_vars(file, model, weights)
    return image.getvalue()


def write_zip(path, model, weights, keras=3, compression=zipfile.ZIP_STORED):
    version = {2: "2.21.0", 3: "3.15.1"}[keras]
    text = json.dumps({"module": "keras", "registered_name": None, **definition(model, keras)})
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version,
                                                      "date_saved": "2026-01-01@00:00:00"}))
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", vars_image(model, weights))


def save(path, model, weights, form):
    """form: one of FORMS."""
    if form.startswith("zip"):
        write_zip(path, model, weights, keras=2 if form == "zip of 2" else 3,
                  compression=zipfile.ZIP_DEFLATED if form == "zip, packed" else zipfile.ZIP_STORED)
        return
    with h5py.File(path, "w") as file:
        if form == "vars":
            write_vars(file, model, weights)
        elif form == "vars of 2.13":
            write_vars(file, model, weights, top="_layer_checkpoint_dependencies")
        else:
            write_layers(file, model, weights, whole=form.startswith("whole"),
                         chunk=2 if "parts" in form else 0, fixed="fixed" in form)


WHOLE = ["whole", "whole, fixed", "whole, parts", "zip", "zip, packed", "zip of 2"]
WEIGHTS = ["layers", "layers, fixed, parts", "vars", "vars of 2.13"]
FORMS = WHOLE + WEIGHTS


# ---- safetensors ----

def read_safetensors(path):
    """Tensors and metadata."""
    with open(path, "rb") as file:
        data = file.read()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__")
    body = data[8 + length:]
    return {name: numpy.frombuffer(body[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
            for name, entry in header.items()}, metadata
