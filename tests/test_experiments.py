"""The recipes of configs/experiment/, and the small ones that need no YAML, reach what is said of them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from places import REAL_DATA
from synthetic_images import write_pictures

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.config.compose import compose
from dltool.declarations.options import option_files
from dltool.engine.trainer import Trainer
from dltool.runs.folder import RunFolder

LEAST_SQUARES = ["optim=lbfgs", "schedule=constant", "data.batch_size=full", "trainer.epochs=10"]
HAS_MNIST = (REAL_DATA / "MNIST" / "raw").is_dir()


RECIPES = json.loads((Path(__file__).parent / "experiments.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", option_files("experiment"))
def test_a_recipe_does_not_follow_the_defaults(name: str) -> None:
    """Length, test, optimizer, schedule and scaling are those that its results were measured with."""
    tree = compose([f"experiment={name}"]).tree
    recipe = RECIPES[name]
    assert tree["schedule"]["name"] == recipe["schedule"]
    assert contains(tree["trainer"], recipe["trainer"])
    assert contains(tree["optim"], recipe["optim"])
    assert contains(tree["data"], recipe["data"])


def contains(tree: Mapping[str, Any], part: Mapping[str, Any]) -> bool:
    return all(
        contains(tree[key], value) if isinstance(value, dict) else tree[key] == value for key, value in part.items()
    )


def fit(config: Config, folder: Path) -> Trainer:
    trainer = build_trainer(prepare(config), RunFolder(folder))
    trainer.fit()
    return trainer


@pytest.mark.parametrize("data", ["line", "diabetes"])
def test_linear_regression_is_least_squares(data: str, configure: Callable[..., Config], tmp_path: Path) -> None:
    """Every coefficient, the intercept too, is that of the closed form to 1e-3 of the largest."""
    trainer = fit(configure("model=linear", f"data={data}", *LEAST_SQUARES), tmp_path)
    train = trainer.data.splits["train"]
    inputs = train.inputs.double().numpy()
    design = np.column_stack([inputs, np.ones(len(inputs))])
    expected = np.linalg.lstsq(design, train.targets.double().numpy().ravel(), rcond=None)[0]
    layer = trainer.task.model.linear
    found = np.append(layer.weight.detach().numpy().ravel(), layer.bias.detach().numpy())
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()


def test_logistic_regression_tells_tumours_apart(configure: Callable[..., Config], tmp_path: Path) -> None:
    trainer = fit(configure("model=logistic", "data=breast_cancer", "trainer.epochs=30"), tmp_path)
    assert trainer.progress.metrics["test/accuracy"] >= 0.95


@pytest.mark.parametrize("function", ["and", "or", "xor"])
def test_the_perceptron_separates_what_a_line_can(
    function: str, configure: Callable[..., Config], tmp_path: Path
) -> None:
    trainer = fit(
        configure("model=perceptron", "data=logic", f"data.function={function}", "trainer.epochs=30"), tmp_path
    )
    assert (trainer.progress.metrics["test/accuracy"] == 1) == (function != "xor")


def test_a_new_head_stands_on_the_features_of_torchvision_s_file(
    configure: Callable[..., Config], tmp_path: Path
) -> None:
    """The file that PyTorch publishes has these names and shapes; its 1000 classes give way to two."""
    torchvision = pytest.importorskip("torchvision")
    published = torchvision.models.resnet18().state_dict()
    torch.save(published, tmp_path / "resnet18-f37072fd.pth")
    root = write_pictures(tmp_path / "photographs", ("ants", "bees"), 10, side=80)
    overrides = [f"data.root={root}", "data.size=64", f"init_from={tmp_path / 'resnet18-f37072fd.pth'}"]
    parts = prepare(configure("experiment=resnet18_hymenoptera_frozen", *overrides))
    trainer = build_trainer(parts, RunFolder(tmp_path / "run"))
    trainer.task.model.train()
    trainer.train_step()
    state = trainer.task.model.state_dict()
    assert set(state) == set(published)
    for name, tensor in state.items():
        assert name.startswith("fc.") or torch.equal(tensor, published[name]), name
    learning = [name for name, parameter in trainer.task.model.named_parameters() if parameter.requires_grad]
    assert learning == ["fc.weight", "fc.bias"]
    assert state["fc.weight"].shape == (2, 512)


@pytest.mark.slow
@pytest.mark.skipif(not HAS_MNIST, reason=f"no MNIST below {REAL_DATA}")
def test_lenet_reads_mnist(configure: Callable[..., Config], tmp_path: Path) -> None:
    trainer = fit(configure("experiment=lenet_mnist", f"data.root={REAL_DATA}"), tmp_path)
    assert trainer.data.sizes == {"train": 60_000, "test": 10_000}
    assert trainer.progress.metrics["test/accuracy"] >= 0.99


@pytest.mark.slow
def test_the_gan_finds_all_eight_gaussians(configure: Callable[..., Config], tmp_path: Path) -> None:
    trainer = fit(configure("experiment=gan_gaussians"), tmp_path)
    assert trainer.progress.metrics["test/modes"] == 8
