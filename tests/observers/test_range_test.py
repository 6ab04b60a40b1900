from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from dltool.runs.records import read_records

Dltool = Callable[..., CompletedProcess[str]]


@pytest.mark.parametrize(
    ("words", "losses"),
    [
        (("model=mlp", "model.hidden=[8]", "data=digits", "schedule.high=1e6"), ["loss"]),
        (
            ("model=gan", "model.generator_hidden=[8]", "model.discriminator_hidden=[8]", "data=gaussians"),
            ["d_loss", "g_loss"],
        ),
    ],
)
def test_the_rate_grows_until_the_loss_diverges(words: tuple[str, ...], losses: list[str], dltool_here: Dltool) -> None:
    more = ("schedule=range_test", "trainer.epochs=null", "trainer.steps=60", "trainer.threads=1", "trainer.test=none")
    done = dltool_here(
        "train", *words, *more, "data.num_samples=500" if "data=gaussians" in words else "seed=0", "run.dir=run"
    )
    assert done.returncode == 0, done.stderr
    steps = [record for record in read_records(Path("run/metrics.jsonl")) if record["split"] == "step"]
    key = "step/lr" if losses == ["loss"] else "step/lr_discriminator"
    rates = [record[key] for record in steps]
    assert [record["step"] for record in steps] == list(range(1, len(steps) + 1))
    ratios = {round(later / earlier, 6) for earlier, later in pairwise(rates)}
    assert len(ratios) == 1
    assert Path("run/plots/range_test.png").stat().st_size > 10_000
    for name in losses:
        assert f"{name} falls for rates from " in done.stderr or f"{name} never fell" in done.stderr
    if losses == ["loss"]:
        assert len(steps) < 60
        assert "stopped by divergence: the loss diverged" in done.stderr
