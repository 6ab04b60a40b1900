"""What is frozen stands still, whatever goes on around it."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from dltool.bench.bare_loop import bare_loop_beside
from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.errors import ConfigError
from dltool.engine.freezing import freeze
from dltool.engine.trainer import Trainer
from dltool.engine.updater import learning_rates
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.runs.folder import RunFolder


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.BatchNorm2d(2, affine=False), nn.Dropout())


def frozen_names(model: nn.Module) -> list[str]:
    return [name for name, parameter in model.named_parameters() if not parameter.requires_grad]


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize(
    ("patterns", "names", "in_training"),
    [
        ([], [], [True, True]),
        (["0", "1.weight"], ["0.weight", "0.bias", "1.weight"], [True, True]),  # Its bias is trained.
        (["1"], ["1.weight", "1.bias"], [False, True]),
        (["2"], [], [True, False]),  # Nothing but statistics.
        (["*", "!1", "1.bias"], ["0.weight", "0.bias", "1.bias"], [True, False]),
        (["*"], ["0.weight", "0.bias", "1.weight", "1.bias"], [False, False]),
    ],
    ids=str,
)
def test_norms_whose_parameters_are_all_frozen_stay_in_evaluation(
    patterns: list[str], names: list[str], in_training: list[bool]
) -> None:
    model = network()
    freeze(model, patterns)
    for one in (model.eval().train(), copy.deepcopy(model).eval().train()):
        with evaluation_mode(one):
            assert not any(module.training for module in one.modules())
        assert frozen_names(one) == names
        assert [one[1].training, one[2].training] == in_training
        assert one[3].training


def test_a_copy_is_held_by_itself() -> None:
    model = network()
    freeze(model, ["1"])
    twin = copy.deepcopy(model)
    assert twin[1].train.__self__ is twin[1]  # type: ignore[attr-defined]


def test_tied_weights_go_by_either_name() -> None:
    model = nn.ModuleDict({"embedding": nn.Embedding(3, 2), "head": nn.Linear(2, 3, bias=False)})
    model["head"].weight = model["embedding"].weight
    freeze(model, ["head"])
    assert frozen_names(model) == ["embedding.weight"]


def test_nothing_to_take_back() -> None:
    with pytest.raises(ConfigError, match="begins with !1, which unfreezes before anything is frozen") as error:
        freeze(network(), ["!1"])
    assert error.value.hint == """'model.freeze=["*","!1"]'"""
    with pytest.raises(ConfigError, match="no parameter of the model matches 'fc'"):
        freeze(network(), ["*", "!fc"])


def test_a_pattern_that_fits_nothing() -> None:
    with pytest.raises(ConfigError, match=r"model\.freeze: no parameter .* matches '7'"):
        freeze(network(), ["0", "7"])


MLP = ["model=mlp", "model.hidden=[8,8]", "model.norm=batch", "data=iris", "data.batch_size=16", "trainer.epochs=2"]
GAN = [
    *("model=gan", "model.generator_hidden=[8]", "model.discriminator_hidden=[8]", "data=gaussians"),
    *("data.num_samples=100", "data.batch_size=20", "trainer.epochs=2"),
]


@pytest.fixture
def train(configure: Callable[..., Config], tmp_path: Path) -> Callable[..., tuple[Trainer, dict[str, Tensor]]]:
    """Trains as configured; gives the trainer, and the weights before."""

    def run(*overrides: str) -> tuple[Trainer, dict[str, Tensor]]:
        trainer = build_trainer(prepare(configure(*overrides)), RunFolder(tmp_path))
        before = snapshot(trainer.task.model)
        trainer.fit()
        return trainer, before

    return run


def moved(trainer: Trainer, before: dict[str, Tensor]) -> set[str]:
    after = trainer.task.model.state_dict()
    return {name.rpartition(".")[0] for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize(
    "extra",
    [
        ["optim=adamw", "optim.weight_decay=0.5", "task.l2=0.1", "trainer.clip_norm=1"],
        ["trainer.average.kind=ema", "trainer.average.decay=0.5", "trainer.test=best"],
        ["trainer.average.kind=swa", "trainer.average.start=0.2"],
        ["trainer.accumulate=2", "stop.update_norm=1e-9", "stop.gradient_norm=1e-9", "stop.gradient=full"],
        ["optim=lbfgs", "data.batch_size=full"],
        ["trainer.detect_anomaly=true"],
        ["trainer.precision=bf16-mixed", "optim=muon"],
    ],
    ids=lambda words: words[0],
)
def test_frozen_weights_and_statistics_do_not_change(
    train: Callable[..., tuple[Trainer, dict[str, Tensor]]], extra: list[str]
) -> None:
    trainer, before = train(*MLP, "model.freeze=[layers.0,layers.1]", *extra)
    assert moved(trainer, before) == {"layers.3", "layers.4", "layers.6"}
    with trainer.averaged_weights():
        assert moved(trainer, before) == {"layers.3", "layers.4", "layers.6"}
    optimizer = trainer.updaters["model"].optimizer
    assert sum(len(group["params"]) for group in optimizer.param_groups) == 5
    assert all(p.grad is None for p in trainer.task.model.parameters() if not p.requires_grad)


def test_the_penalty_is_of_the_trained_weights(configure: Callable[..., Config]) -> None:
    task = prepare(configure(*MLP, "model.freeze=layers.0", "task.l2=1")).task
    weights = [
        p.detach() for name, p in task.model.named_parameters() if p.ndim == 2 and not name.startswith("layers.0")
    ]
    assert float(task.penalty().detach()) == pytest.approx(sum(float(w.square().sum()) for w in weights))  # type: ignore[attr-defined]


def test_a_frozen_part_of_one_player(train: Callable[..., tuple[Trainer, dict[str, Tensor]]]) -> None:
    trainer, before = train(*GAN, "model.freeze=[generator.0,generator.1,discriminator.1]")
    assert moved(trainer, before) == {"generator.3", "discriminator.4"}


def test_the_loop_beside_it_freezes_the_same(configure: Callable[..., Config]) -> None:
    config = configure(*GAN, "model.freeze=[generator.1,discriminator.1]", "optim.lr_factors={generator:0.5}")
    parts = prepare(config)
    loop = bare_loop_beside(config, parts.task, parts.dataset, parts.settings)
    loop.run(3)
    frozen = ["generator.1.weight", "generator.1.bias", "discriminator.1.weight", "discriminator.1.bias"]
    assert frozen_names(loop.model) == frozen
    before, after = parts.task.model.state_dict(), loop.model.state_dict()
    assert torch.equal(before["generator.1.running_mean"], after["generator.1.running_mean"])
    assert not torch.equal(before["generator.0.weight"], after["generator.0.weight"])


def test_the_logged_rate_has_no_factor(train: Callable[..., tuple[Trainer, dict[str, Tensor]]]) -> None:
    for factors in ("{layers.0:0.1}", "{*:0.1}"):
        trainer, _ = train(*MLP, "optim=sgd", "optim.lr=0.5", "schedule=constant", f"optim.lr_factors={factors}")
        assert learning_rates(trainer.updaters) == {"lr": pytest.approx(0.5)}
        assert trainer.updaters["model"].optimizer.param_groups[-1]["lr"] == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (["model=perceptron", "data=logic"], "task=rosenblatt changes all parameters"),
        (
            [
                "model=linear",
                "data=diabetes",
                "task=least_squares",
                "optim=none",
                "data.batch_size=full",
                "trainer.epochs=1",
            ],
            "task=least_squares changes all parameters",
        ),
    ],
    ids=["rosenblatt", "least squares"],
)
def test_a_rule_without_gradients_has_nothing_to_freeze(
    configure: Callable[..., Config], model: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        configure(*model, "model.freeze=[linear]")
