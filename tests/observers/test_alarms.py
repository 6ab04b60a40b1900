from collections.abc import Callable

import pytest
import torch

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.engine.observer import Progress
from dltool.losses.non_saturating import NonSaturating
from dltool.models.gan import Gan
from dltool.observers.alarms import WON_LINES, Alarms
from dltool.runs.folder import RunFolder
from dltool.tasks.gan import GanTask
from dltool.tasks.task import Task

DATA = torch.randn(100, 6, generator=torch.Generator().manual_seed(0))


def gan(num_classes: int = 0) -> GanTask:
    torch.manual_seed(0)
    spec = DataSpec((6,), "classes", class_names=tuple("abc")) if num_classes else DataSpec((6,), "none")
    condition = "input" if num_classes else "none"
    widths = {"generator_hidden": [16], "discriminator_hidden": [8]}
    task = GanTask(
        Gan(spec, latent_dim=4, generator_norm=None, condition=condition, **widths), NonSaturating(spec), spec
    )
    with torch.no_grad():
        for parameter in task.generator.parameters():
            parameter.mul_(3)  # Samples as diverse as data.
    return task


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def alarms(said: list[str]) -> Alarms:
    return started(said, gan())


def started(said: list[str], task: Task) -> Alarms:
    alarms = Alarms(said.append, lambda: Batch(DATA, torch.arange(100) % 3, 100))
    alarms.on_start(task, Progress(step=700))
    return alarms


def log(alarms: Alarms, **values: float) -> None:
    alarms.on_record({"step": 50, "epoch": 0, "split": "step", **{f"train/{k}": v for k, v in values.items()}})


def move(task: GanTask, by: float = 0.01) -> None:
    with torch.no_grad():
        for parameter in task.generator.parameters():
            parameter.add_(by)


class TestDiscriminatorThatHasWon:
    def test_is_told_once_until_it_is_over(self, alarms: Alarms, said: list[str]) -> None:
        for i in range(2 * WON_LINES):
            assert len(said) == (i >= WON_LINES)
            log(alarms, d_accuracy=1.0, d_fake=0.001 + i / 1e5, d_loss=0.001 * i, g_loss=float(i))
        assert said[0].startswith(
            "step 700: the discriminator has won: over the last 10 lines of the log its accuracy is 1.000"
        )
        log(alarms, d_accuracy=0.8, d_fake=0.3, d_loss=0.5, g_loss=1.0)
        for i in range(WON_LINES):
            log(alarms, d_accuracy=1.0, d_fake=0.001, d_loss=0.001 * i, g_loss=float(i))
        assert len(said) == 2

    @pytest.mark.parametrize(("accuracy", "fake"), [(0.98, 0.001), (1.0, 0.1), (1.0, -7.0)])
    def test_is_none_where_the_generator_is_taken_for_data_at_times_or_a_critic_scores(
        self, alarms: Alarms, said: list[str], accuracy: float, fake: float
    ) -> None:
        for i in range(30):
            log(alarms, d_accuracy=accuracy, d_fake=fake, d_loss=0.1 + i, g_loss=4.0)
        assert said == []


class TestFrozenLosses:
    def test_losses_that_stay_the_same_are_told(self, alarms: Alarms, said: list[str]) -> None:
        for _ in range(6):
            log(alarms, d_loss=-0.0, g_loss=13.815511)
        assert len(said) == 1
        assert "frozen: d_loss is 0 and g_loss is 13.8155, unchanged over the last 5 lines" in said[0].replace(
            "-0 ", "0 "
        )

    def test_not_if_one_of_them_moves(self, alarms: Alarms, said: list[str]) -> None:
        for i in range(20):
            log(alarms, d_loss=0.0, g_loss=13.8 + 1e-3 * i)
        assert said == []

    def test_not_at_four_lines(self, alarms: Alarms, said: list[str]) -> None:
        for _ in range(4):
            log(alarms, d_loss=1.0, g_loss=1.0)
        assert said == []


class TestSamples:
    def test_a_collapsed_generator_is_told_at_the_second_look(self, said: list[str]) -> None:
        task = gan()
        alarms = started(said, task)
        weights = {name: value.clone() for name, value in task.generator.state_dict().items()}
        alarms.on_epoch()
        with torch.no_grad():
            next(task.generator.parameters()).mul_(0.001)  # Whatever the code, nearly the same sample.
        for _ in range(3):
            move(task)
            alarms.on_epoch()
        assert len(said) == 1
        assert said[0].startswith("step 700: collapse: the mean distance between 64 samples from different codes is ")
        task.generator.load_state_dict(weights)
        alarms.on_epoch()
        assert len(said) == 1

    def test_a_conditional_one_may_not_collapse_within_a_class(self, said: list[str]) -> None:
        task = gan(num_classes=3)
        alarms = started(said, task)
        first = next(task.generator.parameters())
        with torch.no_grad():
            first[:, :4] = 0  # The class decides alone, and classes differ.
        for _ in range(2):
            move(task)
            with torch.no_grad():
                first[:, :4] = 0
            alarms.on_epoch()
        assert len(said) == 1
        assert "the mean distance between 64 samples from different codes and one class is 0.0% of that" in said[0]

    def test_a_generator_that_stands_still_is_told(self, said: list[str]) -> None:
        task = gan()
        alarms = started(said, task)
        alarms.on_epoch()
        move(task)
        alarms.on_epoch()
        assert said == []
        alarms.on_epoch()
        assert len(said) == 1
        assert "the generator does not change" in said[0]


def test_other_tasks_are_left_alone(said: list[str]) -> None:
    alarms = started(said, Task(torch.nn.Linear(1, 1)))
    for _ in range(9):
        log(alarms, loss=0.0)
    alarms.on_epoch()
    assert said == []


def test_is_quiet_on_a_gan_that_learns(configure: Callable[..., Config], tmp_path, said: list[str]) -> None:
    parts = prepare(
        configure("experiment=gan_gaussians", "trainer.epochs=3", "logger.every_n_steps=5", "data.num_samples=2000")
    )
    trainer = build_trainer(parts, RunFolder(tmp_path))
    trainer.observers = [Alarms(said.append, lambda: next(parts.dataset.evaluation("val")))]
    trainer.fit()
    assert said == []
