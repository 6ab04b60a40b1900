"""A damaged file of a run is named, or changes nothing of a training that continues.

DLTOOL_DAMAGES is the number of damages of the slow test.
"""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile.damages import cut, flip, odd_value
from states import same_state

from dltool.engine.checkpoint import committed, is_good, load

WORDS = ["model=mlp", "model.hidden=[4]", "data=iris", "trainer.epochs=2", "trainer.device=cpu", "trainer.threads=1"]
WORDS += ["logger.report=false", "logger.plots=false", "trainer.checkpoint.every_n_epochs=1", "schedule=constant"]
FILES = ["config.yaml", "status.json", "preprocessing.json", "environment.json", "data.json", "metrics.jsonl"]
FILES += [
    "checkpoints/last",
    "checkpoints/best",
    *(f"{{newest}}/{name}" for name in ("manifest.json", "state.safetensors")),
]
FILES += ["{newest}/weights.safetensors"]
MUST_BE_SAID = ("config.yaml", "preprocessing.json", "data.json")
DAMAGES = {"flip": flip, "cut": cut, "odd_value": odd_value}
LONGER = ["trainer.epochs=3", "--quiet"]
FEW = (0, 3, 8, 9, 10)
MANY = int(os.environ.get("DLTOOL_DAMAGES", 300))


@pytest.mark.parametrize("seed", [*FEW, pytest.param(None, marks=pytest.mark.slow)])
def test_a_damage_is_named_or_changes_nothing(
    seed: int | None, trained_here: Callable[..., Path], dltool_here: Callable[..., Any], tmp_path: Path
) -> None:
    run = trained_here("run", *WORDS)
    whole = shutil.copytree(run, tmp_path / "whole")
    assert dltool_here("resume", "whole", *LONGER).returncode == 0
    failures = []
    for number in range(MANY) if seed is None else [seed]:
        damaged = shutil.copytree(run, tmp_path / "damaged")
        if found := what_is_wrong(damaged, whole, dltool_here, random.Random(number), number):
            failures.append(f"{number}: {found}")
        shutil.rmtree(damaged)
    assert not failures, "\n".join(failures)


def what_is_wrong(run: Path, whole: Path, dltool_here: Callable[..., Any], draw: random.Random, number: int) -> str:
    """Damage one file and continue the training; empty if the damage was named, or was harmless."""
    name = FILES[number % len(FILES)].format(newest=committed(run / "checkpoints")[0].relative_to(run))
    kind = draw.choice(list(DAMAGES))
    before = (run / name).read_bytes()
    DAMAGES[kind](run / name, None, draw)  # type: ignore[arg-type]
    if (run / name).read_bytes() == before:
        return ""
    noticed = not name.startswith("checkpoints/step") or not is_good((run / name).parent)
    done = dltool_here("resume", run.name, *LONGER)
    what = f"{kind} of {name}: {done.returncode} {done.stderr}"
    said = Path(name).name in done.stderr or Path(name).parent.name in done.stderr
    if not noticed or "Traceback" in done.stderr or (done.returncode and not done.stderr.startswith(("error", "warn"))):
        return what
    if done.returncode:
        return "" if said else what
    ends = [load(committed(folder / "checkpoints")[0]) for folder in (run, whole)]
    same = ends[0].step == ends[1].step and same_state(ends[0].weights, ends[1].weights)
    must = name in MUST_BE_SAID or name.startswith("checkpoints/step")
    return "" if same and (said or not must) else what
