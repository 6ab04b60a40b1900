"""Code of the user's trains, is remembered by the run, and is asked for again."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from dltool.build.prepare import prepare
from dltool.config.check import check
from dltool.config.compose import compose
from dltool.config.trusted_code import record_of
from dltool.core.errors import ConfigError
from dltool.trust.sources import read_sources, trust, trusted_sources

Run = Callable[..., subprocess.CompletedProcess[str]]
SHORT = ["trainer.epochs=2", "trainer.threads=1", "trainer.device=cpu", "logger.plots=false", "data.batch_size=16"]
EVERYTHING = ["model=mine", "data=rings", "task=patient", "loss=tilted", "task.metrics=[misses_error,accuracy]"]
PACKAGE = {
    "__init__.py": "",
    "settings.py": """\
from dataclasses import dataclass
from dltool.declarations.component import Fraction

@dataclass(frozen=True, kw_only=True)
class HeadSettings:
    dropout: Fraction[float] = 0.25
    bias: bool = True
""",
    "models.py": """\
from typing import Literal
from torch import nn
from dltool.declarations.component import Positive, register, requires
from dltool.core.spec import DataSpec
from .settings import HeadSettings as Head

@register("model", "mine", inputs="vector", tasks=("supervised",))
@requires(lambda config: config.model.width > 1, "too narrow", hint="model.width=2")
class Mine(nn.Sequential):
    \"\"\"Two layers.\"\"\"

    def __init__(
        self, spec: DataSpec, *, width: Positive[int] = 8, act: Literal["relu", "tanh"] = "tanh", head: Head = Head()
    ) -> None:
        self.head = head
        super().__init__(
            nn.Linear(spec.input_dim, width),
            {"relu": nn.ReLU, "tanh": nn.Tanh}[act](),
            nn.Dropout(head.dropout),
            nn.Linear(width, spec.output_dim, bias=head.bias),
        )
""",
    "data/rings.py": """\
import torch
from dltool.declarations.component import Positive, register
from dltool.data.arrays import RawData, Split
from dltool.data.table_data import TableData

@register("data", "rings", into=TableData, inputs="vector", targets="binary")
def rings(rng: torch.Generator, *, num_samples: Positive[int] = 120) -> RawData:
    \"\"\"Two rings.\"\"\"
    x = torch.randn(num_samples, 2, generator=rng)
    split = Split(x, (x.norm(dim=1) > 1).long())
    return RawData(split, None, None, "binary", ("in", "out"), ("x", "y"), origin="rings")
""",
    "rest.py": """\
import torch.nn.functional as F
from dltool.declarations.component import NonNegative, register
from dltool.losses.criterion import Criterion
from dltool.metrics.metric import MeanMetric
from dltool.metrics.mean import Mean
from dltool.tasks.supervised import SupervisedTask
from dltool.optim.schedule import Schedule
from dltool.optim.optimizer import Optimizer
import torch

@register("loss", "tilted", targets=("binary",), head="one", tasks=("supervised",))
class Tilted(Criterion):
    def __init__(self, spec, *, tilt: NonNegative[float] = 0.1) -> None:
        super().__init__(spec)
        self.tilt = tilt

    def __call__(self, outputs, targets):
        outputs = outputs.squeeze(1)
        return F.binary_cross_entropy_with_logits(outputs, targets.float()) + self.tilt * outputs.mean(), len(targets)

@register("task", "patient", loss_for="data", like="supervised")
class PatientTask(SupervisedTask):
    \"\"\"The same, and it counts.\"\"\"

@register("metric", "misses_error", targets=("binary",))
class Misses(MeanMetric):
    def part(self, outputs, targets):
        return Mean(((outputs.squeeze(1) > 0) != targets.bool()).sum(), len(targets))

@register("schedule", "halving", into=Schedule)
def halving(t, total, *, times: NonNegative[int] = 3):
    return 0.5 ** int(times * t / total)

@register("optim", "plain", into=Optimizer)
def plain(params, module, *, lr: NonNegative[float] = 0.1):
    return torch.optim.SGD(params, lr=lr)
""",
}  # fmt: skip


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def last_line(run: str) -> dict[str, float]:
    return json.loads(Path(run, "metrics.jsonl").read_text().splitlines()[-1])


def test_everything_that_can_be_registered_trains_resumes_and_is_remembered(dltool_here: Run, tmp_path: Path) -> None:
    package = write(tmp_path / "我的 code", PACKAGE)
    words = ["--trust", str(package), *EVERYTHING, "optim=plain", "schedule=halving", *SHORT]
    done = dltool_here("train", *words, "model.head.dropout=0.5", "trainer.epochs=4", "run.dir=outputs/whole")
    assert done.returncode == 0, done.stderr
    assert "test/misses_error" in done.stdout
    assert f"trusted    {package}" in done.stderr
    assert not list(package.rglob("__pycache__"))

    environment = json.loads(Path("outputs/whole/environment.json").read_text())
    (record,) = environment["trusted"]
    assert record["path"] == str(package)
    assert {"model=mine", "data=rings", "metric=misses_error", "schedule=halving"} <= set(record["registers"])
    text = Path("outputs/whole/config.yaml").read_text(encoding="utf-8")
    assert text.startswith("# dltool train --trust '我的 code' --from outputs/whole\n")
    assert OmegaConf.create(text).model == {
        "name": "mine", "width": 8, "act": "tanh", "head": {"dropout": 0.5, "bias": True}, "freeze": [],
        "initial": None,
    }  # fmt: skip

    assert dltool_here("train", "--from", "outputs/whole", *words[:2], "run.dir=outputs/again").returncode == 0
    # The prolonged training has evaluated its first end too, which could be the best.
    part = ["trainer.steps=7", "trainer.epochs=null", "trainer.test=last", "schedule=constant"]
    assert dltool_here("train", *words, *part, "run.dir=outputs/part").returncode == 0
    assert dltool_here("train", *words, *part, "trainer.steps=20", "run.dir=outputs/all").returncode == 0
    resumed = dltool_here("resume", "--trust", str(package), "outputs/part", "trainer.steps=20")
    assert resumed.returncode == 0, resumed.stderr
    assert last_line("outputs/part") == last_line("outputs/all")
    assert last_line("outputs/again") == last_line("outputs/whole")


@pytest.mark.parametrize(
    "verb",
    [
        ["train", "--from", "outputs/r"],
        ["resume", "outputs/r", "trainer.epochs=3"],
        ["evaluate", "outputs/r"],
        ["export", "outputs/r", "--format", "safetensors"],
    ],
    ids=lambda verb: verb[0],
)
def test_a_run_asks_for_its_code(dltool_here: Run, tmp_path: Path, verb: list[str]) -> None:
    package = write(tmp_path / "code", PACKAGE)
    rest = package / "rest.py"
    metric = "task.metrics=[misses_error]"
    assert dltool_here("train", "--trust", "code", *EVERYTHING, *SHORT, metric, "run.dir=outputs/r").returncode == 0

    def refused(*words: str) -> str:
        done = dltool_here(*verb, *words)
        assert done.returncode == 2
        return done.stderr

    missing = refused()
    assert f"task=patient does not belong to dltool: the run used {package} (SHA-256 " in missing
    assert f"hint: --trust {package}" in missing
    text = rest.read_text()
    rest.write_text(text + "\n# changed\n")
    assert "which has changed since" in refused()
    changed = refused("--trust", "code")
    assert "is not the code of task=patient in this run" in changed
    assert "restore the file, or start a new training: dltool train --trust FILE.py task=patient" in changed
    rest.write_text(text)
    moved = package.rename(tmp_path / "moved")
    assert "which no longer exists" in refused()
    elsewhere = ["run.dir=outputs/b"] if verb[0] == "train" else []
    assert dltool_here(*verb, "--trust", str(moved), *elsewhere).returncode == 0


def test_a_run_whose_metric_alone_is_trusted_asks_for_it(dltool_here: Run, tmp_path: Path) -> None:
    write(tmp_path / "code", PACKAGE)
    words = ["model=mlp", "data=moons", "task.metrics=[misses_error]", *SHORT]
    assert dltool_here("train", "--trust", "code", *words, "run.dir=outputs/r").returncode == 0
    refused = dltool_here("train", "--from", "outputs/r")
    assert refused.returncode == 2
    assert "metric=misses_error does not belong to dltool" in refused.stderr
    without = dltool_here("train", "--from", "outputs/r", "task.metrics=[accuracy]", "run.dir=outputs/s")
    assert without.returncode == 0, without.stderr


SIMPLE = PACKAGE["models.py"].replace("from .settings import HeadSettings as Head\n", "").replace(
    ", head: Head = Head()", ""
).replace("        self.head = head\n", "").replace("head.dropout", "0.0").replace("head.bias", "True")  # fmt: skip


def test_a_file_named_like_a_module_shadows_nothing(dltool_here: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "a b", {"torch.py": SIMPLE}) / "torch.py"
    done = dltool_here("check", "--trust", str(path), "model=mine", "data=iris", *SHORT)
    assert done.returncode == 0, done.stderr
    assert sys.modules["torch"] is torch
    path.write_text(SIMPLE.replace("nn.Tanh", "nn.Softsign"))  # In the same process, another text is another module.
    assert "Softsign" in dltool_here("show", "--trust", str(path), "model=mine", "data=iris").stdout


CLASS = "class Mine(nn.Sequential):\n"
FORWARD = CLASS + "    def forward(self, x):\n        return x @ x\n"
FAILING = {  # What is written instead of what, the exit code, parts of the error, part of the hint.
    "import": (
        "from typing",
        "import beside\nfrom typing",
        2,
        ["models.py, line 1: ModuleNotFound", "beside"],
        "folder",
    ),
    "constructor": ("super().__init__(", "super().__init__(1 / 0,", 2, ["models.py, line 14: ZeroDivision"], "--debug"),
    "exit": ("from typing", "raise SystemExit(0)\nfrom typing", 2, ["models.py, line 1: SystemExit"], "--debug"),
    "arguments": ("spec: DataSpec,", "spec: DataSpec, more: int,", 2, ["models.py, line 11: TypeError"], "--debug"),
    "forward": (CLASS, FORWARD, 1, ["models.py, line 10: RuntimeError"], "--debug"),
}


@pytest.mark.parametrize("name", FAILING)
def test_where_the_users_code_failed(name: str, dltool_here: Run, tmp_path: Path) -> None:
    old, new, code, words, hint = FAILING[name]
    write(tmp_path, {"models.py": SIMPLE.replace(old, new, 1), "beside.py": ""})
    done = dltool_here("train", "--trust", "models.py", "model=mine", "data=iris", *SHORT, "run.dir=outputs/r")
    assert done.returncode == code, done.stderr
    error, remedy = done.stderr.splitlines()[-2:]
    assert all(word in error for word in words), error
    assert hint in remedy
    if code == 1:
        assert "models.py, line 10" in json.loads(Path("outputs/r/status.json").read_text())["error"]
    else:
        assert not Path("outputs").exists()


def test_a_sweep_trains_the_code_that_it_began_with(dltool: Run, dltool_here: Run, tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(SIMPLE)
    words = ["--trust", "models.py", "model=mine,mlp", "data=iris", *SHORT, "sweep.dir=s"]
    done = dltool("train", "-m", *words, "sweep.n_jobs=2")
    assert done.returncode == 0, done.stderr
    assert "dltool train --trust models.py model=" in done.stdout
    assert "mine on iris" in (tmp_path / "s/logs/000_model=mine.txt").read_text()
    command = json.loads((tmp_path / "s/000_model=mine/environment.json").read_text())["command"]
    assert command[:4] == ["dltool", "train", "--trust", "models.py"]
    (tmp_path / "models.py").write_text(SIMPLE + "# another\n")
    again = dltool_here("train", "-m", *words)
    assert again.returncode == 2
    assert "contains another sweep: trusted model=mine was" in again.stderr


def test_what_a_launcher_hands_over_is_read_and_compared_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import asdict

    from dltool.search.assignment import Assignment
    from dltool.search.launchers import execute_file

    monkeypatch.chdir(tmp_path)
    Path("models.py").write_text(SIMPLE)
    trust(read_sources([Path("models.py")]))
    composed = compose(["model=mine", "data=iris", *SHORT])
    job = Assignment(("train",), composed, {}, Path(), Path("s/job"), Path("log.txt"), monitored=("sweep.metric", None))
    content = asdict(job) | {"trusted": [record_of(source) for source in job.trusted]}
    Path("job.json").write_text(json.dumps(content, default=str))
    Path("models.py").write_text(SIMPLE + "# changed\n")
    assert execute_file({"job": "job.json"}) == 2
    assert "models.py has changed since this search started" in Path("log.txt").read_text()
    status = json.loads(Path("s/job/status.json").read_text())
    assert (status["state"], "has changed" in status["error"]) == ("failed", True)
    trust([])


def test_what_was_read_is_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    package = write(tmp_path / "code", PACKAGE)
    trust(read_sources([package]))
    for path in package.rglob("*.py"):
        path.write_text("raise SystemExit('not what was hashed')")
    (package / "unread.py").write_text("")
    trust(pickle.loads(pickle.dumps(trusted_sources())))  # As it comes to the process of a job.
    try:
        parts = prepare(check(compose([*EVERYTHING, *SHORT])))
        module = type(parts.task.model).__module__
        assert "code" in module
        with pytest.raises(ModuleNotFoundError):
            __import__(f"{module.rpartition('.')[0]}.unread")
    finally:
        trust([])


def test_links_folders_and_yamls_belong_to_a_package(tmp_path: Path) -> None:
    package = write(tmp_path / "code", PACKAGE)
    before = read_sources([package])[0].sha256
    (tmp_path / "link").symlink_to(package)
    assert read_sources([tmp_path / "link"])[0].sha256 == before
    (package / "notes.txt").write_text("not code")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "models.py").write_text("stale")
    assert read_sources([package])[0].sha256 == before
    write(package, {"configs/model/wide.yaml": "# Wide.\nname: mine\nwidth: 64\n"})
    assert read_sources([package])[0].sha256 != before
    trust(read_sources([package]))
    try:
        assert check(compose(["model=wide", "data=rings"]))["model"]["width"] == 64
        with pytest.raises(ConfigError, match="too narrow"):
            check(compose(["model=wide", "data=rings", "model.width=1"]))
    finally:
        trust([])


def test_a_metric_without_a_direction_goes_by_its_name_and_says_so(tmp_path: Path, configure: Callable) -> None:
    trust(read_sources([write(tmp_path / "code", PACKAGE)]))
    try:
        with pytest.warns(FutureWarning, match=r'metric=misses_error declares no direction.*direction="min"'):
            parts = prepare(configure(*EVERYTHING, *SHORT))
    finally:
        trust([])
    assert parts.task.main_metric == ("misses_error", "min")


SAMPLE_METRIC = """\
from dltool.declarations.component import register
from dltool.metrics.sample_metric import SampleMetric

@register(
    "metric", "ink", of="samples", needs="pixels", direction={"ink_of_data": "max"}, reports=("ink", "ink_of_data")
)
class Ink(SampleMetric):
    \"\"\"The mean brightness.\"\"\"

    floor_from = "held_out"

    def reset(self):
        self.sums = [0.0, 0, 0.0, 0]

    def update(self, samples, held_out):
        for i, images in enumerate((samples, held_out)):
            self.sums[2 * i] += float(images.pixels.double().sum())
            self.sums[2 * i + 1] += images.pixels.numel()

    def state(self):
        return {"sums": tuple(self.sums)}

    def merge_state(self, state):
        self.sums = [a + b for a, b in zip(self.sums, state["sums"])]

    def compute(self):
        return self.sums[0] / self.sums[1], self.sums[2] / self.sums[3]
"""


def test_a_metric_of_samples_is_measured_like_those_of_dltool(dltool_here: Run, tmp_path: Path) -> None:
    (tmp_path / "ink.py").write_text(SAMPLE_METRIC)
    words = ["train", "--trust", "ink.py", "model=gan", "data=digits", *SHORT, "trainer.epochs=1"]
    done = dltool_here(*words, "task.metrics=[ink]", "run.dir=outputs/r")
    assert done.returncode == 0, done.stderr
    metrics = json.loads(Path("outputs/r/status.json").read_text())["metrics"]
    assert 0 < metrics["test/ink"] < 255
    assert 0 < metrics["test/ink_of_data"] < 255
    assert "the same for data in place of samples: ink " in done.stdout
    following = dltool_here(*words, "task.metrics=[ink]", "stop.metric=val/ink", "stop.patience=3")
    assert following.returncode == 2
    assert "hint: stop.mode=min, or stop.mode=max" in following.stderr
