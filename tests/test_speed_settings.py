"""Settings that are to change the speed alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from states import same_state

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.errors import ConfigError
from dltool.engine.trainer import Trainer
from dltool.runs.folder import RunFolder

DIGITS = ["data=digits", "data.batch_size=128", "trainer.epochs=1"]


def make(config: Config, folder: Path) -> Trainer:
    return build_trainer(prepare(config), RunFolder(folder))


def test_channels_last_gives_the_same_outputs(configure: Callable[..., Config], tmp_path: Path) -> None:
    trainers = [make(configure(*DIGITS, f"trainer.channels_last={on}"), tmp_path / on) for on in ("false", "true")]
    outputs = []
    for trainer in trainers:
        batch = next(trainer.data.evaluation("val"))
        outputs.append(trainer.task.model.eval()(batch.inputs))
    weight = trainers[1].task.model.features[3].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert not weight.is_contiguous()
    assert batch.inputs.is_contiguous(memory_format=torch.channels_last)
    assert trainers[1].source.draw().inputs.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(*outputs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("average", ["none", "ema"])
def test_channels_last_resumes_bitwise(average: str, configure: Callable[..., Config], tmp_path: Path) -> None:
    """A checkpoint is contiguous; the fused optimizer walks through weights and state without a look at strides."""
    config = configure(*DIGITS, "trainer.channels_last=true", f"trainer.average.kind={average}")
    whole, first, second = (make(config, tmp_path / name) for name in ("whole", "run", "run"))
    for _ in range(6):
        whole.advance()
    for _ in range(3):
        first.advance()
    first.save()
    checkpoint = second.checkpoints.newest(pytest.fail)
    assert checkpoint is not None
    second.load(checkpoint)
    for _ in range(3):
        second.advance()
    states = [{**t.state_dict(), "weights": t.task.model.state_dict()} for t in (whole, second)]
    for state in states:
        del state["seconds"]
    assert same_state(*states)
    weight = second.task.model.features[3].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert second.updaters["model"].optimizer.state[weight]["exp_avg"].stride() == weight.stride()


def test_channels_last_is_for_images(configure: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match="the data has no images"):
        configure("model=mlp", "data=iris", "trainer.channels_last=true")


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mlp", "gan"])
def test_a_compiled_network_takes_the_same_steps(model: str, configure: Callable[..., Config], tmp_path: Path) -> None:
    """But for dropout, whose random numbers a compiled network draws in another way."""
    gan = ["data=gaussians", "data.num_samples=200", "model.discriminator_dropout=0", "optim=sgd"]
    data = {"mlp": ["model.hidden=[8]", "data=iris", "optim=sgd"], "gan": gan}[model]
    trainers = [
        make(configure(f"model={model}", *data, f"trainer.compile={on}", "trainer.average.kind=ema"), tmp_path / on)
        for on in ("false", "true")
    ]
    for trainer in trainers:
        for _ in range(2):
            trainer.advance()
        trainer.evaluate("val")
    plain, compiled = (trainer.task.model.state_dict() for trainer in trainers)
    assert list(plain) == list(compiled)
    for name, tensor in plain.items():
        torch.testing.assert_close(compiled[name], tensor, rtol=1e-4, atol=1e-5)
    assert all(module._compiled_call_impl is not None for module in trainers[1].task.roles.values())


def test_a_machine_without_a_compiler(
    configure: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_compiler(function: object) -> object:
        raise RuntimeError("No working C++ compiler found\nand a long trace")

    monkeypatch.setattr(torch, "compile", no_compiler)
    with pytest.raises(ConfigError, match=r"does not work here: No working C\+\+ compiler found\nhint") as caught:
        make(configure(*DIGITS, "trainer.compile=true"), tmp_path)
    assert caught.value.hint == "trainer.compile=false"
