"""An override that dltool prints comes back as the value that was meant, through a shell and Hydra's grammar."""

import math
import shlex
from pathlib import Path
from typing import Any

import pytest

from dltool.config.compose import parse_override
from dltool.core.shell import quoted, setting

TEXTS = [
    *(
        "a",
        "weight (kg)",
        "a,b",
        "a  b",
        " a ",
        "a=b",
        "a:b",
        "身高",
        "*.bias",
        "",
        "{a}",
        "[x]",
        "(x)",
        "#1",
        "~a",
        "$x",
    ),
    *('say "hi"', "it's", "!fc", "a\\b", "a\\", 'a\\"b', "\\\\", "C:\\d\\", "a;b|c&d<e>f`g", "a\nb", "range(1,2)"),
    *("null", "True", "1", "-1", "1_0", ".5", "1e-3", "nan", "-inf", "0x1", "e1"),  # Texts, not what they look like.
]
VALUES = [None, True, False, 3, -0.5, 1e-5, math.inf, [0.9, 0.999], [1, None], [], [[1], [2, 3]], {"a.b": [1, "x y"]}]


@pytest.mark.parametrize("value", [*TEXTS, *([text, "b"] for text in TEXTS), *({"k": text} for text in TEXTS), *VALUES])
def test_a_setting_is_one_word_that_gives_the_value(value: Any) -> None:
    (word,) = shlex.split(setting("data.key", value))
    override = parse_override(word)
    assert not override.is_sweep_override()
    assert override.value() == value
    assert type(override.value()) is type(value)


def test_what_needs_no_quotes_has_none() -> None:
    assert setting("optim.lr", 0.1) == "optim.lr=0.1"
    assert setting("init_from", Path("outputs/a run/checkpoints")) == "'init_from=outputs/a run/checkpoints'"
    assert setting("data.drop", ["id", "weight (kg)"]) == """'data.drop=[id,"weight (kg)"]'"""
    assert quoted("train", "model=mlp,lenet", Path("my run")) == "train model=mlp,lenet 'my run'"
