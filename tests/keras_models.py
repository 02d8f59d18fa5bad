# Models for the tests of Keras files: together they have every layer. SPDX-License-Identifier: Apache-2.0
"""A model is its input (T, C) - C None: tokens - and its layers, each (class, options), and for
Bidirectional ("Bidirectional", {"merge_mode": ..., "layer": (class, options)}). Options as Keras calls
them; what is not there has the default of the Keras version."""
import math

V = 11  # tokens are 0 to V - 1
CELLS = {"GRU": 3, "LSTM": 4, "SimpleRNN": 1}
PREFIX = {"Conv1D": "conv1d", "Dense": "dense", "Embedding": "embedding", "GRU": "gru",
          "LSTM": "lstm", "SimpleRNN": "simple_rnn", "Bidirectional": "bidirectional",
          "MaxPooling1D": "max_pooling1d", "AveragePooling1D": "average_pooling1d",
          "GlobalMaxPooling1D": "global_max_pooling1d", "Flatten": "flatten",
          "GlobalAveragePooling1D": "global_average_pooling1d", "Dropout": "dropout",
          "CategoryEncoding": "category_encoding"}


def both(merge, kind, **options):
    return ("Bidirectional", {"merge_mode": merge, "layer": (kind, options)})


MODELS = {
    "convolutions": ((24, 3), [
        ("Conv1D", {"filters": 4, "kernel_size": 3, "activation": "relu"}),
        ("MaxPooling1D", {"pool_size": 2}),
        ("Conv1D", {"filters": 5, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}),
        ("Dropout", {"rate": 0.3}),
        ("Conv1D", {"filters": 6, "kernel_size": 2, "padding": "same", "activation": "tanh"}),
        ("AveragePooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}),
        ("Flatten", {}),
        ("Dense", {"units": 7, "activation": "relu"}),
        ("Dense", {"units": 2, "activation": "sigmoid"})]),
    "pools": ((20, 3), [
        ("Conv1D", {"filters": 6, "kernel_size": 5, "strides": 2, "activation": "relu"}),
        ("GlobalMaxPooling1D", {}),
        ("Dense", {"units": 1})]),
    "averages": ((20, 2), [
        ("Dense", {"units": 5, "activation": "tanh"}),
        ("GlobalAveragePooling1D", {}),
        ("Dense", {"units": 3})]),
    "gru_before": ((15, 4), [
        ("GRU", {"units": 6, "reset_after": False, "return_sequences": True, "dropout": 0.1,
                 "recurrent_dropout": 0.2}),
        ("GRU", {"units": 5, "reset_after": False, "activation": "relu",
                 "recurrent_activation": "hard_sigmoid"}),
        ("Dense", {"units": 1})]),
    "gru_after": ((15, 4), [
        ("GRU", {"units": 6, "reset_after": True, "return_sequences": True}),
        ("GRU", {"units": 5, "reset_after": True, "go_backwards": True}),
        ("Dense", {"units": 1})]),
    # Weir counts a GRU inside of Bidirectional as one of the GRUs, the layout of Keras 3 does not.
    "both_ways": ((12, 3), [
        both("concat", "GRU", units=4, return_sequences=True, reset_after=True),
        ("GRU", {"units": 5, "return_sequences": True, "reset_after": True}),
        both("sum", "LSTM", units=3, return_sequences=True),
        both("concat", "SimpleRNN", units=4),
        ("Dense", {"units": 2})]),
    "lstm": ((V, None), [
        ("Embedding", {"input_dim": V, "output_dim": 6, "mask_zero": True}),
        ("LSTM", {"units": 5, "return_sequences": True}),
        ("LSTM", {"units": 4, "recurrent_activation": "hard_sigmoid"}),
        ("Dense", {"units": 1, "activation": "sigmoid"})]),
    "simple_rnn": ((9, None), [
        ("Embedding", {"input_dim": V, "output_dim": 4}),
        ("SimpleRNN", {"units": 5, "return_sequences": True}),
        ("SimpleRNN", {"units": 3, "go_backwards": True, "activation": "relu"}),
        ("Dense", {"units": 1})]),
    "multi_hot": ((9, None), [
        ("CategoryEncoding", {"num_tokens": V, "output_mode": "multi_hot"}),
        ("Dense", {"units": 4, "activation": "relu"}),
        ("Dense", {"units": 1})]),
}


def steps(kind, options, T):
    """Time steps behind a convolution or a pool."""
    width = options.get("kernel_size", options.get("pool_size"))
    stride = options.get("strides", width if "Pooling" in kind else 1)
    if options.get("padding", "valid") != "valid":
        return math.ceil(T / stride)
    return (T - (width - 1) * options.get("dilation_rate", 1) - 1) // stride + 1


def cell_shapes(kind, options, C):
    H = options["units"]
    two = kind == "GRU" and options["reset_after"]
    return [(C, CELLS[kind] * H), (H, CELLS[kind] * H), (2, 3 * H) if two else (CELLS[kind] * H,)]


def layer_shapes(kind, options, T, C):
    """Shapes of the weights, and (T, C) of the output; T None: no time axis."""
    if kind == "Conv1D":
        F = options["filters"]
        return [(options["kernel_size"], C, F), (F,)], (steps(kind, options, T), F)
    if kind == "Dense":
        return [(C, options["units"]), (options["units"],)], (T, options["units"])
    if kind == "Embedding":
        return [(options["input_dim"], options["output_dim"])], (T, options["output_dim"])
    if kind == "CategoryEncoding":
        return [], (None, options["num_tokens"])
    if kind in CELLS:
        return (cell_shapes(kind, options, C),
                (T if options.get("return_sequences") else None, options["units"]))
    if kind == "Bidirectional":
        inner_shapes, (T, H) = layer_shapes(*options["layer"], T, C)
        return inner_shapes * 2, (T, 2 * H if options["merge_mode"] == "concat" else H)
    if kind == "Flatten":
        return [], (None, T * C)
    if kind.startswith("Global"):
        return [], (None, C)
    return [], (steps(kind, options, T) if "Pooling" in kind else T, C)


def shapes(model):
    """For each layer the shapes of its weights."""
    (T, C), layers = model
    out = []
    for kind, options in layers:
        found, (T, C) = layer_shapes(kind, options, T, C)
        out.append(found)
    return out


def weight_names(kind):
    if kind in CELLS:
        return ["kernel", "recurrent_kernel", "bias"]
    return {"Embedding": ["embeddings"], "Conv1D": ["kernel", "bias"],
            "Dense": ["kernel", "bias"]}.get(kind, [])


def counted(name, counts):
    counts[name] = counts.get(name, -1) + 1
    return f"{name}_{counts[name]}" if counts[name] else name


def weir_names(model):
    """For each layer the names of Weir's tensors."""
    counts, out = {}, []
    for kind, options in model[1]:
        if kind != "Bidirectional":
            name = counted(PREFIX[kind], counts)
            out.append([f"{name}/{w}" for w in weight_names(kind)])
            continue
        inner = options["layer"][0]
        name, inside = counted(PREFIX[kind], counts), counted(PREFIX[inner], counts)
        out.append([f"{name}/{way}_{inside}/{w}" for way in ("forward", "backward")
                    for w in weight_names(inner)])
    return out


def vars_paths(model):
    """For each layer the paths of its weights as Keras 3 has them."""
    counts, out = {}, []
    for kind, options in model[1]:
        name = "layers/" + counted(PREFIX[kind], counts)
        if kind == "Bidirectional":
            out.append([f"{name}/{way}_layer/cell/vars/{i}" for way in ("forward", "backward")
                        for i in range(3)])
        elif kind in CELLS:
            out.append([f"{name}/cell/vars/{i}" for i in range(3)])
        else:
            out.append([f"{name}/vars/{i}" for i in range(len(weight_names(kind)))])
    return out
