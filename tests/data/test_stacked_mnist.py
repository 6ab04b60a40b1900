from pathlib import Path

import pytest
import torch
from synthetic_images import write_mnist

from dltool.core.randomness import generator
from dltool.data.mnist import mnist
from dltool.data.stacked_mnist import stacked_mnist


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(write_mnist(tmp_path))


def test_each_channel_is_a_digit_and_the_class_their_number(root: str) -> None:
    digits = mnist(generator(0), root=root)
    raw = stacked_mnist(generator(0, "data"), root=root, num_samples=200, num_test_samples=50)
    assert raw.train.inputs.shape == (200, 3, 28, 28)
    assert raw.train.inputs.dtype == torch.uint8
    assert raw.class_names[314] == "314"
    assert len(raw.class_names) == 1000
    for split, source in ((raw.train, digits.train), (raw.test, digits.test)):
        known = {
            image.numpy().tobytes(): int(label) for image, label in zip(source.inputs, source.targets, strict=True)
        }
        for stack, label in zip(split.inputs, split.targets, strict=True):
            assert "".join(str(known[channel.numpy().tobytes()]) for channel in stack) == raw.class_names[label]


def test_is_drawn_from_the_seed_of_the_split(root: str) -> None:
    drawn = [stacked_mnist(generator(seed, "data"), root=root, num_samples=20).train.inputs for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
