"""Runs that earlier versions made can be listed, evaluated, used and continued."""

import json
import platform
import shutil
from pathlib import Path

import pytest

RUNS = Path(__file__).parent / "version_0_1"
# How each is used, and what a resume is given to go on for one more epoch, or some steps.
LONGER = {
    "mlp_digits": "trainer.epochs=3",
    "lstm_pydoc": "trainer.steps=24",
    "mlp_csv": "trainer.epochs=4",
    "gan_gaussians": "trainer.epochs=3",
}
USES = {
    "mlp_digits": ["predict", "outputs/mlp_digits", "--input", "digit.png"],
    "lstm_pydoc": ["sample", "outputs/lstm_pydoc", "--prompt", "The ", "--length", "20"],
    "mlp_csv": ["predict", "outputs/mlp_csv", "--input", "table.csv", "--csv"],
    "gan_gaussians": ["sample", "outputs/gan_gaussians", "--count", "50"],
}


@pytest.fixture
def here(tmp_path):
    """A working directory as it was when the runs were made."""
    shutil.copytree(RUNS, tmp_path / "outputs")
    (tmp_path / "outputs" / "table.csv").rename(tmp_path / "table.csv")
    return tmp_path


def saved(run: Path) -> dict:
    return json.loads((run / "status.json").read_text())


def skip_where_the_text_is_another(name: str, run: Path) -> None:
    if name == "lstm_pydoc":
        python = json.loads((run / "environment.json").read_text())["versions"]["python"]
        if python != platform.python_version():
            pytest.skip(f"the reference of Python {python} is its data, this is {platform.python_version()}")


def test_they_are_listed(dltool_here, here):
    done = dltool_here("runs", "--json")
    assert done.returncode == 0, done.stderr
    listed = {Path(run["run"]).name: run for run in json.loads(done.stdout)}
    assert listed.keys() == LONGER.keys()
    assert {run["state"] for run in listed.values()} == {"finished"}
    for name, run in listed.items():
        assert run["metrics"] == saved(RUNS / name)["metrics"]


@pytest.mark.parametrize("name", LONGER)
def test_they_measure_what_they_did(dltool_here, here, name):
    run = here / "outputs" / name
    skip_where_the_text_is_another(name, run)
    split = "val" if name == "lstm_pydoc" else "test"  # That run has no test split.
    done = dltool_here("evaluate", str(run), "--split", split, "--json")
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)["metrics"]
    before = {key: value for key, value in saved(run)["metrics"].items() if key.startswith(f"{split}/")}
    assert before
    for key, value in before.items():
        assert measured[key.partition("/")[2]] == pytest.approx(value, rel=1e-4), key


@pytest.mark.parametrize("name", USES)
def test_they_can_be_used(dltool_here, here, name):
    if name == "mlp_digits":
        from PIL import Image

        Image.new("L", (8, 8), 255).save(here / "digit.png")
    done = dltool_here(*USES[name])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    if name == "mlp_csv":
        assert len(done.stdout.splitlines()) == 1 + 120


@pytest.mark.parametrize("name", LONGER)
def test_they_go_on(dltool_here, here, name):
    run = here / "outputs" / name
    skip_where_the_text_is_another(name, run)
    before = saved(run)
    done = dltool_here("resume", str(run), LONGER[name], "trainer.device=cpu")
    assert done.returncode == 0, done.stderr
    assert f"resuming at step {before['step']}" in done.stderr
    after = saved(run)
    assert (after["state"], after["step"] > before["step"]) == ("finished", True)
