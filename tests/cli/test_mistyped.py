"""A word that no command knows gets the nearest one that it does."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Dltool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("line", "error", "hint"),
    [
        ("trian", "there is no command trian; the commands are train, resume", "did you mean dltool train?"),
        ("train --epochs 5", "train has no --epochs", "settings are written without dashes: trainer.epochs=5"),
        ("train --epochs=5", "train has no --epochs", "trainer.epochs=5"),
        ("train --batch-size", "train has no --batch-size", "data.batch_size=…"),
        ("train --trainer.seed 5", "train has no --trainer.seed", "trainer.seed=5"),
        ("train --cofnig-dir x", "train has no --cofnig-dir", "did you mean --config-dir?"),
        ("train --zzz", "train has no --zzz", "dltool train --help shows the usage"),
        ("runs list --srot x", "runs list has no --srot", "did you mean --sort?"),
        ("doctor --jsn", "doctor has no --jsn", "did you mean --json?"),
        ("completion fsh", "fsh: invalid choice, one of bash, zsh, fish is needed", "did you mean fish?"),
        ("export x --format onx", "--format onx: invalid choice, one of", "did you mean --format onnx?"),
        ("train optim=sgdm", "there is no such optim", "is called sgd here: optim=sgd optim.momentum=0.9"),
        ("train optim=nag", "there is no such optim", "optim=sgd optim.momentum=0.9 optim.nesterov=true"),
        ("train schedule=warmup", "there is no such schedule", "schedule=constant schedule.warmup_steps=100"),
        ("show data=csv", "model=lenet (the default) takes images", "model=mlp takes either"),
        ("show data=csv model=lenet", "model=lenet takes images", "model=mlp takes either"),
        ("train ~key", "~key removes key, but the config has no key", "dltool show"),
        ("train ~model", "~model removes model, which every config needs", "model=NAME chooses another"),
        ("train model.activation=no", "model.activation=no: one of sigmoid, tanh", "relu"),
        ("train --from part.yaml", "part.yaml is not a complete config: it has no task, loss", "experiment=NAME"),
        ("evaluate", "error: the following arguments are required: RUN\n", "dltool evaluate --help"),
        ("train init_from=3", "init_from=3: a string or null", ""),
    ],
)
def test_the_hint(line: str, error: str, hint: str, dltool_here: Dltool) -> None:
    Path("part.yaml").write_text("model: {name: mlp}\n")
    done = dltool_here(*line.split())
    assert done.returncode == 2
    first, second = done.stderr.splitlines(keepends=True)
    assert error in first
    assert hint in second


def test_no_description_names_a_kind_twice() -> None:
    from dltool.declarations.kinds import AnyOf, ListOf, OneOf, Scalar

    text = Scalar("str")
    assert AnyOf((text, text, OneOf((None,)))).describe() == "a string or null"
    assert AnyOf((OneOf(("auto",)), ListOf(OneOf(("a", "b"))))).describe() == "auto or a list, each item one of a, b"
