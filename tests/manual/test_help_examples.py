"""The examples that --help shows are accepted by the parser; those that train compose."""

import re
import shlex

import pytest
from help_examples import lines_of_help

from dltool.cli.main import main, make_parser, with_action


@pytest.mark.parametrize(("place", "line"), lines_of_help())
def test_an_example_of_the_help_is_accepted(place: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By the parser; a plain training composes too."""
    words = shlex.split(line)[1:]
    _, rest = make_parser().parse_known_args(with_action(words))
    assert not [word for word in rest if word.startswith("--") and words[0] != "sample"]
    if words[0] == "train" and not re.search(r"--(from|trust|config-dir|cfg)|/launcher", line):
        assert main([*words, "--cfg", "job"]) == 0, capsys.readouterr().err
