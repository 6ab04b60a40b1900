"""The gradient at each position, where it is known what it must be."""

import pytest
import torch
from torch import Tensor

from dltool.core.spec import DataSpec
from dltool.introspection.gradient_over_time import by_distance, gradient_over_time
from dltool.models.mlp import MLP
from dltool.models.recurrent import LSTM, RNN

SERIES = DataSpec((12, 3), target="numbers", target_dim=2, output_dim=2)
TEXTS = DataSpec((6,), class_names=("a", "b"), output_dim=2, num_tokens=20, padded=True)
IMAGES = DataSpec((1, 8, 5), class_names=("a", "b"), output_dim=2)


def test_that_of_a_plain_rnn_with_small_weights_falls_geometrically() -> None:
    torch.manual_seed(0)
    model = RNN(SERIES, hidden_dim=4)
    cells = model.layers.forwards
    with torch.no_grad():
        cells.weight_hh_l0.copy_(0.5 * torch.eye(4))
        cells.bias_ih_l0.zero_()
        cells.bias_hh_l0.zero_()  # tanh is the identity then, and each step halves what comes back.
    norms = gradient_over_time(model, lambda x: model(x).sum(), 1e-4 * torch.randn(5, 12, 3))
    assert norms.shape == (5, 12)
    torch.testing.assert_close(norms[:, :-1] / norms[:, 1:], torch.full((5, 11), 0.5), rtol=1e-3, atol=0)


def test_it_is_the_gradient_of_the_inputs_and_touches_nothing() -> None:
    model = LSTM(SERIES, hidden_dim=4, dropout=0.5, num_layers=2).train()
    inputs = torch.randn(2, 12, 3)
    norms = gradient_over_time(model, lambda x: model(x).square().sum(), inputs)
    assert model.training
    assert model.layers.training
    assert not inputs.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())
    model.eval()
    inputs.requires_grad_()
    (gradient,) = torch.autograd.grad(model(inputs).square().sum(), inputs)
    torch.testing.assert_close(norms, gradient.norm(dim=2))


def test_images_are_read_by_their_rows() -> None:
    model = RNN(IMAGES, hidden_dim=4)
    norms = gradient_over_time(model, lambda x: model(x).sum(), torch.rand(3, 1, 8, 5))
    assert norms.shape == (3, 8)
    assert (norms > 0).all()


def test_tokens_are_measured_at_their_vectors_also_where_these_are_frozen() -> None:
    tokens = torch.tensor([[5, 6, 7, 8], [9, 4, 0, 0]])
    model = LSTM(TEXTS, embedding_dim=4, hidden_dim=4, pooling="last")
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    norms = gradient_over_time(model, lambda x: model(x).sum(), tokens, tokens != 0)
    assert norms.isnan().tolist() == [[False] * 4, [False, False, True, True]]
    assert (norms.nan_to_num(1) > 0).all()
    table = model.inputs.embedding.weight.clone().requires_grad_()
    vectors = table[tokens]
    encoded = model.layers(vectors, tokens != 0)
    (gradient,) = torch.autograd.grad(model.head(encoded.last).sum(), vectors)
    torch.testing.assert_close(norms[0], gradient[0].norm(dim=1))


def test_tokens_that_nothing_embeds_are_an_error() -> None:
    model = MLP(DataSpec((4,), class_names=("a", "b"), output_dim=2))
    with pytest.raises(ValueError, match="no embedding of MLP reads tokens"):
        gradient_over_time(model, lambda x: model(x.float()).sum(), torch.ones(2, 4, dtype=torch.int64))


def test_positions_are_counted_from_each_end() -> None:
    nan = torch.nan
    aligned: Tensor = by_distance(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, nan]]))
    torch.testing.assert_close(aligned, torch.tensor([[3.0, 2.0, 1.0], [5.0, 4.0, nan]]), equal_nan=True)
