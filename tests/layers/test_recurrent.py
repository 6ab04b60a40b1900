"""Recurrent layers: the cells' equations, padding, both directions."""

import math

import pytest
import torch
from torch import Tensor, nn

from dltool.layers.recurrent import (
    BidirectionalLayers,
    Cells,
    Kind,
    RecurrentLayers,
    SigmoidRNN,
    initialize_recurrent,
    recurrent_layers,
    reordered,
    reversal,
    run,
)

KINDS: list[Kind] = ["tanh", "relu", "sigmoid", "lstm", "gru"]
LENGTHS = torch.tensor([5, 2, 1, 4])
MASK = torch.arange(5) < LENGTHS[:, None]


def sigmoid(number: float) -> float:
    return 1 / (1 + math.exp(-number))


def set_weights(cells: nn.RNNBase, *rows: list[float]) -> None:
    """Of a cell with one input and one unit: weight_ih, weight_hh, bias_ih and bias_hh, a number for each gate."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    with torch.no_grad():
        for name, row in zip(names, rows, strict=True):
            parameter = getattr(cells, name)
            parameter.copy_(torch.tensor(row).view_as(parameter))


def test_each_gate_of_the_lstm_by_hand() -> None:
    cells = Cells("lstm").layers(1, 1)
    set_weights(cells, [0.5, -0.3, 0.8, 0.1], [0.2, 0.4, -0.6, 0.7], [0.1, 1.0, 0.0, -0.2], [0.05, 0.0, 0.3, 0.0])
    x, h, c = 0.7, 0.25, -0.4
    i = sigmoid(0.5 * x + 0.2 * h + 0.1 + 0.05)
    f = sigmoid(-0.3 * x + 0.4 * h + 1.0)
    g = math.tanh(0.8 * x - 0.6 * h + 0.3)
    o = sigmoid(0.1 * x + 0.7 * h - 0.2)
    new_c = f * c + i * g
    new_h = o * math.tanh(new_c)
    features, state = run(cells, torch.tensor([[[x]]]), (torch.tensor([[[h]]]), torch.tensor([[[c]]])))
    assert features.item() == pytest.approx(new_h)
    assert [part.item() for part in state] == pytest.approx([new_h, new_c])


def test_each_gate_of_the_gru_by_hand_with_the_reset_gate_behind_the_product() -> None:
    cells = Cells("gru").layers(1, 1)
    set_weights(cells, [0.5, -0.3, 0.8], [0.2, 0.4, -0.6], [0.1, 1.0, 0.0], [0.05, 0.0, 0.3])
    x, h = 0.7, 0.25
    r = sigmoid(0.5 * x + 0.2 * h + 0.1 + 0.05)
    z = sigmoid(-0.3 * x + 0.4 * h + 1.0)
    n = math.tanh(0.8 * x + 0.0 + r * (-0.6 * h + 0.3))
    before_the_product = math.tanh(0.8 * x - 0.6 * (r * h) + 0.3)  # Cho et al. 2014.
    features, _ = run(cells, torch.tensor([[[x]]]), (torch.tensor([[[h]]]),))
    assert features.item() == pytest.approx((1 - z) * n + z * h)
    assert features.item() != pytest.approx((1 - z) * before_the_product + z * h, abs=1e-3)


@pytest.mark.parametrize(("kind", "phi"), [("tanh", math.tanh), ("relu", lambda a: max(a, 0.0)), ("sigmoid", sigmoid)])
def test_the_plain_cell_by_hand(kind: Kind, phi: object) -> None:
    assert callable(phi)
    cells = Cells(kind).layers(1, 1)
    set_weights(cells, [0.5], [-0.8], [0.1], [0.3])
    h = 0.25
    expected = [h := phi(0.5 * x - 0.8 * h + 0.4) for x in (0.7, -1.2, 2.0)]
    features, state = run(cells, torch.tensor([[[0.7], [-1.2], [2.0]]]), (torch.tensor([[[0.25]]]),))
    assert features.flatten().tolist() == pytest.approx(expected)
    assert state[0].item() == pytest.approx(expected[-1])


def test_sigmoid_layers_are_the_recursion_and_so_are_their_gradients() -> None:
    torch.manual_seed(0)
    cells = SigmoidRNN(3, 4, num_layers=2, batch_first=True)
    inputs = torch.randn(2, 6, 3)

    def loops() -> Tensor:
        steps = inputs
        for layer in range(2):
            w, u, b, c = (
                getattr(cells, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            hidden, rows = torch.zeros(2, 4), []
            for t in range(6):
                hidden = torch.sigmoid(steps[:, t] @ w.T + b + hidden @ u.T + c)
                rows.append(hidden)
            steps = torch.stack(rows, dim=1)
        return steps

    features, last = cells(inputs)
    torch.testing.assert_close(features, loops())
    torch.testing.assert_close(last[1], features[:, -1])
    parameters = list(cells.parameters())
    gradients = torch.autograd.grad(features.square().sum(), parameters)
    torch.testing.assert_close(gradients, torch.autograd.grad(loops().square().sum(), parameters))


def test_sigmoid_layers_drop_what_one_hands_to_the_next_and_in_training_only() -> None:
    cells = SigmoidRNN(3, 8, num_layers=2, dropout=0.5, batch_first=True)
    inputs = torch.randn(2, 6, 3)
    assert not torch.equal(cells(inputs)[0], cells(inputs)[0])
    cells.eval()
    assert torch.equal(cells(inputs)[0], cells(inputs)[0])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_uneven_lengths_are_read_as_each_sequence_alone(kind: Kind, bidirectional: bool) -> None:
    torch.manual_seed(0)
    layers = recurrent_layers(Cells(kind), 3, 4, num_layers=2, bidirectional=bidirectional, dropout=0.0)
    inputs = torch.randn(4, 5, 3)
    together = layers(inputs, MASK)
    assert together.features.shape == (4, 5, layers.output_dim) == (4, 5, 8 if bidirectional else 4)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = layers(inputs[row : row + 1, :length])
        torch.testing.assert_close(together.features[row, :length], alone.features[0])
        torch.testing.assert_close(together.last[row], alone.last[0])
        torch.testing.assert_close(together.last[row, :4], together.features[row, length - 1, :4])
        torch.testing.assert_close(together.last[row, 4:], together.features[row, 0, 4:])


@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh"])
def test_both_directions_are_torchs_own_of_packed_sequences(kind: Kind) -> None:
    torch.manual_seed(0)
    ours = BidirectionalLayers(Cells(kind), 3, 4)
    theirs = {"lstm": nn.LSTM, "gru": nn.GRU, "tanh": nn.RNN}[kind](3, 4, batch_first=True, bidirectional=True)
    for suffix, cells in (("", ours.forwards[0]), ("_reverse", ours.backwards[0])):
        for name, parameter in cells.named_parameters():
            getattr(theirs, name + suffix).data.copy_(parameter)
    inputs = torch.randn(4, 5, 3)
    packed = nn.utils.rnn.pack_padded_sequence(inputs, LENGTHS, batch_first=True, enforce_sorted=False)
    expected, _ = nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)
    torch.testing.assert_close(ours(inputs, MASK).features[MASK], expected[MASK])


def test_padding_gets_no_gradient() -> None:
    inputs = torch.randn(4, 5, 3, requires_grad=True)
    BidirectionalLayers(Cells("lstm"), 3, 4, num_layers=2)(inputs, MASK).features[MASK].sum().backward()
    assert inputs.grad is not None
    assert not inputs.grad[~MASK].any()
    assert inputs.grad[MASK].all()


def test_the_state_goes_on() -> None:
    layers = RecurrentLayers(Cells("lstm"), 3, 4, num_layers=2)
    inputs = torch.randn(2, 6, 3)
    whole = layers(inputs)
    first = layers(inputs[:, :2])
    second = layers(inputs[:, 2:], None, first.state)
    torch.testing.assert_close(torch.cat((first.features, second.features), 1), whole.features)
    torch.testing.assert_close(second.state, whole.state)


def test_reversal_within_each_length_is_its_own_inverse() -> None:
    numbers = torch.arange(1.0, 6).repeat(4, 1) * MASK
    order = reversal(MASK)
    turned = reordered(numbers[:, :, None], order)
    assert turned[:, :, 0].tolist() == [[5, 4, 3, 2, 1], [2, 1, 0, 0, 0], [1, 0, 0, 0, 0], [4, 3, 2, 1, 0]]
    assert torch.equal(reordered(turned, order)[:, :, 0], numbers)


def test_the_forget_bias_is_set_once_and_the_range_holds() -> None:
    layers = BidirectionalLayers(Cells("lstm"), 3, 4, num_layers=2)
    initialize_recurrent(layers, 0.01, 1.0)
    for cells in [*layers.forwards, *layers.backwards]:
        assert cells.bias_ih_l0.view(4, 4)[1].tolist() == [1.0] * 4
        assert cells.bias_hh_l0.view(4, 4)[1].tolist() == [0.0] * 4
        others = [cells.weight_ih_l0, cells.weight_hh_l0, cells.bias_ih_l0.view(4, 4)[[0, 2, 3]]]
        assert all(0 < part.abs().max() <= 0.01 for part in others)
