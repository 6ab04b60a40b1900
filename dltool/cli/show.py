"""`dltool show`: the composed config with the origin of each value, and the model layer by layer."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltool.cli.request import add_config_arguments, read_config
from dltool.core.errors import ConfigError

if TYPE_CHECKING:
    from dltool.config.check import Config

SUMMARY = "print the composed config and the model's layers"
EXAMPLES = """\
examples:
  dltool show model=lenet optim=sgd optim.lr=0.1
  dltool show experiment=lenet_mnist --cfg job     only the config, as YAML
  dltool show model=lenet --receptive-field lenet.png
  dltool show model=mlp 'model.hidden=[3]' data=iris --diagram network.svg

For a model of images the table has the receptive field of each layer's units: its size in pixels, and the distance
between two neighbours. --receptive-field draws the influence of the pixels in it for the initialised model;
`dltool evaluate RUN --plots FOLDER` draws that of a trained one.
"""
PICTURES = (".png", ".pdf", ".svg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument("--cfg", choices=["job"], help="print only the composed config, as YAML")
    parser.add_argument(
        "--receptive-field", type=Path, metavar="FILE.png", help="draw the receptive fields of the model's units"
    )
    parser.add_argument("--diagram", type=Path, metavar="FILE.svg", help="draw the network: .svg, .png or .pdf")


def run(args: argparse.Namespace) -> int:
    config, built = read_config(args)
    for picture in (args.receptive_field, args.diagram):
        if picture is not None and picture.suffix.lower() not in PICTURES:
            raise ConfigError(f"{picture} is not an image file: it must end in {', '.join(PICTURES)}", f"{picture}.png")
    if args.cfg:
        print_yaml(config)
        return 0
    print_origins(config)
    from dltool.training.show import describe_model

    print(f"\n{describe_model(built, args.receptive_field, args.diagram)}", flush=True)
    return 0


def print_yaml(config: "Config") -> None:
    from omegaconf import OmegaConf

    print(OmegaConf.to_yaml(OmegaConf.create(config.tree)), end="")


def print_origins(config: "Config") -> None:
    """`lr: 0.1` on the left, its origin on the right; a value set in no file is the signature's default."""
    from dltool.config.check import in_yaml

    rows = []
    for key, value, depth in lines(config.tree):
        name = key.rpartition(".")[2]
        if isinstance(value, dict) and value:
            rows.append((f"{'  ' * depth}{name}:", ""))
        else:
            rows.append((f"{'  ' * depth}{name}: {in_yaml(value)}", config.origins.origin(key)))
        if key == "loss.name" and value == "auto" and config.chosen_loss not in (None, "auto"):
            rows[-1] = (f"{'  ' * depth}{name}: auto", f"{rows[-1][1]}; becomes {config.chosen_loss}")
    width = min(max(len(left) for left, _ in rows), 60)
    for left, origin in rows:
        print(f"{left:<{width}}  {'# ' + origin if origin else ''}".rstrip())


def lines(tree: dict[str, Any], prefix: str = "", depth: int = 0) -> "list[tuple[str, Any, int]]":
    found: list[tuple[str, Any, int]] = []
    for key, value in tree.items():
        found.append((f"{prefix}{key}", value, depth))
        if isinstance(value, dict):
            found += lines(value, f"{prefix}{key}.", depth + 1)
    return found
