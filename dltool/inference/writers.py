"""Writes a network as the bytes of a file, and loads the file again for computing."""

import contextlib
import io
import json
import logging
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import safe_open
from torch import Tensor

from dltool.build.components import build_model, build_task, with_targets
from dltool.core.errors import ConfigError, DltoolError, RunError
from dltool.data.fitted import from_json
from dltool.inference.loaded_run import LoadedRun
from dltool.inference.portable import Portable
from dltool.layers.graph_form import graph_form
from dltool.tasks.uses import has_word_vectors

Computes = Callable[..., Tensor]
OPSET = 20  # The opset of ONNX, from 2023; onnxruntime 1.17 and later read it.
EXTRA_FILE = "dltool.json"  # The file in a .pt2 with the metadata.


class SafetensorsWriter:
    """The whole model's state_dict. For the check, a new model is built and loaded from the file alone."""

    @staticmethod
    def content(run: LoadedRun, networks: Sequence[Portable], metadata: Mapping[str, str]) -> bytes:
        del networks  # The file contains all networks, without pre- or postprocessing.
        # Separate tensors: tied weights share memory, channels_last ones have gaps; the format supports neither.
        weights = {
            name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, tensor in run.model.state_dict().items()
        }
        return safetensors.torch.save(weights, {"format": "pt", **metadata})

    @staticmethod
    def reopened(run: LoadedRun, path: Path) -> list[Computes]:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
        spec = from_json(json.loads(metadata["preprocessing"]), str(path)).spec
        config = with_targets(replace(run.built, tree={**run.config, "model": json.loads(metadata["model"])}), spec)
        model = build_model(config, spec, torch.device("cpu"))
        model.load_state_dict(safetensors.torch.load_file(path))
        return [
            network.module for network in build_task(config, model.eval().requires_grad_(False), spec).networks.values()
        ]


class TorchWriter:
    """A program of torch.export: the operations of forward(), traced once, with any number of samples in a batch."""

    @staticmethod
    def content(run: LoadedRun, networks: Sequence[Portable], metadata: Mapping[str, str]) -> bytes:
        (network,) = networks
        buffer = io.BytesIO()
        text = json.dumps(metadata, indent=1, ensure_ascii=False)
        torch.export.save(traced(network), buffer, extra_files={EXTRA_FILE: text})
        return buffer.getvalue()

    @staticmethod
    def reopened(run: LoadedRun, path: Path) -> list[Computes]:
        with quiet():  # A path without the suffix .pt2 is only a warning.
            return [torch.export.load(path).module()]


class OnnxWriter:
    """The same program in the operators of ONNX."""

    @staticmethod
    def content(run: LoadedRun, networks: Sequence[Portable], metadata: Mapping[str, str]) -> bytes:
        (network,) = networks
        program = traced(network)
        with explained(network, "--format torch supports all of torch's operations"), quiet():
            exported = torch.onnx.export(
                program,
                input_names=[part.name for part in network.inputs],
                output_names=["outputs"],
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
            assert exported is not None
            model = exported.model_proto
        strip(model.graph, network)
        for key, value in metadata.items():
            model.metadata_props.add(key=key, value=value)
        model.doc_string = f"{run.title}, {run.checkpoint}"
        content: bytes = model.SerializeToString()
        return content

    @staticmethod
    def reopened(run: LoadedRun, path: Path) -> list[Computes]:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = [value.name for value in session.get_inputs()]

        def outputs(*inputs: Tensor) -> Tensor:
            given = {name: part.numpy() for name, part in zip(names, inputs, strict=True)}
            return torch.from_numpy(session.run(None, given)[0])

        return [outputs]


class Word2VecWriter:
    """The vectors of all words in the text format of word2vec.c: number and width, then one word per line.

    Nine digits distinguish any two float32 values, so nothing is lost.
    """

    @staticmethod
    def content(run: LoadedRun, networks: Sequence[Portable], metadata: Mapping[str, str]) -> bytes:
        del networks, metadata  # The format supports nothing else.
        first, vectors, words = word_vectors(run)
        vectors = vectors[first:]
        if odd := next((word for word in words if not word or word.split() != [word]), None):
            raise ConfigError(
                f"the token {odd!r} contains a space, which the word2vec format uses as a separator",
                "data.tokenizer.kind=word in the training; --format safetensors takes any token",
            )
        lines = [f"{len(words)} {vectors.shape[1]}"]
        lines += [
            f"{word} {' '.join(f'{number:.9g}' for number in row)}"
            for word, row in zip(words, vectors.tolist(), strict=True)
        ]
        return ("\n".join(lines) + "\n").encode()

    @staticmethod
    def reopened(run: LoadedRun, path: Path) -> list[Computes]:
        # Special tokens have no line: their rows are taken from the model.
        first, vectors, words = word_vectors(run)
        table = vectors.clone()
        rows = {word: first + place for place, word in enumerate(words)}
        for line in path.read_text(encoding="utf-8").split("\n")[1:-1]:
            word, *numbers = line.split(" ")
            table[rows[word]] = torch.tensor([float(number) for number in numbers])
        return [lambda tokens: table[tokens]]


def word_vectors(run: LoadedRun) -> tuple[int, Tensor, list[str]]:
    """The number of special tokens, the vectors `(V, D)` of all tokens, and the words, which follow the special tokens.

    Raises:
        ConfigError: The model has no word vectors.
    """
    if not has_word_vectors(run.task):
        raise ConfigError(f"{run.title} has no word vectors", "--format safetensors takes any model")
    tokenizer = run.preprocessing.tokenizer
    first = len(tokenizer.specials)
    words = [tokenizer.name(token) for token in range(first, len(tokenizer))]
    return first, run.task.word_vectors.cpu(), words


WRITERS: dict[str, type[SafetensorsWriter] | type[TorchWriter] | type[OnnxWriter] | type[Word2VecWriter]] = {
    "safetensors": SafetensorsWriter,
    "torch": TorchWriter,
    "onnx": OnnxWriter,
    "word2vec": Word2VecWriter,
}


def traced(network: Portable) -> torch.export.ExportedProgram:
    """The network's operations on a batch of any size, and on texts of any length up to the model's largest.

    Raises:
        RunError: Its operations depend on the values of the inputs.
    """
    batch = torch.export.Dim("batch", min=1)
    hint = (
        "no `if`, loop or shape in forward() may depend on the inputs' values or on how many there are; "
        "--format safetensors takes any model"
    )
    with explained(network, hint), quiet(), torch.no_grad():
        # channels_last only speeds up convolutions here; other programs do not expect it.
        module = network.module.to(memory_format=torch.contiguous_format)
        shapes = tuple(part.dynamic_shape(batch) for part in network.inputs)
        # A scan over the steps is compiled, and the compiler compares this network's lengths with those of an earlier
        # export in this process: the lengths would no longer be free.
        torch.compiler.reset()
        with graph_form(module):
            program = torch.export.export(module, network.examples(), dynamic_shapes=shapes)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # Paths of this machine are private.
    return program


@contextlib.contextmanager
def explained(network: Portable, hint: str) -> Iterator[None]:
    """Convert any exception of an exporter in a model's forward() to an error of two lines."""
    try:
        yield
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:  # The exceptions that torch.onnx wraps around it name only its own stages.
            cause = cause.__cause__
        reason = next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
        if isinstance(cause, DltoolError):
            reason, hint = cause.message, cause.hint or hint
        raise RunError(
            f"the {network.name} cannot be exported as a graph: {reason}{place_in_forward(cause)}", hint
        ) from error


def place_in_forward(error: BaseException) -> str:
    """The location in a model's code where an error was raised, if known."""
    torch_itself = Path(torch.__file__).parent
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.name == "forward" and not Path(frame.filename).is_relative_to(torch_itself)
    ]
    return f" ({frames[-1].filename}, line {frames[-1].lineno}: {frames[-1].line})" if frames else ""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress the output, warnings and logs of the exporters; an error is sufficient."""
    before, nowhere = logging.root.manager.disable, io.StringIO()
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def strip(graph: Any, network: Portable) -> None:
    """Remove debugging notes, such as paths of this machine, from an ONNX graph, and name the dynamic dimensions."""
    del graph.value_info[:]
    for part in (*graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
    axes = {part.name: part.axis for part in network.inputs} | {"outputs": network.output_axis}
    for value in (*graph.input, *graph.output):
        sizes = value.type.tensor_type.shape.dim
        sizes[0].dim_param = "batch"
        if axes[value.name]:
            sizes[1].dim_param = axes[value.name]
