"""Recurrent layers over sequences of different lengths, computed by torch's own cells.

Sequences are right-padded. A layer that reads forwards needs no mask for that: its features at a position depend on
no later position, so padding changes nothing before it. A layer that reads backwards gets each sequence reversed
within its own length, so that its padding comes last too. Nothing is packed: torch's packed sequences need the lengths
on the CPU, which forces a synchronisation with an accelerator, and cost 1.1 to 2.7 times as much on a CPU (batches
of 32 and 128, 20 to 200 positions).
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Kind = Literal["tanh", "relu", "sigmoid", "lstm", "gru"]
State = tuple[Tensor, ...]  # (h,), or (h, c) for an LSTM: each (L, B, H), as in torch.


class Cells(NamedTuple):
    """The kind of a layer's cells.

    Attributes:
        kind: For an RNN, named after its nonlinearity.
        forget_bias: Initial bias of an LSTM's forget gate; None keeps torch's, U(±1/√H) twice.
    """

    kind: Kind
    forget_bias: float | None = None

    def layers(self, input_dim: int, hidden_dim: int, num_layers: int = 1, dropout: float = 0.0) -> nn.RNNBase:
        """Layers that read forwards, with dropout between them.

        For an LSTM and a GRU, with the logistic function σ and the componentwise product ∘:

            LSTM:  i, f, o = σ(W x_t + b + U h_{t-1} + b')       each with its own weights; g the same with tanh
                   c_t = f ∘ c_{t-1} + i ∘ g,   h_t = o ∘ tanh(c_t)
            GRU:   r, z = σ(W x_t + b + U h_{t-1} + b')
                   n = tanh(W x_t + b + r ∘ (U h_{t-1} + b'))
                   h_t = (1 - z) ∘ n + z ∘ h_{t-1}

        The LSTM is that of Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000, without
        peepholes. The GRU is the form in which the reset gate is applied after the matrix product (cuDNN's, and that
        of arXiv:1406.1078v1; elsewhere "reset_after"), so that one product serves the three gates; Cho et al. 2014 as
        published (v3) have U (r ∘ h_{t-1}) in n.
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
    """The outputs of a stack of layers for a batch.

    Attributes:
        features: Of the last layer, `(B, T, F)`; those at padding are meaningless.
        last: The last layer's features after it has read the whole sequence, `(B, F)`: at the last position that
            is not padding, or at the first for a layer that reads backwards.
        state: After the last position, padding included; None for a bidirectional stack, which cannot continue.
    """

    features: Tensor
    last: Tensor
    state: State | None = None


class RecurrentLayers(nn.Module):
    """A stack of layers that read forwards.

    Args:
        cells: Their kind.
        input_dim: Numbers per position.
        hidden_dim: H, the width of each layer.
        num_layers: L.
        dropout: Share of a layer's outputs to the next layer that is set to zero in training.
    """

    def __init__(
        self, cells: Cells, input_dim: int, hidden_dim: int, *, num_layers: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.output_dim = hidden_dim
        self.forwards = cells.layers(input_dim, hidden_dim, num_layers, dropout)

    def forward(self, inputs: Tensor, mask: Tensor | None = None, state: State | None = None) -> Encoded:
        """Read inputs `(B, T, D)`, where the mask `(B, T)` is True, from an initial state; None means zero."""
        features, state = run(self.forwards, inputs, state)
        return Encoded(features, last_true(features, mask), state)


class BidirectionalLayers(nn.Module):
    """Schuster and Paliwal 1997: each layer reads both ways, and the next one gets both outputs concatenated.

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
    """h_t = σ(W x_t + b + U h_{t-1} + b'), with the logistic function, which torch's RNN lacks (Elman 1990's units).

    As σ(a) = (1 + tanh(a / 2)) / 2, it is computed by torch's layer with tanh: with g_t = 2 h_t - 1,

        g_t = tanh(W/2 x_t + b/2 + U/4 g_{t-1} + b'/2 + U/4 · 1).

    Args:
        input_dim: Numbers per position.
        hidden_dim: H, the width of each layer.
        options: `num_layers`, `dropout`, `batch_first`, as in nn.RNN.
    """

    def __init__(self, input_dim: int, hidden_dim: int, **options: int | float | bool) -> None:
        super().__init__(input_dim, hidden_dim, nonlinearity="tanh", **options)

    def forward(self, inputs: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Features `(B, T, H)` and the state `(L, B, H)` after the last position, for inputs `(B, T, D)`."""
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
    """Features `(B, T, H)` and the state after them; an LSTM's state is two tensors, that of others one."""
    if isinstance(cells, nn.LSTM):
        return cells(inputs, state)
    features, hidden = cells(inputs, None if state is None else state[0])
    return features, (hidden,)


def last_true(features: Tensor, mask: Tensor | None) -> Tensor:
    """The features `(B, F)` at each row's last position that is not padding, from features `(B, T, F)`."""
    if mask is None:
        return features[:, -1]
    last = (mask.sum(1) - 1).clamp(min=0)
    return features[torch.arange(features.shape[0], device=features.device), last]


def reversal(mask: Tensor) -> Tensor:
    """The order `(B, T)` that reverses each row up to its length and keeps the padding; it is its own inverse."""
    positions = torch.arange(mask.shape[1], device=mask.device)
    mirrored = mask.sum(1, keepdim=True) - 1 - positions
    return torch.where(mirrored >= 0, mirrored, positions)


def reordered(features: Tensor, order: Tensor | None) -> Tensor:
    """Features `(B, T, F)` in an order `(B, T)`; None reverses whole rows."""
    if order is None:
        return features.flip(1)
    return features.gather(1, order[:, :, None].expand_as(features))


def select_state(state: State, rows: Tensor) -> State:
    """The state of the given rows, each as often as it is listed."""
    return tuple(part.index_select(1, rows) for part in state)


def initialize_recurrent(model: nn.Module, init_range: float | None, forget_bias: float | None) -> None:
    """Set a whole model's initial weights.

    Args:
        model: Changed in place; the embedding of padding stays zero.
        init_range: Every parameter is U(±init_range), as in Zaremba et al. 2014 (arXiv:1409.2329); None keeps
            torch's.
        forget_bias: Bias of the forget gates of each LSTM (Gers et al. 2000; Jozefowicz et al. 2015 recommend 1). torch
            adds two biases: the first is set, the second is zero. None keeps both.
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
