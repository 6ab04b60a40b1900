"""Graphs of models of texts: any batch size, any length up to the model's, and padding that changes nothing."""

import functools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn

from dltool.core.errors import RunError
from dltool.core.spec import BEGIN, END, PAD, DataSpec
from dltool.inference import export, writers
from dltool.inference.formats import FORMATS
from dltool.inference.graph_input import token_input
from dltool.inference.portable import Portable
from dltool.inference.run import Run
from dltool.models.bag_of_words import BagOfWords
from dltool.models.gpt import Gpt
from dltool.models.recurrent import GRU, LSTM, RNN
from dltool.models.transformer import Transformer
from dltool.models.transformer_encoder import TransformerEncoder

VOCABULARY = 12
LONGEST = 40
TEXTS: dict[str, Any] = {"input_shape": (LONGEST,), "num_tokens": VOCABULARY, "padded": True}
CLASSES = DataSpec(**TEXTS, target="classes", class_names=("a", "b", "c"), output_dim=3)
TAGS = DataSpec(**TEXTS, target="tags", class_names=("a", "b", "c"), output_dim=3)
STREAM = DataSpec((LONGEST,), "next_token", output_dim=12, num_tokens=12, num_target_tokens=12)
TRANSLATION = DataSpec(**TEXTS, target="sequence", output_dim=9, num_target_tokens=9, max_target_length=21)
SMALL: dict[str, Any] = {"embedding_dim": 6, "hidden_dim": 5}
BLOCKS: dict[str, Any] = {"dim": 8, "num_heads": 2, "depth": 1}

# Name to spec, model, and whether it has positions, which limit the length.
MODELS: dict[str, tuple[DataSpec, Callable[[], nn.Module], bool]] = {
    "bag_of_words mean": (CLASSES, lambda: BagOfWords(CLASSES), False),
    "bag_of_words sum": (CLASSES, lambda: BagOfWords(CLASSES, pooling="sum"), False),
    "gru both ways": (CLASSES, lambda: GRU(CLASSES, **SMALL, bidirectional=True, num_layers=2), False),
    "lstm attention": (CLASSES, lambda: LSTM(CLASSES, **SMALL, pooling="attention", num_layers=2), False),
    "lstm tags": (TAGS, lambda: LSTM(TAGS, **SMALL, bidirectional=True), False),
    "rnn relu": (CLASSES, lambda: RNN(CLASSES, **SMALL, nonlinearity="relu", pooling="max"), False),
    "rnn sigmoid": (CLASSES, lambda: RNN(CLASSES, **SMALL, nonlinearity="sigmoid", num_layers=2), False),
    "gru stream": (STREAM, lambda: GRU(STREAM, **SMALL), False),
    "gpt": (STREAM, lambda: Gpt(STREAM, **BLOCKS), True),
    "gpt rotary": (STREAM, lambda: Gpt(STREAM, **BLOCKS, positions="rotary"), True),
    "encoder class": (CLASSES, lambda: TransformerEncoder(CLASSES, **BLOCKS, pooling="class"), True),
    "encoder rotary": (TAGS, lambda: TransformerEncoder(TAGS, **BLOCKS, positions="rotary"), True),
    "encoder sines": (CLASSES, lambda: TransformerEncoder(CLASSES, **BLOCKS, positions="sinusoidal"), True),
    "lstm translator": (TRANSLATION, lambda: LSTM(TRANSLATION, **SMALL, bidirectional=True, attention="dot"), False),
    "gru translator": (TRANSLATION, lambda: GRU(TRANSLATION, **SMALL, attention=None), False),
    "transformer": (TRANSLATION, lambda: Transformer(TRANSLATION, **BLOCKS, hidden_dim=16), True),
}
WITH_ONNX = ("bag_of_words mean", "gru both ways", "lstm translator", "rnn sigmoid", "gpt rotary", "transformer")


@pytest.fixture
def onnxruntime() -> Any:
    for package in FORMATS["onnx"].packages:
        module = pytest.importorskip(package)
    return module


def portable(name: str) -> Portable:
    spec, make, has_positions = MODELS[name]
    torch.manual_seed(0)
    model = make()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    limit = LONGEST if has_positions else None
    inputs = [token_input("inputs", "", num_tokens=12, max_length=limit, padded=spec.padded, axis="length")]
    if spec.target == "sequence":
        limit = spec.max_target_length if has_positions else None
        inputs.append(token_input("target_inputs", "", num_tokens=9, max_length=limit, padded=True, axis="target"))
    return Portable.taking("model", model, tuple(inputs), "")


@functools.cache
def program_of(name: str) -> nn.Module:
    return writers.traced(portable(name)).module()


@pytest.mark.parametrize("name", MODELS)
def test_a_program_takes_every_size_and_length(name: str) -> None:
    network, program = portable(name), program_of(name)
    difference, largest = export.compare([network], [program])
    assert difference <= 1e-5 * largest
    sizes = {tuple(part.shape for part in batch) for batch in network.batches()}
    lengths = {shapes[0][1] for shapes in sizes}
    assert {shapes[0][0] for shapes in sizes} == {1, 3}
    assert {1, 2, 17} <= lengths
    assert max(lengths) == (LONGEST if MODELS[name][2] else 200)


@pytest.mark.parametrize("name", WITH_ONNX)
def test_a_graph_of_onnx_takes_every_size_and_length(name: str, onnxruntime: Any, tmp_path: Path) -> None:
    network = portable(name)
    run: Any = SimpleNamespace(title="", checkpoint="")
    (tmp_path / "m.onnx").write_bytes(writers.OnnxWriter.content(run, [network], {}))
    difference, largest = export.compare([network], writers.OnnxWriter.reopened(run, tmp_path / "m.onnx"))
    assert difference <= 1e-5 * largest
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    assert session.get_inputs()[0].shape == ["batch", "length"]
    sizes = session.get_outputs()[0].shape
    assert sizes[0] == "batch"
    assert all(isinstance(size, int) for size in sizes[-1:])


@pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name][0].padded])
def test_padding_changes_nothing(name: str) -> None:
    program = program_of(name)
    short = torch.tensor([[5, 7, 3, 8, 4]])
    both = torch.cat((nn.functional.pad(short, (0, 14), value=PAD), torch.full((1, 19), 6)))
    second = [torch.tensor([[BEGIN, 5, 6]])] if MODELS[name][0].target == "sequence" else []
    alone = program(short, *second)
    padded = program(both, *(tokens.repeat(2, 1) for tokens in second))[:1]
    padded = padded[:, : alone.shape[1]] if alone.ndim == 3 else padded
    torch.testing.assert_close(padded, alone, rtol=1e-5, atol=1e-5)


def test_a_text_beyond_the_positions_is_refused() -> None:
    program = program_of("encoder class")
    assert program(torch.full((2, LONGEST), 5)).shape == (2, 3)
    with pytest.raises((AssertionError, RuntimeError)):
        program(torch.full((2, LONGEST + 1), 5))


def test_the_original_layers_come_back() -> None:
    network = portable("lstm tags")
    before = network.module(torch.full((2, 9), 5))
    writers.traced(network)
    assert not any("forward" in part.__dict__ for part in network.module.modules())
    assert torch.equal(network.module(torch.full((2, 9), 5)), before)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_layers_of_ones_own(kind: Any) -> None:
    """Both directions, time first, no biases, a given state."""

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, 4)
            self.first = kind(4, 3, num_layers=2, bidirectional=True, bias=False)
            self.second = kind(6, 3, batch_first=True)

        def forward(self, tokens: Tensor) -> Tensor:
            features, state = self.first(self.embedding(tokens.T))
            start = tuple(part[-1:].contiguous() for part in state) if kind is nn.LSTM else state[-1:].contiguous()
            return self.second(features.transpose(0, 1).contiguous(), start)[0]

    tokens = token_input("inputs", "", num_tokens=VOCABULARY, max_length=None, padded=True, axis="length")
    network = Portable.taking("model", Own(), (tokens,), "")
    difference, largest = export.compare([network], [writers.traced(network).module()])
    assert difference <= 1e-5 * largest


class Packed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 4)
        self.layers = nn.GRU(4, 3, batch_first=True)

    def forward(self, tokens: Tensor) -> Tensor:
        lengths = (tokens != PAD).sum(1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(self.embedding(tokens), lengths, True, enforce_sorted=False)
        return self.layers(packed)[1][0]


def test_packed_sequences_are_refused_with_the_remedy() -> None:
    tokens = token_input("inputs", "", num_tokens=VOCABULARY, max_length=None, padded=True, axis="length")
    network = Portable.taking("model", Packed(), (tokens,), "")
    with pytest.raises(RunError, match=r"cannot be exported as a graph: .*packed") as caught:
        writers.traced(network)
    assert "right-padded" in str(caught.value.hint)


@pytest.mark.parametrize("format", ["torch", "onnx"])
def test_a_text_is_written_by_the_graph_alone(
    load: Callable[..., Run], tmp_path: Path, format: Literal["torch", "onnx"], request: pytest.FixtureRequest
) -> None:
    run = load("reversal")
    path = tmp_path / ("m.pt2" if format == "torch" else "m.onnx")
    if format == "onnx":
        session = request.getfixturevalue("onnxruntime").InferenceSession
        run.export(path, format="onnx")
        names = ("inputs", "target_inputs")
        opened = session(path)

        def scores(*given: Tensor) -> Tensor:
            return torch.from_numpy(opened.run(None, dict(zip(names, (g.numpy() for g in given), strict=True)))[0])

    else:
        run.export(path, format="torch")
        scores = torch.export.load(path).module()
    source = run.preprocessing.encode_texts(["123", "456789"])
    written = torch.full((2, 1), BEGIN)
    for _ in range(run.task.max_length):  # type: ignore[attr-defined]
        written = torch.cat((written, scores(source, written)[:, -1:].argmax(2)), dim=1)
    tokens = [row[1:] for row in written.tolist()]
    ended = [row[: row.index(END) + 1] if END in row else row for row in tokens]
    assert run.task.texts(torch.tensor([row + [PAD] * (99 - len(row)) for row in ended])) == (  # type: ignore[attr-defined]
        run.predict(["123", "456789"]).values
    )


def test_tags_and_probabilities(load: Callable[..., Run], tmp_path: Path) -> None:
    run = load("tags")
    exported = run.export(tmp_path / "m.pt2", format="torch", probabilities=True)
    assert exported.networks["model"]["outputs"]["shape"][:2] == ["batch", "length"]
    program = torch.export.load(tmp_path / "m.pt2").module()
    tokens = run.preprocessing.encode_texts(["Dogs do sleep", "Cats do"])
    outputs = program(tokens)
    assert outputs.shape[:2] == (2, 3)
    torch.testing.assert_close(outputs.sum(2), torch.ones(2, 3))


def test_images_and_rows_keep_their_size(tmp_path: Path) -> None:
    spec = DataSpec((1, 8, 8), "classes", ("a", "b"), output_dim=2)
    network = Portable.of("model", LSTM(spec, **SMALL), lambda count: torch.ones(count, 1, 8, 8), "", "")
    difference, largest = export.compare([network], [writers.traced(network).module()])
    assert difference <= 1e-5 * largest
    assert network.description()["inputs"]["shape"] == ["batch", 1, 8, 8]
