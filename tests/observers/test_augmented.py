from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from watching import watch

from dltool.data.arrays import Split
from dltool.data.augment import Augmentation
from dltool.data.source import TrainSource
from dltool.observers.augmented import AugmentedPlot


def source(channels=3, **fields):
    pixels = torch.randint(0, 256, (20, channels, 12, 10), dtype=torch.uint8)
    augment = Augmentation(**fields).augmenter((12, 10))
    return TrainSource(
        Split(pixels, torch.arange(20)), device=torch.device("cpu"), batch_size=8, seed=0, augment=augment
    )


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_draws_once_and_leaves_the_training_alone(tmp_path, channels):
    stream = source(channels, shift=2, noise=0.2, mixup=1.0)
    stream.draws = 4
    plot = AugmentedPlot(watch(tmp_path), stream)
    plot.on_epoch()
    written = plot.path.path.stat().st_mtime_ns
    assert Image.open(plot.path.path).size == (1200, 672)
    plot.on_epoch()
    plot.on_end()
    assert plot.path.path.stat().st_mtime_ns == written
    assert stream.draws == 4


def test_no_picture_without_augmentation(tmp_path):
    AugmentedPlot(watch(tmp_path), source()).on_end()
    assert not list(tmp_path.iterdir())


def test_a_failure_is_a_warning(tmp_path):
    def examples(_count):
        raise OSError("disk full")

    failing = SimpleNamespace(augment=object(), examples=examples)
    with pytest.warns(UserWarning, match=r"augmented\.png could not be drawn: disk full"):
        AugmentedPlot(watch(tmp_path), failing).on_end()
