"""`dltool bench`: the speed of the configured training, compared with a hand-written loop."""

import argparse
import json
import math
import sys
from typing import Any

from dltool.cli.request import add_config_arguments, read_config
from dltool.core.numerals import counted

SUMMARY = "time the training and compare it with a hand-written loop"
EXAMPLES = """\
examples:
  dltool bench model=lenet data.batch_size=64 trainer.threads=1
  dltool bench model=mlp 'model.hidden=[512,512,512]' --peers
  dltool bench model=gan data=gaussians --rounds 9 --seconds 30
  dltool bench model=lenet --json | jq .times_as_long

All candidates take the same number of steps in each round, in turn. The result is the median over all rounds; ratios
are taken within a round. All start from the same weights and must agree after ten steps. Evaluation, checkpoints and
figures, which the hand-written loop lacks, are excluded; logs and the progress bar are included.
"""

ROWS = {  # Key of the measurements: label, format.
    "samples_per_second": ("{unit}/s", ",.0f"),
    "ms_per_step": ("ms per step", ".3f"),
    "cpu_ms_per_step": ("CPU ms per step", ".3f"),
    "first_step_seconds": ("s to the first step, torch imported", ".2f"),
    "peak_memory_mib": ("MiB peak memory", ",.0f"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument("--rounds", type=positive_int, default=5, metavar="N", help="rounds for the medians (5)")
    parser.add_argument("--seconds", type=positive, default=10.0, metavar="S", help="total time of all rounds (10)")
    parser.add_argument(
        "--peers", action="store_true", help="also time Lightning and a plain DataLoader loop, if installed"
    )
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")


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
    """A table with a column per candidate, and its summary in sentences."""
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
    rounds = counted(report["rounds"], "round")
    drawn.add_column(f"median of {rounds} of {counted(report['steps_per_round'], 'step')} \\[least … most]")
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
    """The summary of the measurements."""
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
            f"{conclusion}: after {counted(same['steps'], 'step')} from the same weights on the same batches the "
            f"parameters differ by at most {same['largest_difference']:.1g}"
        )
    lines.append(f"excluded from dltool's time: {', '.join(report['left_out'])}")
    if report["load"] is not None:
        lines.append(f"load of the machine in the last minute: {report['load']:.1f}, this benchmark included")
    return lines
