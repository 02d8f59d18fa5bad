# PyTorch's side of the comparison. SPDX-License-Identifier: Apache-2.0
"""usage: torch_worker.py THREADS, then commands as in worker.py"""

import re

import numpy
import torch
from torch import nn

import worker
from models import BATCH, WORDS, layer_names
from torch_layers import LastState, LoopGRU, ToChannels, ToTime, TopOfTime

LOSSES = {"mae": nn.L1Loss, "bce": nn.BCELoss, "bce_logits": nn.BCEWithLogitsLoss}
GATES = {"gru": (1, 0, 2), "lstm": (0, 1, 2, 3)}  # Keras z, r, h to PyTorch's r, z, n; i, f, c, o in both


# ---- weights ----------------------------------------------------------------------------------------


def gates(kind, array):
    """Columns by gate in PyTorch's order, as rows."""
    parts = numpy.split(array, len(GATES[kind]), axis=-1)
    return numpy.concatenate([parts[i] for i in GATES[kind]], axis=-1).T


def set_recurrent(kind, rnn, get):
    bias = get("bias")
    # An LSTM has one bias in Keras, two to be added in PyTorch.
    b_x, b_h = bias if bias.ndim == 2 else (bias, numpy.zeros_like(bias))
    return {
        rnn.weight_ih_l0: gates(kind, get("kernel")),
        rnn.weight_hh_l0: gates(kind, get("recurrent_kernel")),
        rnn.bias_ih_l0: gates(kind, b_x),
        rnn.bias_hh_l0: gates(kind, b_h),
    }


def set_weights(kind, module, get):
    """A Keras layer's arrays, by get(name), into a PyTorch module."""
    if kind == "conv":
        pairs = {module.weight: get("kernel").transpose(2, 1, 0), module.bias: get("bias")}
    elif kind == "dense":
        pairs = {module.weight: get("kernel").T, module.bias: get("bias")}
    elif kind == "embedding":
        pairs = {module.weight: get("embeddings")}
    else:
        pairs = set_recurrent(kind, getattr(module, "rnn", module), get)
    with torch.no_grad():
        for tensor, array in pairs.items():
            tensor.copy_(torch.from_numpy(numpy.array(array)))


# ---- models -----------------------------------------------------------------------------------------


def make_layer(layer, channels, train):
    """The module and its output channels."""
    kind, *numbers = layer
    if kind == "embedding":
        return nn.Embedding(WORDS, numbers[0]), numbers[0]
    if kind == "conv":
        return nn.Conv1d(channels, numbers[0], numbers[1]), numbers[0]
    if kind == "pool":
        return nn.MaxPool1d(numbers[0]), channels
    if kind == "last_max":
        return TopOfTime(), channels
    if kind == "dense":
        return nn.Linear(channels, numbers[0]), numbers[0]
    if kind == "gru" and train and any(numbers[1:]):
        return LoopGRU(channels, *numbers), numbers[0]
    rnn = {"gru": nn.GRU, "lstm": nn.LSTM}[kind](channels, numbers[0], batch_first=True)
    return LastState(rnn), numbers[0]


def build(model, weights, train):
    """nn.Conv1d wants time last, everything else channels last: transposed where that changes. x has the
    layout of the first layer."""
    modules, channels, time_last = [], model.columns, model.layers[0][0] == "conv"
    for name, layer in zip(layer_names(model), model.layers):
        kind = layer[0]
        if kind == "conv" and not time_last or kind in ("gru", "lstm") and time_last:
            time_last = not time_last
            modules.append(ToChannels() if time_last else ToTime())
        module, channels = make_layer(layer, channels, train)
        if kind not in ("pool", "last_max"):
            set_weights(kind, module, lambda tensor, name=name: weights[f"{name}/{tensor}"])
        modules.append(module)
        if kind == "conv":
            modules.append(nn.ReLU())
        if layer[-1] == "sigmoid":
            modules.append(nn.Sigmoid())
    return nn.Sequential(*modules).train(train)


def count(net):
    """Without the LSTM's second bias, which Keras doesn't have."""
    spare = sum(module.bias_hh_l0.numel() for module in net.modules() if isinstance(module, nn.LSTM))
    return sum(p.numel() for p in net.parameters()) - spare


# ---- ways to run them -------------------------------------------------------------------------------


def eager(net, _):
    return net


def script(net, _):
    return torch.jit.script(net)


def frozen(net, _):
    """For inference: weights become constants, convolutions are oneDNN's."""
    return torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.script(net)))


def traced(net, x):
    return torch.jit.freeze(torch.jit.trace(net, x[:1]))


def compiled(net, _):
    return torch.compile(net)


class Framework:
    def __init__(self, threads):
        torch.set_num_threads(threads)
        torch.manual_seed(1)

    def greeting(self):
        blas, usable = describe_blas()
        greeting = {"name": "torch", "version": torch.__version__, "about": blas}
        return greeting if usable else {**greeting, "unfair": blas}

    def open(self, model, x, target, weights):
        x, target = torch.from_numpy(x), torch.from_numpy(target)
        if model.text:
            x = x.long()
        elif model.layers[0][0] == "conv":
            x = x.transpose(1, 2).contiguous()
        loss = LOSSES[model.loss]()
        made = {}
        # A compiler of graphs would unroll the loop over time.
        more = {"compile": compiled} if hasattr(torch, "compile") and not model.recurrent else {}
        for name, way in {"eager": eager, "script": script, **more}.items():
            made[f"train:{name}"] = worker.attempt(
                lambda: trainer(model, build(model, weights, True), way, loss, x, target)
            )
        for name, way in {"eager": eager, "frozen": frozen, "traced": traced, **more}.items():
            made[f"infer:{name}"] = worker.attempt(lambda: inference(build(model, weights, False), way, x))
        return count(build(model, weights, False)), made


def trainer(model, net, way, loss, x, target):
    run = way(net, x)
    optimizer = torch.optim.RMSprop(net.parameters(), lr=model.rate, alpha=0.9, eps=1e-7, foreach=True)

    def step(n):
        optimizer.zero_grad(set_to_none=True)
        value = loss(run(x[:n]), target[:n])
        value.backward()
        optimizer.step()
        return value.item()

    def predict():
        net.eval()
        with torch.inference_mode():
            y = net(x)
        net.train()
        return y

    return worker.Variant(step, predict)


def inference(net, way, x):
    with torch.inference_mode():
        run = way(net, x)
    inputs = {n: x[:n].contiguous() for n in (1, BATCH)}

    def infer(n):
        with torch.inference_mode():
            return run(inputs[n])

    return worker.Variant(infer, lambda: infer(BATCH))


def describe_blas():
    """What multiplies matrices, and whether it can be taken seriously: Debian's PyTorch takes whichever
    libblas.so.3 is installed, at first the reference implementation."""
    if "mkl" in re.findall(r"BLAS_INFO=(\w+)", torch.__config__.show()):
        return "MKL", True
    with open("/proc/self/maps", encoding="utf-8") as file:
        paths = sorted(set(re.findall(r"/\S*lib\w*blas\S*\.so\S*", file.read())))
    slow = [path for path in paths if "/libblas" in path and not re.search(r"openblas|blis|atlas|mkl", path)]
    if slow:
        return f"{slow[0]} is the reference BLAS; apt-get install libopenblas0-openmp", False
    return (paths or ["BLAS built in"])[0], True


if __name__ == "__main__":
    worker.serve(Framework)
