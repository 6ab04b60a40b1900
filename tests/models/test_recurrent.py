"""rnn, lstm and gru: which network the data's target makes, and what each of them gives."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.declarations.source import component
from dltool.models.recurrent import GRU, LSTM, RNN
from dltool.models.recurrent_networks import RecurrentClassifier, RecurrentLanguageModel, RecurrentTagger

SMALL: dict[str, Any] = {"embedding_dim": 6, "hidden_dim": 6}
TEXTS = DataSpec((7,), class_names=("a", "b", "c"), output_dim=3, num_tokens=20, padded=True)
TAGS = DataSpec((7,), target="tags", class_names=("a", "b", "c"), output_dim=3, num_tokens=20, padded=True)
STREAM = DataSpec((7,), target="next_token", output_dim=20, num_tokens=20, num_target_tokens=20)
IMAGES = DataSpec((1, 8, 8), class_names=("a", "b"), output_dim=2)
SERIES = DataSpec((7, 3), target="numbers", target_dim=4, output_dim=4)
TOKENS = torch.tensor([[5, 6, 7, 8, 0], [9, 0, 0, 0, 0]])


def num_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_the_target_chooses_the_network(kind: Any) -> None:
    assert type(kind(TEXTS, **SMALL)) is RecurrentClassifier
    assert type(kind(TAGS, **SMALL)) is RecurrentTagger
    assert type(kind(STREAM, **SMALL)) is RecurrentLanguageModel
    assert type(kind(STREAM, bidirectional=True, **SMALL)) is RecurrentTagger  # For the cloze.
    assert kind(TEXTS, **SMALL)(TOKENS).shape == (2, 3)
    assert kind(TAGS, bidirectional=True, **SMALL)(TOKENS).shape == (2, 5, 3)
    assert kind(STREAM, **SMALL)(TOKENS).shape == (2, 5, 20)
    assert kind(IMAGES, **SMALL)(torch.rand(2, 1, 8, 8)).shape == (2, 2)
    assert kind(SERIES, **SMALL)(torch.rand(2, 7, 3)).shape == (2, 4)


def test_parameters_are_as_many_as_the_equations_have() -> None:
    h, d, v = 6, 6, 20
    gates = {RNN: 1, GRU: 3, LSTM: 4}
    for kind, count in gates.items():
        cells = count * (h * d + h * h + 2 * h)
        assert num_parameters(kind(STREAM, **SMALL)) == v * d + cells + (h * v + v)
        assert num_parameters(kind(STREAM, tie_weights=True, **SMALL)) == v * d + cells + v
    both = 2 * 4 * (h * d + h * h + 2 * h) + 2 * 4 * (h * 2 * h + h * h + 2 * h)
    assert num_parameters(LSTM(TAGS, num_layers=2, bidirectional=True, **SMALL)) == v * d + both + 2 * h * 3 + 3
    assert num_parameters(LSTM(IMAGES, **SMALL)) == 4 * (h * 8 + h * h + 2 * h) + h * 2 + 2


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_the_amount_of_padding_changes_nothing(pooling: str, bidirectional: bool) -> None:
    torch.manual_seed(0)
    padded = torch.cat((TOKENS, torch.zeros(2, 6, dtype=torch.int64)), dim=1)
    settings = {"pooling": pooling, "bidirectional": bidirectional, "num_layers": 2, **SMALL}
    classifier = LSTM(TEXTS, **settings).eval()  # Without dropped words.
    torch.testing.assert_close(classifier(padded), classifier(TOKENS))
    tagger = GRU(TAGS, **settings)
    torch.testing.assert_close(tagger(padded)[:, :5][TOKENS != 0], tagger(TOKENS)[TOKENS != 0])


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_a_language_model_goes_on_where_it_stopped(kind: Any) -> None:
    torch.manual_seed(0)
    model = kind(STREAM, num_layers=2, **SMALL)
    tokens = torch.randint(20, (3, 9))
    whole = model(tokens)
    state, pieces = None, []
    for piece in tokens.split([4, 1, 4], dim=1):
        outputs, state = model.advance(piece, state)
        pieces.append(outputs)
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole)
    rows = torch.tensor([2, 0, 2])
    torch.testing.assert_close(model.select(state, rows), model.advance(tokens[rows])[1])
    assert model.carries_state
    assert model.max_length is None


def test_a_language_model_sees_nothing_of_what_follows() -> None:
    model = LSTM(STREAM, **SMALL)
    tokens = torch.randint(20, (1, 6))
    changed = tokens.clone()
    changed[0, 4:] = (changed[0, 4:] + 1) % 20
    assert torch.equal(model(changed)[:, :4], model(tokens)[:, :4])
    assert not torch.equal(model(changed)[:, 4], model(tokens)[:, 4])


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_a_language_model_that_reads_both_ways_is_refused(name: str) -> None:
    def config(task: str, bidirectional: bool) -> Any:
        return SimpleNamespace(task=SimpleNamespace(name=task), model=SimpleNamespace(bidirectional=bidirectional))

    (rule,) = (rule for rule in component("model", name).rules if "bidirectional" in rule.message)
    assert not rule.holds(config("language_model", True))
    assert rule.hint == "model.bidirectional=false"
    assert all(rule.holds(config(*case)) for case in (("language_model", False), ("cloze", True), ("tagging", True)))


def test_tied_weights_are_one_tensor_and_start_small() -> None:
    model = LSTM(STREAM, tie_weights=True, embedding_dim=64, hidden_dim=64)
    assert model.head.weight is model.inputs.embedding.weight
    assert model.head.weight.data_ptr() == model.inputs.embedding.weight.data_ptr()
    assert 0.1 < model.head.weight.abs().max().item() <= 1 / 8


@pytest.mark.parametrize(
    ("spec", "settings", "message", "hint"),
    [
        (
            STREAM,
            {"hidden_dim": 8, "embedding_dim": 6},
            "8 numbers, but model.embedding_dim=6",
            "model.embedding_dim=8",
        ),
        (STREAM, {"bidirectional": True, **SMALL}, "12 numbers, but", "model.embedding_dim=12"),
        (TAGS, SMALL, "other tokens", "model.tie_weights=false"),
        (TEXTS, SMALL, "not tokens here", "model.tie_weights=false"),
    ],
)
def test_weights_that_cannot_be_tied(spec: DataSpec, settings: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        LSTM(spec, tie_weights=True, **settings)
    assert error.value.hint == hint


def test_initial_weights_as_asked_for() -> None:
    model = LSTM(TEXTS, init_range=0.1, forget_bias=None, **SMALL)
    assert all(parameter.abs().max() <= 0.1 for parameter in model.parameters())
    assert not model.inputs.embedding.weight[0].any()
    forget = slice(6, 12)
    assert LSTM(TEXTS, **SMALL).layers.forwards.bias_ih_l0[forget].tolist() == [1.0] * 6
    assert LSTM(TEXTS, forget_bias=0.0, **SMALL).layers.forwards.bias_ih_l0[forget].tolist() == [0.0] * 6


def test_texts_with_one_target_have_defaults_against_memorizing_them() -> None:
    """Small initial vectors and dropped words; explicit values win, and all other sequences keep torch's vectors."""
    torch.manual_seed(0)
    wide: dict[str, Any] = {"embedding_dim": 200, "hidden_dim": 6}
    binary = replace(TEXTS, target="binary", class_names=("a", "b"), output_dim=1)
    for spec, settings, std, word_dropout in (
        (TEXTS, {}, 0.02, 0.3),
        (binary, {}, 0.02, 0.3),
        (TEXTS, {"embedding_std": 0.5, "word_dropout": 0.0}, 0.5, 0.0),
        (TAGS, {}, 1.0, 0.0),
        (STREAM, {}, 1.0, 0.0),
    ):
        inputs = GRU(spec, **wide, **settings).inputs
        assert inputs.embedding.weight[1:].std().item() == pytest.approx(std, rel=0.1)
        assert inputs.word_dropout == word_dropout


def test_dropout_in_training_only() -> None:
    model = GRU(TAGS, dropout=0.5, num_layers=2, bidirectional=True, **SMALL)
    assert not torch.equal(model(TOKENS), model(TOKENS))
    model.eval()
    assert torch.equal(model(TOKENS), model(TOKENS))


def test_the_nonlinearity_is_that_of_the_cells() -> None:
    outputs: list[Tensor] = []
    for name in ("tanh", "relu", "sigmoid"):
        torch.manual_seed(0)
        outputs.append(RNN(IMAGES, nonlinearity=name, **SMALL)(torch.ones(1, 1, 8, 8)))
    assert len({tuple(output.flatten().tolist()) for output in outputs}) == 3


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_it_learns_what_came_first(kind: Any) -> None:
    """The class of a sentence is its first word, several words before its uneven end."""
    torch.manual_seed(0)
    model = kind(TEXTS, embedding_dim=8, hidden_dim=16, word_dropout=0.0)  # The class is dropped with its word.
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    tokens = torch.randint(4, 20, (64, 6)) * (torch.arange(6) < torch.randint(2, 7, (64, 1)))
    tokens[:, 0] = torch.randint(4, 7, (64,))
    for _ in range(80):
        loss = nn.functional.cross_entropy(model(tokens), tokens[:, 0] - 4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
