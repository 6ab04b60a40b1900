"""Recurrent layers over sequences of uneven lengths; torch's own cells run the sums.

Sequences are padded behind. A layer that reads forwards needs no mask for that: what it says of a position depends on
none that follows, so that padding changes nothing before it. A layer that reads backwards is given each sequence
reversed within its own length, so that its padding stands behind too. Nothing is packed: torch's packed sequences want
the lengths on the CPU, for which an accelerator must be waited for, and cost 1.1 to 2.7 times as much on a CPU (batches
of 32 and 128, 20 to 200 positions).
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Kind = Literal["tanh", "relu", "sigmoid", "lstm", "gru"]
State = tuple[Tensor, ...]  # (h,), of an LSTM (h, c): each (L, B, H), as torch has them.


class Cells(NamedTuple):
    """What a layer's cells are.

    Attributes:
        kind: That of an RNN is its nonlinearity.
        forget_bias: Initial bias of an LSTM's forget gate; None for torch's, U(±1/√H) twice.
    """

    kind: Kind
    forget_bias: float | None = None

    def layers(self, input_dim: int, hidden_dim: int, num_layers: int = 1, dropout: float = 0.0) -> nn.RNNBase:
        """Layers that read forwards, with dropout between them.

        For an LSTM and a GRU, σ the logistic function and ∘ the product of components:

            LSTM:  i, f, o = σ(W x_t + b + U h_{t-1} + b')       each with weights of its own; g the same with tanh
                   c_t = f ∘ c_{t-1} + i ∘ g,   h_t = o ∘ tanh(c_t)
            GRU:   r, z = σ(W x_t + b + U h_{t-1} + b')
                   n = tanh(W x_t + b + r ∘ (U h_{t-1} + b'))
                   h_t = (1 - z) ∘ n + z ∘ h_{t-1}

        The LSTM is that of Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000, without
        peepholes. Of the two forms of the GRU this is the one in which the reset gate is applied after the matrix
        product (cuDNN's, and that of arXiv:1406.1078v1; elsewhere "reset_after"), so that one product serves the three
        gates; Cho et al. 2014 as published (v3) have U (r ∘ h_{t-1}) in n.
        """
        options = {"num_layers": num_layers, "dropout": dropout if num_layers > 1 else 0.0, "batch_first": True}
        match self.kind:
            case "lstm":
                return nn.LSTM(input_dim, hidden_dim, **options)
            case "gru":
                return nn.GRU(input_dim, hidden_dim, **options)
            case "sigmoid":
                return SigmoidRNN(input_dim, hidden_dim, **options)
        return nn.RNN(input_dim, hidden_dim, nonlinearity=self.kind, **options)


class Encoded(NamedTuple):
    """What a stack of layers makes of a batch.

    Attributes:
        features: Of the last layer, `(B, T, F)`; those at padding mean nothing.
        last: The last layer's features where it has read the whole sequence, `(B, F)`: at the last position that
            holds something, of a layer that reads backwards at the first.
        state: After the last position, padding included; None of a bidirectional stack, which cannot go on.
    """

    features: Tensor
    last: Tensor
    state: State | None = None


class RecurrentLayers(nn.Module):
    """A stack of layers that read forwards.

    Args:
        cells: What they are made of.
        input_dim: Numbers at each position.
        hidden_dim: H, the width of each layer.
        num_layers: L.
        dropout: Share of what one layer hands to the next set to zero in training.
    """

    def __init__(
        self, cells: Cells, input_dim: int, hidden_dim: int, *, num_layers: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.output_dim = hidden_dim
        self.forwards = cells.layers(input_dim, hidden_dim, num_layers, dropout)

    def forward(self, inputs: Tensor, mask: Tensor | None = None, state: State | None = None) -> Encoded:
        """Read inputs `(B, T, D)`, where the mask `(B, T)` is True, from a state on; None is zero."""
        features, state = run(self.forwards, inputs, state)
        return Encoded(features, last_true(features, mask), state)


class BidirectionalLayers(nn.Module):
    """Schuster and Paliwal 1997: each layer reads both ways, and what both say is put side by side for the next.

    Args:
        hidden_dim: H, of each direction; the features have 2H.
        cells, input_dim, num_layers, dropout: See RecurrentLayers.
    """

    def __init__(
        self, cells: Cells, input_dim: int, hidden_dim: int, *, num_layers: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.output_dim = 2 * hidden_dim
        widths = [input_dim] + [2 * hidden_dim] * (num_layers - 1)
        self.forwards = nn.ModuleList(cells.layers(width, hidden_dim) for width in widths)
        self.backwards = nn.ModuleList(cells.layers(width, hidden_dim) for width in widths)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Encoded:
        """Read inputs `(B, T, D)` where the mask `(B, T)` is True."""
        order = None if mask is None else reversal(mask)
        features = inputs
        for number, (forwards, backwards) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            if number:
                features = self.dropout(features)
            ahead, _ = run(forwards, features)
            reversed_back, _ = run(backwards, reordered(features, order))
            features = torch.cat((ahead, reordered(reversed_back, order)), dim=2)  # (B, T, 2H)
        return Encoded(features, torch.cat((last_true(ahead, mask), last_true(reversed_back, mask)), dim=1))


def recurrent_layers(
    cells: Cells, input_dim: int, hidden_dim: int, *, num_layers: int, bidirectional: bool, dropout: float
) -> RecurrentLayers | BidirectionalLayers:
    kind = BidirectionalLayers if bidirectional else RecurrentLayers
    return kind(cells, input_dim, hidden_dim, num_layers=num_layers, dropout=dropout)


class SigmoidRNN(nn.RNN):
    """h_t = σ(W x_t + b + U h_{t-1} + b'), the logistic function for which torch has no layer (Elman 1990's units).

    As σ(a) = (1 + tanh(a / 2)) / 2, torch's layer with tanh runs it: with g_t = 2 h_t - 1,

        g_t = tanh(W/2 x_t + b/2 + U/4 g_{t-1} + b'/2 + U/4 · 1).

    Args:
        input_dim: Numbers at each position.
        hidden_dim: H, the width of each layer.
        options: `num_layers`, `dropout`, `batch_first`, as of nn.RNN.
    """

    def __init__(self, input_dim: int, hidden_dim: int, **options: int | float | bool) -> None:
        super().__init__(input_dim, hidden_dim, nonlinearity="tanh", **options)

    def forward(self, inputs: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Features `(B, T, H)` and the state `(L, B, H)` after the last position, of inputs `(B, T, D)`."""
        if hidden is None:
            hidden = inputs.new_zeros(self.num_layers, inputs.shape[0], self.hidden_size)
        features, last = inputs, []
        for layer, start in enumerate(hidden.unbind()):
            if layer:
                features = F.dropout(features, self.dropout, self.training)
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            w, u, b_in, b_hidden = (getattr(self, f"{name}_l{layer}") for name in names)
            weights = [w / 2, u / 4, b_in / 2, b_hidden / 2 + u.sum(1) / 4]
            start = (2 * start - 1)[None]  # (1, B, H)
            centered, end = torch.rnn_tanh(features, start, weights, True, 1, 0.0, self.training, False, True)
            features = (1 + centered) / 2
            last.append((1 + end[0]) / 2)
        return features, torch.stack(last)


def run(cells: nn.Module, inputs: Tensor, state: State | None = None) -> tuple[Tensor, State]:
    """Features `(B, T, H)` and the state after them; an LSTM has two tensors as its state, others have one."""
    if isinstance(cells, nn.LSTM):
        return cells(inputs, state)
    features, hidden = cells(inputs, None if state is None else state[0])
    return features, (hidden,)


def last_true(features: Tensor, mask: Tensor | None) -> Tensor:
    """Of features `(B, T, F)` those at each row's last position that holds something, `(B, F)`."""
    if mask is None:
        return features[:, -1]
    last = (mask.sum(1) - 1).clamp(min=0)
    return features[torch.arange(len(features), device=features.device), last]


def reversal(mask: Tensor) -> Tensor:
    """The order `(B, T)` that reverses each row up to its length and leaves the padding; twice it changes nothing."""
    positions = torch.arange(mask.shape[1], device=mask.device)
    mirrored = mask.sum(1, keepdim=True) - 1 - positions
    return torch.where(mirrored >= 0, mirrored, positions)


def reordered(features: Tensor, order: Tensor | None) -> Tensor:
    """Features `(B, T, F)` in an order `(B, T)`; None reverses them whole."""
    if order is None:
        return features.flip(1)
    return features.gather(1, order[:, :, None].expand_as(features))


def select_state(state: State, rows: Tensor) -> State:
    """The state of some of the rows, each as often as it is named."""
    return tuple(part.index_select(1, rows) for part in state)


def initialize_recurrent(model: nn.Module, init_range: float | None, forget_bias: float | None) -> None:
    """Set a whole model's initial weights.

    Args:
        model: Changed in place; the embedding of padding stays zero.
        init_range: Every parameter is U(±init_range), as Zaremba et al. 2014 (arXiv:1409.2329) have it; None leaves
            torch's.
        forget_bias: Of the forget gates of each LSTM (Gers et al. 2000; Jozefowicz et al. 2015 recommend 1). torch adds
            two biases: the first is set, the second is zero. None leaves both.
    """
    if init_range is not None:
        for parameter in model.parameters():
            nn.init.uniform_(parameter, -init_range, init_range)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Embedding) and module.padding_idx is not None:
                module.weight[module.padding_idx] = 0
            if isinstance(module, nn.LSTM) and forget_bias is not None:
                forget = slice(module.hidden_size, 2 * module.hidden_size)  # Gates are i, f, g, o.
                for layer in range(module.num_layers):
                    getattr(module, f"bias_ih_l{layer}")[forget] = forget_bias
                    getattr(module, f"bias_hh_l{layer}")[forget] = 0
