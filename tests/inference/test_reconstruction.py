from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dltool.core.errors import ConfigError, DataError

SEVEN = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("3", "7"):
        (tmp_path / "images" / name).mkdir(parents=True)
        Image.fromarray(SEVEN).save(tmp_path / "images" / name / "x.png")
    return tmp_path / "images"


def test_is_what_the_task_makes_of_prepared_inputs(load, folder: Path) -> None:
    run = load("autoencoder")
    made = run.reconstruct(folder)
    assert [Path(name).parent.name for name in made.names] == ["3", "7"]
    assert torch.allclose(made.originals[0, 0], torch.tensor(SEVEN / 255, dtype=torch.float32))
    assert torch.allclose(made.reconstructions, run.task.reconstruct(made.originals), atol=1e-6)
    assert made.codes.shape == (2, 4)
    of_memory = run.reconstruct(torch.tensor(SEVEN))
    assert torch.allclose(of_memory.reconstructions[0], made.reconstructions[0], atol=1e-6)


def test_a_conditional_model_takes_the_class_from_the_folder(load, folder: Path) -> None:
    run = load("conditional vae")
    made = run.reconstruct(folder)
    assert not torch.equal(*made.reconstructions)
    swapped = run.reconstruct(folder, classes=["7", "3"])
    assert torch.allclose(swapped.reconstructions[0], made.reconstructions[1])
    with pytest.raises(DataError, match="conditional, and nine is not one of its classes, 0, 1"):
        run.reconstruct(folder, classes=["nine", "3"])
    with pytest.raises(DataError, match="conditional, and its folder is not one"):
        run.reconstruct(torch.tensor(SEVEN))


def test_the_picture_has_each_below_the_other(load, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "pairs.png"
    load("autoencoder").reconstruct([folder / "3" / "x.png"] * 20).draw(path)
    assert Image.open(path).size[0] > 1000
    with pytest.raises(ConfigError, match="cannot be written"):
        load("autoencoder").reconstruct(folder).draw(tmp_path / "pairs.nothing")


def test_other_runs_have_no_codes(load, folder: Path) -> None:
    with pytest.raises(ConfigError, match="lenet on digits has no codes") as caught:
        load("lenet").reconstruct(folder)
    assert "model=autoencoder" in str(caught.value.hint)


def test_numbers_are_no_picture(load, tmp_path: Path) -> None:
    made = load("vae of numbers").reconstruct([[5.1, 3.5, 1.4, 0.2]])
    assert made.reconstructions.shape == (1, 4)
    with pytest.raises(ConfigError, match="cannot be drawn as images"):
        made.draw(tmp_path / "x.png")


def test_the_command(dltool_here, trained, folder: Path, tmp_path: Path) -> None:
    run = str(trained("autoencoder"))
    done = dltool_here("sample", run, "--reconstruct", str(folder), "--output", "pairs.png")
    assert done.returncode == 0
    assert "2 samples and reconstructions drawn in pairs.png" in done.stdout
    assert (tmp_path / "pairs.png").exists()
    wrong = dltool_here("sample", run, "--reconstruct", str(folder), "--count", "3")
    assert wrong.returncode == 2
    assert "--count does not apply" in wrong.stderr
    assert dltool_here("sample", run, "--reconstruct", "nowhere.png").returncode == 2
    drawn = dltool_here("sample", run, "--output", "drawn.png")
    assert drawn.returncode == 0
    assert (tmp_path / "drawn.png").exists()


def test_an_evaluation_is_that_of_the_training(load) -> None:
    for name in ("autoencoder", "conditional vae", "vae of numbers"):
        run = load(name)
        for metric, value in run.evaluate().metrics.items():
            assert value == pytest.approx(run.metrics[f"test/{metric}"], rel=1e-5)
