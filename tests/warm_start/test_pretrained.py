"""`model.weights`: from a file or a cache, whole but for the head, and never needed again."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file
from synthetic_images import write_every_image_set
from torch import Tensor

from dltool.build.prepare import prepare
from dltool.config.check import Config, check
from dltool.config.compose import compose
from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import DataSpec
from dltool.models.torchvision import torchvision_model
from dltool.warm_start.pretrained import pretrained

ARCH = "squeezenet1_1"


def spec_of(channels: int = 3, num_classes: int = 3, side: int = 64) -> DataSpec:
    names = tuple(map(str, range(num_classes)))
    return DataSpec((channels, side, side), "classes", names, output_dim=num_classes)


def saved(path: Path, arch: str = ARCH, **settings: object) -> dict[str, Tensor]:
    torch.manual_seed(7)
    weights = torchvision.models.get_model(arch, **settings).state_dict()
    torch.save(weights, path)
    return weights


def fields(weights: object, arch: str = ARCH, download: bool = False) -> dict[str, object]:
    return {"arch": arch, "weights": str(weights), "download": download}


def test_all_but_a_head_of_other_classes(tmp_path: Path) -> None:
    theirs = saved(tmp_path / "their.pth")
    model = torchvision_model(spec_of(), arch=ARCH)
    drawn = model.classifier[1].weight.clone()
    start = pretrained(model, "torchvision", fields(tmp_path / "their.pth"))
    ours = model.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs if not key.startswith("classifier"))
    assert torch.equal(model.classifier[1].weight, drawn)
    assert start.skipped["classifier.1.weight"] == "1000 outputs there, 3 here"
    assert start.num_loaded == len(ours) - 2


def test_a_head_for_as_many_classes_is_kept(tmp_path: Path) -> None:
    theirs = saved(tmp_path / "their.pth", num_classes=3)
    save_file(theirs, tmp_path / "their.safetensors")
    model = torchvision_model(spec_of(), arch=ARCH)
    start = pretrained(model, "torchvision", fields(tmp_path / "their.safetensors"))
    assert not start.skipped
    assert torch.equal(model.classifier[1].weight, theirs["classifier.1.weight"])


def test_kernels_for_grey_images(tmp_path: Path) -> None:
    theirs = saved(tmp_path / "their.pth", num_classes=3)
    model = torchvision_model(spec_of(channels=1), arch=ARCH).eval()
    start = pretrained(model, "torchvision", fields(tmp_path / "their.pth"))
    assert list(start.reshaped) == ["features.0.weight"]
    colour = torchvision.models.get_model(ARCH, num_classes=3).eval()
    colour.load_state_dict(theirs)
    image = torch.randn(2, 1, 64, 64)
    torch.testing.assert_close(model(image), colour(image.expand(-1, 3, -1, -1)))


def test_auxiliary_heads_old_names_and_counters(tmp_path: Path) -> None:
    theirs = saved(tmp_path / "g.pth", "googlenet", aux_logits=True, init_weights=False)
    model = torchvision_model(spec_of(), arch="googlenet", weights="g.pth")
    start = pretrained(model, "torchvision", fields(tmp_path / "g.pth", "googlenet"))
    assert start.unused
    assert all(key.startswith("aux") for key in start.unused)
    assert torch.equal(model.inception5b.branch1.conv.weight, theirs["inception5b.branch1.conv.weight"])
    torch.manual_seed(7)
    densenet = torchvision.models.densenet121()
    old = {
        key.replace("norm1.", "norm.1.").replace("conv2.", "conv.2.") if "denselayer" in key else key: tensor
        for key, tensor in densenet.state_dict().items()
        if "num_batches_tracked" not in key
    }
    torch.save(old, tmp_path / "d.pth")
    model = torchvision_model(spec_of(), arch="densenet121")
    start = pretrained(model, "torchvision", fields(tmp_path / "d.pth", "densenet121"))
    assert start.skipped.keys() == {"classifier.weight", "classifier.bias"}
    assert not start.unused
    assert torch.equal(
        model.features.denseblock1.denselayer2.norm1.weight, densenet.features.denseblock1.denselayer2.norm1.weight
    )


def test_weights_of_another_architecture(tmp_path: Path) -> None:
    weights = saved(tmp_path / "their.pth")
    weights["features.3.squeeze.weight"] = torch.zeros(1, 2, 3, 3)
    weights["extra"] = weights.pop("features.3.squeeze.bias")
    torch.save(weights, tmp_path / "their.pth")
    model = torchvision_model(spec_of(), arch=ARCH)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    with pytest.raises(ConfigError) as error:
        pretrained(model, "torchvision", fields(tmp_path / "their.pth"))
    text = error.value.message
    assert f"{tmp_path}/their.pth does not have the weights of {ARCH}" in text
    assert "1 missing (features.3.squeeze.bias); 1 not of this architecture (extra)" in text
    assert "1 of another shape (features.3.squeeze.weight (1, 2, 3, 3) there, (16, 64, 1, 1) here)" in text
    assert all(torch.equal(before[key], tensor) for key, tensor in model.state_dict().items())


def test_numbers_that_are_none(tmp_path: Path) -> None:
    weights = saved(tmp_path / "their.pth")
    weights["features.3.squeeze.bias"][5] = float("nan")
    torch.save(weights, tmp_path / "their.pth")
    with pytest.raises(DataError, match=r"their.pth: features.3.squeeze.bias has NaN or infinite numbers"):
        pretrained(torchvision_model(spec_of(), arch=ARCH), "torchvision", fields(tmp_path / "their.pth"))


def test_a_transformer_of_another_size(tmp_path: Path) -> None:
    with torch.device("meta"):
        model = torchvision_model(spec_of(), arch="vit_b_16")
        large = torchvision.models.vit_b_16(image_size=96)
    weights = {key: torch.zeros(1).expand(tensor.shape) for key, tensor in large.state_dict().items()}
    torch.save(weights, tmp_path / "vit.pth")
    with pytest.raises(ConfigError, match=r"1 of another shape \(encoder.pos_embedding \(1, 37, 768\)") as error:
        pretrained(model, "torchvision", fields(tmp_path / "vit.pth", "vit_b_16"))
    assert "data.resize=224" in error.value.hint


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that torch keeps published weights in."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


PUBLISHED = "squeezenet1_1-b8a52dc0.pth"


def test_a_name_is_looked_up_in_the_cache(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = torchvision_model(spec_of(), arch=ARCH)
    monkeypatch.setattr("torch.hub.download_url_to_file", lambda *_, **__: pytest.fail("nobody asked for a download"))
    with pytest.raises(ConfigError, match=f"{PUBLISHED} does not exist, and nothing is downloaded unasked") as error:
        pretrained(model, "torchvision", fields("DEFAULT"))
    assert "model.download=true" in error.value.hint
    saved(hub / PUBLISHED)
    with pytest.raises(
        DataError, match="is not the file that torchvision publishes under that name: its SHA-256 starts"
    ):
        pretrained(model, "torchvision", fields("DEFAULT"))
    digest = hashlib.sha256((hub / PUBLISHED).read_bytes()).hexdigest()
    monkeypatch.setattr("dltool.warm_start.pretrained.published_digest", lambda name: digest[:8])
    assert pretrained(model, "torchvision", fields("IMAGENET1K_V1")).source.path == hub / PUBLISHED
    with pytest.raises(ConfigError, match="torchvision has no such weights for squeezenet1_1") as error:
        pretrained(model, "torchvision", fields("imagenet1kv1"))
    assert error.value.hint == "did you mean model.weights=IMAGENET1K_V1?"


def test_a_download_is_asked_for_on_the_command_line(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(url: str, path: str, hash_prefix: str, progress: bool) -> None:
        asked.append((url.rpartition("/")[2], Path(path), hash_prefix))
        raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "00")')

    monkeypatch.setattr("torch.hub.download_url_to_file", fetch)
    with pytest.raises(DataError, match=r"download of https://.* failed: invalid hash value"):
        pretrained(torchvision_model(spec_of(), arch=ARCH), "torchvision", fields("DEFAULT", download=True))
    assert asked == [(PUBLISHED, hub / PUBLISHED, "b8a52dc0")]


def test_a_file_may_not_ask_for_a_download(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "theirs.yaml").write_text("# From a stranger.\nname: torchvision\ndownload: true\n")
    with pytest.raises(ConfigError, match=r"model\.download=true is a download"):
        check(compose(["model=theirs"], [tmp_path]))
    assert check(compose(["model=torchvision", "model.download=true"]))["model"]["download"] is True


def test_both_ways_to_begin(tmp_path: Path, configure: Callable[..., Config]) -> None:
    saved(tmp_path / "w.pth")
    config = configure("model=torchvision", f"model.arch={ARCH}", f"model.weights={tmp_path}/w.pth", "init_from=run")
    with pytest.raises(ConfigError, match="both choose the initial weights"):
        prepare(config)


def test_a_run_does_without_the_file_that_it_began_with(
    tmp_path: Path, dltool_here: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """Fine-tuned, then resumed, measured, used and exported after its weights are gone."""
    theirs = saved(tmp_path / "their.pth")
    root = write_every_image_set(tmp_path / "images")["image_folder"]
    model = ["model=torchvision", f"model.arch={ARCH}", "model.weights=their.pth", 'model.freeze=["*","!classifier"]']
    small = ["data=image_folder", f"data.root={root}", "data.size=64", "data.batch_size=4", "logger.plots=false"]
    done = dltool_here("train", *model, *small, "trainer.steps=2", "trainer.threads=1", "run.dir=run")
    assert done.returncode == 0, done.stderr
    assert "their.pth" in done.stderr
    digest = hashlib.sha256(Path("their.pth").read_bytes()).hexdigest()
    assert json.loads(Path("run/environment.json").read_text())["init_from"]["sha256"] == {"their.pth": digest}
    Path("their.pth").unlink()
    for words in (["resume", "run", "trainer.steps=3"], ["evaluate", "run"], ["predict", "run", "--input", str(root)]):
        done = dltool_here(*words)
        assert done.returncode == 0, done.stderr
    assert dltool_here("export", "run", "--format", "safetensors").returncode == 0
    exported = load_file("run/export/step-000003.safetensors")
    assert torch.equal(exported["features.3.squeeze.weight"], theirs["features.3.squeeze.weight"]), "it was frozen"
    again = dltool_here("train", "--from", "run")
    assert again.returncode == 2
    assert f"{tmp_path}/their.pth does not exist" in again.stderr
    started = dltool_here("train", *model[:2], *small, "init_from=run", "trainer.steps=1", "run.dir=next")
    assert started.returncode == 0, started.stderr
    shutil.rmtree("next")
