"""Nothing in a config can name code, read the environment, or write outside the output root."""

import os
import re
from pathlib import Path

import pytest

from dltool.config.check import check
from dltool.config.compose import compose, compose_from
from dltool.core.errors import ConfigError
from dltool.declarations.options import primary_directory
from dltool.runs.folder import RunFolder

# What ran, or might have run, through Hydra 1.3.8's instantiate.
TARGETS = [
    "print",
    "os.getcwd",
    "os.system",
    "builtins.eval",
    "builtins.open",
    "subprocess.run",
    "logging.os.system",
    "pkgutil.resolve_name",
    "torch.load",
    "numpy.load",
    "torch.hub.load",
    "site.addsitedir",
    "torch.utils.collect_env.run",
    "pathlib.Path.unlink",
    "pathlib.Path.write_text",
    "os.mkdir",
    "canary.anything",
]
GLOBAL = "# @package _global_\n"
HOSTILE = {
    "callbacks": "hydra:\n  callbacks:\n    x:\n      _target_: canary.Callback\n",
    "logging": "hydra:\n  job_logging:\n    handlers:\n      x:\n        (): canary.Handler\n",
    "hydra run dir": "hydra:\n  run:\n    dir: /tmp/canary-run\n",
    "hydra sweep dir": "hydra:\n  sweep:\n    dir: /tmp/canary-run\n",
    "env_set": "hydra:\n  job:\n    env_set:\n      CANARY: set\n",
    "launcher": "defaults:\n  - override /hydra/launcher: joblib\n",
    "launcher target": "hydra:\n  launcher:\n    _target_: canary.Launcher\n",
    "searchpath": "hydra:\n  searchpath:\n    - file:///tmp\n",
    "environment": "seed: ${oc.env:HOME}\n",
    "environment in a text": "data:\n  root: /data/${oc.env:SECRET}\n",
    "nested resolver": "data:\n  root: ${oc.decode:${oc.env:SECRET}}\n",
    "resolver by interpolation": "data:\n  root: ${${model.name}:SECRET}\n",
    "dir outside": "run:\n  dir: /tmp/canary-run\n",
    "dir above": "run:\n  dir: outputs/../../canary-run\n",
    "download": "defaults:\n  - override /data: mnist\ndata:\n  download: true\n",
    "wandb online": "logger:\n  to: [wandb]\n  wandb:\n    mode: online\n",
    "wandb online by reference": "logger:\n  wandb:\n    mode: ${logger.wandb.name}\n    name: online\n",
    "mlflow server": "logger:\n  mlflow:\n    uri: https://example.org\n",
    "mlflow outside": "logger:\n  mlflow:\n    uri: sqlite:////tmp/canary-run\n",
    "mlflow above": "logger:\n  mlflow:\n    uri: sqlite:///outputs/../canary-run\n",
    "mlflow driver's option": "logger:\n  mlflow:\n    uri: sqlite:///outputs/x.db?uri=true\n",
    "mlflow folder": "logger:\n  mlflow:\n    uri: outputs/mlruns\n",
    "mlflow other driver": "logger:\n  mlflow:\n    uri: sqlite+pysqlcipher:///outputs/x.db\n",
    "target in a list": "model:\n  hidden:\n    - _target_: canary.x\n",
    "partial": "model:\n  _partial_: true\n",
    "args": "model:\n  _args_: [1]\n",
    "python tag": "seed: !!python/object/apply:os.system ['touch /tmp/canary-run']\n",
}


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable module that leaves a file behind when it is imported."""
    (tmp_path / "canary.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("SECRET", "the-secret")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "imported"


def refused(overrides: list[str], config_dirs: tuple[Path, ...] = ()) -> ConfigError:
    before = dict(os.environ)
    with pytest.raises(ConfigError) as caught:
        check(compose(overrides, config_dirs))
    assert dict(os.environ) == before
    assert "the-secret" not in f"{caught.value.message} {caught.value.hint}"
    assert not Path("/tmp/canary-run").exists()
    return caught.value


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_on_the_command_line(target: str, canary: Path) -> None:
    error = refused([f"+model._target_={target}"])
    assert "cannot name code" in error.message
    assert not canary.exists()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("where", ["model", "optim", "trainer.checkpoint", "x.y"])
def test_a_target_in_an_experiment(target: str, where: str, canary: Path, tmp_path: Path) -> None:
    lines, indent = "", ""
    for part in where.split("."):
        lines += f"{indent}{part}:\n"
        indent += "  "
    write_experiment(tmp_path, f"{lines}{indent}_target_: {target}\n")
    error = refused(["experiment=hostile"], (tmp_path,))
    assert "cannot name code" in error.message
    assert "hostile.yaml" in error.message
    assert not canary.exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_experiment(name: str, canary: Path, tmp_path: Path) -> None:
    write_experiment(tmp_path, HOSTILE[name])
    refused(["experiment=hostile"], (tmp_path,))
    assert not canary.exists()


@pytest.mark.parametrize("name", [n for n in HOSTILE if "defaults:" not in HOSTILE[n]])
def test_a_hostile_file_given_to_from(name: str, canary: Path, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(HOSTILE[name])
    with pytest.raises(ConfigError):
        check(compose_from(path, []))
    assert not canary.exists()


@pytest.mark.parametrize(
    "override",
    [
        "hydra.run.dir=/tmp/canary-run",
        "+hydra.callbacks.x._target_=canary.Callback",
        "hydra/launcher=joblib",
        "hydra.searchpath=[file:///tmp]",
        "hydra.job.env_set.CANARY=set",
        "data.root=${oc.env:SECRET}",
        "run.dir=${oc.env:SECRET}",
    ],
)
def test_a_hostile_override(override: str, canary: Path) -> None:
    refused(["data=mnist", override])
    assert not canary.exists()


def test_what_only_the_command_line_may_say(tmp_path: Path, canary: Path) -> None:
    assert check(compose([f"run.dir={tmp_path}/anywhere"]))["run"]["dir"] == f"{tmp_path}/anywhere"
    assert check(compose(["data=mnist", "data.download=true"]))["data"]["download"] is True
    logger = check(compose(["logger.wandb.mode=online", "logger.mlflow.uri=https://example.org"]))["logger"]
    assert (logger["wandb"]["mode"], logger["mlflow"]["uri"]) == ("online", "https://example.org")
    write_experiment(tmp_path, "run:\n  dir: outputs/mine\nlogger:\n  mlflow:\n    uri: sqlite:///outputs/mine.db\n")
    config = check(compose(["experiment=hostile"], (tmp_path,)))
    assert config["run"]["dir"] == "outputs/mine"
    assert config["logger"]["mlflow"]["uri"] == "sqlite:///outputs/mine.db"


@pytest.mark.parametrize("override", ["logger.wandb={project: mine}", "logger.wandb={}"])
def test_a_mapping_on_the_command_line_does_not_vouch_for_the_file(override: str, tmp_path: Path) -> None:
    """It is merged, so that what it does not name is still what the file says."""
    write_experiment(tmp_path, HOSTILE["wandb online"])
    error = refused(["experiment=hostile", override], (tmp_path,))
    assert "logger.wandb.mode=online is sending to a server" in error.message
    assert "hostile.yaml" in error.message
    said = [override, "logger.wandb={mode: online}"]
    assert check(compose(["experiment=hostile", *said], (tmp_path,)))["logger"]["wandb"]["mode"] == "online"


def test_a_saved_config_asks_for_nothing_that_only_the_command_line_may_say(tmp_path: Path) -> None:
    said = ["data=mnist", "data.download=true", f"run.dir={tmp_path}/x", "logger.wandb.mode=online"]
    config = check(compose([*said, "logger.mlflow.uri=https://example.org"]))
    run = RunFolder(tmp_path)
    run.write_config(config.tree)
    saved = check(compose_from(tmp_path / "config.yaml", []))
    assert saved["data"]["download"] is False
    assert saved["logger"]["wandb"]["mode"] == "offline"
    assert saved["logger"]["mlflow"]["uri"] is saved["run"]["dir"] is None
    assert config["data"]["download"] is True


def test_an_own_folder_cannot_shadow_an_option(tmp_path: Path) -> None:
    (tmp_path / "optim").mkdir()
    (tmp_path / "optim" / "adam.yaml").write_text("name: sgd\nlr: 666.0\n")
    assert check(compose(["optim=sgd"], (tmp_path,)))["optim"]["name"] == "sgd"
    for words in ([], ["optim=adam"]):
        error = refused(words, (tmp_path,))
        assert error.message == f"{tmp_path}/optim/adam.yaml would not be read: dltool has its own optim=adam"
        assert error.hint == "rename it, and choose it by its new name: optim=my_adam"


def test_a_name_in_two_folders_is_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder / "optim").mkdir(parents=True)
        (tmp_path / folder / "optim" / "own.yaml").write_text("name: sgd\nlr: 0.5\n")
    assert check(compose(["optim=own"], (tmp_path / "a",)))["optim"]["lr"] == 0.5
    error = refused(["optim=own"], (tmp_path / "a", tmp_path / "b"))
    assert (
        error.message == f"{tmp_path}/b/optim/own.yaml would not be read: {tmp_path}/a/optim/own.yaml has the same name"
    )
    same = tmp_path / "a" / ".." / "a"
    assert check(compose(["optim=own"], (tmp_path / "a", same)))["optim"]["lr"] == 0.5


def test_a_data_or_model_file_sets_no_field_of_another_group(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "sly.yaml").write_text(f"{GLOBAL}model:\n  name: mlp\noptim:\n  lr: 3.0\n")
    error = refused(["model=sly"], (tmp_path,))
    assert "sets optim.lr" in error.message


def test_an_experiment_may_set_fields_but_only_those_that_exist(tmp_path: Path) -> None:
    write_experiment(tmp_path, "optim:\n  betas: [0.5, 0.9]\n")
    assert check(compose(["experiment=hostile"], (tmp_path,)))["optim"]["betas"] == [0.5, 0.9]
    error = refused(["experiment=hostile", "optim=sgd"], (tmp_path,))
    assert "unknown key optim.betas" in error.message
    assert "hostile.yaml" in error.message


def test_nothing_calls_instantiate() -> None:
    package = primary_directory().parent / "dltool"
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "instantiate(" not in text, path
        if path.name != "plain_pickle.py":  # CIFAR's files; it knows three names, see its own tests.
            assert not re.search(r"^\s*(import|from) _?pickle", text, re.MULTILINE), path
        assert not re.search(r"pickle\.loads?\(", text), path
        assert "weights_only=False" not in text, path


def write_experiment(folder: Path, text: str) -> None:
    (folder / "experiment").mkdir(exist_ok=True)
    (folder / "experiment" / "hostile.yaml").write_text(GLOBAL + text)
