"""Writes the reference pages of the manual: `python -m dltool.cli.reference`; a test checks that they are current."""

import argparse

from dltool.cli.main import commands, make_parser
from dltool.manual.pages import FOLDER
from dltool.manual.reference import reference_pages, sentence


def all_pages() -> dict[str, str]:
    """The name of each page to its Markdown."""
    return {**reference_pages(), "commands": commands_page()}


def commands_page() -> str:
    """A section for each command, from the parsers; not argparse's own help, which differs between Pythons."""
    lines = [
        "# commands",
        "",
        "Every command of dltool with its arguments, as `dltool COMMAND --help` prints them.",
        "",
    ]
    for name, parser in commands(make_parser()):
        lines += [f"## {name}", "", sentence(parser.description or ""), "", *arguments(parser)]
        if parser.epilog:
            lines += ["```text", *parser.epilog.rstrip().splitlines(), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def arguments(parser: argparse.ArgumentParser) -> list[str]:
    rows = []
    for action in parser._actions:
        if isinstance(action, (argparse._SubParsersAction, argparse._HelpAction)):
            continue
        names = ", ".join(action.option_strings)
        value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
        if action.choices and not action.metavar:
            value = " ".join(map(str, action.choices))
        text = f"{names} {value}".strip() if names else value
        text = text.replace("|", " or ")
        rows.append(f"- **`{text}`** {(action.help or '').replace('%%', '%')}".rstrip())
    return [*rows, ""]


def main() -> None:
    folder = FOLDER / "reference"
    folder.mkdir(exist_ok=True)
    for name, text in all_pages().items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
