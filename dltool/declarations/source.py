"""Reads what components declare from their source text, so that a config is checked without importing torch.

Only the files of the components that a config selects are parsed with `ast` (dltool.declarations.registry finds them);
those that the command line trusts are no more imported than dltool's own. See dltool.declarations.component for the
declarations.
"""

import ast
import importlib.util
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from dltool.core.errors import ConfigError
from dltool.declarations.component import TYPES
from dltool.declarations.kinds import (
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
from dltool.declarations.options import SHARED_SETTINGS
from dltool.declarations.registry import PACKAGE, registrations
from dltool.declarations.rules import Rule, read_rule
from dltool.trust.former_names import current_name
from dltool.trust.sources import trusted_file

Definition = ast.ClassDef | ast.FunctionDef
ROLES = ("Membership", "Handling", "Placement")  # Of dltool.declarations.component.


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


def component(group: str, name: str) -> Component:
    """Read one component's declarations. Raises KeyError for a name that is not registered."""
    return component_of(registrations()[group][name], group, name)


@cache
def component_of(module_name: str, group: str, name: str) -> Component:
    module = source_module(module_name)
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
def source_module(name: str) -> "SourceModule":
    return SourceModule(name)


class SourceModule:
    """One parsed Python file of the package, or of a trusted one: its definitions, and what it imports from where."""

    def __init__(self, name: str) -> None:
        self.name = name
        trusted = trusted_file(name)
        self.path = trusted.path if trusted else PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py")
        tree = ast.parse(trusted.text if trusted else self.path.read_text(encoding="utf-8"), str(self.path))
        home = name if trusted and trusted.is_package else name.rpartition(".")[0]
        self.definitions: dict[str, Definition] = {
            node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        }
        self.aliases = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        self.imports = {
            alias.asname or alias.name: (current_name(module), alias.name)
            for node in tree.body
            if isinstance(node, ast.ImportFrom)
            and (module := importlib.util.resolve_name("." * node.level + (node.module or ""), home))
            and (module.startswith(f"{PACKAGE.name}.") or trusted_file(module))
            for alias in node.names
        }

    def component(self, definition: Definition, registration: ast.Call) -> Component:
        group, name = (ast.literal_eval(argument) for argument in registration.args)
        keywords = {keyword.arg: keyword.value for keyword in registration.keywords if keyword.arg}
        into = keywords.pop("into", None)
        own = self.fields(definition)
        shared: dict[str, Any] = {}
        if group in SHARED_SETTINGS:
            module, settings = SHARED_SETTINGS[group]
            home = source_module(module)
            fields = home.fields(home.definitions[settings])
            shared = {"shared_fields": {name: field for name, field in fields.items() if name not in own}}
        if isinstance(into, ast.Name):
            home, shared_definition = self.find(into.id)
            shared = {
                "shared_module": home.name,
                "shared_class": shared_definition.name,
                "shared_fields": home.fields(shared_definition),
            }
        return Component(
            group=group,
            name=name,
            module=self.name,
            attribute=definition.name,
            fields=own,
            traits={key: ast.literal_eval(value) for key, value in keywords.items()},
            rules=tuple(read_rule(call, self.path) for call in calls(definition, "requires")),
            **shared,
        )

    def find(self, name: str) -> tuple["SourceModule", Definition]:
        """The definition behind a name used in this file, here or where it is imported from."""
        if name in self.definitions:
            return self, self.definitions[name]
        module, original = self.imports[name]
        return source_module(module).find(original)

    def fields(self, definition: Definition) -> dict[str, Field]:
        """The keyword-only arguments of a function or constructor, or the fields of a dataclass."""
        if isinstance(definition, ast.FunctionDef):
            return self.arguments(definition.args)
        for node in definition.body:
            if isinstance(node, ast.FunctionDef) and node.name in ("__init__", "__new__"):
                # `**shared` is handed to the base class, whose keys are keys of this class too.
                inherited = self.inherited_fields(definition) if node.args.kwarg else {}
                return inherited | self.arguments(node.args)
        if any("dataclass" in ast.unparse(decorator) for decorator in definition.decorator_list):
            return {
                node.target.id: self.field(node.target.id, node.annotation, node.value, node.lineno)
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
        return {a.arg: self.field(a.arg, a.annotation, default, a.lineno) for a, default in pairs}

    def field(self, name: str, annotation: ast.expr | None, default: ast.expr | None, line: int) -> Field:
        """One key. Raises ConfigError for a type or a default that cannot be read."""
        try:
            return self.read_field(annotation, default)
        except (TypeError, ValueError, KeyError, OSError) as error:
            typed = f"{name}: {ast.unparse(annotation)}" if annotation else f"{name}, without a type,"
            text = f"{typed} = {ast.unparse(default)}" if default else typed
            problem = f"{self.path}, line {line}: {text} cannot be read as a key of the config"
            raise ConfigError(problem, f"types are {TYPES}") from error

    def read_field(self, annotation: ast.expr | None, default: ast.expr | None) -> Field:
        if annotation is None:
            raise TypeError("no type")
        match annotation:
            case ast.Subscript(value=ast.Name(id=role), slice=inner) if role in ROLES:
                return replace(self.read_field(inner, default), role=role)
        kind = self.kind(annotation)
        if default is None:
            return Field(kind, REQUIRED)
        if isinstance(default, ast.Call):  # A settings dataclass with its own defaults.
            nested = self.kind(default.func)
            if not isinstance(nested, Nested) or default.args or default.keywords:
                raise TypeError(f"{ast.unparse(default)} is no settings dataclass with its own defaults")
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
                if isinstance(item := self.kind(inner), Scalar):
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
                    return Nested(home.name, definition.name, home.fields(definition))
                raise TypeError(f"{self.path}: {name} is no kind of a config value")
        raise TypeError(f"{self.path}: {ast.unparse(node)} is no kind of a config value")
