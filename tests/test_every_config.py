"""Every YAML under configs/ composes, lists every field of its component, builds and trains a batch."""

import functools
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from synthetic_images import write_every_image_set
from synthetic_texts import write_every_text

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import COMPONENT_GROUPS, Config
from dltool.config.compose import compose
from dltool.declarations.options import GROUPS, PRESETS, option_files, primary_directory, summary
from dltool.declarations.source import Component, component, registrations
from dltool.runs.folder import RunFolder

OPTIONS = [(group, name) for group in GROUPS for name in option_files(group)]

# What an option needs beside itself, where the defaults (LeNet on digits) do not suit it.
COMPANIONS = {
    ("task", "gan"): ["model=gan"],
    ("task", "autoencoder"): ["model=autoencoder"],
    ("task", "vae"): ["model=vae"],
    ("task", "diffusion"): ["model=unet"],
    ("loss", "bernoulli"): ["model=vae"],
    ("loss", "gaussian"): ["model=vae"],
    ("task", "cyclegan"): ["model=cyclegan", "data=digit_pairs", "model.width=4", "model.blocks=1"],
    ("task", "stylegan2"): ["model=stylegan2"],
    ("optim", "adam_stylegan2"): ["model=stylegan2"],
    ("task", "rosenblatt"): ["model=perceptron", "data=logic"],
    ("task", "least_squares"): ["model=linear", "optim=none", "data.batch_size=full", "trainer.epochs=1"],
    ("task", "language_model"): ["data=pydoc", "model=gpt"],
    ("task", "tagging"): ["data=conllu", "model=transformer_encoder"],
    ("task", "cloze"): ["data=pydoc", "model=transformer_encoder"],
    ("task", "translation"): ["data=numbers", "model=transformer"],
    ("data", "gaussians_1d"): ["model=gan"],
    ("data", "digits_rows"): ["model=lstm"],
    ("data", "caption_digits"): ["model=lstm"],
    ("data", "digit_pairs"): ["model=cyclegan", "model.width=4", "model.blocks=1"],
    ("data", "unpaired_folders"): ["model=cyclegan", "model.width=4", "model.blocks=1"],
    ("model", "cyclegan"): ["data=digit_pairs"],
    ("model", "perceptron"): ["data=logic"],
    ("loss", "minimax"): ["model=gan"],
    **{
        ("loss", loss): ["model=gan"]
        for loss in (
            *("non_saturating", "non_saturating_r1", "least_squares_gan", "hinge_gan", "relativistic"),
            *("wasserstein", "wasserstein_gp"),
        )
    },
    ("loss", "rbf_map"): ["model=lenet5_1998"],
    ("loss", "binary_cross_entropy"): ["model=mlp", "data=moons"],
    ("loss", "huber"): ["model=mlp", "data=diabetes"],
    ("loss", "mae"): ["model=mlp", "data=diabetes"],
    ("optim", "none"): ["model=perceptron", "data=logic"],
    ("optim", "sparse_adam"): ["model=word2vec", "data=corpus", "model.sparse=true"],
    ("task", "word2vec"): ["model=word2vec", "data=corpus"],
    ("loss", "negative_sampling"): ["model=word2vec", "data=corpus"],
    ("loss", "hierarchical_softmax"): ["model=word2vec", "data=corpus"],
    ("optim", "lbfgs"): ["model=mlp", "data.batch_size=full"],
    ("optim", "rprop"): ["schedule=constant"],
    ("experiment", "resnet18_hymenoptera_frozen"): ["init_from=null"],  # A file to be had from PyTorch's server.
    **{("model", f"resnet{depth}"): ["model.width=4"] for depth in (20, 32, 44, 56, 110, 18, 34, 50, 101, 152)},
    **{("model", f"vgg{depth}{norm}"): ["model.width=8"] for depth in (11, 13, 16, 19) for norm in ("", "_bn")},
}
# A model for the data that lenet does not take, and data for the models of sequences.
MODELS = {
    "vector": "mlp",
    "classes": "transformer_encoder",
    "numbers": "transformer_encoder",
    "tags": "transformer_encoder",
    "next_token": "gpt",
    "sequence": "transformer",
    "none": "word2vec",
}
DATA = {
    "language_model": ["data=pydoc"],
    "translation": ["data=numbers"],
    "word2vec": ["data=corpus"],
    "supervised": ["data=text_csv"],
}
# What makes a training of three steps short, where a model or its images are large, and lets the few images be a batch.
SMALL = {
    **{
        option: ["model.width=2", "model.max_width=4", "model.latent_dim=4", "model.w_dim=4", "data.batch_size=8"]
        for option in (
            *(("model", "stylegan2"), ("task", "stylegan2"), ("optim", "adam_stylegan2")),
            ("experiment", "stylegan2_mnist"),
        )
    },
    ("model", "r3gan"): ["model.width=8", "model.max_width=16", "model.blocks=1", "data.batch_size=8"],
    ("experiment", "r3gan_mnist"): ["model.width=8", "model.max_width=16", "model.blocks=1", "data.batch_size=8"],
    **{
        option: ["loss.burst_steps=5", "data.batch_size=8"]
        for option in (("model", "wgan"), ("loss", "wasserstein"), ("experiment", "wgan_mnist"))
    },
    ("model", "airbench"): ["model.widths=[8,16,16]"],
    ("model", "cyclegan"): ["data.batch_size=2", "model.width=4", "model.discriminator_width=8"],
    ("experiment", "airbench_cifar10"): ["data.batch_size=8", "model.widths=[8,16,16]"],
    ("experiment", "resnet110_cifar10"): ["data.batch_size=8", "model.width=4"],
    ("experiment", "vgg16_bn_cifar10"): ["data.batch_size=8", "model.width=8"],
    ("model", "alexnet"): ["data.batch_size=2", "model.without=[fc6,fc7]"],
    ("model", "alexnet_torchvision"): ["data.batch_size=2", "data.resize=64", "model.without=[fc6,fc7]"],
    ("model", "torchvision"): ["data.batch_size=2", "model.arch=squeezenet1_1"],
    ("model", "timm"): ["data.batch_size=2", "model.arch=test_resnet"],
    **{("experiment", f"resnet18_hymenoptera{form}"): ["data.size=64"] for form in ("", "_frozen")},
    ("data", "stacked_mnist"): ["data.num_samples=200", "data.num_test_samples=50"],
    **{("data", name): ["data.num_samples=300"] for name in ("sorting", "reversal", "numbers")},
}


def image_options(group: str) -> list[str]:
    """Options that take or give images; those of captions and of two domains are for a few models only."""
    traits = {option: component_of(group, option).traits for option in option_files(group)}
    special = ("sequence", "images")
    traits = {
        o: t
        for o, t in traits.items()
        if getattr(t, "targets", None) not in special and getattr(t, "tasks", None) != ("cyclegan",)
    }
    return [option for option, t in traits.items() if t.inputs in ("image", "any")]


def component_of(group: str, option: str) -> Component:
    """By the `name:` in the option's file; many options can be of one component."""
    name = re.search(r"^ *name: *(\w+)", option_files(group)[option].read_text(encoding="utf-8"), re.MULTILINE)
    assert name
    return component(group, name[1])


def overrides_for(group: str, name: str) -> list[str]:
    extra = list(COMPANIONS.get((group, name), []))
    if group == "data" and not any(word.startswith("model=") for word in extra):
        traits = component_of("data", name).traits
        needed = traits.targets if traits.inputs == "sequence" else traits.inputs
        extra += [f"model={model}" for kind, model in MODELS.items() if kind == needed]
    if group == "model" and component_of("model", name).traits.inputs == "sequence":
        extra += DATA[component_of("model", name).traits.tasks[0]]
    return [f"{group}={name}", *extra]


@functools.cache
def composed_tree(group: str, name: str) -> dict[str, Any]:
    return compose(overrides_for(group, name)).tree


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The value of data.root for each data option that reads images: a few made-up ones in the official formats."""
    return write_every_image_set(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """The fields of each data option that reads texts or tables: small made-up ones."""
    folder = tmp_path_factory.mktemp("texts")
    (folder / "table.csv").write_text("size,colour,y\n" + "1,red,a\n2,blue,b\n" * 50)
    table = {"path": str(folder / "table.csv"), "target": "y"}
    return {"csv": table, **write_every_text(folder)}


@pytest.mark.parametrize(("group", "name"), OPTIONS, ids=lambda x: x)
def test_trains_one_batch(
    group: str,
    name: str,
    configure: Callable[..., Config],
    tmp_path: Path,
    roots: dict[str, Path],
    fields: dict[str, dict[str, object]],
) -> None:
    overrides = [*overrides_for(group, name), *SMALL.get((group, name), [])]
    tree = composed_tree(group, name)
    if group == "experiment" and tree["task"].get("features"):
        overrides.append("task.metrics=null")  # For which a classifier would be trained.
    if tree["data"]["name"] in roots:
        overrides.append(f"data.root={roots[tree['data']['name']]}")
    overrides += [f"data.{key}={value}" for key, value in fields.get(tree["data"]["name"], {}).items()]
    if name == "timm":
        pytest.importorskip("timm")
    learns(configure(*overrides), tmp_path, num_steps=3)  # A warm-up's first step stands still.


@pytest.mark.slow
@pytest.mark.parametrize(("model", "data"), list(product(image_options("model"), image_options("data"))))
def test_every_image_model_on_every_image_data(
    model: str, data: str, configure: Callable[..., Config], tmp_path: Path, roots: dict[str, Path]
) -> None:
    """One line trains any of them on any: sizes, channels and classes follow by themselves."""
    root = [f"data.root={roots[data]}"] if data in roots else []
    if model == "timm":
        pytest.importorskip("timm")
    config = configure(f"model={model}", f"data={data}", "data.batch_size=8", "schedule=constant", *root)
    learns(config, tmp_path, num_steps=1)


def learns(config: Config, folder: Path, num_steps: int) -> None:
    """Train so many steps; some parameter must have changed, and none may be infinite or no number."""
    parts = prepare(config)
    trainer = build_trainer(parts, RunFolder(folder))
    before = {key: value.clone() for key, value in parts.task.model.state_dict().items()}
    parts.task.model.train()
    for _ in range(num_steps):
        trainer.train_step()
    after = parts.task.model.state_dict()
    assert any((before[key] != after[key]).any() for key in before), "nothing was learned"
    assert all(value.isfinite().all() for value in after.values())


@pytest.mark.parametrize(("group", "name"), [o for o in OPTIONS if o[0] not in PRESETS], ids=lambda x: x)
def test_lists_every_field(group: str, name: str) -> None:
    """A reader of the YAML sees all that can be changed; where it is the component's own, the defaults too."""
    node = composed_tree(group, name)[group]
    assert node["name"] == component_of(group, name).name
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
        chosen = {component_of(group, name).name for name in option_files(group)}
        assert chosen == set(registrations()[group])


def test_every_file_is_an_option_of_a_group() -> None:
    for path in primary_directory().rglob("*.yaml"):
        assert path.name == "train.yaml" or path.parent.name in GROUPS
