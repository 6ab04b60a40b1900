"""A model of MNIST reads digits that are drawn on paper, with the options that its warnings name."""

import argparse
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from places import REAL_DATA

from dltool.cli.request import read_config
from dltool.inference.run import Run
from dltool.runs.folder import RunFolder
from dltool.training.train import train

HAS_MNIST = (REAL_DATA / "MNIST" / "raw").is_dir()


def arc(x: float, y: float, across: float, down: float, start: float, end: float) -> list[tuple[float, float]]:
    angles = [math.radians(start + (end - start) * i / 16) for i in range(17)]
    return [(x + across * math.cos(angle), y + down * math.sin(angle)) for angle in angles]


STROKES = {  # Lines in a unit square.
    0: [arc(0.5, 0.5, 0.3, 0.5, -90, 270)],
    1: [[(0.5, 0), (0.5, 1)]],
    2: [[*arc(0.5, 0.28, 0.32, 0.28, -170, 40), (0.2, 1), (0.85, 1)]],
    3: [arc(0.45, 0.26, 0.32, 0.26, -150, 90) + arc(0.45, 0.75, 0.36, 0.25, -90, 150)],
    4: [[(0.6, 0), (0.12, 0.62), (0.9, 0.62)], [(0.68, 0.35), (0.68, 1)]],
    5: [[(0.82, 0), (0.25, 0), (0.22, 0.42), *arc(0.48, 0.68, 0.34, 0.32, -130, 140)]],
    6: [[(0.7, 0.02), (0.4, 0.3), (0.24, 0.6), *arc(0.5, 0.72, 0.27, 0.28, 180, 540)]],
    7: [[(0.12, 0), (0.85, 0), (0.4, 1)]],
    8: [arc(0.5, 0.25, 0.26, 0.25, 90, 450) + arc(0.5, 0.75, 0.32, 0.25, -90, 270)],
    9: [[*arc(0.48, 0.28, 0.27, 0.28, 0, 360), (0.75, 0.28), (0.72, 0.65), (0.6, 1)]],
}


def on_paper(digit: int, rng: np.random.Generator) -> Image.Image:
    """A dark digit of any size and place on grey paper in uneven light."""
    width, height = (int(side) for side in rng.integers(160, 500, 2))
    side = rng.uniform(0.3, 0.6) * min(width, height)
    left, top = rng.uniform(0.1, 0.9 - side / width) * width, rng.uniform(0.1, 0.9 - side / height) * height
    slant, aspect = rng.uniform(-0.1, 0.3), rng.uniform(0.7, 0.95)
    mask = Image.new("L", (width, height))
    for line in STROKES[digit]:
        points = [(left + side * (aspect * x + slant * (0.5 - y)), top + side * y) for x, y in line]
        ImageDraw.Draw(mask).line(points, fill=255, width=round(side * rng.uniform(0.06, 0.14)), joint="curve")
    ink = np.asarray(mask) / 255
    x = np.linspace(-0.5, 0.5, width)
    paper = rng.uniform(140, 240) * (1 + rng.uniform(-0.3, 0.3) * x) + rng.normal(0, 3, (height, width))
    return Image.fromarray((paper * (1 - rng.uniform(0.5, 0.9) * ink)).clip(0, 255).astype(np.uint8))


@pytest.mark.slow
@pytest.mark.skipif(not HAS_MNIST, reason=f"no MNIST below {REAL_DATA}")
def test_digits_on_paper_are_read_with_the_options_that_the_warnings_name(tmp_path: Path) -> None:
    words = ["model=lenet", "optim=adam", "data=mnist", f"data.root={REAL_DATA}", "trainer.steps=2000"]
    words += [f"run.dir={tmp_path / 'run'}", "trainer.epochs=null", "trainer.threads=1", "logger.plots=false"]
    request = argparse.Namespace(overrides=words, config_dir=[], source=None)
    assert train(*read_config(request), quiet=True).exit_code == 0
    said: list[str] = []
    run = Run(RunFolder.open(str(tmp_path / "run")), warn=said.append)
    rng = np.random.default_rng(0)
    images = [on_paper(digit, rng) for digit in range(10) for _ in range(5)]
    expected = [str(digit) for digit in range(10) for _ in range(5)]
    plain = run.predict(images).values
    assert said
    assert all(text.endswith("add --invert --fit digit") for text in said)
    said.clear()
    fitted = run.predict(images, invert=True, fit="digit").values
    assert said == []
    right = [sum(np.equal(values, expected)) for values in (plain, fitted)]
    assert right[0] < 20
    assert right[1] >= 45
