"""The examples of components of your own, which `dltool init --example` copies, read from their source text."""

import ast
import re
from pathlib import Path

from dltool.core.package import EXAMPLES

COMMAND = re.compile(r"^    (dltool train .*)$", re.MULTILINE)  # In the docstring of an example.


def examples() -> dict[str, str]:
    """The name of each example, with its first line."""
    return {path.stem: docstring(path).partition("\n")[0].removesuffix(".") for path in sorted(EXAMPLES.glob("*.py"))}


def example_file(name: str) -> Path:
    return EXAMPLES / f"{name}.py"


def example_command(name: str) -> str:
    """The first command that trains with an example."""
    return COMMAND.findall(docstring(example_file(name)))[0]


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
