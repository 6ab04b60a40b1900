"""The recurrent encoder-decoder, from sequences and from images."""

from typing import Any

import pytest
import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.core.spec import BEGIN, DataSpec
from dltool.models.recurrent import GRU, LSTM, RNN
from dltool.models.recurrent_translator import RecurrentTranslator

SENTENCES = DataSpec(
    (6,), target="sequence", output_dim=15, num_tokens=20, padded=True, num_target_tokens=15, max_target_length=7
)
IMAGES = DataSpec((1, 8, 8), target="sequence", output_dim=15, num_target_tokens=15, max_target_length=7)
SMALL: dict[str, Any] = {"embedding_dim": 6, "hidden_dim": 6, "num_layers": 2}
SOURCE = torch.tensor([[5, 6, 7, 8, 0], [9, 4, 0, 0, 0], [11, 12, 13, 14, 15]])
TARGETS = torch.tensor([[BEGIN, 5, 6, 7], [BEGIN, 8, 0, 0], [BEGIN, 9, 10, 0]])


@pytest.mark.parametrize("attention", ["additive", "dot", None])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_decoding_in_pieces_is_forward(kind: Any, bidirectional: bool, attention: str | None) -> None:
    torch.manual_seed(0)
    model = kind(SENTENCES, attention=attention, bidirectional=bidirectional, **SMALL)
    assert type(model) is RecurrentTranslator
    whole = model(SOURCE, TARGETS)
    assert whole.shape == (3, 4, 15)
    memory, state, pieces = model.encode(SOURCE), None, []
    for token in TARGETS.split(1, dim=1):
        outputs, state = model.decode(token, memory, state)
        pieces.append(outputs)
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole)


@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_rows_are_selected_for_beam_search(kind: Any) -> None:
    torch.manual_seed(0)
    model = kind(SENTENCES, **SMALL)
    rows = torch.tensor([2, 0, 0])
    memory = model.encode(SOURCE)
    _, state = model.decode(TARGETS[:, :2], memory)
    outputs, _ = model.decode(TARGETS[rows, 2:], model.select_memory(memory, rows), model.select(state, rows))
    torch.testing.assert_close(outputs, model(SOURCE[rows], TARGETS[rows])[:, 2:])


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_the_amount_of_padding_changes_nothing(pooling: str) -> None:
    model = LSTM(SENTENCES, pooling=pooling, bidirectional=True, **SMALL)
    padded = torch.cat((SOURCE, torch.zeros(3, 4, dtype=torch.int64)), dim=1)
    torch.testing.assert_close(model(padded, TARGETS), model(SOURCE, TARGETS))


def test_what_is_decoded_sees_nothing_of_what_follows() -> None:
    model = LSTM(SENTENCES, **SMALL)
    changed = TARGETS.clone()
    changed[:, 2:] = 14
    assert torch.equal(model(SOURCE, changed)[:, :2], model(SOURCE, TARGETS)[:, :2])


@pytest.mark.parametrize("attention", ["additive", "dot", None])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 20), (1, 3, 3)])
def test_an_image_is_encoded_by_a_small_cnn(shape: tuple[int, ...], attention: str | None) -> None:
    spec = DataSpec(shape, target="sequence", output_dim=15, num_target_tokens=15, max_target_length=7)
    model = GRU(spec, attention=attention, **SMALL)
    images = torch.rand(3, *shape)
    memory = model.encode(images)
    assert memory.features.shape == (3, 16, 64)
    assert memory.mask.all()
    assert model(images, TARGETS).shape == (3, 4, 15)
    assert not torch.equal(model(images, TARGETS), model(1 - images, TARGETS))


def test_words_of_an_image_are_not_dropped() -> None:
    with pytest.raises(ConfigError, match="the data gives no tokens"):
        LSTM(IMAGES, word_dropout=0.1, **SMALL)


def test_the_targets_vectors_are_the_outputs_weights_where_tied() -> None:
    model = LSTM(SENTENCES, tie_weights=True, **SMALL)
    assert model.head.weight is model.embedding.weight
    with pytest.raises(ConfigError, match=r"8 numbers, but model\.embedding_dim=6") as error:
        LSTM(SENTENCES, tie_weights=True, embedding_dim=6, hidden_dim=8)
    assert error.value.hint == "model.embedding_dim=8"


def test_gradients_reach_every_parameter() -> None:
    model = LSTM(SENTENCES, bidirectional=True, pooling="attention", **SMALL)
    model(SOURCE, TARGETS).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


@pytest.mark.parametrize("attention", ["additive", "dot"])
def test_it_learns_to_reverse_and_attends_to_what_it_says(attention: str) -> None:
    torch.manual_seed(0)
    model = GRU(SENTENCES, embedding_dim=16, hidden_dim=32, bidirectional=True, attention=attention)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    source = torch.randint(4, 15, (128, 4))
    targets = source.flip(1)
    inputs = torch.cat((torch.full((128, 1), BEGIN), targets[:, :-1]), dim=1)
    for _ in range(150):
        loss = nn.functional.cross_entropy(model(source, inputs).flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    model.attention.keeps_weights = True
    model(source, inputs)
    assert model.attention.weights.mean(0).argmax(1).tolist() == [3, 2, 1, 0]
