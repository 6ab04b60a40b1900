"""What a user's Python file registers, read from its text; the mistakes that can be seen there are named here.

dltool.declarations.source reads the fields of a component, once it is wanted; this is about its registration.
"""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.shell import quoted
from dltool.declarations.rules import read_rule

Definition = ast.ClassDef | ast.FunctionDef
# Where `register` comes from, by its present name and its former; from elsewhere it is another library's decorator.
MARKS = ("dltool.declarations.component", "dltool.component")
INPUTS = ("any", "image", "vector")
TARGETS = ("classes", "binary", "numbers", "none", "auto")

# Group to the facts that a registration must state, and an example of one.
GROUPS: dict[str, tuple[tuple[str, ...], str]] = {
    "model": (("inputs", "tasks"), '@register("model", "{}", inputs="any", tasks=("supervised",))'),
    "data": (("inputs", "targets"), '@register("data", "{}", into=TableData, inputs="vector", targets="classes")'),
    "loss": (("tasks",), '@register("loss", "{}", targets=("classes",), head="classes", tasks=("supervised",))'),
    "task": (("loss_for",), '@register("task", "{}", loss_for="data")'),
    "metric": (("targets",), '@register("metric", "{}", targets=("classes", "binary"))'),
    "optim": ((), '@register("optim", "{}", into=Optimizer)'),
    "schedule": ((), '@register("schedule", "{}", into=Schedule)'),
}
ALLOWED = {
    ("model", "inputs"): INPUTS,
    ("data", "inputs"): INPUTS[1:],
    ("data", "targets"): TARGETS,
    ("loss", "head"): ("classes", "one", "numbers", "targets"),
}
LISTS = ("tasks", "default_for")  # And `targets`, except of data.
INTO = ("optim", "schedule")  # Must be built into a class of dltool's.


@dataclass(frozen=True)
class Registration:
    """One `@register` of a trusted file.

    Attributes:
        module: As it is imported.
        summary: First line of the docstring.
    """

    group: str
    name: str
    module: str
    path: Path
    line: int
    summary: str


def registrations_in(tree: ast.Module, path: Path, module: str, num_packages: int) -> list[Registration]:
    """Every component of a file, in its order.

    Args:
        tree: The parsed file.
        path: Where it lies.
        module: As it is imported.
        num_packages: Packages around its names: how many dots an import in it may begin with.

    Raises:
        ConfigError: For a registration or a relative import that cannot be read, with file and line.
    """
    marks = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module in MARKS
        for alias in node.names
        if alias.asname in (None, alias.name)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level > num_packages:
            problem = f"`from {'.' * node.level}{node.module or ''} import …` leads out of what is trusted"
            hint = f"a folder with an __init__.py is a package: --trust {quoted(path.parent)}"
            raise wrong(path, node, problem, hint)
        if "register" in marks and isinstance(node, Definition):
            for call in decorators(node, "register"):
                if node not in tree.body:
                    raise wrong(path, call, f"{node.name} is registered inside another block", "move it to the left")
                found.append(registration(node, call, path, module))
    return found


def decorators(definition: Definition, name: str) -> list[ast.Call]:
    """The decorators `@name(…)` of a definition."""
    return [
        node
        for node in definition.decorator_list
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def registration(definition: Definition, call: ast.Call, path: Path, module: str) -> Registration:
    names = [node.value for node in call.args if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    if len(names) != 2 or len(call.args) != 2:
        problem = "a registration is read without running it: group and name are two texts, written out"
        raise wrong(path, call, problem, GROUPS["model"][1].format("mine"))
    group, name = names
    if group not in GROUPS:
        near = nearest(group, GROUPS)
        hint = f"did you mean {near}?" if near else None
        raise wrong(path, call, f"{group} is no group to register in; those are {', '.join(GROUPS)}", hint)
    example = GROUPS[group][1].format(name if name.isidentifier() else "mine")
    if not name.isidentifier():
        raise wrong(path, call, f"{name!r} is no name: letters, digits and _, the first no digit", example)
    check_traits(group, name, call, path, example)
    has_into = any(keyword.arg == "into" for keyword in call.keywords)
    if not has_into and (group in INTO or (group == "data" and isinstance(definition, ast.FunctionDef))):
        raise wrong(path, call, f"{group}={name} states no into=, the class that it is built into", example)
    check_signature(definition, path)
    for rule in decorators(definition, "requires"):
        read_rule(rule, path)
    docstring = ast.get_docstring(definition) or ""
    return Registration(group, name, module, path, definition.lineno, docstring.partition("\n")[0])


def check_traits(group: str, name: str, call: ast.Call, path: Path, example: str) -> None:
    """The facts of a registration are literals; those that dltool cannot do without are there."""
    traits: dict[str, Any] = {}
    for keyword in call.keywords:
        if keyword.arg not in (None, "into"):
            try:
                traits[str(keyword.arg)] = ast.literal_eval(keyword.value)
            except ValueError as error:
                problem = f"{keyword.arg}={ast.unparse(keyword.value)} is no literal, and nothing is run to read it"
                raise wrong(path, keyword.value, problem, example) from error
    needed = [*GROUPS[group][0], *(["head"] if group == "loss" and "targets" in traits else [])]
    if missing := [trait for trait in needed if trait not in traits]:
        raise wrong(path, call, f"{group}={name} does not state {' and '.join(missing)}", example)
    for trait, value in traits.items():
        allowed = ALLOWED.get((group, trait))
        if allowed and value not in allowed:
            raise wrong(path, call, f"{trait}={value!r}: one of {', '.join(allowed)} is needed", example)
        is_list = trait in LISTS or (trait == "targets" and group != "data")
        if is_list and not (isinstance(value, tuple) and value and all(isinstance(item, str) for item in value)):
            problem = f"{trait}={value!r}: a tuple of texts is needed, with its comma"
            raise wrong(path, call, problem, trait + f'=("{value}",)' if isinstance(value, str) else example)


def check_signature(definition: Definition, path: Path) -> None:
    """No key stands before the `*`: what dltool passes by place comes from the data."""
    methods = (node for node in getattr(definition, "body", []) if isinstance(node, ast.FunctionDef))
    constructor = next((node for node in methods if node.name == "__init__"), None)
    function = definition if isinstance(definition, ast.FunctionDef) else constructor
    if function is not None and function.args.defaults:
        first = function.args.args[-len(function.args.defaults)]
        problem = f"{first.arg} stands before the *, where only what the data gives may stand"
        hint = f"a key of the config is keyword-only: write *, before {first.arg}"
        raise wrong(path, first, problem, hint)


def wrong(path: Path, node: ast.stmt | ast.expr | ast.arg, problem: str, hint: str | None) -> ConfigError:
    return ConfigError(f"{path}, line {node.lineno}: {problem}", hint)
