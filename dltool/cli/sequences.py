"""Prints a model's predictions for texts."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dltool.cli.tables import cell_width, one_line, print_table, terminal_width

if TYPE_CHECKING:
    from dltool.inference.sequence_predictions import ClozePredictions, TagPredictions, TextPredictions

WIDTH = 100  # Columns if there is no terminal.
GAP = 2


def print_tags(predictions: "TagPredictions") -> None:
    """Print each text with the tag of every word below it, followed by an empty line."""
    width = terminal_width() or WIDTH
    for words, tags in zip(predictions.words, predictions.values, strict=True):
        above = below = ""
        for word, tag in zip(map(one_line, words), map(one_line, tags), strict=True):
            cell = max(cell_width(word), cell_width(tag)) + GAP
            if above and cell_width(above) + cell - GAP > width:
                print(above.rstrip(), below.rstrip(), sep="\n")
                above = below = ""
            above += word + " " * (cell - cell_width(word))
            below += tag + " " * (cell - cell_width(tag))
        print(above.rstrip(), below.rstrip(), "", sep="\n")


def print_drawn(paths: Sequence[Path]) -> None:
    """Print the paths of the figures to standard error."""
    print(f"drawn: {', '.join(map(str, paths))}", file=sys.stderr)


def print_written(predictions: "TextPredictions") -> None:
    """Print a line per text: the input and the output."""
    rows = [(one_line(name), one_line(text)) for name, text in zip(predictions.names, predictions.values, strict=True)]
    print_table(("input", "prediction"), rows)


def print_blanks(predictions: "ClozePredictions", count: int) -> None:
    """Print each text with its blanks filled, then the most likely words for each blank."""
    for value, blanks in zip(predictions.values, predictions.blanks, strict=True):
        print(one_line(value))
        for place, answers in enumerate(blanks, start=1):
            print(f"  blank {place}  " + "  ".join(f"{one_line(word)} {p:.4f}" for word, p in answers[:count]))
