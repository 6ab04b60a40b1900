"""`dltool trace`: one or a few training steps in numbers."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from dltool.cli.request import add_config_arguments, open_run, read_config
from dltool.core.errors import ConfigError

if TYPE_CHECKING:
    from dltool.diagnostics.trace.calls import Choice
    from dltool.diagnostics.trace.step import StepTrace

SUMMARY = "one training step in numbers: z, a, g', δ, dW, the update, and layers by their formulas"
EXAMPLES = """\
examples:
  dltool trace model=mlp data=example model.activation=sigmoid optim=sgd optim.lr=0.5
  dltool trace model=mlp 'model.hidden=[3]' data=iris --sample 7 --steps 2
  dltool trace model=mlp 'model.hidden=[1]' data=example 'model.initial=[[[.1,.2]],[.3],[[.4],[.5]],[.6,.7]]'
  dltool trace model=gpt data=pydoc --position 9 --head 1
  dltool trace model=lenet --place 4,7 --channel 2
  dltool trace model=lstm data=digits_rows --unit 3
  dltool trace --run 12-00-00_lenet_digits --sample 7 --steps 2
  dltool trace --from outputs/2026-01-31/12-00-00_lenet_digits --json

Everything is computed in float64, for one training sample. The formulas are compared with automatic differentiation
and the layers' outputs, the derivatives also with finite differences. Places are counted from 0. `model.initial`
gives the initial weights, W and b of each layer, exactly as written. --run traces the trained network of a run, from
its next step on; --from builds a new network from its config.
"""
LEAST = {"steps": 1, "sample": 0, "position": 0, "head": 0, "channel": 0, "unit": 0}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument(
        "--run", dest="traced", metavar="RUN", help="trace the trained network of a run, from its next step on"
    )
    parser.add_argument("--checkpoint", metavar="NAME", help="of --run: last, best or step-000680; default: last")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="the training sample, from 0; default: 0")
    parser.add_argument("--steps", type=int, default=1, metavar="K", help="training steps on it; default: 1")
    parser.add_argument(
        "--position", type=int, metavar="T", help="of an attention's query, or the time step; default: the last"
    )
    parser.add_argument("--head", type=int, metavar="H", help="of an attention; default: 0")
    parser.add_argument("--place", type=place, metavar="R,C", help="row and column in maps; default: the middle")
    parser.add_argument("--channel", type=int, metavar="K", help="of the maps; default: 0")
    parser.add_argument("--unit", type=int, metavar="U", help="of an LSTM or a GRU; default: 0")
    parser.add_argument("--json", action="store_true", help="print JSON, with every number")


def run(args: argparse.Namespace) -> int:
    check_numbers(args)
    steps = traced_config(args) if args.traced is None else traced_run(args)
    from dltool.cli.trace_lines import lines_of

    if args.json:
        import json

        print(json.dumps([as_json(step) for step in steps], ensure_ascii=False))
        return 0
    for step in steps:
        print("\n".join(lines_of(step)))
    return 0


def traced_config(args: argparse.Namespace) -> "list[StepTrace]":
    """The first steps of a new network."""
    if args.checkpoint is not None:
        raise ConfigError("--checkpoint belongs to the trained network of a run", "dltool trace --run RUN")
    _, built = read_config(args)
    from dltool.training.trace import trace_config

    return trace_config(built, args.sample, args.steps, choice_of(args))


def traced_run(args: argparse.Namespace) -> "list[StepTrace]":
    """The next steps of a run's trained network."""
    if args.source is not None:
        message = "--run traces the trained network of a run, --from a new network with its config"
        raise ConfigError(message, "name one of them")
    folder = open_run(args.traced)
    from dltool.training.trace import trace_run

    return trace_run(
        folder,
        args.overrides,
        args.checkpoint or "last",
        args.sample,
        args.steps,
        choice_of(args),
        config_dirs=args.config_dir,
        warn=lambda text: print(f"warning: {text}", file=sys.stderr),
    )


def place(text: str) -> tuple[int, int]:
    """Row and column, "3,4". Raises ArgumentTypeError if it is something else."""
    words = text.split(",")
    if len(words) != 2 or not all(word.strip().isdecimal() for word in words):
        raise argparse.ArgumentTypeError(f"{text}: row and column are two whole numbers from 0, such as 3,4")
    return int(words[0]), int(words[1])


def check_numbers(args: argparse.Namespace) -> None:
    """Raise ConfigError for numbers that are too small whatever the config is."""
    for name, least in LEAST.items():
        value = getattr(args, name)
        if value is not None and value < least:
            raise ConfigError(f"--{name} {value}: the smallest is {least}", f"--{name} {least}")


def choice_of(args: argparse.Namespace) -> "Choice":
    """The place at which single layers are computed."""
    from dltool.diagnostics.trace.calls import Choice

    return Choice(position=args.position, head=args.head, place=args.place, channel=args.channel, unit=args.unit)


def as_json(step: "StepTrace") -> dict[str, Any]:
    """Every number of a step as plain JSON."""
    layers = [{key: plain(value) for key, value in vars(layer).items() if value is not None} for layer in step.layers]
    parameters = [
        {key: plain(value) for key, value in vars(one).items() if value is not None} for one in step.parameters
    ]
    formulas = [{"what": one.what} | {key: plain(value) for key, value in vars(one).items()} for one in step.formulas]
    return {
        "step": step.step,
        "loss": step.loss,
        "loss_after": step.loss_after,
        "rate": step.rate,
        "inputs": plain(step.batch.inputs),
        "targets": plain(step.batch.targets),
        "layers": layers,
        "parameters": parameters,
        "formulas": formulas,
    }


def plain(value: Any) -> Any:
    """A tensor as nested lists; other values as they are."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value
