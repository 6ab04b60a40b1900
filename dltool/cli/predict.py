"""`dltool predict`: what a run's model says of images or rows."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from dltool.cli.request import add_use_arguments, used_run, views_of
from dltool.cli.tables import one_line, print_table, write_csv

if TYPE_CHECKING:
    from dltool.inference.predictions import Predictions

SUMMARY = "say what a run's model makes of images or rows of a CSV file"
EXAMPLES = """\
examples:
  dltool predict outputs/2026-01-31/12-00-00_lenet_digits --input seven.png
  dltool predict 12-00-00_lenet_image_folder --input photos/ --top 5
  dltool predict 12-00-00_mlp_csv --input new.csv --csv > predicted.csv
  dltool predict 12-00-00_lenet_digits --input *.png --json | jq '.predictions[].prediction'

Images of any size, mode and format, folders of them with all that is below, CSV files with the columns of the training
(its target may be missing, and others do not matter). Everything is prepared as the training's data was.
"""
TOP = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_use_arguments(parser)
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="trainer.device, .threads, .precision")
    parser.add_argument("--input", nargs="+", required=True, metavar="FILE|FOLDER", help="what to look at")
    parser.add_argument("--top", type=int, default=TOP, metavar="K", help=f"classes to name for each ({TOP})")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print CSV, with the probability of every class")
    form.add_argument("--json", action="store_true", help="print JSON, with the probability of every class")


def run(args: argparse.Namespace) -> int:
    args.input, args.overrides = split_words(args.input, args.overrides)
    used = used_run(args, args.overrides)
    predictions = used.predict(args.input, views=views_of(args))
    if args.json:
        known = {"run": str(used.path), "checkpoint": used.checkpoint, "predictions": predictions.records()}
        print(json.dumps(known, indent=1, ensure_ascii=False))
        return 0
    print(f"{used.title}, {used.described_checkpoint}", file=sys.stderr, flush=True)
    if args.csv:
        write_csv(sys.stdout, *predictions.table())
    else:
        print_predictions(predictions, max(1, args.top))
    return 0


def split_words(inputs: list[str], overrides: list[str]) -> tuple[list[str], list[str]]:
    """`--input a.png trainer.device=cpu`: what sets a key of the trainer is no file."""
    settings = [word for word in inputs if word.startswith("trainer.") and "=" in word]
    return [word for word in inputs if word not in settings], overrides + settings


def print_predictions(predictions: "Predictions", count: int) -> None:
    """A line a sample: the prediction with its probability, then the next likeliest classes."""
    headings, rows = ["input", "prediction"], []
    top = predictions.top(count)
    if predictions.probabilities is not None:
        headings += ["probability", "then"][: min(count, 2)]
    for name, value, likeliest in zip(predictions.names, predictions.values, top, strict=True):
        row = [one_line(name), as_text(value)]
        if likeliest:
            row.append(f"{likeliest[0][1]:.4f}")
            row += ["  ".join(f"{one_line(label)} {p:.4f}" for label, p in likeliest[1:])] * (count > 1)
        rows.append(row)
    print_table(headings, rows, numbers=[2] if predictions.probabilities is not None else [])


def as_text(value: Any) -> str:
    """A class, or numbers with the digits that tell."""
    if isinstance(value, list):
        return "  ".join(map(as_text, value))
    return f"{value:.6g}" if isinstance(value, float) else one_line(str(value))
