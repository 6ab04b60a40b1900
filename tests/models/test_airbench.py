"""The whitening, the first convolutions, the sizes; and that what comes from the data is kept by a checkpoint."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from states import same_state
from torch.nn import functional as F

from dltool.build.components import build_model
from dltool.build.parts import describe
from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.spec import DataSpec
from dltool.models.airbench import Airbench, identity_convolution, whitening_filters
from dltool.runs.folder import RunFolder

SMALL = ["model=airbench", "model.widths=[4,8,8]", "data.batch_size=100"]


def spec(channels: int = 3, height: int = 32, width: int = 32) -> DataSpec:
    return DataSpec(input_shape=(channels, height, width), output_dim=10)


def smooth_images(count: int) -> torch.Tensor:
    """Neighbouring pixels and channels are correlated, as in photographs."""
    noise = torch.randn(count, 1, 20, 20, generator=torch.Generator().manual_seed(0))
    colour = torch.randn(count, 3, 20, 20, generator=torch.Generator().manual_seed(1))
    return F.avg_pool2d(noise + 0.3 * colour, 3, stride=1) * 3


def test_responses_to_patches_have_the_identity_as_their_covariance() -> None:
    images = smooth_images(200)
    responses = F.conv2d(images, whitening_filters(images, 2, eps=0.0)).permute(1, 0, 2, 3).flatten(1)  # (12, N)
    assert (responses @ responses.T / responses.shape[1] - torch.eye(12)).abs().max() < 0.01
    patches = F.unfold(images, 2).permute(1, 0, 2).flatten(1)
    assert (patches @ patches.T / patches.shape[1]).triu(1).abs().max() > 0.1  # They were correlated.


def test_hardly_any_variance_is_not_blown_up() -> None:
    images = smooth_images(50)[:, :1].expand(-1, 3, -1, -1)  # Grey in three channels: eight of twelve directions are 0.
    for eps in (0.0, 5e-4):
        filters = whitening_filters(images, 2, eps)
        assert filters.isfinite().all()
    responses = F.conv2d(images, filters).permute(1, 0, 2, 3).flatten(1)
    variances = responses.square().mean(1)
    assert (variances[:8] < 1e-3).all()
    assert (variances[8:] > 0.99).all()


def test_each_filter_has_its_negative() -> None:
    model = Airbench(spec(), widths=(4, 8, 8))
    model.initialize_from(smooth_images(20))
    assert torch.equal(model.whiten.weight[:12], -model.whiten.weight[12:])


@pytest.mark.parametrize(("num_inputs", "num_outputs"), [(3, 8), (4, 4), (6, 4)])
def test_a_first_convolution_passes_its_inputs_on(num_inputs: int, num_outputs: int) -> None:
    maps = torch.randn(2, num_inputs, 5, 5)
    passed = min(num_inputs, num_outputs)
    outputs = identity_convolution(num_inputs, num_outputs)(maps)
    assert torch.allclose(outputs[:, :passed], maps[:, :passed], atol=1e-6)
    assert num_outputs == passed or outputs[:, passed:].std() > 0.1


def test_parameters_and_outputs_of_the_papers_size() -> None:
    model = Airbench(spec())
    convolutions = 24 * 64 * 9 + 64 * 64 * 9 + 64 * 256 * 9 + 3 * 256 * 256 * 9
    expected = 24 * 12 + 24 + convolutions + 2 * 2 * (64 + 256 + 256) + 256 * 10
    assert sum(p.numel() for p in model.parameters()) == expected == 1_972_792
    assert sum(p.numel() for p in model.parameters() if not p.requires_grad) == 24 * 12 + 2 * (64 + 256 + 256)
    assert sum(p.numel() for p in Airbench(spec(), whiten=False).parameters() if p.requires_grad) == expected - 1152
    assert model.groups(torch.zeros(1, 24, 31, 31)).shape == (1, 256, 3, 3)  # The last pooling's window.
    assert model.head.weight.abs().max() <= 1 / 16


@pytest.mark.parametrize(("height", "width"), [(25, 25), (28, 28), (40, 64)])
def test_other_sizes_and_channels(height: int, width: int) -> None:
    model = Airbench(spec(1, height, width), widths=(4, 8, 8), head_std=1.0, output_divisor=8.0)
    outputs = model(torch.randn(2, 1, height, width))
    assert outputs.shape == (2, 10)
    assert outputs.isfinite().all()
    assert model.head.weight.std().item() == pytest.approx(1.0)


def test_a_training_begins_with_what_its_images_say(configure: Callable[..., Config]) -> None:
    parts = prepare(configure(*SMALL))
    inputs = parts.dataset.train.first_inputs(5000)
    assert len(inputs) == parts.dataset.sizes["train"]
    assert torch.equal(parts.task.model.whiten.weight[:4], whitening_filters(inputs, 2, 5e-4))
    assert any("initialized from 1,258 training inputs" in note for note in describe(parts))
    assert not parts.task.model.whiten.weight.requires_grad


def test_first_inputs_are_those_of_the_training_without_augmentation(configure: Callable[..., Config]) -> None:
    plain = prepare(configure(*SMALL, "data.augment.shift=0")).dataset.train
    varied = prepare(configure(*SMALL, "data.augment.shift=3", "data.augment.flip=alternating")).dataset.train
    first = varied.first_inputs(150)
    assert torch.equal(first, torch.cat([plain.draw().inputs, plain.draw().inputs])[:150])
    assert varied.draws == 0
    assert not torch.equal(varied.draw().inputs, first[:100])


def test_a_checkpoint_holds_the_whitening(configure: Callable[..., Config], tmp_path: Path) -> None:
    """Resumed after each of its first steps, it goes on to the bit, with Muon, bfloat16 and an alternating flip."""
    config = configure(
        *("experiment=airbench_cifar10", "data=digits", "model.widths=[4,8,8]", "data.batch_size=500"),
        *("data.test_fraction=0.2", "trainer.epochs=3", "trainer.checkpoint.every_n_steps=1"),
    )
    whole = build_trainer(prepare(config), RunFolder(tmp_path / "whole"))
    whole.fit()
    parts = prepare(config, resumed=True)
    random = build_model(config, parts.spec, parts.device).state_dict()
    assert same_state(parts.task.model.state_dict(), random)  # It has not looked at the data.
    stopped = build_trainer(prepare(config), RunFolder(tmp_path / "stopped"))
    stopped.task.model.train()
    for _ in range(3):
        stopped.advance()
    stopped.save()
    resumed = build_trainer(parts, RunFolder(tmp_path / "stopped"))
    newest = resumed.checkpoints.newest(pytest.fail)
    assert newest is not None
    resumed.load(newest)
    assert not same_state(parts.task.model.state_dict(), random)
    resumed.fit()
    assert same_state(resumed.task.model.state_dict(), whole.task.model.state_dict())
    assert resumed.progress.metrics["test/loss"] == whole.progress.metrics["test/loss"]
