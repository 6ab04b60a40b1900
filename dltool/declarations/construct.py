"""Constructs an object from a component's declarations and the fields of a config."""

import importlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from dltool.declarations.kinds import AnyOf, DictOf, Field, Kind, ListOf, Nested, Scalar, TupleOf
from dltool.declarations.source import Component
from dltool.trust.importing import failures_placed, install
from dltool.trust.sources import trusted_file


def build_component(declared: Component, fields: Mapping[str, Any], *positional: Any) -> Any:
    """Construct a component from its fields; with an `into=` class, construct that class around it.

    Raises:
        ConfigError: The import of a trusted file fails, or its constructor does.
    """
    with failures_placed(declared.module):
        return construct(declared, fields, *positional)


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
        case DictOf(value=inner):
            return {key: to_python(inner, v) for key, v in value.items()}
        case Nested(module=module, class_name=name, fields=fields):
            return getattr(importlib.import_module(module), name)(**arguments(fields, value))
        case AnyOf(alternatives=alternatives):
            return to_python(next(k for k in alternatives if k.fits(value)), value)
        case Scalar(type="float"):
            return float(value)
    return value
