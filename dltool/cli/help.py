"""`dltool help`: the manual, in the terminal."""

import argparse
import re

from dltool.manual.pages import START, find, search

SUMMARY = "read or search the manual"
EXAMPLES = """\
examples:
  dltool help                       the table of contents
  dltool help first_hour            one page
  dltool help model=lenet           one option, with its keys
  dltool help --search early stop   the sections that contain all the words
"""
MOST_FOUND = 20
WIDTH = 100  # Columns; longer lines are hard to read.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", nargs="?", default=START, help="a page, or GROUP=OPTION")
    parser.add_argument("--search", nargs="+", metavar="WORD", help="list the sections that contain these words")


def run(args: argparse.Namespace) -> int:
    if args.search is not None:
        return print_found(args.search)
    from rich.markdown import Markdown

    from dltool.core.console import Console

    text = find(args.topic)
    console = Console()
    if console.width > WIDTH or not console.is_terminal:
        console = Console(width=WIDTH)
    page = Markdown(for_terminal(text), hyperlinks=False)
    if console.is_terminal:
        with console.pager(styles=True):
            console.print(page)
    else:
        console.print(page)
    return 0


def for_terminal(text: str) -> str:
    """The Markdown without what a terminal cannot follow: links to other pages, and pictures."""
    text = re.sub(r"^!\[[^]]*\]\([^)]*\)\n?", "", text, flags=re.MULTILINE)
    return re.sub(r"(?<!!)\[([^]]*)\]\((?!https?:)[^)]*\)", r"**\1**", text)


def print_found(words: list[str]) -> int:
    """Print the sections that contain all words; the exit code is 1 if there are none, like that of grep."""
    found = search(words)
    for section, line in found[:MOST_FOUND]:
        print(f"{section.topic}: {section.heading}\n    {line}")
    if len(found) > MOST_FOUND:
        print(f"and {len(found) - MOST_FOUND} more: add a word")
    if not found:
        print(f"no section contains {' and '.join(words)}")
    return 0 if found else 1
