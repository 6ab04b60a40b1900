"""Config values become what the signatures promise."""

from collections.abc import Callable

import pytest
import torch

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.core.errors import ConfigError
from dltool.tasks.supervised import SupervisedTask


def test_an_integer_where_a_number_is_wanted_becomes_a_float(configure: Callable[..., Config]) -> None:
    parts = prepare(
        configure(
            "model=mlp", "data=iris", "loss=cross_entropy", "loss.class_weights=[1,2,3]", "task.l2=1", "stop.target=1"
        )
    )
    assert isinstance(parts.task, SupervisedTask)
    assert torch.equal(parts.task.criterion.class_weights, torch.tensor([1.0, 2.0, 3.0]))
    assert [type(value) for value in (parts.task.l2, parts.stop.target, parts.settings.epochs)] == [float, float, int]
    assert parts.task.loss(parts.dataset.train.draw()).mean.isfinite()


def test_the_metrics_follow_the_data(configure: Callable[..., Config]) -> None:
    chosen = {
        data: list(prepare(configure("model=mlp", f"data={data}")).task.metrics)
        for data in ("iris", "breast_cancer", "diabetes")
    }
    assert chosen == {"iris": ["accuracy"], "breast_cancer": ["accuracy"], "diabetes": ["mae", "rmse"]}


def test_a_single_class_cannot_be_classified(configure: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match="every sample has the class mode 1"):
        prepare(configure("model=mlp", "data=gaussians_1d"))
    prepare(configure("model=mlp", "data=gaussians_1d", "data.means=[-1,1]"))
