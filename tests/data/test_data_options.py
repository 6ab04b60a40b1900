"""Every option of configs/data: what it declares of itself is what it loads."""

from pathlib import Path

import pytest
import torch
import yaml
from synthetic_images import write_every_image_set
from synthetic_texts import write_every_text

from dltool.declarations.construct import build_component
from dltool.declarations.source import component

OPTIONS = sorted((Path(__file__).resolve().parents[2] / "configs" / "data").glob("*.yaml"))


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    return write_every_image_set(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    return write_every_text(tmp_path_factory.mktemp("texts"))


@pytest.mark.parametrize("path", OPTIONS, ids=lambda path: path.stem)
def test_option_loads_what_its_traits_declare(path, roots, texts):
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config = config.get("data", config)  # One that chooses a task too.
    option = component("data", config.pop("name"))
    assert list(config) == list(option.all_fields)
    if option.name == "csv":
        pytest.skip("needs a file; see test_csv_table.py")
    if path.stem in roots:
        config["root"] = str(roots[path.stem])
    data = build_component(option, config | texts.get(path.stem, {}))
    data.prepare(0, torch.device("cpu"))

    assert data.spec.target == option.traits.targets
    no_test = option.name == "imagenet" or ("num_folds" not in config and config.get("test_fraction", 0.0) == 0.0)
    assert set(data.sizes) == {"train", "val", "test"} - ({"test"} if no_test else set())
    batch = data.train.draw()
    assert len(batch.inputs) == len(batch.targets)
    if data.spec.num_tokens:
        assert option.traits.inputs == "sequence"
        assert batch.inputs.shape[1] <= data.spec.input_shape[0]
        assert 0 <= batch.inputs.min() <= batch.inputs.max() < data.spec.num_tokens
        return
    assert len(data.spec.input_shape) == {"image": 3, "vector": 1, "sequence": 2}[option.traits.inputs]
    assert batch.inputs.shape[1:] == data.spec.input_shape
    assert batch.inputs.isfinite().all()
