"""Which automatic choices of a run are used again, and which are made anew."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from dltool.config.check import Config, check
from dltool.config.compose import compose_from
from dltool.config.rerun import OF_THE_LENGTH, compose_resume, reused_choices, with_auto
from dltool.core.errors import ConfigError

LENGTH = dict(zip(OF_THE_LENGTH, (1000, True, 10, "best", 10, "val/loss"), strict=True))
AUTO = {"trainer.device": "cpu", "trainer.threads": 3, **LENGTH, "data.scaling": "standardize"}


@pytest.fixture
def saved(configure: Callable[..., Config], tmp_path: Path) -> Path:
    """The config.yaml of a run of an MLP on iris with the default length."""
    path = tmp_path / "config.yaml"
    tree = configure("model=mlp", "data=iris", "trainer.device=auto", "trainer.threads=auto").tree
    OmegaConf.save(OmegaConf.create(tree), path)
    return path


def value(tree: dict[str, Any], key: str) -> Any:
    for part in key.split("."):
        tree = tree[part]
    return tree


@pytest.mark.parametrize(
    ("override", "chosen_again"),
    [
        ("seed=1", set()),
        ("trainer.epochs=60", set()),
        ("trainer.steps=100", {"trainer.epochs"}),
        ("data.residency=host", set()),
        ("data.batch_size=16", set(OF_THE_LENGTH)),
        ("data=wine", {*OF_THE_LENGTH, "data.scaling"}),
        ("model=linear", {*OF_THE_LENGTH, "data.scaling"}),
    ],
)
def test_the_length_is_chosen_again_where_the_data_or_the_model_changed(
    override: str, chosen_again: set[str], saved: Path
) -> None:
    """A number of steps alone is the length; epochs of the earlier run would cut it."""
    config = check(compose_from(saved, [override]))
    built = with_auto(config, AUTO, saved)
    overridden = {override.partition("=")[0]}
    assert {key for key in AUTO if key not in overridden and value(built.tree, key) == "auto"} == chosen_again
    kept = {key: AUTO[key] for key in AUTO if key not in chosen_again | overridden}
    assert reused_choices(config, built) == kept


def test_a_resume_keeps_the_choices(saved: Path) -> None:
    config, built = compose_resume(saved, ["trainer.epochs=2000"], AUTO)
    assert config["trainer"]["epochs"] == built["trainer"]["epochs"] == 2000
    assert built["trainer"]["evaluate_every_n_epochs"] == 10
    assert built["trainer"]["checkpoint"]["metric"] == "val/loss"
    _, longer = compose_resume(saved, ["trainer.steps=5000"], AUTO)
    assert longer["trainer"]["epochs"] == "auto"


def test_an_older_run_on_diabetes_keeps_its_targets(configure: Callable[..., Config], tmp_path: Path) -> None:
    """The key did not exist; targets were not scaled, and thirty epochs were written in the config."""
    tree = configure("model=linear", "data=diabetes", "trainer=every_epoch").tree
    del tree["data"]["target_scaling"]
    path = tmp_path / "config.yaml"
    OmegaConf.save(OmegaConf.create(tree), path)
    config = check(compose_from(path, []))
    assert config["data"]["target_scaling"] == "none"
    assert with_auto(config, AUTO, path)["trainer"]["epochs"] == 30


@pytest.mark.parametrize("override", ["data.path=copy/t.csv", "data.residency=host"])
def test_the_same_data_elsewhere_keeps_the_choices(
    override: str, configure: Callable[..., Config], tmp_path: Path
) -> None:
    """On resume, where its contents are compared. A new training on another file chooses its length anew."""
    path = tmp_path / "config.yaml"
    tree = configure("model=mlp", "data=csv", "data.path=t.csv", "data.target=y", "trainer.threads=auto").tree
    OmegaConf.save(OmegaConf.create(tree), path)
    auto = {**AUTO, "data.kind": "classes"}
    _, built = compose_resume(path, [override], auto)
    assert {key: value(built.tree, key) for key in (*LENGTH, "data.kind")} == {**LENGTH, "data.kind": "classes"}
    again = with_auto(check(compose_from(path, [override])), auto, path)
    assert (value(again.tree, "trainer.evaluate_every_n_epochs") == "auto") == (override.startswith("data.path"))


def test_other_keys_of_the_data_are_refused_on_resume(saved: Path) -> None:
    with pytest.raises(ConfigError, match=r"data.split_seed was 0 in this run and cannot become 1 on resume"):
        compose_resume(saved, ["data.split_seed=1"], AUTO)
