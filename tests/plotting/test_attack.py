"""The figure of attacks: its points are those of `dltool evaluate`, its slope the gradient's norm."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch
from places import NUMBERS_ONLY

from dltool.attacks.pixels import Pixels
from dltool.plotting.attack import accuracy_under, attack_view, gradient_norm, losses, losses_along
from dltool.plotting.runs import loaded

Dltool = Callable[..., CompletedProcess[str]]


def test_attack(dltool_here: Dltool) -> None:
    words = ("model=cnn", "data=digits", "trainer.epochs=null", "trainer.steps=40", *NUMBERS_ONLY)
    done = dltool_here("train", *words, "run.dir=run", "diagnostics=default")
    assert done.returncode == 0, done.stderr
    assert not Path("run/plots/attack.png").exists()
    subject = loaded(Path("run").resolve())
    for eps in (0.02, 0.1):
        measured = dltool_here("evaluate", "run", "attack=fgsm", f"attack.eps={eps}", "--json")
        expected = json.loads(measured.stdout)["metrics"]["attacked_accuracy"]
        assert accuracy_under(subject, "test", eps) == pytest.approx(expected, abs=1e-9)
    view = attack_view(subject)
    assert view.accuracies[0] == pytest.approx(accuracy_under(subject, "test", 0))
    assert view.along[-1] > max(line[-1] for line in view.random)

    model = subject.task.model.double().eval()
    batch = subject.dataset().first_batch("test", 32)
    inputs, labels = batch.inputs[:32].double(), batch.targets[:32]
    classifier = lambda pixels: model(Pixels(subject.spec).scaled(pixels))  # noqa: E731
    images = Pixels(subject.spec).of(inputs)
    # At equal pixels the maxima of pooling have no derivative.
    images = images + 0.01 * torch.rand(images.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    start = images.clone().requires_grad_()
    losses(classifier(start), labels).sum().backward()
    sign, step = start.grad.sign(), 1e-6
    low, high = losses_along(classifier, images, labels, sign, [0, step])
    assert (high - low) / step == pytest.approx(start.grad.abs().sum().item() / 32, rel=1e-3)
    assert gradient_norm(classifier, images, labels) == pytest.approx(start.grad.abs().sum().item() / 32, rel=1e-6)
    assert torch.isfinite(sign).all()

    assert "attack" not in dltool_here("plot", "run", "--grid", "9").stdout
    drawn = dltool_here("plot", "run", "--figure", "attack")
    assert drawn.returncode == 0, drawn.stderr
    assert Path("run/plots/attack.png").exists()
    assert "yes, if named" in dltool_here("plot", "run", "--figure", "list").stdout
