"""Which module registers which component, found in the source text without imports.

One regular expression finds every `@register("group", "name")` below the package. Trusted code (dltool.trust.sources)
is added to dltool's own; dltool.declarations.source reads the declarations of both.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dltool.core.errors import ConfigError
from dltool.core.package import EXAMPLES, PACKAGE, TEMPLATE
from dltool.trust.sources import TrustedSource, read_sources, trust, trusted_sources

if TYPE_CHECKING:
    from dltool.declarations.registration import Registration

REGISTRATION = re.compile(r"^@register\(\s*\"(\w+)\",\s*\"(\w+)\"", re.MULTILINE)


def trust_paths(paths: Sequence[Path]) -> None:
    """Trust the files and packages at these paths from now on in this process, and no others.

    Raises:
        ConfigError: One cannot be read, registers nothing, or registers a name that is taken.
    """
    sources = tuple(read_sources(paths))
    for source in sources:
        if not registrations_of(source):
            raise ConfigError(
                f"--trust {source.path} registers nothing",
                'from dltool.declarations.component import register, and @register("model", "mine", …) before a class',
            )
    if sources:
        registrations_with(sources)
    trust(sources)


def registrations_of(source: TrustedSource) -> "tuple[Registration, ...]":
    """Every component of a trusted source; see dltool.declarations.registration, imported only if code is trusted."""
    from dltool.declarations import registration

    return registration.registrations_of(source)


def trusted_registrations() -> "list[Registration]":
    """Every component of the trusted code."""
    return [one for source in trusted_sources() for one in registrations_of(source)]


def registrations() -> dict[str, dict[str, str]]:
    """Group to component name to module, for every component of the package and of trusted code.

    Raises:
        ConfigError: A trusted component has the name of another.
    """
    return registrations_with(trusted_sources())


@cache
def registrations_with(sources: tuple[TrustedSource, ...]) -> dict[str, dict[str, str]]:
    found = {group: dict(names) for group, names in own_registrations().items()}
    first: dict[tuple[str, str], Registration] = {}
    for one in (one for source in sources for one in registrations_of(source)):
        if taken := own_registrations()[one.group].get(one.name):
            problem = f"{one.path}, line {one.line}: {one.group}={one.name} is already in dltool, in {taken}"
            raise ConfigError(problem, "register it under another name")
        if other := first.get((one.group, one.name)):
            raise ConfigError(
                f"{one.group}={one.name} is registered twice: in {other.path}, line {other.line}, and in "
                f"{one.path}, line {one.line}",
                "give one of them another name, or leave one --trust out",
            )
        first[one.group, one.name] = one
        found[one.group][one.name] = one.module
    return found


@cache
def own_registrations() -> dict[str, dict[str, str]]:
    """Group to component name to module, for every component of the package."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(path for path in PACKAGE.rglob("*.py") if not {TEMPLATE, EXAMPLES} & {*path.parents}):
        for group, name in REGISTRATION.findall(path.read_text(encoding="utf-8")):
            if name in found.setdefault(group, {}):
                raise RuntimeError(f'@register("{group}", "{name}") is in {found[group][name]} and in {path}')
            found[group][name] = ".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts))
    return found
