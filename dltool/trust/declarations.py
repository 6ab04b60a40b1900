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
from dltool.declarations.traits import Traits, UnreadableTrait, make_traits

Definition = ast.ClassDef | ast.FunctionDef
# Where `register` comes from, by its present name and its former; from elsewhere it is another library's decorator.
MARKS = ("dltool.declarations.component", "dltool.component")

# The groups that a trusted file may register in, each with an example. The others hold the settings of dltool itself.
EXAMPLES = {
    "model": '@register("model", "{}", inputs="any", tasks=("supervised",))',
    "data": '@register("data", "{}", into=TableData, inputs="vector", targets="classes")',
    "loss": '@register("loss", "{}", targets=("classes",), head="classes", tasks=("supervised",))',
    "task": '@register("task", "{}", loss_for="data")',
    "metric": '@register("metric", "{}", targets=("classes", "binary"), direction="max")',
    "optim": '@register("optim", "{}", into=Optimizer)',
    "schedule": '@register("schedule", "{}", into=Schedule)',
    "attack": '@register("attack", "{}")',
}
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
        raise wrong(path, call, problem, EXAMPLES["model"].format("mine"))
    group, name = names
    if group not in EXAMPLES:
        near = nearest(group, EXAMPLES)
        hint = f"did you mean {near}?" if near else None
        raise wrong(path, call, f"{group} is no group to register in; those are {', '.join(EXAMPLES)}", hint)
    example = EXAMPLES[group].format(name if name.isidentifier() else "mine")
    if not name.isidentifier():
        raise wrong(path, call, f"{name!r} is no name: letters, digits and _, the first no digit", example)
    read_traits(group, name, call, path)
    has_into = any(keyword.arg == "into" for keyword in call.keywords)
    if not has_into and (group in INTO or (group == "data" and isinstance(definition, ast.FunctionDef))):
        raise wrong(path, call, f"{group}={name} states no into=, the class that it is built into", example)
    check_signature(definition, path)
    for rule in decorators(definition, "requires"):
        read_rule(rule, path)
    docstring = ast.get_docstring(definition) or ""
    return Registration(group, name, module, path, definition.lineno, docstring.partition("\n")[0])


def read_traits(group: str, name: str, call: ast.Call, path: Path) -> Traits:
    """The facts that a registration states (dltool.declarations.traits).

    Raises:
        ConfigError: For one that is missing, unknown or no literal, or has a value that it cannot have.
    """
    example = EXAMPLES.get(group, '@register("{}", …)').format(name)
    values = {str(keyword.arg): keyword.value for keyword in call.keywords if keyword.arg != "into"}
    stated: dict[str, Any] = {}
    for trait, value in values.items():
        try:
            stated[trait] = ast.literal_eval(value)
        except ValueError as error:
            problem = f"{trait}={ast.unparse(value)} is no literal, and nothing is run to read it"
            raise wrong(path, value, problem, example) from error
    try:
        return make_traits(group, stated)
    except UnreadableTrait as error:
        subject = f"{group}={name} " if error.trait is None else error.trait
        node = call if error.trait is None else values[error.trait]
        raise wrong(path, node, f"{subject}{error.problem}", error.hint or example) from error


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
