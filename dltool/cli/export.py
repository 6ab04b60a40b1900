"""`dltool export`: a run's model as a file for other programs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from dltool.cli.request import add_use_arguments, used_run
from dltool.inference.formats import FORMATS, find_format

if TYPE_CHECKING:
    from dltool.inference.export import Exported

SUMMARY = "write the model to a file, checked to give the same outputs"
EXAMPLES = """\
examples:
  dltool export outputs/2026-01-31/12-00-00_lenet_digits --format safetensors
  dltool export 12-00-00_lenet_mnist --format onnx --with-preprocessing --probabilities
  dltool export 12-00-00_mlp_csv --format torch --checkpoint best --output mlp.pt2
  dltool export 12-00-00_gan_mnist --format onnx --network generator
  dltool export 12-00-00_word2vec_corpus --format word2vec

formats:
  safetensors  the whole model's weights, under its own names
  torch        a program of torch.export, .pt2: runs without dltool, batches of any size, texts of any length
  onnx         a graph for onnxruntime and others: runs without torch, batches of any size, texts of any length
  word2vec     the word vectors of model=word2vec as text, which gensim and others read

The file describes itself: its metadata (safetensors: safe_open(…).metadata(); torch: the extra file dltool.json; onnx:
get_modelmeta().custom_metadata_map) has run, checkpoint, class_names, the model's config, inputs and outputs,
and preprocessing, which turns raw samples into inputs: "columns", or "size", "shift" and "factor" of
(pixel - shift) * factor. Everything is float32; only predicted numbers that were standardized are output in float64.
A model of texts takes tokens, right-padded with 0, of any length up to the model's largest; a model that writes texts
also takes the text so far and gives the scores of its next token. The text of word2vec has no metadata.
Without --output it is RUN/export/<checkpoint>.<suffix>.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_use_arguments(parser)
    parser.add_argument("--format", required=True, choices=list(FORMATS), help="the file format")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the file; its folder must exist")
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    parser.add_argument("--network", metavar="NAME", help="for a GAN: generator (the default) or discriminator; A2B, …")
    parser.add_argument(
        "--with-preprocessing",
        action="store_true",
        help="torch, onnx: accept pixels 0 to 255 (uint8), or a table's raw numbers (float64)",
    )
    parser.add_argument(
        "--probabilities", action="store_true", help="torch, onnx: output the probability of each class, not scores"
    )


def run(args: argparse.Namespace) -> int:
    find_format(args.format)
    used = used_run(args, ["trainer.device=cpu"])
    exported = used.export(
        args.output,
        format=args.format,
        network=args.network,
        with_preprocessing=args.with_preprocessing,
        probabilities=args.probabilities,
        force=args.force,
    )
    print(f"{used.title}, {exported.checkpoint}")
    print_exported(exported)
    return 0


def print_exported(exported: "Exported") -> None:
    print(f"  wrote    {exported.path}, {exported.size:,} bytes: {FORMATS[exported.format].what}")
    print(f"  checked  {checked(exported)}")
    for name, network in exported.networks.items():
        of = f"{name}: " if len(exported.networks) > 1 else ""
        for kind, described in network.items():
            title = "gives" if kind == "outputs" else "takes"
            which = "target_inputs: " if kind == "target_inputs" else ""
            shape = ", ".join(map(str, described["shape"]))
            print(f"  {title}    {of}{which}{described['dtype']} ({shape}): {described['meaning']}")
    print(f"  load     {exported.loaded}")


def checked(exported: "Exported") -> str:
    if exported.difference == 0:
        return "read again, its outputs are bitwise equal"
    return (
        f"read again, outputs differ by at most {exported.difference:.1e}, for outputs up to {exported.largest:.3g} "
        f"(bound {exported.bound:.1e})"
    )
