"""Former names of options and keys work, on the command line and in files, and say what they are now."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dltool.config.check import Config, check
from dltool.config.compose import compose, compose_from, load_file
from dltool.config.renamed import KEYS, OPTIONS, current_override
from dltool.core.deprecation import note_former_name
from dltool.declarations.options import option_files
from dltool.declarations.source import component, registrations


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    note_former_name.cache_clear()


def test_every_present_name_exists() -> None:
    for group, names in OPTIONS.items():
        assert {*names.values()} <= {*option_files(group)}
        assert not {*names} & {*option_files(group)}
    for group, keys in KEYS.items():
        known = {key for name in registrations()[group] for key in component(group, name).all_fields}
        assert {*keys.values()} <= known
        assert not {*keys} & known


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("data=digit_looks", "data=digit_styles"),
        ("data=digits,digit_looks", "data=digits,digit_styles"),
        ("data.looks=[thin]", "data.styles=[thin]"),
        ("+data.looks=[thin]", "+data.styles=[thin]"),
        ("~data.looks", "~data.styles"),
        ("data=digit_looks2", "data=digit_looks2"),
        ("model=digit_looks", "model=digit_looks"),
        ("run.dir=digit_looks", "run.dir=digit_looks"),
    ],
)
def test_an_override(former: str, now: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert current_override(former) == now
    assert ("works until dltool 1.0" in capsys.readouterr().err) == (former != now)


def test_the_command_line(configure: Callable[..., Config]) -> None:
    config = configure("data=digit_looks", "data.looks=[thin,thick]")
    assert config["data"]["name"] == "digit_styles"
    assert config["data"]["styles"] == ["thin", "thick"]


def test_a_saved_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("data:\n  name: digit_looks\n  looks: [thin]\n", encoding="utf-8")
    assert load_file(path).tree["data"] == {"name": "digit_styles", "styles": ["thin"]}
    load_file(path)
    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == 2, "each once"
    assert "data.looks is now data.styles" in notes[1]
    assert compose_from(path, ["data.looks=[thick]"]).tree["data"]["styles"] == ["thick"]


def test_an_experiment(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    text = (
        "# @package _global_\n# mine\ndefaults:\n  - override /data: digit_styles\n  - _self_\ndata:\n  looks: [thin]\n"
    )
    (tmp_path / "experiment" / "mine.yaml").write_text(text, encoding="utf-8")
    config = check(compose(["experiment=mine", "model=mlp"], [tmp_path]))
    assert config["data"]["styles"] == ["thin"]
