"""What of a schedule lies beyond the end of the training is said with the numbers and the override."""

from collections.abc import Callable
from typing import Any

import pytest

from dltool.config.check import Config
from dltool.optim.reach import unreached


def said(configure: Callable[..., Config], *words: str, steps: int = 60, epochs: int | None = 6) -> str:
    return unreached(configure("model=mlp", "data=iris", *words)["schedule"], steps, epochs, epochs)


def test_a_warm_up_longer_than_the_training(configure: Callable[..., Config]) -> None:
    found = said(configure, "schedule=inverse_sqrt")
    assert found == (
        "the warm-up of schedule=inverse_sqrt takes 4,000 steps, but the training ends after 60, with a learning rate "
        "of at most 1.5 % of optim.lr; schedule.warmup_steps=6, or train longer"
    )
    assert said(configure, "schedule=inverse_sqrt", "schedule.warmup_steps=60") == ""
    assert said(configure, "schedule=inverse_sqrt", "schedule.warmup_steps=61") != ""
    assert "at most 98 % of" in said(configure, "schedule=cosine", "schedule.warmup_steps=60")
    assert said(configure, "schedule=cosine", "schedule.warmup_steps=59") == ""


@pytest.mark.parametrize("name", ["constant", "step", "multistep", "exponential", "polynomial", "cosine", "one_cycle"])
def test_every_schedule_has_a_warm_up(name: str, configure: Callable[..., Config]) -> None:
    assert said(configure, f"schedule={name}") == ""  # The defaults are reached.
    assert "takes 100 steps" in said(configure, f"schedule={name}", "schedule.warmup_steps=100")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["schedule=step", "schedule.step_size=60"], "only at step 60, but the training has 60 steps"),
        (["schedule=step", "schedule.step_size=59"], ""),
        (
            ["schedule=step", "schedule.step_size=30", "schedule.interval=epoch"],
            "only at epoch 30, but the training has 6",
        ),
        (["schedule=step", "schedule.step_size=30"], ""),
        (["schedule=multistep", "schedule.milestones=[100,150]"], "only at step 100, 150"),
        (["schedule=multistep", "schedule.milestones=[30,150]"], ""),
        (["schedule=multistep", "schedule.milestones=[3,5]", "schedule.interval=epoch"], ""),
        (["schedule=cosine_restarts", "schedule.period=100"], "first period of schedule=cosine_restarts has 100 steps"),
        (["schedule=wsd", "schedule.decay=100"], "the decay of schedule=wsd has 100 steps"),
        (
            ["schedule=plateau", "schedule.patience=4"],
            "waits for 4 evaluations without improvement, but the training has 6",
        ),
        (["schedule=plateau", "schedule.patience=3"], ""),
    ],
)
def test_milestones_beyond_the_end(words: list[str], expected: str, configure: Callable[..., Config]) -> None:
    found = said(configure, *words)
    assert (expected in found) if expected else found == ""


def test_the_override_is_told(configure: Callable[..., Config]) -> None:
    found = said(configure, "schedule=multistep", "schedule.milestones=[100,150]")
    assert "'schedule.milestones=[0.5,0.75]'" in found
    assert "schedule.interval=epoch" in found


def test_a_training_says_it_at_the_start(dltool_here: Callable[..., Any]) -> None:
    words = ["model=mlp", "data=iris", "schedule=inverse_sqrt", "trainer.epochs=2", "trainer.threads=1"]
    done = dltool_here("train", *words, "logger.plots=false", "run.dir=r")
    assert (
        "  schedule   the warm-up of schedule=inverse_sqrt takes 4,000 steps, but the training ends after"
        in done.stderr
    )


def test_the_hint_of_a_resume_is_longer_than_what_was_done(dltool_here: Callable[..., Any]) -> None:
    words = ["model=mlp", "data=iris", "trainer.epochs=12", "trainer.threads=1", "logger.plots=false", "run.dir=r"]
    assert dltool_here("train", *words).returncode == 0
    done = dltool_here("resume", "r", "trainer.epochs=5")
    assert done.returncode == 2
    assert "trainer.epochs=24" in done.stderr
