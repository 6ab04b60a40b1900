from pathlib import Path

import pytest

from dltool.core.errors import ConfigError
from dltool.search.grid import expand


def overrides(*words: str) -> list[tuple[str, ...]]:
    return [job.overrides for job in expand(words)]


def test_the_last_override_turns_fastest() -> None:
    assert overrides("model=mlp,lenet", "data=digits", "seed=1,2") == [
        ("model=mlp", "data=digits", "seed=1"),
        ("model=mlp", "data=digits", "seed=2"),
        ("model=lenet", "data=digits", "seed=1"),
        ("model=lenet", "data=digits", "seed=2"),
    ]


@pytest.mark.parametrize(
    "words",
    [("seed=1,2", "seed=3"), ("seed=3", "seed=1,2"), ("seed=1,2", "seed=2,3"), ("model=mlp,lenet", "model=lenet")],
)
def test_a_swept_key_is_set_once(words: tuple[str, ...]) -> None:
    """Crossed, the later value would hold in every job, and each job would be run twice."""
    with pytest.raises(ConfigError, match="is set 2 times in a sweep") as caught:
        overrides("data=digits", *words)
    assert words[-1] in str(caught.value.hint)
    assert overrides("seed=1", "seed=2", "model=mlp,lenet")[0] == ("seed=1", "seed=2", "model=mlp")
    assert len(overrides("model=mlp,lenet", "model.hidden=[8],[9]")) == 4


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("optim.lr=1e-2,1e-3", ["0.01", "0.001"]),
        ("seed=range(1,4)", ["1", "2", "3"]),
        ("seed=range(6,0,-2)", ["6", "4", "2"]),
        ("optim.lr=range(0.1,0.4,0.1)", ["0.1", "0.2", "0.3"]),  # Hydra's own floats would give 0.4 too.
        ("model=choice(mlp,lenet)", ["mlp", "lenet"]),
        ("seed=sort(3,1,2)", ["1", "2", "3"]),
        ("model.hidden=[64],[32,16]", ["[64]", "[32,16]"]),
        ("optim.lr=0.1,1e-1,0.2", ["0.1", "0.2"]),
        ("model=glob(lenet*)", ["lenet", "lenet5_1998"]),
        ("model=glob(lenet*,exclude=*1998)", ["lenet"]),
        ("trainer.clip_norm=1.0,null", ["1.0", "null"]),
    ],
)
def test_each_form_of_hydras_grammar(word: str, values: list[str]) -> None:
    key = word.partition("=")[0]
    assert overrides(word) == [(f"{key}={value}",) for value in values]


@pytest.mark.parametrize("word", ["data.path='a,b'", "model.hidden=[1,2]", "data.root=/tmp/a-b/c", "seed=1"])
def test_what_is_one_value_stays_as_typed(word: str) -> None:
    (job,) = expand([word])
    assert job.overrides == (word,)
    assert job.swept == {}


def test_a_swept_value_can_be_a_text_with_spaces() -> None:
    (first, second) = expand(["data.path=a b,c"])
    assert first.swept == {"data.path": "a\\ b"}
    assert second.overrides == ("data.path=c",)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("seed=range(3,1)", "no value"),
        ("seed=range(0,3,0)", "step of 0"),
        ("model=glob(zz*)", "no value"),
        ("seed=glob(*)", "not a group"),
        ("optim.lr=interval(0,1)", "cannot enumerate an interval"),
        ("optim.lr=tag(log,interval(0.1,1))", "cannot enumerate an interval"),
        ("seed=choice()", "cannot read"),
        ("seed=range(a,b)", "cannot read"),
        ("seed=range(0,20000)", "20,000 jobs"),
    ],
)
def test_a_sweep_over_nothing_is_refused(word: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        expand([word])


def test_the_users_own_options_are_globbed_too(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "lenet_mine.yaml").write_text("name: lenet\n")
    assert len(expand(["model=glob(lenet*)"], [tmp_path])) == 3


def test_a_jobs_name_is_fit_for_a_folder() -> None:
    names = [job.name for job in expand(["data.path=/a/b,'数据 集',c:d", "model.hidden=[1],[2]"])]
    assert names[0] == "000_data.path=_a_b,model.hidden=[1]"
    assert len(set(names)) == 6
    assert not any(set(name) & set("/\\:* ") for name in names)
