"""Every option of configs/data: what it declares of itself is what it loads."""

from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
import torch
import yaml

from dltool.config.source import component
from dltool.data.augment import Augmentation

OPTIONS = sorted((Path(__file__).resolve().parents[2] / "configs" / "data").glob("*.yaml"))
FROM_A_FOLDER = {"mnist", "fashion_mnist", "kmnist", "csv", "image_folder"}


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: path.stem)
def test_option_loads_what_its_traits_declare(path):
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    option = component("data", config.pop("name"))
    assert list(config) == list(option.all_fields)
    if option.name in FROM_A_FOLDER:
        pytest.skip("needs files; see test_mnist.py, test_csv_table.py, test_image_folder.py")
    if "augment" in config:
        config["augment"] = Augmentation(**config["augment"])

    load = getattr(import_module(option.module), option.attribute)
    build = getattr(import_module(option.shared_module), option.shared_class)
    own = {key: config[key] for key in option.fields}
    data = build(partial(load, **own), **{key: config[key] for key in option.shared_fields})
    data.prepare(0, torch.device("cpu"))

    assert data.spec.target == option.traits["targets"]
    assert len(data.spec.input_shape) == {"image": 3, "vector": 1}[option.traits["inputs"]]
    assert set(data.sizes) == {"train", "val", "test"}
    batch = data.train.draw()
    assert batch.inputs.shape[1:] == data.spec.input_shape
    assert batch.inputs.isfinite().all()
