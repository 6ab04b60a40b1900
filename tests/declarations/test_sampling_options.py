"""The options of `dltool sample` are the keyword-only arguments of a task's `decode`, read from the source text."""

import ast
from pathlib import Path

import pytest

from dltool.core.errors import ConfigError
from dltool.declarations.modules import SourceModule
from dltool.declarations.registry import registrations
from dltool.declarations.sampling_options import checked_options, options_of, sampling_options, value_of
from dltool.trust.sources import TrustedFile


def options(text: str, name: str) -> dict[str, object]:
    module = SourceModule("tasks", TrustedFile(Path("tasks.py"), text.encode(), False))
    definition = module.definitions[name]
    assert isinstance(definition, ast.ClassDef)
    return {option: (found.field.default, found.text) for option, found in options_of(module, definition).items()}


def test_of_built_in_tasks() -> None:
    assert set(sampling_options("language_model")) == {"temperature", "top_k", "top_p"}
    assert set(sampling_options("stylegan2")) == {"truncation"}
    assert sampling_options("gan") == sampling_options("supervised") == {}
    assert sampling_options("stylegan2")["truncation"].text.startswith("Factor on the distance")


def test_every_option_has_a_text() -> None:
    for task in registrations()["task"]:
        assert all(option.text for option in sampling_options(task).values()), task


INHERITED = """
class Base:
    def decode(self, codes, labels=None, *, steps: int = 50):
        '''Decode.

        Args:
            steps: The number of steps.
        '''

class Same(Base):
    pass

class Replaced(Base):
    def decode(self, codes, labels=None, *, eta: float = 0.0):
        pass

class Extended(Base):
    def decode(self, codes, labels=None, *, eta: float = 0.0, **options):
        pass
"""


def test_inheritance_is_that_of_python() -> None:
    assert options(INHERITED, "Same") == {"steps": (50, "The number of steps.")}
    assert options(INHERITED, "Replaced") == {"eta": (0.0, "")}
    assert options(INHERITED, "Extended") == {"steps": (50, "The number of steps."), "eta": (0.0, "")}


def test_a_type_that_cannot_be_read_is_an_error_with_its_line() -> None:
    with pytest.raises(ConfigError, match="line 3: steps: Tensor = 1 cannot be read"):
        options("class A:\n    def decode(self, codes, *,\n        steps: Tensor = 1):\n        pass\n", "A")


def test_values_are_checked_and_converted() -> None:
    assert checked_options("language_model", {"temperature": 1, "top_k": 3}, "gpt") == {"temperature": 1.0, "top_k": 3}
    with pytest.raises(ConfigError, match=r"temperature=-1: a number >= 0 is needed"):
        checked_options("language_model", {"temperature": -1}, "gpt")
    with pytest.raises(ConfigError, match="gpt has no sampling option temprature") as error:
        checked_options("language_model", {"temprature": 1}, "gpt")
    assert error.value.hint == "did you mean temperature?"


def test_values_of_a_command_line() -> None:
    assert [value_of(text) for text in ("3", "0.5", "1e-3", "null", "true", "cosine")] == [
        3,
        0.5,
        1e-3,
        None,
        True,
        "cosine",
    ]
