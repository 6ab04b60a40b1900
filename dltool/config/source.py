"""Reads what components declare from their source text, so that a config is checked without importing torch.

One regular expression finds every `@register("group", "name")` below the package; only the files of the
components that a config selects are then parsed with `ast`. See dltool.component for the declarations.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from dltool.config.kinds import (
    RANGES,
    REQUIRED,
    AnyOf,
    DictOf,
    Field,
    Kind,
    ListOf,
    Nested,
    OneOf,
    Scalar,
    TupleOf,
)
from dltool.config.options import SHARED_SETTINGS

PACKAGE = Path(__file__).resolve().parents[1]
REGISTRATION = re.compile(r"^@register\(\s*\"(\w+)\",\s*\"(\w+)\"", re.MULTILINE)
Definition = ast.ClassDef | ast.FunctionDef


@dataclass(frozen=True)
class Rule:
    """A `requires` declaration: a condition over the whole config."""

    condition: Callable[[Any], bool]
    message: str
    hint: str | None


@dataclass(frozen=True)
class Component:
    """What one `@register`ed class or function declares.

    Attributes:
        fields: Its own keys.
        shared_module, shared_class, shared_fields: The class it is built into and that class's keys; or the keys alone,
            where they are those of the group (SHARED_SETTINGS).
        traits: The literal facts of its registration.
    """

    group: str
    name: str
    module: str
    attribute: str
    fields: dict[str, Field]
    traits: dict[str, Any] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    shared_module: str | None = None
    shared_class: str | None = None
    shared_fields: dict[str, Field] = field(default_factory=dict)

    @property
    def all_fields(self) -> dict[str, Field]:
        return self.fields | self.shared_fields


@cache
def registrations() -> dict[str, dict[str, Path]]:
    """Group to component name to file, for every component of the package."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for group, name in REGISTRATION.findall(path.read_text(encoding="utf-8")):
            if name in found.setdefault(group, {}):
                raise RuntimeError(f'@register("{group}", "{name}") stands in {found[group][name]} and in {path}')
            found[group][name] = path
    return found


@cache
def component(group: str, name: str) -> Component:
    """Read one component's declarations. Raises KeyError for a name that is not registered."""
    module = source_module(registrations()[group][name])
    for definition in module.definitions.values():
        for decorator in calls(definition, "register"):
            if [ast.literal_eval(argument) for argument in decorator.args] == [group, name]:
                return module.component(definition, decorator)
    raise KeyError(name)


def calls(definition: Definition, decorator: str) -> list[ast.Call]:
    """The decorators of that name on a definition, `@name(…)`."""
    return [
        node
        for node in definition.decorator_list
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == decorator
    ]


@cache
def source_module(path: Path) -> "SourceModule":
    return SourceModule(path)


class SourceModule:
    """One parsed Python file of the package: its definitions, and where its imported names come from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = ".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts))
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        self.definitions: dict[str, Definition] = {
            node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        }
        self.aliases = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        self.imports = {
            alias.asname or alias.name: node.module
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGE.name + ".")
            for alias in node.names
        }

    def component(self, definition: Definition, registration: ast.Call) -> Component:
        group, name = (ast.literal_eval(argument) for argument in registration.args)
        keywords = {keyword.arg: keyword.value for keyword in registration.keywords if keyword.arg}
        into = keywords.pop("into", None)
        own = self.fields(definition)
        shared: dict[str, Any] = {}
        if group in SHARED_SETTINGS:
            home = source_module(PACKAGE / "settings.py")
            fields = home.fields(home.definitions[SHARED_SETTINGS[group]])
            shared = {"shared_fields": {name: field for name, field in fields.items() if name not in own}}
        if isinstance(into, ast.Name):
            home, shared_definition = self.find(into.id)
            shared = {
                "shared_module": home.name,
                "shared_class": into.id,
                "shared_fields": home.fields(shared_definition),
            }
        return Component(
            group=group,
            name=name,
            module=self.name,
            attribute=definition.name,
            fields=own,
            traits={key: ast.literal_eval(value) for key, value in keywords.items()},
            rules=tuple(self.rule(call) for call in calls(definition, "requires")),
            **shared,
        )

    def find(self, name: str) -> tuple["SourceModule", Definition]:
        """The definition behind a name used in this file, here or where it is imported from."""
        if name in self.definitions:
            return self, self.definitions[name]
        parts = self.imports[name].split(".")[1:]
        return source_module(PACKAGE.joinpath(*parts).with_suffix(".py")).find(name)

    def fields(self, definition: Definition) -> dict[str, Field]:
        """The keyword-only arguments of a function or constructor, or the fields of a dataclass."""
        if isinstance(definition, ast.FunctionDef):
            return self.arguments(definition.args)
        for node in definition.body:
            if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                # `**shared` is handed to the base class, whose keys are keys of this class too.
                inherited = self.inherited_fields(definition) if node.args.kwarg else {}
                return inherited | self.arguments(node.args)
        if any("dataclass" in ast.unparse(decorator) for decorator in definition.decorator_list):
            return {
                node.target.id: self.field(node.annotation, node.value)
                for node in definition.body
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
            }
        return self.inherited_fields(definition)

    def inherited_fields(self, definition: ast.ClassDef) -> dict[str, Field]:
        for base in definition.bases:
            if isinstance(base, ast.Name) and (base.id in self.definitions or base.id in self.imports):
                home, base_definition = self.find(base.id)
                return home.fields(base_definition)
        return {}

    def arguments(self, arguments: ast.arguments) -> dict[str, Field]:
        pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        return {a.arg: self.field(a.annotation, default) for a, default in pairs if a.annotation is not None}

    def field(self, annotation: ast.expr | None, default: ast.expr | None) -> Field:
        assert annotation is not None
        kind = self.kind(annotation)
        if default is None:
            return Field(kind, REQUIRED)
        if isinstance(default, ast.Call):  # A settings dataclass with its own defaults.
            nested = self.kind(default.func)
            assert isinstance(nested, Nested), ast.unparse(default)
            return Field(kind, {name: inner.default for name, inner in nested.fields.items()})
        value = ast.literal_eval(default)
        return Field(kind, list(value) if isinstance(value, tuple) else value)

    def kind(self, node: ast.expr) -> Kind:
        """The kind of value that an annotation allows."""
        match node:
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                kinds = [self.kind(left), self.kind(right)]
                flat = [k for kind in kinds for k in (kind.alternatives if isinstance(kind, AnyOf) else (kind,))]
                return AnyOf(tuple(flat))
            case ast.Constant(value=None):
                return OneOf((None,))
            case ast.Name(id="int" | "float" | "bool" | "str" as scalar):
                return Scalar(scalar)
            case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in RANGES:
                item = self.kind(inner)
                assert isinstance(item, Scalar), ast.unparse(node)
                return Scalar(item.type, name)
            case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
                values = ast.literal_eval(inner)
                return OneOf(values if isinstance(values, tuple) else (values,))
            case ast.Subscript(value=ast.Name(id="list"), slice=inner):
                return ListOf(self.kind(inner))
            case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=items)):
                return TupleOf(tuple(self.kind(item) for item in items))
            case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[_, value])):
                return DictOf(self.kind(value))
            case ast.Name(id=name) if name in self.aliases:
                return self.kind(self.aliases[name])
            case ast.Name(id=name):
                home, definition = self.find(name)
                if isinstance(definition, ast.ClassDef):
                    return Nested(home.name, name, home.fields(definition))
                raise TypeError(f"{self.path}: {name} is no kind of a config value")
        raise TypeError(f"{self.path}: {ast.unparse(node)} is no kind of a config value")

    def rule(self, call: ast.Call) -> Rule:
        """Compile the lambda of a `requires`; it is dltool's own source, and sees a few pure functions only."""
        condition, message = call.args
        hints = [keyword.value for keyword in call.keywords if keyword.arg == "hint"]
        code = compile(ast.Expression(condition), str(self.path), "eval")
        names = {"__builtins__": {}, "len": len, "min": min, "max": max, "any": any, "all": all}
        return Rule(eval(code, names), ast.literal_eval(message), ast.literal_eval(hints[0]) if hints else None)
