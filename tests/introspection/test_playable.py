"""What visitors of a page can try, by kind of training."""

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.introspection.playable import playable, playable_or_reason


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["model=lenet", "data=digits"], "draw"),
        (["model=vae", "data=digits"], "code"),
        (["model=gan", "data=digits"], "code"),
        (["model=gpt", "data=pydoc", "model.dim=16", "model.depth=1", "model.num_heads=2"], "continue"),
        (["model=mlp", "data=iris"], "row"),
        (["model=logistic", "data=breast_cancer"], "row"),
        (["model=mlp", "data=moons"], None),
        (["model=gan", "data=gaussians"], None),
        (["model=unet", "data=digits", "model.width=8"], "denoise"),
        (["model=cyclegan", "data=digit_pairs", "model.width=4", "model.blocks=1"], None),
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


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["model=mlp", "data=digits", "model.hidden=[2000]"], {"reason": "size", "count": 150010, "most": 100}),
        (["model=cyclegan", "data=digit_pairs", "model.width=4", "model.blocks=1"], {"reason": "kind"}),
        (["model=gan", "data=digits"], {"reason": "operation", "name": "erfinv"}),
    ],
)
def test_why_there_is_nothing_to_try(
    words: list[str], reason: dict[str, Any], configure: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = prepare(configure(*words))
    if reason["reason"] == "size":
        monkeypatch.setattr("dltool.introspection.playable.MAX_VALUES", 100)
    if reason["reason"] == "operation":
        monkeypatch.setattr(parts.task, "decode", torch.erfinv)
    assert playable_or_reason(parts.task, parts.spec) == reason


def network(config: Config) -> dict[str, Any] | None:
    parts = prepare(config)
    return playable(parts.task, parts.spec)


@pytest.mark.parametrize(("loss", "expected"), [("auto", True), ("hinge", False), ("mse", False)])
def test_only_logits_become_probabilities(configure: Callable[..., Config], loss: str, expected: bool) -> None:
    found = network(configure("model=mlp", "data=digits", *([] if loss == "auto" else [f"loss={loss}"])))
    assert found is not None
    assert found["scores"] is expected


@pytest.mark.parametrize(("data", "classes"), [("wine", 3), ("breast_cancer", 2), ("diabetes", 0)])
def test_a_row_has_classes_or_a_number(configure: Callable[..., Config], data: str, classes: int) -> None:
    found = network(configure("model=mlp", f"data={data}"))
    assert found is not None
    assert (len(found["classes"]), "target" in found) == (classes, classes == 0)


@pytest.mark.parametrize(("model", "classes", "uniform"), [("gan", 0, False), ("cgan", 10, False), ("dcgan", 0, False)])
def test_a_conditional_network_takes_the_class(
    configure: Callable[..., Config], model: str, classes: int, uniform: bool
) -> None:
    found = network(configure(f"model={model}", "data=digits"))
    assert found is not None
    assert (found["kind"], len(found["classes"]), found["uniform"]) == ("code", classes, uniform)
    assert len(found["program"]["inputs"]) == 1 + (classes > 0)


def test_networks_that_translate_come_with_images(configure: Callable[..., Config]) -> None:
    parts = prepare(configure("model=cyclegan", "data=digit_pairs", "model.width=4", "model.blocks=1"))
    found = playable(parts.task, parts.spec, lambda count: parts.dataset.first_batch("test", count))
    assert found is not None
    assert found["kind"] == "translate"
    assert [*found["programs"]] == [*found["images"]] == ["A2B", "B2A"]
    a = np.frombuffer(base64.b64decode(found["images"]["A2B"]), np.uint8)
    first = parts.dataset.first_batch("test").inputs[0].numpy()
    assert a.size == 6 * first.size
    assert np.abs(a[: first.size] / 127.5 - 1 - first.reshape(-1)).max() < 0.5 / 127


def test_a_uniform_prior_is_noticed(configure: Callable[..., Config]) -> None:
    found = network(configure("model=gan", "data=digits", "model.prior=uniform"))
    assert found is not None
    assert found["uniform"]
