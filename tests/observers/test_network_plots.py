"""The pictures of a network of images after its training."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.figures.tiles import tiled
from dltool.introspection.layers import Kernels, feature_maps
from dltool.introspection.mistakes import Samples
from dltool.observers.feature_maps import draw_feature_maps
from dltool.observers.kernels import draw_kernels
from dltool.observers.misclassified import draw_misclassified
from dltool.observers.network_plots import drawn

OF_A_RUN = {"kernels.png", "feature_maps.png", "confusion.png", "misclassified.png"}


def test_tiles_are_where_they_say() -> None:
    images = [np.full((2, 3, 3), value, np.float32) for value in (0.0, 0.25, 0.5, 0.75)]
    tiles = tiled([images[:3], images[3:]], (2, 3))
    assert (tiles.height, tiles.width) == (64, 96)
    for value, (row, column) in zip((0.0, 0.25, 0.5, 0.75), ((0, 0), (0, 1), (0, 2), (1, 0)), strict=True):
        top, left = tiles.corner(row, column)
        tile = tiles.pixels[top : top + 64, left : left + 96]
        assert (tile == value).all()
    assert (tiles.pixels[70:, 110:] == 1).all()
    photograph = tiled([[np.random.rand(224, 200, 3).astype(np.float32)]], (224, 200))
    assert (photograph.height, photograph.width) == (96, 86)
    assert photograph.pixels.mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("shape", [(1, 1, 3, 3), (64, 3, 11, 11), (40, 2, 3, 7), (4, 30, 3, 3), (300, 1, 28, 28)])
def test_kernels_of_all_kinds(shape: tuple[int, ...], tmp_path: Path) -> None:
    draw_kernels(Kernels("features.0", torch.randn(shape), whole=shape[2] == 28), tmp_path / "a" / "kernels.png", "$x")
    width, height = Image.open(tmp_path / "a" / "kernels.png").size
    assert max(width, height) < 2500


def test_zero_is_the_middle_of_the_scale(tmp_path: Path) -> None:
    weights = torch.zeros(2, 1, 2, 2)
    weights[0, 0, 0, 0], weights[1] = -2.0, torch.nan
    draw_kernels(Kernels("conv", weights, whole=False), tmp_path / "kernels.png")
    values, counts = np.unique(np.asarray(Image.open(tmp_path / "kernels.png").convert("L")), return_counts=True)
    share = dict(zip(values.tolist(), (counts / counts.sum()).tolist(), strict=True))
    grey = share.get(127, 0) + share.get(128, 0)
    assert grey > 5 * share[0] > 0.05  # Seven of eight weights are 0 (or none), one is black.


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 224, 200), (2, 16, 40)])
def test_maps_and_mistakes_of_all_sizes(shape: tuple[int, int, int], tmp_path: Path) -> None:
    layers = [nn.Conv2d(shape[0] if i == 0 else 12, 12, 3, padding=1) for i in range(12)]
    maps = feature_maps(nn.Sequential(*layers), torch.randn(1, *shape))
    image = 255 * np.random.rand(3, *shape)
    draw_feature_maps(image[0], maps, tmp_path / "maps.png", "a network on $data", "a cat")
    labels = torch.tensor([0, 1, 1])
    worst = Samples(torch.empty(3), labels, 1 - labels, torch.rand(3))
    draw_misclassified(image, worst, ["a class with a very long name", "狗"], tmp_path / "wrong.png", "title")
    for name in ("maps.png", "wrong.png"):
        assert (tmp_path / name).stat().st_size > 5000
        assert max(Image.open(tmp_path / name).size) < 2500


def test_inputs_look_as_they_did() -> None:
    raw = torch.randint(0, 256, (4, 3, 5, 6), dtype=torch.uint8)
    preprocessing = ImagePreprocessing(3, (5, 6), (5, 6), (120.0, 110.0, 100.0), (0.02, 0.015, 0.01))
    assert torch.allclose(preprocessing.pixels(preprocessing(raw)), raw.float(), atol=1e-3)


def test_a_picture_that_cannot_be_drawn_warns_and_an_old_one_goes(tmp_path: Path) -> None:
    def fails(_path: Path) -> bool:
        raise OSError("disk full")

    path = tmp_path / "kernels.png"
    path.write_text("of an earlier end")
    with pytest.warns(UserWarning, match=r"kernels\.png could not be drawn: disk full"):
        assert not drawn(fails, path)
    assert path.exists()
    assert not drawn(lambda _path: False, path)
    assert not path.exists()


def test_a_run_and_its_evaluation_draw_them(dltool_here: Callable) -> None:
    small = ["model=lenet", "trainer.epochs=1", "data.batch_size=256", "trainer.average.kind=ema"]
    done = dltool_here("train", *small, "run.dir=run")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in Path("run/plots").iterdir()} >= OF_A_RUN
    done = dltool_here("evaluate", "run", "--plots", "pictures", "--split", "val", "--tta", "shift")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in Path("pictures").iterdir()} == OF_A_RUN | {"receptive_field.png"}
    done = dltool_here("train", "--from", "run", "logger.plots=false", "run.dir=none")
    assert not Path("none/plots").exists()
    with_them, without = (json.loads(Path(run, "status.json").read_text())["metrics"] for run in ("run", "none"))
    assert with_them == without


def test_what_cannot_be_seen_is_left_out(dltool_here: Callable) -> None:
    short = ["trainer.steps=2", "data.batch_size=32"]
    dltool_here("train", "model=mlp", *short, "data.test_fraction=0", "task.metrics=[accuracy]", "run.dir=mlp")
    assert OF_A_RUN & {path.name for path in Path("mlp/plots").iterdir()} == OF_A_RUN - {"feature_maps.png"}
    dltool_here("train", "model=linear", *short, "data.test_fraction=0", "data.val_fraction=0", "run.dir=nothing_held")
    assert OF_A_RUN & {path.name for path in Path("nothing_held/plots").iterdir()} == {"kernels.png"}
    dltool_here("train", "model=gan", *short, "run.dir=gan")
    assert Path("gan/status.json").exists()
    assert not OF_A_RUN & {path.name for path in Path("gan").rglob("*.png")}
