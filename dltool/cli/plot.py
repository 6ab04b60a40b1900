"""`dltool plot`: the figures of runs: curves, and what their diagnostics measured."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dltool.cli.runs.plot import add_curve_arguments, write_curves
from dltool.cli.tables import print_table
from dltool.core.errors import ConfigError
from dltool.core.language import LANGUAGES, in_language
from dltool.core.process import OUTPUT_ROOT
from dltool.core.shell import quoted
from dltool.runs.catalog import RunRecord, find_search, runs_of_search
from dltool.runs.folder import RunFolder
from dltool.runs.selection import select

if TYPE_CHECKING:
    from dltool.figures.saving import Target

SUMMARY = "draw the figures of runs: curves, layers, boundaries, surfaces with paths"
EXAMPLES = """\
examples:
  dltool plot 12-00-00_mlp_moons                          every quick figure that its diagnostics allow
  dltool plot 12-00-00_mlp_moons --figure list            which figures a run has, and what it lacks for the others
  dltool plot 12-00-00_mlp_moons --figure boundary --grid 400 --format pdf --output figures
  dltool plot outputs/sweeps/2026-01-31_12-00-00 --figure surface     the runs of a sweep in one picture
  dltool plot 12-00-00_word2vec_corpus --figure words --analogy king,man,woman
  dltool plot data=moons --figure curves --metric val/loss --group       the curves of several runs
"""
FORMATS = ("png", "svg", "pdf")
LIST = "list"
WORDS = "words"
CURVES, CURVES_SUMMARY = "curves", "the metrics over steps or epochs, of one or several runs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="RUN", help="runs, filters, or the folder of a sweep")
    parser.add_argument(
        "--figure", metavar="NAMES", help="names of figures, with commas between them; `list` describes them"
    )
    parser.add_argument("--root", type=Path, default=OUTPUT_ROOT, help="the folder of the runs; default: outputs/")
    parser.add_argument("--grid", type=int, metavar="N", help="nodes along each axis of maps; default: 100 or 200")
    parser.add_argument(
        "--analogy",
        action="append",
        type=three_words,
        metavar="B,A,C",
        help="of --figure words: b - a + c and its nearest words; may be repeated",
    )
    parser.add_argument("--format", choices=FORMATS, default="png", help="default: png; films are GIFs")
    add_curve_arguments(parser.add_argument_group("options of --figure curves"))
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the figures; default: that of the locale")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="default: the run's plots/, or a new folder in outputs/"
    )


def three_words(text: str) -> tuple[str, ...]:
    """ "king,man,woman" as three words."""
    words = tuple(word.strip() for word in text.split(","))
    if len(words) != 3 or not all(words):
        raise argparse.ArgumentTypeError(f"{text}: three words with commas between them, such as king,man,woman")
    return words


def run(args: argparse.Namespace) -> int:
    if args.grid is not None and args.grid < 2:
        raise ConfigError(f"--grid {args.grid}: a map needs at least 2 nodes along each axis", "--grid 100")
    names = args.figure.split(",") if args.figure else []
    if CURVES not in names and (args.metric or args.x or args.group):
        raise ConfigError("--metric, --x and --group belong to the figure of curves", "--figure curves")
    if args.analogy and WORDS not in names:
        raise ConfigError("--analogy belongs to the figure of word vectors", "--figure words")
    records = chosen_runs(args.words, args.root)
    target = folder_of(args, records)
    with in_language(args.lang):
        if CURVES in names:
            # Not `curves`, which the training itself has drawn into the run's plots/.
            name = f"compared_curves.{args.format}"
            write_curves(args, records, target / name)
            print_files(target, [name])
        others = [name for name in names if name != CURVES]
        if others or not names:
            draw(args, records, target, others)
    return 0


def draw(args: argparse.Namespace, records: Sequence[RunRecord], target: "Target", names: Sequence[str]) -> None:
    """Draw the figures of the runs' diagnostics, or list them; no names are all that the runs have."""
    from dltool.plotting.figure import Options
    from dltool.plotting.runs import availability, load_subjects, plot

    subjects = load_subjects(records)
    if list(names) == [LIST]:
        rows = [
            [one.figure.name, one.reason or ("yes, if named" if one.is_costly else "yes"), one.figure.summary]
            for one in availability(subjects)
        ]
        rows.append([CURVES, "yes", CURVES_SUMMARY])
        print_table(["figure", "available", "what it shows"], rows)
        return
    written = plot(
        subjects, target, list(names) or None, kind=args.format, options=Options(args.grid, args.analogy or ())
    )
    print_files(target, written)


def print_files(target: "Target", names: Sequence[str]) -> None:
    for name in names:
        print(quoted((target if isinstance(target, Path) else target.path) / name))


def chosen_runs(words: Sequence[str], root: Path) -> list[RunRecord]:
    """The runs that the words name; a sweep or a study stands for its finished runs.

    Raises:
        ConfigError: No word was given, or no run matches.
    """
    if not words:
        raise ConfigError("no run is named", "dltool plot RUN, or filters such as model=mlp")
    records: list[RunRecord] = []
    for word in words:
        if (folder := find_search(word, root)) is not None:
            records += [record for record in runs_of_search(folder) if record.state == "finished"]
    if rest := [word for word in words if find_search(word, root) is None]:
        records += select(rest, root)
    if not records:
        raise ConfigError(f"no run matches {' '.join(words)}", "`dltool runs` lists the runs")
    return records


def folder_of(args: argparse.Namespace, records: Sequence[RunRecord]) -> "Target":
    """The folder for the files: the requested one, a single run's plots/, or a new one in the output root."""
    if args.output is not None:
        return Path(args.output)
    if len(records) == 1 and args.format == "png":
        return RunFolder(records[0].path).files / "plots"
    return OUTPUT_ROOT / f"plots_{time.strftime('%Y-%m-%d_%H-%M-%S')}"
