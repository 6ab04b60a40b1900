"""What a change of a data set's keys means: other data, another split, or neither."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dltool.config.check import Config
from dltool.config.data_roles import changed_membership, is_other_data, keys_with_role, role_of
from dltool.declarations.source import component, registrations

Configure = Callable[..., Config]

DATA = list(registrations()["data"])
SOURCES = {"path", "root", "train", "val", "test", "source", "variant", "labels"}
SPLITS = {"val_fraction", "test_fraction", "num_folds", "fold", "split_seed"}
USES = {
    "batch_size",
    "eval_batch_size",
    "shuffle",
    "drop_last",
    "sampling",
    "scaling",
    "augment",
    "tokenizer",
    "resize",
}
PLACES = {"residency", "workers", "download"}


@pytest.mark.parametrize("name", DATA)
def test_every_data_set_says_what_its_keys_decide(name: str) -> None:
    declared = component("data", name)
    roles = {key: role_of(declared, key) for key in declared.all_fields}
    expected = {
        **dict.fromkeys(SOURCES, "Source"),
        **dict.fromkeys(SPLITS, "Membership"),
        **dict.fromkeys(USES, "Handling"),
        **dict.fromkeys(PLACES, "Placement"),
    }
    assert {key: roles[key] for key in roles if key in expected} == {k: v for k, v in expected.items() if k in roles}


def test_what_a_resume_may_change_is_declared_with_the_key() -> None:
    assert set(keys_with_role(component("data", "image_folder"), "Placement")) == {"data.workers", "data.residency"}


@pytest.mark.parametrize(
    ("override", "other", "membership"),
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
def test_a_change_of_a_table(override: str, other: bool, membership: list[str], configure: Configure) -> None:
    words = ["data=csv", "data.path=t.csv", "data.target=y", "model=mlp"]
    before, after = configure(*words, "data.kind=classes"), configure(*words, "data.kind=classes", override)
    assert is_other_data(before, after, Path.cwd()) == other
    assert changed_membership(before, after, {"data.kind": "classes"}) == membership


def test_a_path_is_the_same_from_wherever_it_is_written(configure: Configure, tmp_path: Path) -> None:
    words = ["data=csv", "data.target=y", "model=mlp"]
    before = configure(*words, "data.path=t.csv")
    same, other = (configure(*words, f"data.path={folder / 't.csv'}") for folder in (tmp_path, Path.cwd()))
    assert not is_other_data(before, same, tmp_path)
    assert is_other_data(before, other, tmp_path)


def test_another_data_set_is_other_data(configure: Configure) -> None:
    before = configure("data=digits", "model=mlp")
    assert is_other_data(before, configure("data=mnist", "model=mlp"), Path.cwd())
    assert not is_other_data(before, configure("data=digits_rows", "model=mlp"), Path.cwd())
