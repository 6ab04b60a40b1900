"""A final test that looks at each image several times, set in the config."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.errors import ConfigError
from dltool.engine.evaluator import evaluate
from dltool.runs.folder import RunFolder
from dltool.tasks.views import tta_context, with_tta

SMALL = ["model=mlp", "model.hidden=[16]", "data.batch_size=100", "trainer.epochs=2", "data.test_fraction=0.2"]


def test_the_final_test_averages_and_nothing_else_does(configure: Callable[..., Config], tmp_path: Path) -> None:
    runs = {}
    for name, views in (("plain", "[]"), ("averaged", "[shift]")):
        parts = prepare(configure(*SMALL, f"trainer.test_views={views}"))
        runs[name] = build_trainer(parts, RunFolder(tmp_path / name))
        runs[name].fit()
    plain, averaged = runs["plain"], runs["averaged"]
    assert plain.progress.metrics["val/loss"] == averaged.progress.metrics["val/loss"]
    assert plain.progress.metrics["test/loss"] != averaged.progress.metrics["test/loss"]
    task = with_tta(plain.task, ["shift"], plain.task.spec)  # type: ignore[attr-defined]
    measured = evaluate(task, plain.data.evaluation("test"))
    assert measured["loss"] == averaged.progress.metrics["test/loss"]
    for key, value in plain.task.model.state_dict().items():
        assert torch.equal(value, averaged.task.model.state_dict()[key])


def test_the_model_is_its_own_again_afterwards_also_after_an_error(configure: Callable[..., Config]) -> None:
    parts = prepare(configure(*SMALL))
    model = parts.task.model
    looks = tta_context(parts.task, ["hflip", "shift"], parts.spec)
    looks.__enter__()
    assert parts.task.model is not model
    assert not looks.__exit__(KeyError, KeyError(), None)
    assert parts.task.model is model


@pytest.mark.parametrize("choice", [["data=iris", "model=mlp"], ["model=gan", "data=gaussians"], ["model=gan"]])
def test_what_is_no_image_to_be_told_has_no_views(choice: list[str], configure: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError) as caught:
        prepare(configure(*choice, "trainer.test_views=[hflip]"))
    assert "trainer.test_views=[]" in str(caught.value.hint)
