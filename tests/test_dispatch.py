"""Nobody outside tasks/ and data/ asks of what class a task, a preprocessing, a data set or a source of batches is.

They say what they can do (`Task.uses`, `Preprocessing.gives_pixels`, `BatchSource.samples_in_memory`, …), and do it.
So a new kind of model is one file in models/, one in tasks/ and its YAMLs.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "dltool"
OWNERS = ("tasks", "data")
LEFT_OUT = ("template", "examples")  # A user's own code.
PENDING: tuple[str, ...] = ()  # Still ask.
# What variables and attributes that hold these objects are called.
SUBJECTS = {"task", "_task", "preprocessing", "_preprocessing", "dataset", "data", "source"}
# "module: expression" to why it may stay, two at most.
ALLOWED: dict[str, str] = {}


def classes_of(folder: Path) -> set[str]:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py"))
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


@cache
def owned_classes() -> set[str]:
    return {name for folder in OWNERS for name in classes_of(PACKAGE / folder)}


def names_in(node: ast.AST) -> set[str]:
    """All names and attributes in an expression."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} | {
        part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)
    }


def chain(node: ast.AST) -> set[str]:
    """The names of `a.b[…].c`, its subscripts left out."""
    if isinstance(node, ast.Attribute):
        return {node.attr} | chain(node.value)
    if isinstance(node, ast.Subscript):
        return chain(node.value)
    return {node.id} if isinstance(node, ast.Name) else set()


def keys(node: ast.AST) -> list[object]:
    """The constant subscripts of `a["x"]["y"]`, in order."""
    if not isinstance(node, ast.Subscript):
        return []
    return [*keys(node.value), node.slice.value if isinstance(node.slice, ast.Constant) else None]


def holds_text(node: ast.AST) -> bool:
    items = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return any(isinstance(item, ast.Constant) and isinstance(item.value, str) for item in items)


def asks_a_class(call: ast.Call) -> bool:
    """isinstance, issubclass, hasattr, getattr, type."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name in ("isinstance", "issubclass") and len(call.args) == 2:
        return bool(names_in(call.args[1]) & owned_classes())
    return name in ("hasattr", "getattr") and bool(call.args) and bool(chain(call.args[0]) & SUBJECTS)


def compares_a_kind(node: ast.Compare) -> bool:
    """`x.kind == "…"`, `x["kind"] in ("…", "…")`, `config["task"]["name"] == "…"`, `type(task) is …`."""
    sides = [node.left, *node.comparators]
    if any(isinstance(side, ast.Call) and ast.unparse(side.func) == "type" and chain(side.args[0]) & SUBJECTS
           for side in sides):  # fmt: skip
        return True
    if not any(map(holds_text, sides)):
        return False
    for side in sides:
        by_attribute = isinstance(side, ast.Attribute) and side.attr == "kind" and chain(side.value) & SUBJECTS
        by_key = keys(side)[-1:] == ["kind"] and chain(side) & SUBJECTS
        by_name = keys(side)[-2:] in (["task", "name"], ["data", "name"])
        if by_attribute or by_key or by_name:
            return True
    return False


def questions(tree: ast.AST) -> Iterator[str]:
    """Each expression that asks of what class such an object is."""
    for node in ast.walk(tree):
        if (isinstance(node, ast.Call) and asks_a_class(node)) or (
            isinstance(node, ast.Compare) and compares_a_kind(node)
        ):
            yield ast.unparse(node)
        if isinstance(node, ast.MatchClass) and names_in(node.cls) & owned_classes():
            yield f"case {ast.unparse(node)}"


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] not in (*OWNERS, *LEFT_OUT, *PENDING):
            yield ".".join(parts), path


def test_nobody_asks_of_what_class_an_object_is() -> None:
    found = {
        f"{module}: {question}"
        for module, path in modules()
        for question in questions(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found - ALLOWED.keys() == set()
    assert ALLOWED.keys() - found == set(), "no longer asked: take it out of ALLOWED"
    assert len(ALLOWED) <= 2


def test_the_classes_are_those_of_the_packages() -> None:
    assert {
        "Task",
        "SupervisedTask",
        "CycleGanTask",
        "GenerativeTask",
        "Preprocessing",
        "ImagePreprocessing",
    } < owned_classes()
    assert {"Dataset", "SampleData", "BatchSource", "TrainSource", "StreamSource", "PixelScaling"} < owned_classes()


@pytest.mark.parametrize(
    "text",
    [
        "isinstance(run.task, CycleGanTask)",
        "isinstance(x, (TrainSource, StreamSource))",
        "isinstance(x, tasks.SupervisedTask | None)",
        "issubclass(type(x), Preprocessing)",
        "hasattr(task, 'decode')",
        "getattr(run.task.criterion, 'label_smoothing', 0.0)",
        "getattr(self._task, name)",
        "preprocessing.kind == 'image'",
        "preprocessing['kind'] in ('image', 'text')",
        "config['task']['name'] == 'cyclegan'",
        "type(task) is CycleGanTask",
        "match x:\n    case TextPreprocessing(cut=True):\n        pass",
    ],
)
def test_a_question_is_found(text: str) -> None:
    assert list(questions(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "'generate' in task.uses",
        "preprocessing.gives_pixels",
        "isinstance(x, Tensor)",
        "getattr(self, 'name')",
        "settings.kind == 'ema'",
        "LOOPS[config['task']['name']]",
        "config['task']['name'] in LOOPS",
    ],
)
def test_what_is_allowed_is_not_taken_for_a_question(text: str) -> None:
    assert not list(questions(ast.parse(text)))
