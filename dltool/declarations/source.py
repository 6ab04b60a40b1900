"""Reads a component's declarations from its source text, so that a config is checked without importing torch.

See dltool.declarations.component for the declarations.
"""

import ast
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from dltool.core.errors import ConfigError
from dltool.declarations.decorators import register_calls, rules_of
from dltool.declarations.fields import fields_of
from dltool.declarations.kinds import Field
from dltool.declarations.modules import Definition, SourceModule, source_module
from dltool.declarations.options import SHARED_SETTINGS
from dltool.declarations.registration import read_traits
from dltool.declarations.registry import registrations
from dltool.declarations.rules import Rule


@dataclass(frozen=True)
class Component:
    """The declarations of one `@register`ed class or function.

    Attributes:
        fields: Its own keys.
        shared_module, shared_class, shared_fields: The class it is built into and that class's keys; or the keys alone,
            if they are those of the group (SHARED_SETTINGS).
        traits: The traits of its registration, as the class of dltool.declarations.traits for its group.
    """

    group: str
    name: str
    module: str
    attribute: str
    fields: dict[str, Field]
    traits: Any
    rules: tuple[Rule, ...] = ()
    shared_module: str | None = None
    shared_class: str | None = None
    shared_fields: dict[str, Field] = field(default_factory=dict)

    @property
    def all_fields(self) -> dict[str, Field]:
        return self.fields | self.shared_fields


def component(group: str, name: str) -> Component:
    """Read one component's declarations. Raises KeyError if the name is not registered."""
    return component_of(registrations()[group][name], group, name)


@cache
def component_of(module_name: str, group: str, name: str) -> Component:
    module = source_module(module_name)
    for definition in module.definitions.values():
        for registration in register_calls(module, definition):
            if [ast.literal_eval(argument) for argument in registration.args] == [group, name]:
                return read_component(module, definition, registration)
    raise KeyError(name)


def read_component(module: SourceModule, definition: Definition, registration: ast.Call) -> Component:
    group, name = (ast.literal_eval(argument) for argument in registration.args)
    into = next((keyword.value for keyword in registration.keywords if keyword.arg == "into"), None)
    own = fields_of(module, definition)
    shared: dict[str, Any] = {}
    if group in SHARED_SETTINGS:
        settings_module, settings = SHARED_SETTINGS[group]
        fields = fields_of(*source_module(settings_module).find(settings))
        shared = {"shared_fields": {name: field for name, field in fields.items() if name not in own}}
    if into is not None:
        home, shared_definition = shared_class(module, into)
        shared = {
            "shared_module": home.name,
            "shared_class": shared_definition.name,
            "shared_fields": fields_of(home, shared_definition),
        }
    return Component(
        group=group,
        name=name,
        module=module.name,
        attribute=definition.name,
        fields=own,
        traits=read_traits(group, name, registration, module.path),
        rules=rules_of(module, definition),
        **shared,
    )


def shared_class(module: SourceModule, into: ast.expr) -> tuple[SourceModule, ast.ClassDef]:
    """The class that `into=` names, and its module.

    Raises:
        ConfigError: It is not a class of dltool or of the same trusted source, or not given as a plain name.
    """
    match module.resolve(into.id) if isinstance(into, ast.Name) else None:
        case (home, ast.ClassDef() as definition):
            return home, definition
    problem = f"{module.path}, line {into.lineno}: into={ast.unparse(into)} is not a class that can be read"
    raise ConfigError(problem, "from dltool.… import the class, or define it in a trusted file, and name it: into=Name")
