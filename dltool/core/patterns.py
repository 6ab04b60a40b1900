"""Patterns over the dotted names of a model's parameters, as `model.freeze` and `optim.lr_factors` take them."""

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest

NUM_NAMED = 8  # Modules that an error lists.


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern matches a parameter's name or that of a module that contains the parameter.

    `*`, `?` and `[12]` have their shell meaning and also match dots: `features.0.weight` fits `features.0.*`, `feat*`,
    `features.0`, `features` and `*`.
    """
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def check_patterns(setting: str, patterns: Iterable[str], names: Collection[str]) -> None:
    """Check that each pattern matches at least one name.

    Args:
        setting: The key that holds the patterns, for the message.
        patterns: The patterns as typed.
        names: All names that a pattern can match.

    Raises:
        ConfigError: If a pattern matches none of the names; the hint has the nearest name.
    """
    for pattern in patterns:
        if any(fits(pattern, name) for name in names):
            continue
        modules = list(dict.fromkeys(name.rpartition(".")[0] or name for name in names))
        shown = ", ".join(modules[:NUM_NAMED]) + (", …" if len(modules) > NUM_NAMED else "")
        near = nearest(pattern.strip("*?."), [*modules, *above(modules), *names])
        raise ConfigError(
            f"{setting}: no parameter of the model matches {pattern!r}; its layers with parameters are "
            f"{shown or 'none'}",
            f"did you mean {near}?" if near else "`dltool show` prints the layers with their names; * matches any part",
        )


def above(modules: Iterable[str]) -> list[str]:
    """The modules that contain the given modules: `features` for `features.0`."""
    parts = [module.split(".") for module in modules]
    return list(dict.fromkeys(".".join(words[:n]) for words in parts for n in range(1, len(words))))
