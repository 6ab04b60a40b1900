"""The keys of a component, read from the keyword-only arguments of its function or constructor."""

import ast
from dataclasses import replace

from dltool.core.errors import ConfigError
from dltool.declarations.component import TYPES
from dltool.declarations.kinds import (
    RANGES,
    REQUIRED,
    AnyOf,
    ArrayOf,
    DictOf,
    Field,
    Kind,
    ListOf,
    Nested,
    OneOf,
    Scalar,
    TupleOf,
)
from dltool.declarations.modules import Definition, SourceModule

# Defined in dltool.declarations.component.
ROLES = ("Source", "Location", "SplitLocation", "Membership", "Handling", "Placement", "EvaluationOnly")


def fields_of(module: SourceModule, definition: Definition) -> dict[str, Field]:
    """The keyword-only arguments of a function or constructor, or the fields of a dataclass.

    Raises:
        ConfigError: A type or a default cannot be read; the message has file and line.
    """
    if isinstance(definition, ast.FunctionDef):
        return arguments(module, definition.args)
    for node in definition.body:
        if isinstance(node, ast.FunctionDef) and node.name in ("__init__", "__new__"):
            # `**shared` is passed to the base class, so its keys are keys of this class too.
            inherited = inherited_fields(module, definition) if node.args.kwarg else {}
            return inherited | arguments(module, node.args)
    if any("dataclass" in ast.unparse(decorator) for decorator in definition.decorator_list):
        return {
            node.target.id: field(module, node.target.id, node.annotation, node.value, node.lineno)
            for node in definition.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        }
    return inherited_fields(module, definition)


def inherited_fields(module: SourceModule, definition: ast.ClassDef) -> dict[str, Field]:
    """The keys of the first base class that belongs to dltool or the user."""
    for base in definition.bases:
        match module.resolve(base.id) if isinstance(base, ast.Name) else None:
            case (home, ast.ClassDef() as base_definition):
                return fields_of(home, base_definition)
    return {}


def arguments(module: SourceModule, args: ast.arguments) -> dict[str, Field]:
    pairs = zip(args.kwonlyargs, args.kw_defaults, strict=True)
    return {a.arg: field(module, a.arg, a.annotation, default, a.lineno) for a, default in pairs}


def field(module: SourceModule, name: str, annotation: ast.expr | None, default: ast.expr | None, line: int) -> Field:
    """One key. Raises ConfigError if its type or its default cannot be read."""
    try:
        found = read_field(module, annotation, default)
    except (TypeError, ValueError, OSError) as error:
        typed = f"{name}: {ast.unparse(annotation)}" if annotation else f"{name}, without a type,"
        text = f"{typed} = {ast.unparse(default)}" if default else typed
        problem = f"{module.path}, line {line}: {text} cannot be read as a key of the config"
        raise ConfigError(problem, f"types are {TYPES}") from error
    if annotation and default and found.kind.misfit(found.default):
        raise ConfigError(
            f"{module.path}, line {line}: {name}: the default {ast.unparse(default)} is not of the type "
            f"{ast.unparse(annotation)}",
            "a key that can be null has the type X | None" if found.default is None else None,
        )
    return found


def read_field(module: SourceModule, annotation: ast.expr | None, default: ast.expr | None) -> Field:
    if annotation is None:
        raise TypeError("no type")
    match annotation:
        case ast.Subscript(value=ast.Name(id=role), slice=inner) if role in ROLES:
            return replace(read_field(module, inner, default), role=role)
    kind = kind_of(module, annotation)
    if default is None:
        return Field(kind, REQUIRED)
    if isinstance(default, ast.Call):  # A settings dataclass with its own defaults.
        nested = kind_of(module, default.func)
        if not isinstance(nested, Nested) or default.args or default.keywords:
            raise TypeError(f"{ast.unparse(default)} is not a settings dataclass with its own defaults")
        return Field(kind, {name: inner.default for name, inner in nested.fields.items()})
    value = ast.literal_eval(default)
    return Field(kind, list(value) if isinstance(value, tuple) else value)


def kind_of(module: SourceModule, node: ast.expr) -> Kind:
    """The kind of value that an annotation allows.

    Raises:
        TypeError: The annotation is not one of TYPES.
        ValueError: The values of a Literal are not literals.
    """
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            kinds = [kind_of(module, left), kind_of(module, right)]
            flat = [k for kind in kinds for k in (kind.alternatives if isinstance(kind, AnyOf) else (kind,))]
            return AnyOf(tuple(flat))
        case ast.Constant(value=None):
            return OneOf((None,))
        case ast.Name(id="int" | "float" | "bool" | "str" as scalar):
            return Scalar(scalar)
        case ast.Name(id="Array"):
            return ArrayOf()
        case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in RANGES:
            if isinstance(item := kind_of(module, inner), Scalar):
                return Scalar(item.type, name)
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            values = ast.literal_eval(inner)
            return OneOf(values if isinstance(values, tuple) else (values,))
        case ast.Subscript(value=ast.Name(id="list"), slice=inner):
            return ListOf(kind_of(module, inner))
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=items)):
            return TupleOf(tuple(kind_of(module, item) for item in items))
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[_, value])):
            return DictOf(kind_of(module, value))
        case ast.Name(id=name):
            match module.resolve(name):
                case (home, ast.ClassDef() as definition):
                    return Nested(home.name, definition.name, fields_of(home, definition))
                case (home, ast.expr() as alias):
                    return kind_of(home, alias)
    raise TypeError(f"{module.path}: {ast.unparse(node)} is not the type of a config value")
