import json

import pytest
import torch

from dltool.core.errors import DataError
from dltool.data.augment import Augmentation
from dltool.data.builtin import digits
from dltool.data.fitted import from_json, to_json
from dltool.data.image_data import ImageData
from dltool.data.image_preprocessing import ImagePreprocessing


@pytest.mark.parametrize("model_traits", [{}, {"min_size": 32, "native_size": 32}, {"min_size": 10}])
def test_raw_images_become_what_the_evaluation_sees(model_traits):
    data = ImageData(digits, val_fraction=0.0, test_fraction=0.0)
    data.prepare(0, torch.device("cpu"), model_traits)
    saved = json.loads(json.dumps(to_json(data.preprocessing, data.spec)))
    loaded, spec = from_json(saved, "preprocessing.json")
    assert (loaded, spec) == (data.preprocessing, data.spec)
    raw = digits(torch.Generator()).train.inputs[:512]
    assert loaded(raw).equal(next(data.evaluation("train")).inputs)


def test_other_sizes_and_channels():
    grey = ImagePreprocessing(1, (8, 8), (12, 12), (0.0,), (1.0,))
    prepared = grey([torch.full((3, 40, 20), 100, dtype=torch.uint8), torch.full((1, 8, 8), 7, dtype=torch.uint8)])
    assert prepared.shape == (2, 1, 12, 12)
    assert prepared[0, 0, 2:10, 2:10].eq(100).all()  # Interpolated to 8×8, then padded as in training.
    assert prepared[0, 0, :2].eq(0).all()
    colour = ImagePreprocessing(3, (8, 8), (8, 8), (0.0,) * 3, (0.5,) * 3)
    assert colour(torch.full((2, 1, 8, 8), 6, dtype=torch.uint8)).eq(3).all()


@pytest.mark.parametrize("images", [[], [torch.zeros(1, 8, 8)], [torch.zeros(4, 8, 8, dtype=torch.uint8)]])
def test_what_is_no_image_is_refused(images):
    with pytest.raises(DataError):
        ImagePreprocessing(1, (8, 8), (8, 8), (0.0,), (1.0,))(images)


def test_given_statistics_are_saved():
    data = ImageData(digits, mean=[0.3], std=[0.4])
    data.prepare(0, torch.device("cpu"))
    saved = data.preprocessing.to_dict()
    assert (saved["shift"], saved["factor"]) == (pytest.approx((76.5,)), pytest.approx((1 / 102,)))
    assert data.choices["data.scaling"] == "standardize"
    assert data.train.draw().inputs.min() == pytest.approx(-0.75)


@pytest.mark.parametrize(("task", "margins"), [(None, False), ("symmetric", True)])
def test_augmentation_is_said_and_its_margins_to_those_who_generate(task, margins):
    data = ImageData(digits, augment=Augmentation(shift=1, flip=True))
    data.prepare(0, torch.device("cpu"), pixel_scaling=task)
    assert "training images are augmented: shift 1, flip (data.augment)" in data.notes
    assert any("black margins" in note for note in data.notes) == margins
    data = ImageData(digits)
    data.prepare(0, torch.device("cpu"), pixel_scaling=task)
    assert not any("vary" in note for note in data.notes)


def test_inputs_look_as_they_did() -> None:
    raw = torch.randint(0, 256, (4, 3, 5, 6), dtype=torch.uint8)
    preprocessing = ImagePreprocessing(3, (5, 6), (5, 6), (120.0, 110.0, 100.0), (0.02, 0.015, 0.01))
    assert torch.allclose(preprocessing.pixels(preprocessing(raw)), raw.float(), atol=1e-3)
