"""What a change of a data set's keys means: other data, another place, another split, or neither."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dltool.config.check import Config
from dltool.config.data_roles import (
    changed_membership,
    identifying_settings,
    is_elsewhere,
    is_other_source,
    keys_with_role,
    role_of,
)
from dltool.declarations.source import component, registrations

Configure = Callable[..., Config]

DATA = list(registrations()["data"])
SOURCES = {"variant", "noise", "outliers", "sine", "function"}
PLACES_OF_FILES = {"path", "root", "train", "val", "test", "val_source", "test_target"}
SPLITS = {"val_fraction", "test_fraction", "num_folds", "fold", "split_seed", "train_samples"}
USES = {
    "batch_size",
    "eval_batch_size",
    "shuffle",
    "drop_last",
    "sampling",
    "order",
    "scaling",
    "augment",
    "tokenizer",
    "resize",
}
PLACES = {"residency", "workers", "download"}


@pytest.mark.parametrize("name", DATA)
def test_every_key_of_every_data_set_has_a_role(name: str) -> None:
    """A new key needs one: dltool.declarations.component lists them. It decides what evaluate and resume accept."""
    assert [key for key, field in component("data", name).all_fields.items() if field.role is None] == []


@pytest.mark.parametrize("name", DATA)
def test_every_data_set_says_what_its_keys_decide(name: str) -> None:
    declared = component("data", name)
    roles = {key: role_of(declared, key) for key in declared.all_fields}
    expected = {
        **dict.fromkeys(SOURCES, "Source"),
        **dict.fromkeys(PLACES_OF_FILES, "Location"),
        **dict.fromkeys(SPLITS, "Membership"),
        **dict.fromkeys(USES, "Handling"),
        **dict.fromkeys(PLACES, "Placement"),
    }
    assert {key: roles[key] for key in roles if key in expected} == {k: v for k, v in expected.items() if k in roles}


def test_what_a_resume_may_change_is_declared_with_the_key() -> None:
    assert set(keys_with_role(component("data", "image_folder"), "Placement")) == {
        "data.workers",
        "data.residency",
        "data.timeout",
    }
    assert keys_with_role(component("data", "csv"), "Location") == ["data.path"]
    assert keys_with_role(component("data", "image_folder"), "SplitLocation") == ["data.split_file"]
    labels = {name: role_of(component("data", name), "labels") for name in ("cifar100", "image_folder")}
    assert labels == {"cifar100": "Source", "image_folder": "Location"}  # Which labels; the file of a table.


@pytest.mark.parametrize(
    ("override", "elsewhere", "membership"),
    [
        ("data.eval_batch_size=100", False, []),
        ("data.batch_size=7", False, []),
        ("data.residency=host", False, []),
        ("data.scaling=none", False, []),
        ("data.unknown=ignore", False, []),
        ("data.split_seed=1", False, ["data.split_seed"]),
        ("data.missing=drop", False, ["data.missing"]),
        ("data.kind=auto", False, []),
        ("data.kind=numbers", False, ["data.kind"]),
        ("data.path=other.csv", True, []),
        ("data.path=./inner/../t.csv", False, []),
    ],
)
def test_a_change_of_a_table(override: str, elsewhere: bool, membership: list[str], configure: Configure) -> None:
    words = ["data=csv", "data.path=t.csv", "data.target=y", "model=mlp"]
    before, after = configure(*words, "data.kind=classes"), configure(*words, "data.kind=classes", override)
    assert not is_other_source(before, after, Path.cwd())
    assert is_elsewhere(before, after, Path.cwd()) == elsewhere
    assert changed_membership(before, after, {"data.kind": "classes"}) == membership


def test_a_path_is_the_same_from_wherever_it_is_written(configure: Configure, tmp_path: Path) -> None:
    words = ["data=csv", "data.target=y", "model=mlp"]
    before = configure(*words, "data.path=t.csv")
    same, other = (configure(*words, f"data.path={folder / 't.csv'}") for folder in (tmp_path, Path.cwd()))
    assert not is_elsewhere(before, same, tmp_path)
    assert is_elsewhere(before, other, tmp_path)


def test_another_data_set_is_other_data(configure: Configure) -> None:
    before = configure("data=digits", "model=mlp")
    assert is_other_source(before, configure("data=mnist", "model=mlp"), Path.cwd())
    assert not is_other_source(before, configure("data=digits_rows", "model=mlp"), Path.cwd())


def test_the_settings_of_a_generator_identify_its_data(configure: Configure) -> None:
    moons = configure("data=moons", "model=mlp", "data.split_seed=3")
    expected = {"name": "moons", "num_samples": 1000, "noise": 0.1, "positive": None}
    assert identifying_settings(moons, drawn=False) == expected
    assert identifying_settings(moons, drawn=True) == {**expected, "split_seed": 3}
