"""`dltool export`: write a run's model to a file for use without dltool."""

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
  torch        a program of torch.export, .pt2: runs without dltool, batches of any size
  onnx         a graph for onnxruntime and others: runs without torch, batches of any size
  word2vec     the word vectors of model=word2vec as text, which gensim and others read

The file says what it is: its metadata (safetensors: safe_open(…).metadata(); torch: the extra file dltool.json; onnx:
get_modelmeta().custom_metadata_map) holds run, checkpoint, class_names, the model's config, what goes in and comes out,
and preprocessing, by which raw samples become inputs: "columns", or "size", "shift" and "factor" of
(pixel - shift) * factor. All is in float32; only predicted numbers come out in float64 where they were standardized.
The text of word2vec has no metadata. Without --output it is RUN/export/<checkpoint>.<suffix>.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_use_arguments(parser)
    parser.add_argument("--format", required=True, choices=list(FORMATS), help="what kind of file")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the file; its folder must exist")
    parser.add_argument("--force", action="store_true", help="replace a file that exists")
    parser.add_argument("--network", metavar="NAME", help="of a GAN: generator (the default) or discriminator; A2B, …")
    parser.add_argument(
        "--with-preprocessing",
        action="store_true",
        help="torch, onnx: take pixels 0 to 255 (uint8), or a table's numbers as they are (float64)",
    )
    parser.add_argument(
        "--probabilities", action="store_true", help="torch, onnx: give the probability of each class, not scores"
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
        for kind, title in (("inputs", "takes"), ("outputs", "gives")):
            described = network[kind]
            shape = ", ".join(map(str, described["shape"]))
            print(f"  {title}    {of}{described['dtype']} ({shape}): {described['meaning']}")
    print(f"  load     {exported.loaded}")


def checked(exported: "Exported") -> str:
    if exported.difference == 0:
        return "read back, it gives the same outputs, bit for bit"
    return (
        f"read back, its outputs differ by {exported.difference:.1e} at most, of outputs up to {exported.largest:.3g} "
        f"(bound {exported.bound:.1e})"
    )
