"""The export formats of a model: names, required packages, and how to read each file. Imports no torch."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dltool.core.distribution import install
from dltool.core.errors import ConfigError
from dltool.core.shell import quoted


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        suffix: The suffix of its files.
        what: A description of the content.
        has_graph: Whether the file contains the computation; otherwise it contains weights, and code is also needed.
        tolerance: The allowed difference between the outputs of the file and the model, relative to the largest
            output. 1e-5 is 84 rounding errors of float32: sums are computed in another order.
        loaded: Python code that reads it, for its path and the names of a network's inputs.
        packages: The required packages, installed by dltool's extra `export`.
    """

    suffix: str
    what: str
    has_graph: bool
    tolerance: float
    loaded: Callable[[str, Sequence[str]], str]
    packages: tuple[str, ...] = ()


FORMATS = {
    "safetensors": Format(
        ".safetensors",
        "the weights, under the model's own names",
        has_graph=False,
        tolerance=0.0,
        loaded=lambda path, names: f"weights = safetensors.torch.load_file({path!r})",
    ),
    "torch": Format(
        ".pt2",
        "a program of torch.export, which runs without dltool",
        has_graph=True,
        tolerance=1e-5,
        loaded=lambda path, names: f"outputs = torch.export.load({path!r}).module()({', '.join(names)})",
    ),
    "onnx": Format(
        ".onnx",
        "a graph for onnxruntime and others, which runs without torch",
        has_graph=True,
        tolerance=1e-5,
        loaded=lambda path, names: (
            f"outputs = onnxruntime.InferenceSession({path!r}).run(None, "
            f"{{{', '.join(f'{name!r}: {name}' for name in names)}}})[0]"
        ),
        packages=("onnx", "onnxscript", "onnxruntime"),
    ),
    "word2vec": Format(
        ".txt",
        "the word vectors, one word per line, in the text format of word2vec.c",
        has_graph=False,
        tolerance=0.0,
        loaded=lambda path, names: f"vectors = gensim.models.KeyedVectors.load_word2vec_format({path!r})",
    ),
}


def find_format(name: str) -> Format:
    """The format with a name, after a check that it can be written here.

    Raises:
        ConfigError: No such format exists, or a package is missing.
    """
    if name not in FORMATS:
        raise ConfigError(
            f"there is no format {name} to export to", " or ".join(f"--format {quoted(name)}" for name in FORMATS)
        )
    packages = FORMATS[name].packages
    if missing := [package for package in packages if importlib.util.find_spec(package) is None]:
        names = f"the package{'s' if missing[1:] else ''} {', '.join(missing)}"
        raise ConfigError(f"--format {name} needs {names}", install("export"))
    return FORMATS[name]
