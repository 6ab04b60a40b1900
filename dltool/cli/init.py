"""`dltool init`: creates a small project that can be trained immediately."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from dltool.core.errors import ConfigError
from dltool.core.package import TEMPLATE
from dltool.core.shell import quoted

SUMMARY = "create a project of your own: a model, its configs, a test"
EXAMPLES = """\
examples:
  dltool init my_project
  cd my_project && dltool train --trust models.py model=mine

Without FOLDER it uses the current folder, which must be empty.
"""
HARMLESS = (".git",)  # Names that may exist in the folder.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="new, or empty")


def run(args: argparse.Namespace) -> int:
    folder: Path = args.folder.expanduser()
    try:
        make(folder)
    except OSError as error:
        where = Path(error.filename or folder).resolve()
        raise ConfigError(
            f"{where}: {error.strerror}", "dltool init FOLDER names a folder that can be created"
        ) from error
    for _, target in template_files():
        print(folder / target)
    enter = "" if folder.resolve() == Path.cwd() else f"cd {quoted(folder)} && "
    print(f"now        {enter}dltool train --trust models.py model=mine")
    return 0


def make(folder: Path) -> None:
    """Copy the template.

    Raises:
        ConfigError: If the folder is a file, or is not empty.
        OSError: If it is not writable.
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
    """Each file of the template, and its destination; a `.gitignore` there would hide the template itself."""
    for path in sorted(TEMPLATE.rglob("*")):
        name = path.relative_to(TEMPLATE)
        if path.is_file() and "__pycache__" not in name.parts:
            yield path, Path(".gitignore") if name == Path("gitignore") else name


def fresh(folder: Path) -> Path:
    """A folder name that does not exist yet."""
    base = folder / "my_project" if folder == Path() else folder
    candidates = (base if n == 1 else base.with_name(f"{base.name}_{n}") for n in range(1, 10_000))
    return next(path for path in candidates if not path.exists())
