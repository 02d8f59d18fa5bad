# What is compared: the book's models, and how much faster Weir is to be. SPDX-License-Identifier: Apache-2.0
"""Layers are (kind, numbers...); docs/training.md says the same in words. All as of today's Keras:
reset_after GRUs, sigmoid, one dropout mask for all gates. PyTorch has no other."""

import dataclasses

BATCH = 128
COLUMNS = 14
WORDS = 10_000
GRU_SECOND_BIAS = 3 * 32  # reset_after; the book's Keras had one bias


@dataclasses.dataclass
class Model:
    name: str
    layers: list
    steps: int
    parameters: int  # of the book
    loss: str  # mae, bce (on probabilities), bce_logits
    rate: float  # of RMSprop
    train_target: float
    infer_target: float = 20.0  # one sample

    @property
    def text(self):
        return self.layers[0][0] == "embedding"

    @property
    def columns(self):
        return 1 if self.text else COLUMNS

    @property
    def recurrent(self):
        return any(layer[0] in ("gru", "lstm") for layer in self.layers)

    @property
    def masks(self):
        """Dropout inside of the recurrent layer: then losses in training are random."""
        return any(layer[0] == "gru" and any(layer[2:]) for layer in self.layers)

    @property
    def expected_parameters(self):
        return self.parameters + GRU_SECOND_BIAS * any(layer[0] == "gru" for layer in self.layers)


def jena(name, layers, parameters, target):
    return Model(name, layers + [("dense", 1, "linear")], 240, parameters, "mae", 1e-3, target)


MODELS = {
    model.name: model
    for model in [
        jena(
            "jena-conv-gru", [("conv", 32, 5), ("pool", 3), ("conv", 32, 5), ("gru", 32, 0.1, 0.5)], 13_697, 8
        ),
        jena("jena-gru", [("gru", 32, 0, 0)], 4_545, 8),
        jena("jena-gru-dropout", [("gru", 32, 0.2, 0.2)], 4_545, 12),
        jena(
            "jena-conv",
            [("conv", 32, 5), ("pool", 3), ("conv", 32, 5), ("pool", 3), ("conv", 32, 5), ("last_max",)],
            12_609,
            6,
        ),
        Model(
            "imdb-lstm",
            [("embedding", 32), ("lstm", 32), ("dense", 1, "sigmoid")],
            500,
            328_353,
            "bce",
            1e-3,
            8,
        ),
        Model(
            "imdb-conv",
            [
                ("embedding", 128),
                ("conv", 32, 7),
                ("pool", 5),
                ("conv", 32, 7),
                ("last_max",),
                ("dense", 1, "linear"),
            ],
            500,
            1_315_937,
            "bce_logits",
            1e-4,
            6,
        ),
    ]
}

KERAS_NAMES = {"conv": "conv1d", "pool": "max_pooling1d", "last_max": "global_max_pooling1d"}


def layer_names(model):
    """Of the tensors in Weir's files, as Keras would name the layers: conv1d, conv1d_1, ..."""
    seen = {}
    for kind, *_ in model.layers:
        name = KERAS_NAMES.get(kind, kind)
        count = seen[name] = seen.get(name, -1) + 1
        yield f"{name}_{count}" if count else name
