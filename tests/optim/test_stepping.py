"""Optimizers without torch._dynamo take the very same steps."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from dltool.optim.stepping import keep_dynamo_out, plain_step, take_step

KINDS = [
    kind
    for kind in vars(torch.optim).values()
    if isinstance(kind, type)
    and issubclass(kind, torch.optim.Optimizer)
    and kind not in (torch.optim.Optimizer, torch.optim.LBFGS, torch.optim.SparseAdam)
]
OPTIONS = {torch.optim.SGD: {"momentum": 0.9, "nesterov": True, "lr": 0.1}}


def trained(kind, step, fused):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 8, bias=False), nn.Tanh(), nn.Linear(8, 3, bias=False))
    options = {"lr": 1e-2, **OPTIONS.get(kind, {}), **({"fused": True} if fused else {})}
    optimizer = kind(network.parameters(), **options)
    for i in range(60):
        optimizer.zero_grad()
        network(torch.randn(5, 6)).square().mean().backward()
        step(optimizer)
        if i == 30:
            optimizer.load_state_dict(optimizer.state_dict())
    return [parameter.detach() for parameter in network.parameters()], optimizer.state_dict()


@pytest.mark.parametrize("fused", [False, True], ids=["plain", "fused"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_sixty_steps_are_equal_to_the_bit(kind, fused):
    if fused and kind not in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.Adagrad):
        pytest.skip("has no fused kernel on the CPU")
    keep_dynamo_out()
    weights, state = trained(kind, take_step, fused)
    expected_weights, expected_state = trained(kind, kind.step, fused)
    torch.testing.assert_close(weights, expected_weights, rtol=0, atol=0)
    torch.testing.assert_close(state, expected_state, rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_this_release_has_the_wrappers_that_are_passed_over(kind):
    kind([nn.Parameter(torch.zeros(2, 2))], lr=0.1)
    assert plain_step(kind) is not None


def parameter():
    one = nn.Parameter(torch.ones(2))
    one.grad = torch.ones(2)
    return one


def test_hooks_are_called():
    calls = []
    optimizer = torch.optim.SGD([parameter()], lr=0.1)
    optimizer.register_step_pre_hook(lambda *_: calls.append("before"))
    optimizer.register_step_post_hook(lambda *_: calls.append("after"))
    take_step(optimizer)
    assert calls == ["before", "after"]


def test_a_wrapper_of_somebody_else_stays():
    calls = []

    class Counting(torch.optim.SGD):
        def step(self, closure=None):
            calls.append("step")
            return super().step(closure)

    weight = parameter()
    optimizer = Counting([weight], lr=0.1)
    take_step(optimizer)
    optimizer.step = lambda: calls.append("of the instance")
    take_step(optimizer)
    assert calls == ["step", "of the instance"]
    assert weight.tolist() == pytest.approx([0.9, 0.9])


def test_where_torch_has_it_otherwise(monkeypatch):
    monkeypatch.setattr("dltool.optim.stepping.is_torchs", lambda function: False)
    plain_step.cache_clear()
    weight = parameter()
    take_step(torch.optim.Adam([weight], lr=0.1))
    assert weight.tolist() == pytest.approx([0.9, 0.9])
    plain_step.cache_clear()


def test_a_training_does_not_import_dynamo_and_an_import_puts_everything_back(tmp_path):
    script = """
import sys
from dltool.cli.main import main
for number, words in enumerate((["model=mlp"], ["model=mlp", "optim=muon"], ["model=gan", "data=gaussians"])):
    words += ["trainer.steps=2", "trainer.threads=1", "logger.plots=false", "logger.samples=false"]
    assert main(["train", *words, f"run.dir={sys.argv[1]}/{number}", "--quiet"]) == 0
assert "torch._dynamo" not in sys.modules
import torch, torch._dynamo
optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
optimizer.load_state_dict(optimizer.state_dict())
method = torch.optim.Optimizer.state_dict.__wrapped__
assert method.__dict__["__dynamo_disable"].__module__.startswith("torch."), method.__dict__
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
