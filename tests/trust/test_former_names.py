"""A file of dltool 0.1, which names modules as they were called then, is read, checked and trained."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from dltool.declarations.registry import PACKAGE
from dltool.trust.former_names import FORMER_NAMES, current_name

FILE = '''\
from torch import nn
from dltool.component import Positive, register, requires
from dltool.spec import DataSpec


@register("model", "mine", inputs="any", tasks=("supervised",))
@requires(lambda config: config.model.width > 1, "too narrow", hint="model.width=2")
class Mine(nn.Module):
    """Two layers."""

    def __init__(self, spec: DataSpec, *, width: Positive[int] = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(spec.input_dim, width), nn.ReLU(), nn.Linear(width, spec.output_dim))

    def forward(self, inputs):
        return self.layers(inputs.flatten(1))
'''
SHORT = ["model=mine", "data=iris", "trainer.epochs=1", "trainer.threads=1", "trainer.device=cpu", "logger.plots=false"]


def test_a_file_of_0_1_trains_and_is_told_the_new_names_once(
    dltool_here: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "models.py").write_text(FILE, encoding="utf-8")
    done = dltool_here("train", "--trust", "models.py", *SHORT, "run.dir=outputs/a")
    assert done.returncode == 0, done.stderr
    for former, now in (("dltool.component", "dltool.declarations.component"), ("dltool.spec", "dltool.core.spec")):
        assert done.stderr.count(f"note: {former} is now {now}; the former name works until dltool 1.0") == 1
    refused = dltool_here("train", "--trust", "models.py", *SHORT, "model.width=1")
    assert (refused.returncode, "too narrow" in refused.stderr) == (2, True)
    assert "note:" not in refused.stderr  # Nothing of the file has run.


def test_every_former_name_is_gone_and_has_a_successor() -> None:
    for former, now in FORMER_NAMES.items():
        folder = PACKAGE.parent.joinpath(*now.split("."))
        assert folder.with_suffix(".py").is_file() or (folder / "__init__.py").is_file(), now
        assert not PACKAGE.parent.joinpath(*former.split(".")).with_suffix(".py").exists(), former
    assert current_name("dltool.component") == "dltool.declarations.component"
    assert current_name("torch") == "torch"
