"""`dltool report`: one HTML page of a run, a sweep or a study."""

import argparse
import webbrowser
from pathlib import Path

from dltool.core.errors import ConfigError
from dltool.core.language import LANGUAGES, in_language
from dltool.core.process import OUTPUT_ROOT
from dltool.core.safe_path import SafePath
from dltool.core.shell import quoted
from dltool.runs.catalog import find_run, find_search, read_run
from dltool.runs.comparison import as_json

SUMMARY = "write one HTML page of a run, a sweep or a study: curves, pictures, settings, what they change"
EXAMPLES = """\
examples:
  dltool report 12-00-00_mlp_moons                        report.html in the run's folder
  dltool report 12-00-00_mlp_moons --output mlp.html --open
  dltool report outputs/sweeps/2026-01-31_12-00-00        ranking, all curves, what each setting changes
  dltool report 12-00-00_mlp_moons --json                 what the page shows, as JSON

The page is one file that loads nothing. Each training writes it at its end (logger.report=false leaves it out).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run folder, the end of its path, or the folder of a search")
    parser.add_argument("--root", type=Path, default=OUTPUT_ROOT, help="the folder of the runs; default: outputs/")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: report.html in the folder")
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the page; default: that of the locale")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument("--json", action="store_true", help="print the content of the page as JSON, and write nothing")


def run(args: argparse.Namespace) -> int:
    from dltool.report.page import page
    from dltool.report.run_document import run_document
    from dltool.report.search_document import search_document
    from dltool.report.write import REPORT, write

    search = find_search(args.run, args.root)
    folder = search or find_run(args.run, args.root)
    with in_language(args.lang):
        document = search_document(folder) if search else run_document(read_run(folder))
        if args.json:
            print(as_json(document))
            return 0
        target = args.output or SafePath(folder) / REPORT
        path = args.output or folder / REPORT
        try:
            write(page(document, folder), target)
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}", "--output FILE") from error
    print(quoted(path))
    if args.open:
        webbrowser.open(path.resolve().as_uri())
    return 0
