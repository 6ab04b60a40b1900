"""`dltool report`: one HTML page of a run, a sweep, a study or an experiment."""

import argparse
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dltool.cli.reproduce import experiment_file
from dltool.core.errors import ConfigError
from dltool.core.language import LANGUAGES, in_language
from dltool.core.process import OUTPUT_ROOT
from dltool.core.safe_path import SafePath
from dltool.core.shell import quoted
from dltool.declarations.options import option_files
from dltool.runs.catalog import find_run, find_runs, find_search, read_run
from dltool.runs.comparison import as_json

SUMMARY = "write one HTML page of a run, a sweep, a study or an experiment: curves, pictures, settings, results"
EXAMPLES = """\
examples:
  dltool report 12-00-00_mlp_moons                        report.html in the run's folder
  dltool report 12-00-00_mlp_moons --output mlp.html --open
  dltool report outputs/sweeps/2026-01-31_12-00-00        ranking, all curves, what each setting changes
  dltool report gan_gaussians                             what an experiment records, beside the runs made from it
  dltool report 12-00-00_mlp_moons --json                 what the page shows, as JSON
  dltool report --live --open                             all runs in the browser, while they train

The page is one file that loads nothing. Each training writes it at its end (logger.report=false leaves it out).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run",
        metavar="RUN",
        nargs="?",
        help="a run folder, the end of its path, the folder of a search, or an experiment",
    )
    parser.add_argument("--root", type=Path, default=OUTPUT_ROOT, help="the folder of the runs; default: outputs/")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="default: report.html in the folder; outputs/NAME.html of an experiment",
    )
    parser.add_argument(
        "--config-dir", action="append", default=[], type=Path, metavar="FOLDER", help="your own experiments too"
    )
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the page; default: that of the locale")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument("--json", action="store_true", help="print the content of the page as JSON, and write nothing")
    parser.add_argument("--live", action="store_true", help="serve the runs below a folder to this computer's browser")
    parser.add_argument("--port", type=int, metavar="N", help="of --live; default: a free one")


def run(args: argparse.Namespace) -> int:
    if args.live:
        return run_live(args)
    if args.port is not None:
        raise ConfigError("--port is the port of the live page", "--live --port N")
    if args.run is None:
        raise ConfigError("report needs a run", "dltool report RUN, or dltool report --live for all of them")
    from dltool.report.run_document import run_document
    from dltool.report.search_document import search_document
    from dltool.report.write import REPORT

    with in_language(args.lang):
        if name := experiment_of(args):
            from dltool.search.experiment_document import experiment_document

            path = args.output or args.root / f"{name}.html"
            return deliver(
                args, experiment_document(name, args.root, path.parent, args.config_dir), args.root, path, path
            )
        search = find_search(args.run, args.root)
        folder = search or find_run(args.run, args.root)
        document = search_document(folder) if search else run_document(read_run(folder))
        path = args.output or folder / REPORT
        return deliver(args, document, folder, args.output or SafePath(folder) / REPORT, path)


def deliver(
    args: argparse.Namespace, document: Mapping[str, Any], folder: Path, target: Path | SafePath, path: Path
) -> int:
    """Print the document as JSON, or write its page and print where.

    Args:
        args: Of the command line.
        document: See dltool.report.document.
        folder: Of its pictures.
        target: The file of the page.
        path: The same, to be printed.
    """
    from dltool.report.page import page
    from dltool.report.write import write

    if args.json:
        print(as_json(document))
        return 0
    try:
        write(page(document, folder), target)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", "--output FILE") from error
    print(quoted(path))
    if args.open:
        webbrowser.open(path.resolve().as_uri())
    return 0


def run_live(args: argparse.Namespace) -> int:
    """Serve the runs below a folder until Ctrl-C."""
    from dltool.report.live.server import serve

    if args.json or args.output:
        raise ConfigError("--live writes nothing, so it has no --json and no --output", "leave one of them out")
    root = Path(args.run).expanduser() if args.run else args.root
    if not root.is_dir():
        hint = "name the folder of the runs; `dltool train` creates outputs/"
        raise ConfigError(f"{root.resolve()} is not a folder", hint)
    return serve(root, args.port or 0, args.lang, opens=args.open)


def experiment_of(args: argparse.Namespace) -> str | None:
    """The experiment that is named; None if a run or a search is.

    `experiment=NAME` is always an experiment; NAME is one unless a folder, a run or a search has that name.
    """
    prefix, _, name = args.run.rpartition("experiment=")
    if prefix == "" and args.run != name:
        experiment_file(name, args.config_dir)
        return str(name)
    if args.run not in option_files("experiment", args.config_dir) or Path(args.run).exists():
        return None
    taken = find_search(args.run, args.root) or any(path.name == args.run for path in find_runs(args.root))
    return None if taken else str(args.run)
