"""The JSON Schemas accept every YAML of dltool's, and find what its checker finds."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from dltool.config.check import Config
from dltool.declarations.docstrings import descriptions
from dltool.declarations.kinds import RANGES, Kind, Scalar
from dltool.declarations.options import GROUPS, primary_directory
from dltool.declarations.schema import RANGE_SCHEMAS, RECORD, WHOLE, kind_schema, schema
from dltool.search.record import Claim, Record

jsonschema = pytest.importorskip("jsonschema")


@cache
def validator(name: str, option: str | None = None) -> Any:
    made = schema(name, option=option)
    jsonschema.Draft7Validator.check_schema(made)
    return jsonschema.Draft7Validator(json.loads(json.dumps(made)))


def problems(name: str, text: str, option: str | None = None) -> list[str]:
    tree = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    return [error.message for error in validator(name, option).iter_errors(tree)]


@pytest.mark.parametrize("path", sorted(primary_directory().rglob("*.yaml")), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_accepts_every_file(path: Path) -> None:
    name = WHOLE if path.stem == "train" else path.parent.name
    assert problems(name, path.read_text(encoding="utf-8")) == []


def test_accepts_the_config_of_a_run(configure: Callable[..., Config]) -> None:
    for overrides in (
        [],
        ["model=gan", "data=gaussians"],
        ["model=mlp", "data=csv", "data.path=t.csv", "data.target=y"],
    ):
        assert list(validator(WHOLE).iter_errors(configure(*overrides).tree)) == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("optim", "name: adam\nlearning_rate: 0.1", "'learning_rate' was unexpected"),
        ("optim", "name: adam\nnesterov: true", "'nesterov' was unexpected"),  # A key of another option's.
        ("optim", "name: adam\nlr: fast", "'fast' is not valid under any"),
        ("optim", "name: adam\nlr: -1", "-1 is not valid under any"),
        ("optim", "name: adam\nbetas: [0.9]", "[0.9] is not valid under any"),
        ("optim", "name: adam\nbetas: [0.9, 1.0]", "[0.9, 1.0] is not valid under any"),
        ("optim", "name: adma", "'adma' is not one of"),
        ("optim", "lr: 0.1", "'name' is a required property"),
        ("trainer", "name: default\ncheckpoint: {keep_lats: 1}", "is not valid under any"),
        ("trainer", "name: default\ntest: lats", "'lats' is not valid under any"),
        ("trainer", "name: default\nchannels_last: 1", "1 is not valid under any"),
        ("model", "defaults: [override /task: gna]\nmodel: {name: gan}", "is not valid under any"),
        ("model", "defaults: [_self_]\nmodel: {name: gan, latent: 3}", "'latent' was unexpected"),
        ("model", "defaults: [_self_]\noptim: {lr: 3}\nmodel: {name: gan}", "'optim' was unexpected"),
        ("experiment", "optim: {lrr: 0.1}", "'lrr' was unexpected"),
        ("experiment", "defaults: [override /optim: adam_gan]\noptim: {nesterov: true}", "'nesterov' was unexpected"),
        ("experiment", "record: {metrics: {test/accuracy: {reference: 0.9}}}", "'source' is a dependency"),
        ("train", "seed: -1", "-1 is not valid under any"),
        ("train", "data: {name: iris, download: yse}", "was unexpected"),
    ],
)
def test_finds(name: str, text: str, complaint: str) -> None:
    found = problems(name, text)
    assert any(complaint in one for one in found), found


def test_allows_what_the_checker_allows() -> None:
    assert problems("optim", "name: adam\nlr: ${seed}") == []
    assert problems("optim", "name: adam\nlr: ${oc.env:HOME}") != []
    assert problems("experiment", "optim: {nesterov: true}") == []  # The line may choose sgd.
    assert problems("optim", "name: sgd\nnesterov: true", option="adam") != []
    assert problems("optim", "defaults: [adam, _self_]\nlr: 0.1") == []  # Another option, changed.
    assert problems("optim", "defaults: [adma, _self_]\nlr: 0.1") != []


@pytest.mark.parametrize("limits", RANGES)
def test_the_ranges_are_those_of_the_checker(limits: str) -> None:
    kind: Kind = Scalar("float", limits)
    assert limits in RANGE_SCHEMAS
    for value in (-1, -1e-9, 0, 1e-9, 0.5, 1 - 1e-9, 1, 1.5):
        assert jsonschema.Draft7Validator(kind_schema(kind)).is_valid(value) == kind.fits(value), value


def test_describes_keys_with_docstrings_and_defaults() -> None:
    keys = schema("trainer")["definitions"]["trainer.default"]["properties"]
    assert keys["clip_norm"]["description"].startswith("Largest L2 norm")
    assert keys["epochs"]["default"] == "auto"
    assert keys["checkpoint"]["anyOf"][0]["properties"]["keep_best"]["description"].startswith("Best checkpoints")
    assert schema("model")["definitions"]["model.lenet"]["properties"]["dropout"]["description"].startswith("Share")


def test_the_record_has_the_keys_that_are_read() -> None:
    assert list(RECORD["properties"]) == [one.name for one in fields(Record)]
    claim = RECORD["properties"]["metrics"]["additionalProperties"]["properties"]
    assert list(claim) == [one.name for one in fields(Claim)]


def test_the_command(dltool_here: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    assert json.loads(dltool_here("schema").stdout) == json.loads(json.dumps(schema(WHOLE)))
    assert dltool_here("schema", "optim", "adam").returncode == 0
    done = dltool_here("schema", "--output", "a/b")
    assert [Path(line).name for line in done.stdout.splitlines()] == [f"{n}.schema.json" for n in (WHOLE, *GROUPS)]
    assert json.loads((tmp_path / "a/b/optim.schema.json").read_text(encoding="utf-8"))["title"] == "dltool optim"
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "我的.yaml").write_text("# Mine.\nname: mlp\n", encoding="utf-8")
    assert "我的" in dltool_here("schema", "experiment", "--config-dir", ".").stdout
    (tmp_path / "file").touch()
    for words, hint in [
        (("optm",), "did you mean optim?"),
        (("optim", "admw"), "did you mean adamw?"),
        (("experiment", "lenet_mnist"), "dltool schema experiment"),
        (("--output", "file"), "--output FOLDER"),
    ]:
        done = dltool_here("schema", *words)
        assert done.returncode == 2
        assert hint in done.stderr


def test_what_every_model_takes_is_explained_too() -> None:
    assert descriptions("model", "lenet")["freeze"].startswith("Parameters that are not trained")
