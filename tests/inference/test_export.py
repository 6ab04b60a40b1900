"""Exported files compute what the model computes, say what they are, and are there whole or not at all."""

import errno
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import safetensors.torch
import torch
from places import REPOSITORY, one_thread
from safetensors import safe_open
from torch import Tensor, nn

from dltool.cli.main import main
from dltool.core.errors import ConfigError, RunError
from dltool.core.safe_path import SafePath
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.data.table_columns import CategoryColumn, NumberColumn
from dltool.data.table_preprocessing import TablePreprocessing
from dltool.inference import export, writers
from dltool.inference.formats import FORMATS
from dltool.inference.portable import Portable, bare_networks, taking_raw_inputs
from dltool.inference.run import Run
from dltool.runs.folder import RunFolder

TRAININGS = {
    "lenet": ["model=lenet", "trainer.steps=5", "trainer.average.kind=ema", "trainer.average.decay=0.5"],
    "lenet5": ["model=lenet5_1998", "trainer.steps=2", "trainer.channels_last=true"],
    "mlp": ["model=mlp", "data=digits", "trainer.steps=5"],
    "binary": ["model=logistic", "data=breast_cancer", "trainer.epochs=2"],
    "numbers": ["model=linear", "data=diabetes", "data.target_scaling=none", "trainer.epochs=2"],
    "perceptron": ["model=perceptron", "data=logic", "trainer.epochs=2"],
    "gan": ["model=gan", "data=digits", "trainer.steps=2"],
    "vae": ["model=vae", "data=digits", "trainer.steps=2"],
}
FIRST_NETWORK = {"gan": "generator", "vae": "decoder"}


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """`load("lenet")` is that run, trained once."""
    folder = tmp_path_factory.mktemp("runs")

    def run(name: str) -> Run:
        if not (folder / name).exists():
            words = [f"run.dir={folder / name}", "trainer.device=cpu", "trainer.threads=1", "logger.plots=false"]
            assert main(["train", *words, "logger.samples=false", *TRAININGS[name], "--quiet"]) == 0
        return Run(RunFolder(folder / name))

    return run


@pytest.fixture
def onnxruntime() -> Any:
    """The package, where all that an export needs is installed."""
    for package in FORMATS["onnx"].packages:
        module = pytest.importorskip(package)
    return module


@pytest.mark.parametrize("name", TRAININGS)
def test_weights_under_the_models_own_names(load: Callable[[str], Run], tmp_path: Path, name: str) -> None:
    run = load(name)
    exported = run.export(tmp_path / "m.safetensors", format="safetensors")
    assert (exported.difference, exported.bound) == (0, 0)
    weights = safetensors.torch.load_file(tmp_path / "m.safetensors")
    assert weights.keys() == run.model.state_dict().keys()
    assert all(torch.equal(weights[key], value) for key, value in run.model.state_dict().items())
    with safe_open(tmp_path / "m.safetensors", framework="pt") as file:
        said = file.metadata()
    assert (said["checkpoint"], said["run"], said["averaged"]) == (run.checkpoint, name, str(name == "lenet").lower())
    assert json.loads(said["model"]) == run.config["model"]
    assert json.loads(said["preprocessing"]) == json.loads((run.path / "preprocessing.json").read_text())
    assert str(run.path) not in str(said)


@pytest.mark.parametrize("name", TRAININGS)
def test_a_program_of_torch(load: Callable[[str], Run], tmp_path: Path, name: str) -> None:
    run = load(name)
    exported = run.export(tmp_path / "m.pt2", format="torch")
    (network,) = exported.networks
    assert network == FIRST_NETWORK.get(name, "model")
    extra = {"dltool.json": ""}
    program = torch.export.load(tmp_path / "m.pt2", extra_files=extra).module()
    assert json.loads(extra["dltool.json"])["checkpoint"] == run.checkpoint
    for count in (1, 3, 64):
        inputs = torch.randn(count, *exported.networks[network]["inputs"]["shape"][1:])
        module = run.task.networks[network].module
        torch.testing.assert_close(program(inputs), module(inputs).detach(), rtol=1e-5, atol=1e-5)
    with zipfile.ZipFile(tmp_path / "m.pt2") as archive:
        assert not any(str(REPOSITORY).encode() in archive.read(part) for part in archive.namelist())


def test_a_program_of_torch_runs_without_dltool(load: Callable[[str], Run], tmp_path: Path) -> None:
    run = load("lenet")
    exported = run.export(tmp_path / "m.pt2", format="torch", probabilities=True)
    script = (
        "import sys\n"
        "sys.modules['dltool'] = None  # An import of it would fail now.\n"
        "import torch\n"
        "inputs = torch.linspace(-1, 1, 2 * 32 * 32).view(2, 1, 32, 32)\n"
        f"{exported.loaded}\n"
        "print(outputs.tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=one_thread(), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    inputs = torch.linspace(-1, 1, 2 * 32 * 32).view(2, 1, 32, 32)
    expected = run.task.predict(inputs).probabilities
    torch.testing.assert_close(torch.tensor(json.loads(done.stdout)), expected)


@pytest.mark.parametrize("name", ["lenet", "lenet5", "perceptron", "gan"])
def test_a_graph_of_onnx(load: Callable[[str], Run], tmp_path: Path, name: str, onnxruntime: Any) -> None:
    run = load(name)
    exported = run.export(tmp_path / "m.onnx", format="onnx")
    assert exported.difference <= exported.bound <= 1e-5 * exported.largest
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    ((network, said),) = exported.networks.items()
    for kind, (value,) in {"inputs": session.get_inputs(), "outputs": session.get_outputs()}.items():
        assert (value.name, value.shape) == (kind, said[kind]["shape"])
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata["checkpoint"] == run.checkpoint
    assert tuple(json.loads(metadata["class_names"])) == run.class_names
    inputs = torch.randn(5, *said["inputs"]["shape"][1:])
    (outputs,) = session.run(None, {"inputs": inputs.numpy()})
    expected = run.task.networks[network].module(inputs).detach()
    torch.testing.assert_close(torch.from_numpy(outputs), expected, rtol=1e-4, atol=1e-5)
    assert str(REPOSITORY).encode() not in (tmp_path / "m.onnx").read_bytes()


def test_raw_inputs_and_probabilities_in_onnx(load: Callable[[str], Run], tmp_path: Path, onnxruntime: Any) -> None:
    for name in ("mlp", "binary"):
        run = load(name)
        raw = run.preprocessing.raw_front().samples(3)
        run.export(tmp_path / name, format="onnx", with_preprocessing=True, probabilities=True)
        session = onnxruntime.InferenceSession((tmp_path / name).read_bytes())
        (outputs,) = session.run(None, {"inputs": raw.numpy()})
        expected = run.predict(raw).probabilities
        torch.testing.assert_close(torch.from_numpy(outputs), expected, rtol=1e-5, atol=1e-6)


def test_pixels_are_those_of_training() -> None:
    padded = ImagePreprocessing(3, (28, 27), (32, 30), (0.1, 0.2, 0.3), (1.5, 2.5, 3.5))
    front = padded.raw_front()
    images = front.samples(4)
    assert images.shape == (4, 3, 28, 27)
    assert torch.equal(front.module(images), padded(images))
    enlarged = ImagePreprocessing(1, (8, 8), (32, 32), (0.1,), (1.5,))
    assert enlarged.raw_front().samples(2).shape == (2, 1, 32, 32)


def test_columns_are_those_of_training() -> None:
    columns = (NumberColumn("a", 1e9, 0.5, fill=1e9 + 4), NumberColumn("b", -3.0, 2.0))
    front = TablePreprocessing(columns).raw_front().module
    rows = torch.tensor([[1e9 + 1, 0.0], [torch.nan, torch.nan]], dtype=torch.float64)
    assert front(rows)[0].tolist() == [0.5, 6.0]
    assert front(rows)[1].tolist()[0] == 2.0
    assert front(rows)[1, 1].isnan()


def test_categories_stay_outside() -> None:
    preprocessing = TablePreprocessing((NumberColumn("a", 0.0, 1.0), CategoryColumn("colour", ("b", "g", "r"))))
    samples = preprocessing.example_inputs(50)
    assert samples.shape == (50, 4)
    assert samples[:, 1:].sum(1).eq(1).all()
    network = Portable.of("model", nn.Linear(4, 1), preprocessing.example_inputs, "", "")
    with pytest.raises(ConfigError, match="colour holds categories"):
        taking_raw_inputs(network, preprocessing)


class ByValue(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs if inputs.sum() > 0 else -inputs


def test_control_flow_by_values_is_refused_in_words(capfd: pytest.CaptureFixture[str]) -> None:
    network = Portable.of("model", ByValue(), lambda count: torch.ones(count, 2), "", "")
    with pytest.raises(RunError, match="the model cannot be exported as a graph: ") as caught:
        writers.traced(network)
    assert "safetensors" in str(caught.value.hint)
    assert "\n" not in caught.value.message
    assert "inputs if inputs.sum() > 0" in caught.value.message
    assert capfd.readouterr() == ("", "")  # Nothing but the error.


class Bessel(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return torch.special.bessel_j0(inputs)


class OfTwo(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.view(2, -1)


def test_an_operation_that_onnx_lacks_is_named(onnxruntime: Any) -> None:
    network = Portable.of("model", Bessel(), lambda count: torch.ones(count, 2), "", "")
    with pytest.raises(RunError, match="bessel_j0") as caught:
        writers.OnnxWriter.content(None, [network], {})  # type: ignore[arg-type]
    assert "--format torch" in str(caught.value.hint)


def test_a_batch_of_one_size_is_refused() -> None:
    network = Portable.of("model", OfTwo(), lambda count: torch.ones(count, 3), "", "")
    with pytest.raises(RunError, match="cannot be exported"):
        writers.traced(network)


def damaged(run: Run, path: Path) -> list[Callable[[Tensor], Tensor]]:
    return [lambda inputs: run.model(inputs) + 1e-3]


def test_other_outputs_leave_no_file(load: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch) -> None:
    run = load("binary")
    monkeypatch.setattr(writers.TorchWriter, "reopened", staticmethod(damaged))
    with pytest.raises(RunError, match=r"differ from the model's by up to 0\.001"):
        run.export(format="torch")
    assert not (run.path / "export").exists()


def test_nan_is_a_difference(load: Callable[[str], Run]) -> None:
    (network,) = bare_networks(load("numbers"))
    with pytest.raises(RunError, match="shape"):
        export.compare([network], [lambda inputs: inputs])
    difference, largest = export.compare([network], [lambda inputs: network.module(inputs) * torch.nan])
    assert difference > 1e30
    assert 0 < largest < 1e30
    broken = Portable.of("model", nn.Linear(2, 1), lambda count: torch.full((count, 2), torch.nan), "", "")
    with pytest.raises(RunError, match="not finite"):
        export.compare([broken], [broken.module])


def test_a_full_disk_leaves_no_half_file(
    load: Callable[[str], Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(target: SafePath, content: bytes) -> None:
        target.path.write_bytes(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "m.safetensors").write_text("the one before")
    monkeypatch.setattr(SafePath, "write", full)
    with pytest.raises(RunError, match="the disk is full"):
        load("binary").export(tmp_path / "m.safetensors", format="safetensors", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]
    assert (tmp_path / "m.safetensors").read_text() == "the one before"


def test_where_nothing_can_be_written(load: Callable[[str], Run], tmp_path: Path) -> None:
    run = load("binary")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="exists already"):
        run.export(tmp_path / "file", format="safetensors")
    with pytest.raises(ConfigError, match="cannot be written"):
        run.export(tmp_path / "file" / "m", format="safetensors")
    with pytest.raises(ConfigError, match="cannot be written"):
        run.export(tmp_path / "nowhere" / "m", format="safetensors")
    with pytest.raises(ConfigError, match="is a folder"):
        run.export(tmp_path, format="safetensors")


def test_a_gans_networks(load: Callable[[str], Run], tmp_path: Path) -> None:
    run = load("gan")
    first = run.export(format="torch")
    assert first.path == run.path / "export" / f"{run.checkpoint}_generator.pt2"
    assert first.networks["generator"]["outputs"]["shape"] == ["batch", 1, 8, 8]
    second = run.export(tmp_path / "d.pt2", format="torch", network="discriminator", with_preprocessing=True)
    assert second.networks["discriminator"]["inputs"]["dtype"] == "uint8"
    with pytest.raises(ConfigError, match="takes noise"):
        run.export(tmp_path / "g.pt2", format="torch", with_preprocessing=True)
    with pytest.raises(ConfigError, match="no network critic") as caught:
        run.export(tmp_path / "g.pt2", format="torch", network="critic")
    assert [path.name for path in tmp_path.iterdir()] == ["d.pt2"]
    assert caught.value.hint == "--network generator or --network discriminator"


def test_what_does_not_fit(load: Callable[[str], Run], tmp_path: Path) -> None:
    for name in ("numbers", "perceptron", "gan"):
        with pytest.raises(ConfigError, match="no probabilities"):
            load(name).export(tmp_path / "m", format="torch", probabilities=True)
    with pytest.raises(ConfigError, match="computes nothing"):
        load("lenet").export(tmp_path / "m", format="safetensors", with_preprocessing=True)


def test_every_format_has_a_writer_and_a_name_in_the_signature() -> None:
    assert list(writers.WRITERS) == list(FORMATS)
    assert list(get_args(get_type_hints(Run.export)["format"])) == list(FORMATS)


def test_the_extra_names_the_packages() -> None:
    declared = re.search(r"^export = (.*)$", (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert declared is not None
    assert all(f'"{package}>=' in declared[1] for package in FORMATS["onnx"].packages)


def test_standardized_numbers_come_out_in_their_units(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "\n".join(f"{i / 7},{900 + 30 * i}.5" for i in range(60)))
    words = ["model=linear", "data=csv", f"data.path={tmp_path / 't.csv'}", "data.target=y", "trainer.epochs=2"]
    assert main(["train", *words, f"run.dir={tmp_path / 'run'}", "logger.plots=false", "--quiet"]) == 0
    run = Run(RunFolder(tmp_path / "run"))
    run.export(tmp_path / "m.pt2", format="torch", with_preprocessing=True)
    rows = torch.tensor([[1.0], [5.0], [2.5]], dtype=torch.float64)
    outputs = torch.export.load(tmp_path / "m.pt2").module()(rows)
    assert torch.allclose(outputs, run.predict(rows).outputs)
    assert outputs.abs().min() > 100


@pytest.mark.parametrize("format", ["torch", "onnx"])
def test_large_numbers_keep_their_digits(format: Any, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """y = 1.7e9 + x, where float32's numbers are 128 apart."""
    (tmp_path / "t.csv").write_text("x,y\n" + "\n".join(f"{i / 7!r},{1.7e9 + i / 7!r}" for i in range(60)))
    words = ["model=linear", "data=csv", f"data.path={tmp_path / 't.csv'}", "data.target=y", "trainer.epochs=1"]
    solver = ["task=least_squares", "optim=none", "data.batch_size=full", "logger.plots=false", "--quiet"]
    assert main(["train", *words, *solver, f"run.dir={tmp_path / 'run'}"]) == 0
    rows = torch.tensor([[1.0], [5.0], [2.5]], dtype=torch.float64)
    path = tmp_path / "m"
    if format == "onnx":
        runtime = request.getfixturevalue("onnxruntime")
        Run(RunFolder(tmp_path / "run")).export(path, format="onnx", with_preprocessing=True)
        outputs = torch.tensor(runtime.InferenceSession(path).run(None, {"inputs": rows.numpy()})[0])
    else:
        Run(RunFolder(tmp_path / "run")).export(path, format="torch", with_preprocessing=True)
        outputs = torch.export.load(path).module()(rows)
    torch.testing.assert_close(outputs, 1.7e9 + rows, rtol=0, atol=1e-5)
