"""Constructs an object from a component's declarations and the fields of a config."""

import importlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from dltool.core.errors import ConfigError
from dltool.declarations.kinds import AnyOf, ArrayOf, DictOf, Field, Kind, ListOf, Nested, Scalar, TupleOf
from dltool.declarations.registry import trusted_registrations
from dltool.declarations.source import Component
from dltool.trust.importing import failures_placed, install
from dltool.trust.sources import trusted_file


def build_component(declared: Component, fields: Mapping[str, Any], *positional: Any, base: type | None = None) -> Any:
    """Construct a component from its fields; with an `into=` class, construct that class around it.

    Args:
        declared: The declarations of the component.
        fields: Its part of the config.
        positional: Its positional arguments.
        base: The class that the result must be derived from.

    Raises:
        ConfigError: The import of a trusted file fails, or its constructor does, or the result is of another class.
    """
    with failures_placed(declared.module, place_of_component(declared)):
        built = construct(declared, fields, *positional)
    if base is not None and not isinstance(built, base):
        place = f"{place_of_component(declared)}: " if trusted_file(declared.module) else ""
        raise ConfigError(
            f"{place}{declared.group}={declared.name} gives a {type(built).__name__}, which is not derived from "
            f"{base.__name__}",
            f"class {declared.attribute}({base.__name__}): from {import_of(base)} import {base.__name__}",
        )
    return built


def import_of(base: type) -> str:
    """The module that a class is imported from: torch.nn for its own."""
    return "torch.nn" if base.__module__.startswith("torch.nn.") else base.__module__


def place_of_component(declared: Component) -> str | None:
    """The file and line of a trusted component's class or function; None for one of dltool's own."""
    for one in trusted_registrations():
        if (one.group, one.name) == (declared.group, declared.name):
            return f"{one.path}, line {one.line}"
    return None


def factory_of(declared: Component) -> Any:
    """The class or function of a component, imported.

    Raises:
        ConfigError: The import of a trusted file fails.
    """
    if trusted_file(declared.module):
        install()
    with failures_placed(declared.module):
        return getattr(importlib.import_module(declared.module), declared.attribute)


def construct(declared: Component, fields: Mapping[str, Any], *positional: Any) -> Any:
    factory = factory_of(declared)
    own = arguments(declared.fields, fields)
    if declared.shared_class is None or declared.shared_module is None:
        return factory(*positional, **own)
    into = getattr(importlib.import_module(declared.shared_module), declared.shared_class)
    return into(partial(factory, **own), *positional, **arguments(declared.shared_fields, fields))


def arguments(declared: Mapping[str, Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments: the given values, and the defaults of missing keys."""
    return {name: to_python(field.kind, values.get(name, field.default)) for name, field in declared.items()}


def to_python(kind: Kind, value: Any) -> Any:
    """Convert a plain config value to the type in the signature: a tuple, a settings object, a float."""
    match kind:
        case TupleOf(items=items):
            return tuple(to_python(item, v) for item, v in zip(items, value, strict=True))
        case ListOf(item=item):
            return [to_python(item, v) for v in value]
        case ArrayOf():
            return [to_python(kind, v) for v in value] if isinstance(value, list) else float(value)
        case DictOf(value=inner):
            return {key: to_python(inner, v) for key, v in value.items()}
        case Nested(module=module, class_name=name, fields=fields):
            return getattr(importlib.import_module(module), name)(**arguments(fields, value))
        case AnyOf(alternatives=alternatives):
            return to_python(next(k for k in alternatives if k.fits(value)), value)
        case Scalar(type="float"):
            return float(value)
    return value
