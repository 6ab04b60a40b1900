"""The docstrings of a component's keys, read from the source text like their types."""

import ast
import re
from functools import cache

from dltool.declarations.kinds import Nested
from dltool.declarations.modules import Definition, SourceModule, source_module
from dltool.declarations.options import SHARED_SETTINGS
from dltool.declarations.registry import registrations
from dltool.declarations.source import component

SECTIONS = ("Args:", "Attributes:")
ENTRY = re.compile(r" {4}(\w+(?:, \w+)*): (.*)")  # Google style; several names may share a text.


@cache
def descriptions(group: str, name: str) -> dict[str, str]:
    """Key to its text, for the keys that the docstrings of a component or of its base classes describe."""
    declared = component(group, name)
    module = source_module(registrations()[declared.group][declared.name])
    found = {}
    if group in SHARED_SETTINGS:
        home, settings = SHARED_SETTINGS[group]
        found = of_definition(*source_module(home).find(settings))
    if declared.shared_class is not None:
        found |= of_definition(*module.find(declared.shared_class))
    return found | of_definition(module, module.definitions[declared.attribute])


def first_line(group: str, name: str) -> str:
    """The first line of a component's docstring."""
    declared = component(group, name)
    definition = source_module(declared.module).definitions[declared.attribute]
    return (ast.get_docstring(definition) or "").partition("\n")[0]


def nested_descriptions(kind: Nested) -> dict[str, str]:
    """Key to its text, for a settings dataclass below a key."""
    return of_definition(*source_module(kind.module).find(kind.class_name))


def of_definition(module: SourceModule, definition: Definition) -> dict[str, str]:
    """The texts of a function or class: those of the base classes first, so that its own override them."""
    found: dict[str, str] = {}
    if isinstance(definition, ast.ClassDef):
        for base in definition.bases:
            match module.resolve(base.id) if isinstance(base, ast.Name) else None:
                case (home, ast.ClassDef() as base_definition):
                    found |= of_definition(home, base_definition)
        for node in definition.body:
            if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                found |= entries(ast.get_docstring(node))
    return found | entries(ast.get_docstring(definition))


def entries(docstring: str | None) -> dict[str, str]:
    """The names and texts of a docstring's sections Args and Attributes, each text on one line."""
    found: dict[str, str] = {}
    names: list[str] = []
    inside = False
    for line in (docstring or "").splitlines():
        if line and not line.startswith(" "):
            inside, names = line in SECTIONS, []
        elif inside and (entry := ENTRY.fullmatch(line)):
            names = entry[1].split(", ")
            found |= dict.fromkeys(names, entry[2])
        elif inside and line.strip():
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found
