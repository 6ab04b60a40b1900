"""The options of `dltool sample`: the keyword-only arguments of a task's method `decode`.

    def decode(self, codes: Tensor, labels: Tensor | None = None, *, truncation: float = 1.0) -> Tensor:

gives the task the option `--truncation`, and `run.generate(64, truncation=0.7)` in Python. Like the keys of a component
they are read from the source text, so that `dltool sample RUN --help` and the checks import no torch. Types, ranges and
defaults are those of a constructor; the text for the help is in the method's docstring, below "Args:".
"""

import ast
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.shell import setting
from dltool.declarations.construct import to_python
from dltool.declarations.docstrings import entries
from dltool.declarations.fields import arguments
from dltool.declarations.kinds import Field
from dltool.declarations.modules import SourceModule, source_module
from dltool.declarations.registry import registrations
from dltool.declarations.source import component

METHOD = "decode"


class SamplingOption(NamedTuple):
    """An option.

    Attributes:
        field: Its type, range and default.
        text: Its description.
    """

    field: Field
    text: str


@cache
def sampling_options(task: str) -> dict[str, SamplingOption]:
    """The options of a registered task by name; empty if it has none.

    Raises:
        KeyError: No such task is registered.
        ConfigError: A type or a default cannot be read; the message has file and line.
    """
    declared = component("task", task)
    module = source_module(declared.module)
    definition = module.definitions[declared.attribute]
    return options_of(module, definition) if isinstance(definition, ast.ClassDef) else {}


def options_of(module: SourceModule, definition: ast.ClassDef) -> dict[str, SamplingOption]:
    """The options of a class: those of its own `decode`, with those of the base class if it takes `**options`."""
    inherited: dict[str, SamplingOption] = {}
    for base in definition.bases:
        match module.resolve(base.id) if isinstance(base, ast.Name) else None:
            case (home, ast.ClassDef() as base_definition):
                inherited = options_of(home, base_definition) | inherited
    for node in definition.body:
        if isinstance(node, ast.FunctionDef) and node.name == METHOD:
            texts = {name: option.text for name, option in inherited.items()} | entries(ast.get_docstring(node))
            own = {
                name: SamplingOption(field, texts.get(name, "")) for name, field in arguments(module, node.args).items()
            }
            return inherited | own if node.args.kwarg else own
    return inherited


def checked_options(task: str, given: Mapping[str, Any], title: str) -> dict[str, Any]:
    """The given options with the types of their declarations.

    Args:
        task: The name of the task.
        given: Option to value.
        title: The run, for messages.

    Raises:
        ConfigError: The task has no such option, or a value is not allowed.
    """
    options = sampling_options(task)
    checked = {}
    for name, value in given.items():
        if name not in options:
            raise unknown_option(name, options, title)
        kind = options[name].field.kind
        if kind.misfit(value) is not None:
            raise ConfigError(
                f"sampling option {setting(name, value)}: {kind.describe()} is needed",
                f"{name}: {options[name].text}",
            )
        checked[name] = to_python(kind, value)
    return checked


def unknown_option(name: str, options: Mapping[str, SamplingOption], title: str) -> ConfigError:
    """The error for an option that the run's task does not have."""
    near = nearest(name, options)
    owners = [setting("task", task) for task in sorted(registrations()["task"]) if name in sampling_options(task)]
    known = f"its options are {', '.join(options)}" if options else "it has none"
    belongs = f", an option of {' and '.join(owners)}" if owners else ""
    hint = f"did you mean {near}?" if near else None
    return ConfigError(f"{title} has no sampling option {name}{belongs}; {known}", hint)


def value_of(text: str) -> Any:
    """A value on the command line: a number, true, false or null, else the text itself."""
    words = {"true": True, "false": False, "null": None}
    if text in words:
        return words[text]
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text
