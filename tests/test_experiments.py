"""The recipes of configs/experiment/, and the small ones that need no YAML, reach what is said of them."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from conftest import REAL_DATA

from dltool.build import build_trainer, prepare
from dltool.config.check import Config
from dltool.engine.trainer import Trainer
from dltool.runs.folder import RunFolder

LEAST_SQUARES = ["optim=lbfgs", "schedule=constant", "data.batch_size=full"]


def fit(config: Config, folder: Path) -> Trainer:
    trainer = build_trainer(prepare(config), RunFolder(folder))
    trainer.fit()
    return trainer


@pytest.mark.parametrize("data", ["line", "diabetes"])
def test_linear_regression_is_least_squares(data: str, configure: Callable[..., Config], tmp_path: Path) -> None:
    """Every coefficient, the intercept too, is that of the closed form to 1e-3 of the largest."""
    trainer = fit(configure("model=linear", f"data={data}", *LEAST_SQUARES, "trainer.epochs=10"), tmp_path)
    train = trainer.data.splits["train"]
    inputs = train.inputs.double().numpy()
    design = np.column_stack([inputs, np.ones(len(inputs))])
    expected = np.linalg.lstsq(design, train.targets.double().numpy().ravel(), rcond=None)[0]
    layer = trainer.task.model.linear
    found = np.append(layer.weight.detach().numpy().ravel(), layer.bias.detach().numpy())
    print(data, np.abs(found - expected).max() / np.abs(expected).max(), found, expected)
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()
