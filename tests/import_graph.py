"""Which module of dltool imports which, read from the source: lazy imports and those for types count too."""

import ast
import functools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "dltool"
USERS = {PACKAGE / "template", PACKAGE / "examples"}  # What `dltool init` copies: a user's code.

Graph = Mapping[str, set[str]]


def module_name(path: Path) -> str:
    """`engine.trainer` of dltool/engine/trainer.py; `engine` of its __init__.py; "" of dltool/__init__.py."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def module_graph() -> dict[str, set[str]]:
    """Each module with those that it imports."""
    paths = {module_name(path): path for path in PACKAGE.rglob("*.py") if not USERS & {*path.parents}}
    return {name: {*imported(path, paths)} - {name} for name, path in paths.items()}


def imported(path: Path, modules: Iterable[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "dltool":
            home = node.module.removeprefix("dltool").lstrip(".")
            for alias in node.names:
                inner = f"{home}.{alias.name}".lstrip(".")
                yield inner if inner in modules else home
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.split(".")[0] == "dltool"]
            yield from (name.removeprefix("dltool").lstrip(".") for name in names)


def package_graph() -> dict[str, set[str]]:
    """Each package, and each module directly in dltool/, with those that its modules import."""
    graph: dict[str, set[str]] = {}
    for module, targets in module_graph().items():
        package = module.split(".")[0]
        graph.setdefault(package, set()).update({target.split(".")[0] for target in targets} - {package})
    return graph


def cycles(graph: Graph) -> list[list[str]]:
    """The groups of two and more that import each other, directly or through others."""
    reached = {name: reachable(graph, name) for name in graph}
    groups = {frozenset(other for other in reached[name] if name in reached[other]) for name in graph}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def reachable(graph: Graph, start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in graph.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def levels(graph: Graph) -> list[list[str]]:
    """The packages from the ground up: each imports only from levels before its own. For a graph without cycles."""
    placed: dict[str, int] = {}

    def level(name: str) -> int:
        if name not in placed:
            placed[name] = 1 + max((level(target) for target in graph.get(name, ())), default=-1)
        return placed[name]

    for name in graph:
        level(name)
    return [sorted(name for name in placed if placed[name] == n) for n in range(1 + max(placed.values()))]
