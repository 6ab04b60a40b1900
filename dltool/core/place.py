"""Where a function is defined, for messages about a user's own code."""

from types import CodeType


def place_of_function(function: object) -> str:
    """The file and line of a function or method, "/home/me/models.py, line 12"; its representation if unknown."""
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}, line {code.co_firstlineno}" if isinstance(code, CodeType) else repr(function)
