"""The registrations in the files of a trusted source, and their traits, read from the source text.

Errors that are visible in the registration are reported here; dltool.declarations.source reads a component when it is
needed.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.shell import quoted
from dltool.declarations.decorators import call_of, register_calls
from dltool.declarations.modules import Definition, SourceModule
from dltool.declarations.rules import read_rule
from dltool.declarations.traits import Traits, UnreadableTrait, make_traits
from dltool.trust.sources import TrustedFile, TrustedSource

# The groups in which a trusted file may register, each with an example. The other groups are settings of dltool itself.
EXAMPLES = {
    "model": '@register("model", "{}", inputs="any", tasks=("supervised",))',
    "data": '@register("data", "{}", into=TableData, inputs="vector", targets="classes")',
    "loss": '@register("loss", "{}", targets=("classes",), head="classes", tasks=("supervised",))',
    "task": '@register("task", "{}", loss_for="data")',
    "metric": '@register("metric", "{}", of="outputs", targets=("classes", "binary"), direction="max")',
    "optim": '@register("optim", "{}", into=Optimizer)',
    "schedule": '@register("schedule", "{}", into=Schedule)',
    "attack": '@register("attack", "{}")',
    "augment": '@register("augment", "{}")',
    "observer": '@register("observer", "{}")',
}
OF_SAMPLES = '@register("metric", "{}", of="samples", needs="pixels", direction="min")'
INTO = ("data", "optim", "schedule")  # A function in these groups is built into a class of dltool.


@dataclass(frozen=True)
class Registration:
    """One `@register` of a trusted file.

    Attributes:
        module: The name by which it is imported.
        summary: First line of the docstring.
    """

    group: str
    name: str
    module: str
    path: Path
    line: int
    summary: str


@cache
def registrations_of(source: TrustedSource) -> tuple[Registration, ...]:
    """Every component of a trusted source, in the order of its files.

    Raises:
        ConfigError: A file is not valid Python, or a registration or a relative import cannot be read; the message has
            file and line.
    """
    return tuple(one for name, file in source.files.items() for one in registrations_in(parsed(name, file)))


def parsed(name: str, file: TrustedFile) -> SourceModule:
    """Parse a trusted file.

    Raises:
        ConfigError: It is not valid Python.
    """
    try:
        module = SourceModule(name, file)
        compile(module.tree, str(file.path), "exec", dont_inherit=True)  # Finds errors that the grammar alone allows.
    except (
        SyntaxError,
        ValueError,
        RecursionError,
        MemoryError,
    ) as error:  # Zero bytes, a wrong encoding, deep nesting.
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
        raise ConfigError(f"{file.path}{line}: this is not valid Python: {reason}", "fix the trusted file") from error
    return module


def registrations_in(module: SourceModule) -> list[Registration]:
    """The components of one trusted file, in its order."""
    found = []
    num_packages = module.home.count(".") + bool(module.home)  # How many dots an import may start with.
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.level > num_packages:
            problem = f"`from {'.' * node.level}{node.module or ''} import …` leads out of the trusted files"
            hint = f"a folder with an __init__.py is a package: --trust {quoted(module.path.parent)}"
            raise wrong(module.path, node, problem, hint)
        if isinstance(node, Definition):
            check_register_name(module, node)
            for call in register_calls(module, node):
                if node not in module.tree.body:
                    problem = f"{node.name} is registered inside another block"
                    raise wrong(module.path, call, problem, "move it to the left")
                found.append(registration(module, node, call))
    return found


def check_register_name(module: SourceModule, definition: Definition) -> None:
    """`register` must be imported by its name: `@component.register(…)` would not be found."""
    for decorator in definition.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(value=value, attr="register")) if module.is_own_module(value):
                problem = f"`@{ast.unparse(decorator.func)}(…)` is not found: register must be imported by its name"
                raise wrong(module.path, decorator, problem, "from dltool.declarations.component import register")


def registration(module: SourceModule, definition: Definition, call: ast.Call) -> Registration:
    """One registration, with the facts about its component that need no other file."""
    path = module.path
    names = [node.value for node in call.args if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    if len(names) != 2 or len(call.args) != 2:
        problem = "a registration is read without running it: group and name must be two string literals"
        raise wrong(path, call, problem, EXAMPLES["model"].format("mine"))
    group, name = names
    if group not in EXAMPLES:
        near = nearest(group, EXAMPLES)
        hint = f"did you mean {near}?" if near else None
        raise wrong(path, call, f"{group} is not a group to register in; the groups are {', '.join(EXAMPLES)}", hint)
    example = EXAMPLES[group].format(name if name.isidentifier() else "mine")
    if not name.isidentifier():
        raise wrong(
            path,
            call,
            f"{name!r} is not a name: a name consists of letters, digits and _, and does not start with a digit",
            example,
        )
    read_traits(group, name, call, path)
    has_into = any(keyword.arg == "into" for keyword in call.keywords)
    if not has_into and group in INTO and isinstance(definition, ast.FunctionDef):
        raise wrong(path, call, f"{group}={name} lacks into=, the class that it is built into", example)
    check_signature(definition, path)
    for decorator in definition.decorator_list:
        if rule := call_of(module, decorator, "requires"):
            read_rule(rule, path)
    docstring = ast.get_docstring(definition) or ""
    return Registration(group, name, module.name, path, definition.lineno, docstring.partition("\n")[0])


def read_traits(group: str, name: str, call: ast.Call, path: Path) -> Traits:
    """The traits of a registration (dltool.declarations.traits).

    Raises:
        ConfigError: A trait is missing, unknown or not a literal, or its value is not allowed.
    """
    of_samples = group == "metric" and any(
        key.arg == "needs" or (key.arg == "of" and ast.unparse(key.value) == "'samples'") for key in call.keywords
    )
    example = (OF_SAMPLES if of_samples else EXAMPLES.get(group, '@register("{}", …)')).format(name)
    values = {str(keyword.arg): keyword.value for keyword in call.keywords if keyword.arg != "into"}
    stated: dict[str, Any] = {}
    for trait, value in values.items():
        try:
            stated[trait] = ast.literal_eval(value)
        except ValueError as error:
            problem = f"{trait}={ast.unparse(value)} is not a literal, and no code is run to read it"
            raise wrong(path, value, problem, example) from error
    try:
        return make_traits(group, stated)
    except UnreadableTrait as error:
        subject = f"{group}={name} " if error.trait is None else error.trait
        node = call if error.trait is None else values[error.trait]
        raise wrong(path, node, f"{subject}{error.problem}", error.hint or example) from error


def check_signature(definition: Definition, path: Path) -> None:
    """Refuse a key before the `*`: positional arguments come from the data."""
    methods = (node for node in getattr(definition, "body", []) if isinstance(node, ast.FunctionDef))
    constructor = next((node for node in methods if node.name == "__init__"), None)
    function = definition if isinstance(definition, ast.FunctionDef) else constructor
    if function is not None and function.args.defaults:
        first = function.args.args[-len(function.args.defaults)]
        problem = f"{first.arg} is before the *, but positional arguments come from the data"
        hint = f"a key of the config is keyword-only: write *, before {first.arg}"
        raise wrong(path, first, problem, hint)


def wrong(path: Path, node: ast.stmt | ast.expr | ast.arg, problem: str, hint: str | None) -> ConfigError:
    return ConfigError(f"{path}, line {node.lineno}: {problem}", hint)
