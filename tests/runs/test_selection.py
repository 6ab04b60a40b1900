import math
from pathlib import Path

import pytest
from fabricated import CONFIG, make_run

from dltool.core.errors import ConfigError
from dltool.runs.catalog import RunRecord
from dltool.runs.selection import filtered, ordered, select, whole_key

RUNS = [
    RunRecord(
        Path("a"),
        "finished",
        "2026-11-20 12:00:00",
        epoch=3,
        metrics={"test/accuracy": 0.9, "val/loss": math.nan},
        config=CONFIG | {"model.name": "lenet", "optim.lr": 0.1},
    ),
    RunRecord(
        Path("b"),
        "failed",
        "2026-11-21 12:00:00",
        epoch=20,
        metrics={"val/loss": 0.5},
        config=CONFIG | {"optim.lr": 1e-4, "model.hidden": [256, 64], "trainer.clip_norm": None},
    ),
    RunRecord(Path("c"), "damaged", "2026-12-01 12:00:00"),
]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "abc"),
        (["model=lenet"], "a"),
        (["model=le*"], "a"),
        (["model.name=m?p"], "b"),
        (["model!=lenet"], "bc"),
        (["model.hidden=[256, 64]"], "b"),
        (["model.hidden=[8]"], "a"),  # No set of characters.
        (["optim.lr=1e-1"], "a"),
        (["optim.lr==0.10"], "a"),
        (["optim.lr<0.01"], "b"),
        (["optim.lr<=0.1", "optim.lr>1e-4"], "a"),
        (["trainer.clip_norm=null"], "b"),
        (["test/accuracy>=0.9"], "a"),
        (["val/loss<1"], "b"),  # NaN is less than nothing.
        (["epoch>5"], "b"),  # As numbers: "20" < "5".
        (["state=fin*"], "a"),
        (["state!=finished"], "bc"),
        (["date=2026-11"], "ab"),
        (["date=2026-11-2*"], "ab"),
        (["date>=2026-11-21"], "bc"),
        (["date<2026-11-21"], "a"),
        (["run=c"], "c"),
    ],
    ids=str,
)
def test_filters(words: list[str], expected: str) -> None:
    assert "".join(str(record.path) for record in filtered(RUNS, words)) == expected


@pytest.mark.parametrize(
    ("word", "message", "hint"),
    [
        ("lr=1", "no run here has lr", "did you mean optim.lr?"),
        ("optim.lrr=1", "no run here has optim.lrr", "did you mean optim.lr?"),
        ("accuracy>0.5", "no run here has accuracy", "did you mean test/accuracy?"),
        ("max_epochs=3", "no run here has max_epochs", "max_epochs is called trainer.epochs here: trainer.epochs=…"),
        ("optim.lr<small", "< needs a number", "'optim.lr<0.5', or optim.lr=small for a text"),
        ("state=finnished", "there is no such state", "did you mean state=finished?"),
        ("optim.lr", "optim.lr is not a filter", "write KEY=VALUE"),
    ],
)
def test_a_wrong_filter_says_what_to_type(word: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as error:
        filtered(RUNS, [word])
    assert message in error.value.message
    assert (error.value.hint or "").startswith(hint)


def test_a_group_is_short_for_its_name() -> None:
    assert whole_key("model", ["model.name", "model.hidden"]) == "model.name"


@pytest.mark.parametrize(
    ("key", "descending", "expected"),
    [
        ("test/accuracy", None, "abc"),
        ("val/loss", None, "bac"),  # The least loss first; NaN and none last.
        ("val/loss", True, "bac"),
        ("optim.lr", None, "bac"),
        ("optim.lr", True, "abc"),
        ("date", None, "cba"),
        ("epoch", None, "abc"),
        ("model.hidden", None, "bac"),
    ],
)
def test_order(key: str, descending: bool | None, expected: str) -> None:
    assert "".join(str(record.path) for record in ordered(RUNS, key, descending)) == expected


def test_names_in_their_order_and_filters_among_them(tmp_path: Path) -> None:
    for day, model in ((20, "mlp"), (21, "lenet"), (22, "mlp")):
        make_run(tmp_path / f"2026-11-{day}" / f"12-00-00_{day}", {"model.name": model})

    def names(*words: str) -> list[str]:
        return [record.path.name[-2:] for record in select(words, tmp_path)]

    assert names("12-00-00_22", "12-00-00_20", "12-00-00_22") == ["22", "20"]
    assert names("model=mlp") == ["20", "22"]
    assert names("12-00-00_21", "12-00-00_22", "model=mlp") == ["22"]
    odd = make_run(tmp_path / "model=odd")
    assert select([str(odd)], tmp_path)[0].path == odd  # A folder that looks like a filter.
