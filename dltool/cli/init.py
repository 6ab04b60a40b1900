"""`dltool init`: creates a project that can be trained immediately, an example of one component, or a notebook."""

import argparse
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.package import NOTEBOOK, TEMPLATE
from dltool.core.shell import quoted
from dltool.declarations.examples import example_command, example_file, examples

SUMMARY = "create a project of your own: a model, its configs, a test; or the tutorial as a notebook"
EXAMPLES = """\
examples:
  dltool init my_project
  cd my_project && dltool train --trust models.py model=mine
  dltool init --example attack
  dltool init --example list
  dltool init --notebook

Without FOLDER it uses the current folder, which must be empty. --example writes one commented file with a component of
one kind into the folder, which may have other files, and prints the command that trains with it. --notebook writes
the tutorial "your first hour" as a Jupyter notebook; Jupyter is installed by `pip install jupyterlab`.
"""
HARMLESS = (".git",)  # Names that may exist in the folder.
LIST = "list"  # Instead of the name of an example.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="new, or empty")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--example", metavar="NAME", help=f"write NAME.py instead; {LIST} shows the names")
    instead.add_argument("--notebook", action="store_true", help="write the tutorial as a notebook instead")


def run(args: argparse.Namespace) -> int:
    folder: Path = args.folder.expanduser()
    if args.example == LIST:
        print(described_examples())
        return 0
    try:
        written, command = requested(args)(folder)
    except OSError as error:
        where = Path(error.filename or folder).resolve()
        raise ConfigError(
            f"{where}: {error.strerror}", "dltool init FOLDER names a folder that can be created"
        ) from error
    for path in written:
        print(path)
    enter = "" if folder.resolve() == Path.cwd() else f"cd {quoted(folder)} && "
    print(f"now        {enter}{command}")
    return 0


def requested(args: argparse.Namespace) -> Callable[[Path], tuple[list[Path], str]]:
    """Writes what the command line requests into a folder; returns the files, and the command to type next."""
    if args.notebook:
        return make_notebook
    return make if args.example is None else partial(make_example, name=args.example)


def make(folder: Path) -> tuple[list[Path], str]:
    """Copy the template.

    Returns:
        The written files, and the command to type next.

    Raises:
        ConfigError: If the folder is a file, or is not empty.
        OSError: If it is not writable.
    """
    check_folder(folder)
    if folder.is_dir() and (found := sorted(e.name for e in os.scandir(folder) if e.name not in HARMLESS)):
        hint = f"dltool init {quoted(fresh(folder))}"
        raise ConfigError(f"{folder.resolve()} is not empty: it contains {found[0]}", hint)
    for source, target in template_files():
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes())
    return [folder / target for _, target in template_files()], "dltool train --trust models.py model=mine"


def make_example(folder: Path, name: str) -> tuple[list[Path], str]:
    """Copy one example.

    Returns:
        The written file, and the command to type next.

    Raises:
        ConfigError: If no such example exists, the folder is a file, or the file exists.
        OSError: If the folder is not writable.
    """
    if name not in examples():
        near = nearest(name, examples())
        hint = f"did you mean {near}? " if near else ""
        raise ConfigError(
            f"--example {name}: there is no such example", f"{hint}The examples are {', '.join(examples())}"
        )
    return [copy_file(example_file(name), folder, f"--example {quoted(name)}", "examples")], example_command(name)


def make_notebook(folder: Path) -> tuple[list[Path], str]:
    """Copy the tutorial. Returns and raises as make_example."""
    path = copy_file(NOTEBOOK, folder, "--notebook", "notebooks")
    return [path], f"jupyter lab {path.name}"


def copy_file(source: Path, folder: Path, flags: str, other: str) -> Path:
    """Copy one file into a folder that may have others.

    Args:
        source: The file.
        folder: Created if it does not exist.
        flags: Of the command, for a hint.
        other: The name of another folder, for a hint.
    """
    check_folder(folder)
    path = folder / source.name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(source.read_bytes())
    except FileExistsError as error:
        raise ConfigError(
            f"{path.resolve()} exists, and nothing is overwritten",
            quoted("dltool", "init", *flags.split(), fresh(folder / other)),
        ) from error
    return path


def check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder.resolve()} is a file", "dltool init FOLDER names a new folder")


def described_examples() -> str:
    """Each example in one line."""
    width = max(map(len, examples()))
    return "\n".join(f"  {name:<{width}}  {text}" for name, text in examples().items())


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
