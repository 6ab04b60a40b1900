import math
from collections.abc import Callable

import pytest
import torch

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.engine.trivial_metrics import trivial_metrics


def test_numbers_are_predicted_by_the_mean_of_the_training(configure: Callable[..., Config]) -> None:
    parts = prepare(configure("model=mlp", "data=diabetes"))
    found = trivial_metrics(parts.task, parts.dataset, "test")
    train, test = (parts.spec.in_units(parts.dataset.first_batch(split, 10**4).targets) for split in ("train", "test"))
    expected = (test - train.mean()).square().mean().sqrt().item()
    assert found["rmse"].endswith(" by predicting the mean")
    assert float(found["rmse"].split()[0]) == pytest.approx(expected, rel=1e-3)


def test_tokens_are_predicted_by_their_frequency(configure: Callable[..., Config]) -> None:
    small = ["model.dim=16", "model.depth=1", "model.num_heads=2"]
    parts = prepare(configure("model=gpt", "data=pydoc", *small))
    found = trivial_metrics(parts.task, parts.dataset, "val")
    counts = torch.ones(parts.spec.num_target_tokens)
    for batch in parts.dataset.evaluation("train"):
        counts += torch.bincount(batch.targets.flatten(), minlength=len(counts))
    truth = torch.cat([batch.targets.flatten() for batch in parts.dataset.evaluation("val")])
    nll = -(counts / counts.sum()).log()[truth].double().mean().item()
    assert float(found["perplexity"].split()[0]) == pytest.approx(math.exp(nll), rel=1e-3)
    assert float(found["bits_per_character"].split()[0]) == pytest.approx(nll / math.log(2), rel=1e-3)


@pytest.mark.parametrize("words", [["model=lenet", "data=digits"], ["model=gan", "data=gaussians"]])
def test_other_targets_have_none(configure: Callable[..., Config], words: list[str]) -> None:
    parts = prepare(configure(*words))
    assert trivial_metrics(parts.task, parts.dataset, "test") == {}
