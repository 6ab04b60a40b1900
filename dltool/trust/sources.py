"""The Python files that the command line trusts: read and hashed once, as text.

The same text is checked, hashed and run (dltool.trust.importing), even if the file changes in the meantime. Nothing
here imports it: checking a config and listing options run none of its code.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import decode_source
from pathlib import Path

from dltool.core.errors import ConfigError
from dltool.core.shell import quoted

CONFIGS = "configs"  # Next to a file, or in a package.


@dataclass(frozen=True)
class TrustedFile:
    """One Python file with its content at the time of reading.

    Attributes:
        path: The absolute path.
        is_package: Whether it is the `__init__.py` of a package.
    """

    path: Path
    content: bytes = field(repr=False)
    is_package: bool = False

    @property
    def text(self) -> str:
        return decode_source(self.content)


@dataclass(frozen=True, eq=False)
class TrustedSource:
    """A file or a package of the user. Different content has different module names.

    Attributes:
        path: The absolute path; links are not followed.
        sha256: The hash of the file; for a package, over the names and contents of its *.py and its options
            (configs/*/*.yaml), sorted by name. Other YAML files may belong to runs in the package's outputs/.
        files: Module name to file.
    """

    path: Path
    sha256: str
    files: dict[str, TrustedFile]

    @property
    def configs(self) -> Path:
        """The path of its folder of options, which need not exist."""
        return (self.path if self.path.is_dir() else self.path.parent) / CONFIGS


_trusted: tuple[TrustedSource, ...] = ()
_files: dict[str, TrustedFile] = {}  # From every source that was ever read: its modules may import each other later.


def trusted_sources() -> tuple[TrustedSource, ...]:
    """The sources that this process trusts, in the given order."""
    return _trusted


def trusted_file(module: str) -> TrustedFile | None:
    """The file of a module; None if the name is not a module of a trusted source."""
    return _files.get(module)


def trusted_files() -> dict[str, TrustedFile]:
    return dict(_files)


def trust(sources: Sequence[TrustedSource]) -> None:
    """Trust these sources from now on in this process, and no others."""
    global _trusted
    for source in sources:
        _files.update(source.files)
    _trusted = tuple(sources)


def read_sources(paths: Sequence[Path]) -> list[TrustedSource]:
    """Read the sources that `--trust` names; a path that is given twice counts once.

    Raises:
        ConfigError: A path is neither a Python file nor a package.
    """
    return [read_source(path) for path in {os.path.realpath(path): path for path in paths}.values()]


def read_source(path: Path) -> TrustedSource:
    """Read one file or package.

    Raises:
        ConfigError: It is neither, or cannot be read.
    """
    path = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 (resolve() would follow links)
    try:
        if path.is_dir():
            return read_package(path)
        if path.suffix != ".py" and path.exists():
            raise ConfigError(f"--trust {path} is not a Python file", "name FILE.py, or a folder with an __init__.py")
        content = path.read_bytes()
    except OSError as error:
        hint = "a path to FILE.py, or to a folder with an __init__.py"
        raise ConfigError(f"--trust {error.filename or path}: {error.strerror}", hint) from error
    digest = hashlib.sha256(content).hexdigest()
    return TrustedSource(path, digest, {module_name(path, digest): TrustedFile(path, content)})


def read_package(path: Path) -> TrustedSource:
    if not (path / "__init__.py").is_file():
        raise ConfigError(
            f"--trust {path} is not a package: it has no __init__.py", f"touch {quoted(path / '__init__.py')}"
        )
    names = sorted((file.relative_to(path) for file in hashed_files(path)), key=Path.as_posix)
    contents = {name: (path / name).read_bytes() for name in names}
    sha256 = hashlib.sha256()
    for name, content in contents.items():
        sha256.update(os.fsencode(name.as_posix()) + b"\0" + hashlib.sha256(content).digest())
    root = module_name(path, sha256.hexdigest())
    files = {}
    for name, content in contents.items():
        if name.suffix == ".py":
            parts = name.parent.parts if name.name == "__init__.py" else name.with_suffix("").parts
            files[".".join((root, *parts))] = TrustedFile(path / name, content, name.name == "__init__.py")
            for n in range(len(parts)):  # A folder without an __init__.py is a package too, as in Python.
                empty = TrustedFile(path.joinpath(*parts[:n], "__init__.py"), b"", is_package=True)
                files.setdefault(".".join((root, *parts[:n])), empty)
    return TrustedSource(path, sha256.hexdigest(), files)


def hashed_files(package: Path) -> Iterator[Path]:
    """The files in a package's SHA-256; hidden folders and links to folders are skipped."""
    for folder, names, files in os.walk(package):
        names[:] = [name for name in names if not name.startswith(".") and name != "__pycache__"]
        yield from (Path(folder, name) for name in files if name.endswith(".py"))
    yield from (package / CONFIGS).glob("*/*.yaml")


def module_name(path: Path, sha256: str) -> str:
    """A unique module name, so that `torch.py` shadows nothing and a changed file is imported again."""
    identity = hashlib.sha256(f"{path}\0{sha256}".encode(errors="surrogateescape")).hexdigest()[:12]
    readable = re.sub(r"\W", "_", path.stem)
    return f"dltool_trusted_{readable}_{identity}"


def trust_words() -> list[str]:
    """The arguments that trust the same sources again, each path relative to the working directory if possible."""
    here = Path.cwd()
    paths = [source.path for source in _trusted]
    shown = [path.relative_to(here) if path.is_relative_to(here) else path for path in paths]
    return [word for path in shown for word in ("--trust", str(path))]


def trust_flags() -> str:
    """The same as part of a shell command, with a trailing space; empty if nothing is trusted."""
    return f"{quoted(*trust_words())} " if _trusted else ""
