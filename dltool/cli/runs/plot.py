"""`dltool runs plot`, and the figure `curves` of `dltool plot`: the curves of several runs in one figure."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.process import OUTPUT_ROOT
from dltool.core.shell import quoted
from dltool.runs.selection import select

if TYPE_CHECKING:
    from dltool.figures.saving import Target
    from dltool.runs.catalog import RunRecord
    from dltool.runs.curves import RunLog

SUMMARY = "plot the curves of several runs in one figure"
EXAMPLES = """\
examples:
  dltool runs plot 12-00-00_lenet_digits 12-05-00_lenet_digits
  dltool runs plot data=digits --metric val/loss --metric val/accuracy
  dltool runs plot model=mlp --group --x step --output mlp.pdf     mean and spread over seeds
"""
FORMATS = ("png", "pdf", "svg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="RUN", help="runs, or filters")
    add_curve_arguments(parser)
    parser.add_argument("--output", type=Path, metavar="FILE", help="png, pdf or svg; default: a new file in outputs/")


def add_curve_arguments(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="NAME",
        help="one panel each; default: metrics that all runs have",
    )
    parser.add_argument("--x", choices=["step", "epoch"], help="default: epoch, if every run finished one")
    parser.add_argument("--group", action="store_true", help="mean and standard deviation of runs that differ in seed")


def run(args: argparse.Namespace) -> int:
    if not args.words:
        raise ConfigError("no run is named", "dltool runs plot RUN RUN, or filters such as model=lenet")
    path = args.output or OUTPUT_ROOT / f"curves_{time.strftime('%Y-%m-%d_%H-%M-%S')}.png"
    if path.suffix.lower().removeprefix(".") not in FORMATS:
        raise ConfigError(
            f"--output {path}: a figure is one of {', '.join(FORMATS)}",
            f"--output {quoted(path.with_suffix('.png'))}",
        )
    records = select(args.words, args.root)
    if not records:
        raise ConfigError(f"no run matches {' '.join(args.words)}", "`dltool runs` lists the runs")
    write_curves(args, records, path)
    print(quoted(path))
    return 0


def write_curves(args: argparse.Namespace, records: "Sequence[RunRecord]", target: "Target") -> None:
    """Draw the curves of runs into a file, with the options of add_curve_arguments.

    Raises:
        ConfigError: A metric or epochs are requested that the runs lack, or the file cannot be written.
    """
    from dltool.figures.compared_curves import compared_curves
    from dltool.figures.saving import save_figure
    from dltool.figures.words import word
    from dltool.runs.curves import common_title, make_curves, read_logs

    logs = read_logs(records)
    metrics = choose_metrics(args.metric, logs)
    drawn = [log for log in logs if set(metrics) & set(log.metrics)]
    for log in logs:
        if log not in drawn:
            print(f"warning: {quoted(log.record.path)} has no {' or '.join(metrics)}", file=sys.stderr)
    unit = choose_unit(args.x, drawn)
    panels = {metric: make_curves(drawn, metric, unit, group=args.group) for metric in metrics}
    note = word("bands: one standard deviation over the seeds") if args.group else ""
    try:
        save_figure(compared_curves(panels, title=common_title(drawn), unit=unit, note=note), target)
    except OSError as error:
        path = target.resolve() if isinstance(target, Path) else target
        raise ConfigError(f"{path} cannot be written: {error.strerror}", "--output FILE") from error


def choose_metrics(asked: Sequence[str], logs: "Sequence[RunLog]") -> list[str]:
    """The requested metrics, or else those that all runs have.

    Raises:
        ConfigError: For a metric that no run has, with the nearest one; or if the runs have none in common.
    """
    from dltool.runs.curves import common_metrics

    known = list(dict.fromkeys(name for log in logs for name in log.metrics))
    if not known:
        raise ConfigError("none of these runs has any metrics yet", "`dltool runs` shows how far each one came")
    for name in asked:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean --metric {quoted(near)}?" if near else None
            raise ConfigError(f"--metric {name}: no run has it; the metrics are {', '.join(known)}", hint)
    if metrics := list(dict.fromkeys(asked)) or common_metrics(logs):
        return metrics
    raise ConfigError(f"these runs have no metric in common; the metrics are {', '.join(known)}", "--metric NAME")


def choose_unit(asked: str | None, logs: "Sequence[RunLog]") -> str:
    """Epochs if every run has finished one, else steps.

    Raises:
        ConfigError: If epochs are requested and a run has none.
    """
    without = [log for log in logs if log.steps_per_epoch is None]
    if asked == "epoch" and without:
        raise ConfigError(f"--x epoch: {without[0].record.path} has not finished an epoch", "--x step")
    return asked or ("step" if without else "epoch")
