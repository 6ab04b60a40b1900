import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltool.core.errors import ConfigError
from dltool.search.launchers import split_launcher

SMALL = ["model=mlp", "model.hidden=[8]", "data=iris", "trainer.epochs=2", "logger.plots=false"]


def test_a_launcher_is_taken_out_of_the_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    words = ["model=mlp", "hydra/launcher=submitit_slurm", "hydra.launcher.timeout_min=60", "seed=1,2"]
    assert split_launcher(words) == ("submitit_slurm", ["hydra.launcher.timeout_min=60"], ["model=mlp", "seed=1,2"])
    assert split_launcher(["seed=1,2"]) == (None, [], ["seed=1,2"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["hydra/launcher=ray"], "no such launcher"),
        (["hydra.launcher.timeout_min=60"], "no launcher is chosen"),
    ],
)
def test_a_wrong_launcher_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        split_launcher(words)


def test_a_launcher_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        split_launcher(["hydra/launcher=submitit_local"])
    assert caught.value.hint == 'pip install "dltool-torch[submitit]"'


def test_a_launchers_settings_cannot_name_code(dltool: Callable[..., Any], tmp_path: Path) -> None:
    done = dltool("train", "-m", *SMALL, "seed=1,2", "hydra.launcher._target_=os.system", cwd=tmp_path)
    assert done.returncode == 2
    assert "hydra.*" in done.stderr


def test_submitit_trains_every_job_on_this_machine(
    dltool: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    done = dltool(
        "train", "-m", *SMALL, "seed=1,2", "sweep.dir=s", "sweep.n_jobs=2", "hydra/launcher=submitit_local",
        "hydra.launcher.timeout_min=5", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [line.split(",")[2] for line in (tmp_path / "s/sweep.csv").read_text().splitlines()[1:]] == ["finished"] * 2
    assert "mlp on iris" in (tmp_path / "s/logs/000_seed=1.txt").read_text()
