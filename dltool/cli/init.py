"""`dltool init`: creates a small project that can be trained immediately, or an example of one kind of component."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.package import TEMPLATE
from dltool.core.shell import quoted
from dltool.declarations.examples import example_command, example_file, examples

SUMMARY = "create a project of your own: a model, its configs, a test"
EXAMPLES = """\
examples:
  dltool init my_project
  cd my_project && dltool train --trust models.py model=mine
  dltool init --example attack
  dltool init --example list

Without FOLDER it uses the current folder, which must be empty. --example writes one commented file with a component of
one kind into the folder, which may have other files, and prints the command that trains with it.
"""
HARMLESS = (".git",)  # Names that may exist in the folder.
LIST = "list"  # Instead of the name of an example.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="new, or empty")
    parser.add_argument("--example", metavar="NAME", help=f"write NAME.py instead; {LIST} shows the names")


def run(args: argparse.Namespace) -> int:
    folder: Path = args.folder.expanduser()
    if args.example == LIST:
        print(described_examples())
        return 0
    try:
        written, command = make_example(folder, args.example) if args.example is not None else make(folder)
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
        hint = f"did you mean {near}? The examples:" if near else "the examples:"
        raise ConfigError(f"--example {name}: there is no such example", f"{hint}\n{described_examples()}")
    check_folder(folder)
    source = example_file(name)
    path = folder / source.name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(source.read_bytes())
    except FileExistsError as error:
        raise ConfigError(
            f"{path.resolve()} exists, and nothing is overwritten",
            f"dltool init --example {quoted(name, fresh(folder / 'examples'))}",
        ) from error
    return [path], example_command(name)


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
