"""`dltool init`: make a small project of your own that can be trained at once."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from dltool.core.errors import ConfigError
from dltool.core.shell import quoted
from dltool.declarations.registry import TEMPLATE

SUMMARY = "begin a project of your own: a model, its configs, a test"
EXAMPLES = """\
examples:
  dltool init my_project
  cd my_project && dltool train --trust models.py model=mine

Without a folder it is the one you are in, which must be empty.
"""
HARMLESS = (".git",)  # The folder may contain these already.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="new, or empty")


def run(args: argparse.Namespace) -> int:
    folder: Path = args.folder.expanduser()
    try:
        make(folder)
    except OSError as error:
        where = Path(error.filename or folder).resolve()
        raise ConfigError(f"{where}: {error.strerror}", "dltool init FOLDER names a folder that can be made") from error
    for _, target in template_files():
        print(folder / target)
    enter = "" if folder.resolve() == Path.cwd() else f"cd {quoted(folder)} && "
    print(f"now        {enter}dltool train --trust models.py model=mine")
    return 0


def make(folder: Path) -> None:
    """Copy the template.

    Raises:
        ConfigError: The folder is a file, or is not empty.
        OSError: The folder cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder.resolve()} is a file", "dltool init FOLDER names a new folder")
    if folder.is_dir() and (found := sorted(e.name for e in os.scandir(folder) if e.name not in HARMLESS)):
        hint = f"dltool init {quoted(fresh(folder))}"
        raise ConfigError(f"{folder.resolve()} is not empty: it contains {found[0]}", hint)
    for source, target in template_files():
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes())


def template_files() -> Iterator[tuple[Path, Path]]:
    """Each file of the template with its target; a `.gitignore` in the template would hide the template itself."""
    for path in sorted(TEMPLATE.rglob("*")):
        name = path.relative_to(TEMPLATE)
        if path.is_file() and "__pycache__" not in name.parts:
            yield path, Path(".gitignore") if name == Path("gitignore") else name


def fresh(folder: Path) -> Path:
    """The name of a folder that does not exist yet."""
    base = folder / "my_project" if folder == Path() else folder
    candidates = (base if n == 1 else base.with_name(f"{base.name}_{n}") for n in range(1, 10_000))
    return next(path for path in candidates if not path.exists())
