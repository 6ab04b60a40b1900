"""A run as it lies in its folder is known without the verbs that use it."""

from collections.abc import Callable
from pathlib import Path

import torch

from dltool.inference.loaded_run import LoadedRun
from dltool.inference.run import Run
from dltool.runs.folder import RunFolder


def test_what_a_run_is(trained: Callable[[str], Path], load: Callable[..., Run]) -> None:
    run, used = LoadedRun(RunFolder(trained("binary"))), load("binary")
    assert (run.title, run.checkpoint, run.spec, run.config) == (used.title, used.checkpoint, used.spec, used.config)
    assert run.metrics == used.metrics
    for name, tensor in run.model.state_dict().items():
        assert torch.equal(tensor, used.model.state_dict()[name])
    assert not run.model.training
    assert isinstance(used, LoadedRun)
