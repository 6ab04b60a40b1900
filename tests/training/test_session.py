"""What a session gives its observers."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.runs.folder import RunFolder
from dltool.training.session import Session


@pytest.mark.parametrize(("least", "size"), [(1, 40), (40, 40), (41, 80), (180, 180), (200, 180)])
def test_held_out_samples_are_as_many_as_a_picture_needs(
    least: int, size: int, configure: Callable[..., Config], tmp_path: Path
) -> None:
    """However few an evaluation takes at a time."""
    parts = prepare(configure("model=gan", "data=digits", "data.eval_batch_size=40"))
    held_out = Session(parts, RunFolder(tmp_path), quiet=True).held_out_batch(least)
    assert held_out.size == held_out.full_size == size
    together = torch.cat([batch.inputs for batch in parts.dataset.evaluation("val")])
    assert held_out.inputs.equal(together[:size])
