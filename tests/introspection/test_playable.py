"""What visitors of a page can try, by kind of training."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.introspection.playable import playable


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["model=lenet", "data=digits"], "draw"),
        (["model=vae", "data=digits"], "code"),
        (["model=gan", "data=digits"], "code"),
        (["model=gpt", "data=pydoc", "model.dim=16", "model.depth=1", "model.num_heads=2"], "continue"),
        (["model=mlp", "data=iris"], None),
        (["model=gan", "data=gaussians"], None),
    ],
)
def test_kinds(words: list[str], kind: str | None, configure: Callable[..., Config]) -> None:
    parts = prepare(configure(*words))
    found = playable(parts.task, parts.spec)
    assert (found and found["kind"]) == kind


def test_a_model_that_cannot_compute_an_example_ends_no_training(
    configure: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = prepare(configure("model=lenet", "data=digits"))

    def forward(x: Tensor) -> Tensor:
        raise RuntimeError("needs images that are not empty")

    monkeypatch.setattr(parts.task.model, "forward", forward)
    assert playable(parts.task, parts.spec) is None
    assert torch.is_grad_enabled()
