"""Every YAML under configs/ composes, lists every field of its component, builds and trains a batch."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dltool.build import build_trainer, prepare
from dltool.config.check import COMPONENT_GROUPS, Config
from dltool.config.compose import compose
from dltool.config.options import GROUPS, PRESETS, option_files, primary_directory, summary
from dltool.config.source import component, registrations
from dltool.runs.folder import RunFolder

OPTIONS = [(group, name) for group in GROUPS for name in option_files(group)]

# What an option needs beside itself, where the defaults (LeNet on digits) do not suit it.
COMPANIONS = {
    ("task", "gan"): ["model=gan"],
    ("task", "rosenblatt"): ["model=perceptron", "data=logic"],
    ("task", "least_squares"): ["model=linear", "optim=none", "data.batch_size=full", "trainer.epochs=1"],
    ("model", "perceptron"): ["data=logic"],
    ("loss", "minimax"): ["model=gan"],
    ("loss", "non_saturating"): ["model=gan"],
    ("loss", "rbf_map"): ["model=lenet5_1998"],
    ("loss", "binary_cross_entropy"): ["model=mlp", "data=moons"],
    ("loss", "huber"): ["model=mlp", "data=diabetes"],
    ("loss", "mae"): ["model=mlp", "data=diabetes"],
    ("optim", "none"): ["model=perceptron", "data=logic"],
    ("optim", "lbfgs"): ["model=mlp", "data.batch_size=full"],
    ("optim", "rprop"): ["schedule=constant"],
    **{("model", f"resnet{depth}"): ["model.width=4"] for depth in (20, 32, 44, 56, 110, 18, 34, 50, 101, 152)},
    **{("model", f"vgg{depth}{norm}"): ["model.width=8"] for depth in (11, 13, 16, 19) for norm in ("", "_bn")},
}
NEEDS_SPARSE_GRADIENTS = ("optim", "sparse_adam")


def overrides_for(group: str, name: str) -> list[str]:
    extra = list(COMPANIONS.get((group, name), []))
    if group == "data" and component("data", name).traits["inputs"] == "vector":
        extra.append("model=mlp")
    return [f"{group}={name}", *extra]


@pytest.fixture(scope="module")
def mnist_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few made-up images in the format and folders of MNIST and its likes."""
    root = tmp_path_factory.mktemp("mnist")
    draw = np.random.default_rng(0)
    for folder in ("MNIST", "FashionMNIST", "KMNIST"):
        raw = root / folder / "raw"
        raw.mkdir(parents=True)
        for split, count in (("train", 300), ("t10k", 100)):
            images = draw.integers(0, 256, (count, 28, 28), dtype=np.uint8)
            header = struct.pack(">IIII", 0x803, count, 28, 28)
            (raw / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + images.tobytes()))
            labels = (np.arange(count) % 10).astype(np.uint8)
            header = struct.pack(">II", 0x801, count)
            (raw / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(header + labels.tobytes()))
    return root


@pytest.fixture(scope="module")
def class_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few made-up pictures of two classes."""
    root = tmp_path_factory.mktemp("classes")
    pixels = np.random.default_rng(0).integers(0, 256, (60, 16, 16, 3), dtype=np.uint8)
    for i, image in enumerate(pixels):
        folder = root / "ab"[i % 2]
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f"{i}.png")
    return root


@pytest.mark.parametrize(("group", "name"), OPTIONS, ids=lambda x: x)
def test_trains_one_batch(
    group: str, name: str, configure: Callable[..., Config], tmp_path: Path, mnist_folder: Path, class_folders: Path
) -> None:
    if (group, name) == NEEDS_SPARSE_GRADIENTS:
        pytest.skip("no model here has sparse gradients; tests/optim takes it on an embedding")
    overrides = overrides_for(group, name)
    tree = compose(overrides).tree
    if "root" in tree["data"]:
        overrides.append(f"data.root={class_folders if name == 'image_folder' else mnist_folder}")
    if "path" in tree["data"]:
        (tmp_path / "table.csv").write_text("size,colour,y\n" + "1,red,a\n2,blue,b\n" * 50)
        overrides += [f"data.path={tmp_path / 'table.csv'}", "data.target=y"]
    parts = prepare(configure(*overrides))
    trainer = build_trainer(parts, RunFolder(tmp_path))
    before = {key: value.clone() for key, value in parts.task.model.state_dict().items()}
    parts.task.model.train()
    for _ in range(3):  # A warm-up's first step stands still.
        trainer.train_step()
    after = parts.task.model.state_dict()
    assert any((before[key] != after[key]).any() for key in before), "nothing was learned"
    assert all(value.isfinite().all() for value in after.values())


@pytest.mark.parametrize(("group", "name"), [o for o in OPTIONS if o[0] not in PRESETS], ids=lambda x: x)
def test_lists_every_field(group: str, name: str) -> None:
    """A reader of the YAML sees all that can be changed; where it is the component's own, the defaults too."""
    node = compose(overrides_for(group, name)).tree[group]
    declared = component(group, node["name"])
    assert list(node) == ["name", *declared.all_fields]
    if node["name"] == name:
        for key, field in declared.fields.items():  # A data set has its own batch size, scaling and splits.
            assert node[key] == field.default, f"{group}/{name}.yaml: {key}"


def test_the_root_lists_every_key_with_its_default() -> None:
    tree = compose([]).tree
    for key, field in component("root", "train").fields.items():
        assert tree[key] == field.default, key
        if isinstance(field.default, dict):
            assert list(tree[key]) == list(field.default)


@pytest.mark.parametrize("path", sorted(primary_directory().rglob("*.yaml")), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_begins_with_one_line_that_says_what_it_is(path: Path) -> None:
    assert 10 < len(summary(path)) < 110


def test_every_component_has_an_option() -> None:
    for group in COMPONENT_GROUPS:
        chosen = {compose(overrides_for(group, name)).tree[group]["name"] for name in option_files(group)}
        assert chosen == set(registrations()[group])


def test_every_file_is_an_option_of_a_group() -> None:
    for path in primary_directory().rglob("*.yaml"):
        assert path.name == "train.yaml" or path.parent.name in GROUPS
