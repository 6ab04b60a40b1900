"""How far back gradients reach: the overlay of several runs shows for each what its own network has."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import torch
from places import NUMBERS_ONLY

from dltool.core.batch import Batch
from dltool.plotting.reach import NUM_SEQUENCES, norms_of
from dltool.plotting.runs import loaded

Dltool = Callable[..., CompletedProcess[str]]
SMALL = ("data=digits_rows", "model.hidden_dim=5", "trainer.epochs=null", "trainer.steps=3", *NUMBERS_ONLY)


def test_recurrent_networks_in_one_picture(dltool_here: Dltool) -> None:
    for model in ("rnn", "lstm"):
        done = dltool_here("train", f"model={model}", *SMALL, f"run.dir=outputs/{model}")
        assert done.returncode == 0, done.stderr
    done = dltool_here("plot", "outputs/rnn", "outputs/lstm", "--figure", "reach", "--output", "figures")
    assert done.returncode == 0, done.stderr
    assert Path("figures/reach.png").stat().st_size > 5000
    alone = dltool_here("plot", "outputs/rnn", "--figure", "reach")
    assert "it compares several runs" in alone.stderr

    subject = loaded(Path("outputs/rnn").resolve())
    assert subject.training_samples is not None
    batch = subject.training_samples(NUM_SEQUENCES)
    inputs = batch.inputs[:NUM_SEQUENCES].clone().requires_grad_()
    subject.task.model.eval()
    subject.task.loss(Batch(inputs, batch.targets[:NUM_SEQUENCES], NUM_SEQUENCES)).mean.backward()
    assert inputs.grad is not None
    torch.testing.assert_close(norms_of(subject), inputs.grad.norm(dim=(1, 3)), rtol=1e-5, atol=1e-9)
