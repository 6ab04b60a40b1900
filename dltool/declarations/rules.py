"""A rule between fields, declared by `requires` and applied when a config is checked."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from dltool.core.errors import ConfigError
from dltool.declarations.conditions import Condition, UnreadableCondition

EXAMPLE = 'requires(lambda config: config.model.width > 1, "model.width is too small", hint="model.width=2")'
LANGUAGE = (
    "it can use `config`, literals, len, min, max, any and all; allowed are comparisons, and/or/not, if/else, "
    "arithmetic, subscripts and .get"
)
FIELD = re.compile(r"\{(\w+)\.(\w+)\}")


@dataclass(frozen=True)
class Rule:
    """A `requires` declaration: a condition over the whole config.

    Attributes:
        message, hint: Texts in which `{data.name}` stands for the value of that field.
        place: File and line.
    """

    condition: Condition
    message: str
    hint: str | None
    place: str

    def holds(self, config: SimpleNamespace) -> bool:
        """Whether the condition is true.

        Raises:
            ConfigError: It cannot be evaluated.
        """
        try:
            return bool(self.condition(config))
        except Exception as error:  # An expression can raise any exception.
            problem = f"{self.place}: the rule cannot be evaluated: {type(error).__name__}: {error}"
            raise ConfigError(problem, LANGUAGE) from error

    def error(self, config: SimpleNamespace) -> ConfigError:
        """The error to raise if the condition is false."""

        def value(found: re.Match[str]) -> str:
            fields = vars(config).get(found[1])
            return found[0] if fields is None else str(vars(fields).get(found[2], found[0]))

        return ConfigError(FIELD.sub(value, self.message), FIELD.sub(value, self.hint) if self.hint else self.hint)


def read_rule(call: ast.Call, path: Path) -> Rule:
    """The rule of a call `requires(lambda config: …, "…", hint="…")`.

    Raises:
        ConfigError: The call has another form, or its condition is outside the language.
    """
    place = f"{path}, line {call.lineno}"
    hint: str | None = None
    match call.args, call.keywords:
        case [ast.Lambda() as condition, ast.Constant(value=str(message))], []:
            pass
        case (
            [ast.Lambda() as condition, ast.Constant(value=str(message))],
            [ast.keyword(arg="hint", value=ast.Constant(value=(str() | None) as hint))],
        ):
            pass
        case _:
            problem = f"{place}: a rule is a lambda over the config and a string literal"
            raise ConfigError(problem, f"@{EXAMPLE}")
    try:
        return Rule(Condition.read(condition), message, hint, place)
    except UnreadableCondition as error:
        problem = f"{path}, line {error.node.lineno}: the rule cannot be read: {error.problem}"
        raise ConfigError(problem, LANGUAGE) from error
