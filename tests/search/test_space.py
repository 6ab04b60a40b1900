from collections.abc import Sequence

import pytest

from dltool.core.errors import ConfigError
from dltool.search.space import Dimension, read_space


class Highest:
    """Draws the upper end of everything."""

    def suggest_float(self, name: str, low: float, high: float, *, step: float | None, log: bool) -> float:
        return high

    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int:
        return high

    def suggest_categorical(self, name: str, choices: Sequence[str]) -> str:
        return choices[-1]


@pytest.mark.parametrize(
    ("word", "dimension", "highest"),
    [
        ("optim.lr=interval(0.001,0.1)", Dimension("optim.lr", 0.001, 0.1), "0.1"),
        ("optim.lr=tag(log,interval(1e-5,1e-1))", Dimension("optim.lr", 1e-5, 0.1, log=True), "0.1"),
        ("seed=int(interval(1,8))", Dimension("seed", 1, 8, integer=True), "8"),
        ("seed=tag(log,int(interval(1,64)))", Dimension("seed", 1, 64, integer=True, log=True), "64"),
        ("seed=range(16,65,16)", Dimension("seed", 16, 64, step=16, integer=True), "64"),
        ("optim.lr=range(0.1,0.4,0.1)", Dimension("optim.lr", 0.1, 0.3, step=0.1), "0.3"),
        ("model.hidden=[16],[64,32]", Dimension("model.hidden", choices=("[16]", "[64,32]")), "[64,32]"),
        ("model=glob(lenet*)", Dimension("model", choices=("lenet", "lenet5_1998")), "lenet5_1998"),
        ("trainer.clip_norm=1.0,null", Dimension("trainer.clip_norm", choices=("1.0", "null")), "null"),
    ],
)
def test_hydras_grammar_as_a_space(word: str, dimension: Dimension, highest: str) -> None:
    space, fixed = read_space([word, "data=iris", "data.path='a,b'"])
    assert space == [dimension]
    assert fixed == ["data=iris", "data.path='a,b'"]
    assert space[0].suggest(Highest()) == highest


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["optim.lr=0.1"], "nothing to tune: every key has a single value"),
        (["optim.lr=interval(0.1,0.1)"], "is empty"),
        (["optim.lr=interval(0.1,0.01)"], "is empty"),
        (["optim.lr=tag(log,interval(0,1))"], "above 0"),
        (["seed=range(1,2)"], "has a single value"),
        (["seed=range(3,1)"], "no value"),
    ],
)
def test_an_empty_space_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_space(words)
