"""`dltool bench`: the speed of the configured training, compared with a hand-written loop."""

import argparse
import json
import math
import sys
from typing import Any

from dltool.cli.request import add_config_arguments, read_config

SUMMARY = "time the training beside a loop written by hand"
EXAMPLES = """\
examples:
  dltool bench model=lenet data.batch_size=64 trainer.threads=1
  dltool bench model=mlp 'model.hidden=[512,512,512]' --peers
  dltool bench model=gan data=gaussians --rounds 9 --seconds 30
  dltool bench model=lenet --json | jq .times_as_long

Everybody takes the same number of steps in each round, in turns; the medians of all rounds count, and the quotient of
two is taken within a round. Both begin from the same weights and must come to the same after ten steps. Evaluation,
checkpoints and pictures, which the hand-written loop has not, are left out; logs and the progress bar are not.
"""

ROWS = {  # Key of a measurement: label, format.
    "samples_per_second": ("{unit}/s", ",.0f"),
    "ms_per_step": ("ms a step", ".3f"),
    "cpu_ms_per_step": ("CPU ms a step", ".3f"),
    "first_step_seconds": ("s to the first step, torch imported", ".2f"),
    "peak_memory_mib": ("MiB at most", ",.0f"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument("--rounds", type=positive_int, default=5, metavar="N", help="rounds to take medians of (5)")
    parser.add_argument("--seconds", type=positive, default=10.0, metavar="S", help="time for all rounds together (10)")
    parser.add_argument("--peers", action="store_true", help="also Lightning and a usual DataLoader loop, if installed")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def positive_int(text: str) -> int:
    return int(positive(str(int(text))))


def positive(text: str) -> float:
    value = float(text)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text}: a number > 0 is needed")
    return value


def run(args: argparse.Namespace) -> int:
    _, config = read_config(args)
    print("measuring …", file=sys.stderr, flush=True)
    from dltool.bench.bench import bench

    report = bench(config, rounds=args.rounds, seconds=args.seconds, with_peers=args.peers)
    if args.json:
        print(json.dumps(report, indent=1, ensure_ascii=False))
    else:
        print_report(report)
    return 0


def print_report(report: dict[str, Any]) -> None:
    """Print a table with one column per loop, and its conclusions as sentences."""
    from dltool.search.display import output_console

    console = output_console(width=140)
    console.print(table(report))
    for line in sentences(report):
        console.print(line, markup=False)


def table(report: dict[str, Any]) -> Any:
    from rich import box
    from rich.table import Table

    figures = report["figures"]
    drawn = Table(box=box.ROUNDED, title=f"{report['title']}: {report['device']}", title_justify="left")
    drawn.add_column(f"median of {report['rounds']} rounds of {report['steps_per_round']:,} steps \\[least … most]")
    for name in figures:
        drawn.add_column(name, justify="right")
    for key, (words, form) in ROWS.items():
        if any(key in figure for figure in figures.values()):
            cells = (cell(figure[key], form) if key in figure else "" for figure in figures.values())
            drawn.add_row(words.format(unit=report["unit"]), *cells)
    return drawn


def cell(spread: dict[str, float], form: str) -> str:
    median, least, most = (format(spread[key], form) for key in ("median", "least", "most"))
    return f"{median} \\[{least} … {most}]"


def sentences(report: dict[str, Any]) -> list[str]:
    """The conclusions of the table."""
    lines = []
    for name, spreads in report["times_as_long"].items():
        wall, cpu = spreads["wall"], spreads["cpu"]
        other = f"the {name} loop" if name in ("hand-written", "DataLoader") else name
        lines.append(
            f"dltool takes {wall['median']:.2f} times as long as {other} "
            f"[{wall['least']:.2f} … {wall['most']:.2f}], and {cpu['median']:.2f} times the CPU time"
        )
    lines += [f"{name} was not measured: {reason}" for name, reason in report["missing"].items()]
    if same := report["same"]:
        conclusion = "both compute the same" if same["equal"] else "BUT THEY DO NOT COMPUTE THE SAME"
        lines.append(
            f"{conclusion}: after {same['steps']} steps from the same weights on the same batches the parameters "
            f"differ by {same['largest_difference']:.1g} at most"
        )
    lines.append(f"left out of dltool's time: {', '.join(report['left_out'])}")
    if report["load"] is not None:
        lines.append(f"load of the machine in the last minute: {report['load']:.1f}, this benchmark included")
    return lines
