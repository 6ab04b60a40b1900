"""Warnings on the command line."""

import sys
import warnings

import pytest

from dltool.core.notices import DltoolWarning, FigureWarning, printed_warnings
from dltool.figures import fonts


def test_a_warning_is_one_line_and_one_of_a_figure_comes_last(capsys: pytest.CaptureFixture[str]) -> None:
    with printed_warnings():
        for _ in range(2):
            warnings.warn("boxes", FigureWarning, stacklevel=1)
        warnings.warn("left out", DltoolWarning, stacklevel=1)
        print("working", file=sys.stderr)
    assert capsys.readouterr().err == "warning: left out\nworking\nwarning: boxes\n"


def test_other_warnings_are_python_s(recwarn: pytest.WarningsRecorder) -> None:
    with printed_warnings():
        warnings.warn("of a library", RuntimeWarning, stacklevel=1)
    assert [str(one.message) for one in recwarn] == ["of a library"]


def test_missing_characters_are_said_once_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fonts, "find_cjk_family", lambda: None)
    monkeypatch.setattr(fonts, "_warned", False)
    with printed_warnings():
        for _ in range(2):
            with fonts.fonts_for("数据"):
                pass
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: no installed font has Chinese, Japanese or Korean characters, figures show boxes")
