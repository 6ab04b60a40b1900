"""Every option of configs/data: what it declares of itself is what it loads."""

from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
import torch
import yaml
from made_up_images import write_every_image_set

from dltool.config.source import component
from dltool.data.augment import Augmentation

OPTIONS = sorted((Path(__file__).resolve().parents[2] / "configs" / "data").glob("*.yaml"))


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    return write_every_image_set(tmp_path_factory.mktemp("images"))


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: path.stem)
def test_option_loads_what_its_traits_declare(path, roots):
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    option = component("data", config.pop("name"))
    assert list(config) == list(option.all_fields)
    if option.name == "csv":
        pytest.skip("needs a file; see test_csv_table.py")
    if "root" in config:
        config["root"] = str(roots[path.stem])
    if "augment" in config:
        config["augment"] = Augmentation(**config["augment"])

    load = getattr(import_module(option.module), option.attribute)
    build = getattr(import_module(option.shared_module), option.shared_class)
    own = {key: config[key] for key in option.fields}
    data = build(partial(load, **own), **{key: config[key] for key in option.shared_fields})
    data.prepare(0, torch.device("cpu"))

    assert data.spec.target == option.traits["targets"]
    assert len(data.spec.input_shape) == {"image": 3, "vector": 1}[option.traits["inputs"]]
    assert set(data.sizes) == {"train", "val", "test"} - ({"test"} if option.name == "imagenet" else set())
    batch = data.train.draw()
    assert batch.inputs.shape[1:] == data.spec.input_shape
    assert batch.inputs.isfinite().all()
