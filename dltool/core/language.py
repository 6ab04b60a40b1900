"""The language of pictures and pages: what `in_language` chooses, or else that of the environment's locale."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
_chosen: ContextVar[Language | None] = ContextVar("language of pictures and pages", default=None)


@contextmanager
def in_language(chosen: Language | None) -> Iterator[None]:
    """Pictures and pages that are made in this context have this language; None leaves it to the locale."""
    token = _chosen.set(chosen)
    try:
        yield
    finally:
        _chosen.reset(token)


def wanted_language() -> Language:
    """The chosen language, else that of the locale."""
    return _chosen.get() or of_locale()


def of_locale() -> Language:
    """The language of messages in the environment, where LC_ALL takes precedence over LC_MESSAGES and LANG."""
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "zh" if locale.lower().startswith("zh") else "en"
