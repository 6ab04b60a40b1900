"""The git commit of a folder, read from git's files.

`git status` would run programs that the repository's own configuration names (core.fsmonitor, filters), and even
`git rev-parse` reads it: training in a folder prepared by somebody else must run none of their code.
"""

import re
from pathlib import Path

from dltool.core.safe_read import read_regular

SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
MAX_LINKS = 5  # A symbolic ref names another ref; git follows five.


def checked_out_commit(folder: Path) -> str | None:
    """The commit checked out in the repository around a folder; None if there is no readable one."""
    for parent in (folder, *folder.parents):
        if (git := git_folder(parent / ".git")) is not None:
            try:
                return commit_of(git, "HEAD")
            except (OSError, ValueError):
                return None
    return None


def git_folder(path: Path) -> Path | None:
    """The git folder: `.git` itself, or the one that it names in a linked worktree or a submodule."""
    try:
        if path.is_dir():
            return path
        if path.is_file():
            return path.parent / read_regular(path).decode().removeprefix("gitdir:").strip()
    except (OSError, ValueError):
        pass
    return None


def commit_of(git: Path, ref: str) -> str | None:
    """The commit that a ref names, through other refs, in its own file or in the packed list."""
    common = git / "commondir"  # In a linked worktree: the folder with the repository's refs.
    shared = git / read_regular(common).decode().strip() if common.is_file() else git
    for _ in range(MAX_LINKS):
        place = next((folder / ref for folder in (git, shared) if (folder / ref).is_file()), None)
        content = read_regular(place).decode().strip() if place else packed_ref(shared, ref)
        if content is None or not content.startswith("ref:"):
            return content if content and SHA.fullmatch(content) else None
        ref = content.removeprefix("ref:").strip()
        if not ref.startswith("refs/") or ".." in ref:
            return None
    return None


def packed_ref(git: Path, ref: str) -> str | None:
    packed = git / "packed-refs"
    if not packed.is_file():
        return None
    lines = (line.split(" ", 1) for line in read_regular(packed).decode().splitlines())
    return next((words[0] for words in lines if words[1:] == [ref]), None)
