# Layers that PyTorch doesn't have, or has in another layout. SPDX-License-Identifier: Apache-2.0
"""All of them can be scripted."""

import torch
from torch import nn
from torch.nn import functional


class ToChannels(nn.Module):
    """[N][T][C] -> [N][C][T]"""

    def forward(self, x):
        return x.transpose(1, 2)


class ToTime(nn.Module):
    """[N][C][T] -> [N][T][C]"""

    def forward(self, x):
        return x.transpose(1, 2)


class TopOfTime(nn.Module):
    """Global max pooling: [N][C][T] -> [N][C]"""

    def forward(self, x):
        return torch.amax(x, 2)


class LastState(nn.Module):
    """Of nn.GRU or nn.LSTM, batch first."""

    def __init__(self, rnn):
        super().__init__()
        self.rnn = rnn

    def forward(self, x):
        return self.rnn(x)[0][:, -1]


class LoopGRU(nn.Module):
    """nn.GRU with dropout of the input and of the state, masks held for the whole sequence and shared by the
    gates: a loop over its cells. The product with the input is one for all steps."""

    def __init__(self, channels: int, units: int, dropout: float, recurrent_dropout: float):
        super().__init__()
        self.rnn = nn.GRU(channels, units)  # for its parameters
        self.units, self.dropout, self.recurrent_dropout = units, dropout, recurrent_dropout

    def forward(self, x):
        h = torch.zeros(x.size(0), self.units)
        mask_x = functional.dropout(torch.ones(x.size(0), 1, x.size(2)), self.dropout, self.training)
        mask_h = functional.dropout(torch.ones_like(h), self.recurrent_dropout, self.training)
        gates_x = functional.linear(x * mask_x, self.rnn.weight_ih_l0, self.rnn.bias_ih_l0)
        u, b = self.rnn.weight_hh_l0.t(), self.rnn.bias_hh_l0
        for gate_x in gates_x.unbind(1):
            gate_h = torch.addmm(b, h * mask_h, u)
            r_x, z_x, n_x = gate_x.chunk(3, 1)
            r_h, z_h, n_h = gate_h.chunk(3, 1)
            n = torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h)
            h = torch.lerp(n, h, torch.sigmoid(z_x + z_h))
        return h
