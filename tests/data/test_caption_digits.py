"""Handwritten digits and their names."""

import pytest
import torch

from dltool.core.errors import ConfigError
from dltool.core.randomness import generator
from dltool.core.spec import BEGIN, END, PAD
from dltool.data.augment import Augmentation
from dltool.data.builtin import digits
from dltool.data.caption_data import CaptionData
from dltool.data.caption_digits import caption_digits
from dltool.data.fitted import Fitted
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.text.fitting import load_tokenizer

NAMES = {"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9}


def label_of_each_image():
    whole = digits(torch.Generator()).train
    return {image.numpy().tobytes(): int(label) for image, label in zip(whole.inputs[:, 0], whole.targets, strict=True)}


def test_names_are_those_of_the_digits_and_no_image_stands_in_two_splits():
    known, seen = label_of_each_image(), {}
    raw = caption_digits(generator(0, "data"), count=3, num_samples=200)
    for name, split in raw.splits.items():
        assert split.inputs.shape == ({"train": 200, "val": 20, "test": 20}[name], 1, 8, 24)
        seen[name] = set()
        for images, row in zip(split.inputs[:, 0], split.targets.tolist(), strict=True):
            tiles = [images[:, i : i + 8].contiguous().numpy().tobytes() for i in (0, 8, 16)]
            assert [NAMES[word] for word in raw.texts.targets[row].split()] == [known[tile] for tile in tiles]
            seen[name] |= {*tiles}
    assert not seen["train"] & (seen["val"] | seen["test"])
    assert not seen["val"] & seen["test"]


@pytest.mark.parametrize(("language", "names"), [("chinese", "零一二三四五六七八九"), ("german", "null zwei fünf")])
def test_other_languages(language, names):
    raw = caption_digits(generator(0, "data"), count=1, language=language, num_samples=100)
    assert {*(names if language == "chinese" else names.split())} <= {*raw.texts.targets}


def prepared(fitted=None, **settings):
    data = CaptionData(lambda rng: caption_digits(rng, num_samples=100), val_fraction=0, test_fraction=0, **settings)
    data.prepare(0, torch.device("cpu"), fitted=fitted)
    return data


def test_batches_are_scaled_images_and_padded_texts():
    data = prepared()
    batch = data.train.draw()
    assert batch.inputs.shape == (64, 1, 8, 16)
    assert batch.targets.shape == (64, data.spec.max_target_length)
    assert batch.targets.dtype == torch.int64
    for row in batch.targets.tolist():
        told = [token for token in row if token != PAD]
        assert (told[0], told[-1]) == (BEGIN, END)
        assert {*load_tokenizer(data.spec.target_tokenizer).decode(told).split()} <= NAMES.keys()
    assert isinstance(data.preprocessing, ImagePreprocessing)
    again = prepared(Fitted(data.preprocessing, data.spec))
    assert torch.equal(again.splits["test"].targets, data.splits["test"].targets)
    assert torch.equal(next(again.evaluation("test")).inputs, next(data.evaluation("test")).inputs)


def test_texts_cannot_be_mixed():
    with pytest.raises(ConfigError, match="these are texts"):
        prepared(augment=Augmentation(mixup=0.2))
