"""What all kinds of preprocessing offer."""

from pathlib import Path

import pytest
import torch

from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import DataSpec
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.data.preprocessing import Preprocessing
from dltool.data.series_preprocessing import SeriesPreprocessing
from dltool.data.table_columns import CategoryColumn, NumberColumn
from dltool.data.table_preprocessing import TablePreprocessing
from dltool.data.text_preprocessing import TextPreprocessing
from dltool.text.fitting import fit_tokenizer
from dltool.text.tokenizer import STREAM_SPECIALS, TokenizerSettings

TOKENIZER = fit_tokenizer(TokenizerSettings(kind="word"), ["a b c a b a"], STREAM_SPECIALS)
EVERY: dict[str, Preprocessing] = {
    "image": ImagePreprocessing(3, (8, 6), (10, 8), (100.0,) * 3, (0.5,) * 3),
    "table": TablePreprocessing((NumberColumn("n", 1.0, 2.0), CategoryColumn("c", ("x", "y", "z")))),
    "series": SeriesPreprocessing(("up", "down"), 4, (0.0, 0.0), (1.0, 1.0)),
    "text": TextPreprocessing(TOKENIZER.to_json(), 5),
}
SHAPES = {"image": (3, 10, 8), "table": (4,), "series": (4, 2), "text": (5,)}


@pytest.mark.parametrize("kind", EVERY)
def test_examples_are_inputs_of_the_model_and_always_the_same(kind: str) -> None:
    preprocessing = EVERY[kind]
    inputs = preprocessing.example_inputs(7)
    assert inputs.shape == (7, *SHAPES[kind])
    assert torch.equal(inputs, preprocessing.example_inputs(7))
    assert preprocessing.describe()


@pytest.mark.parametrize("kind", EVERY)
def test_it_says_what_it_gives(kind: str) -> None:
    preprocessing = EVERY[kind]
    assert preprocessing.gives_pixels == (kind == "image")
    assert preprocessing.reads_texts == (kind == "text")
    assert bool(preprocessing.input_tokenizer) == (kind == "text")
    assert bool(preprocessing.completed(DataSpec((1,))).pixel_factor) == (kind == "image")
    if kind != "image":
        with pytest.raises(NotImplementedError, match="gives no pixels"):
            preprocessing.pixels(torch.zeros(1))
    if kind != "text":
        with pytest.raises(NotImplementedError, match="reads no texts"):
            preprocessing.encode_texts(["a"])


@pytest.mark.parametrize(("kind", "message"), [("table", "c holds categories"), ("series", "scaling of a series"),
                                               ("text", "does not take text")])  # fmt: skip
def test_what_no_graph_can_hold_is_refused(kind: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EVERY[kind].raw_front()


def test_pixels_there_and_back() -> None:
    images = torch.randint(0, 256, (2, 3, 10, 8), dtype=torch.uint8)
    preprocessing = ImagePreprocessing(3, (10, 8), (10, 8), (100.0,) * 3, (0.5,) * 3)
    assert torch.equal(preprocessing.pixels(preprocessing.from_pixels(images)).round().to(torch.uint8), images)


def test_texts_for_a_trained_model(tmp_path: Path) -> None:
    texts = EVERY["text"]
    assert texts.for_inference(any_length=False, with_blanks=False) is texts
    with pytest.raises(DataError, match="at most 5"):
        texts.encode_texts(["a b c a b c"])
    longer = texts.for_inference(any_length=True, with_blanks=False)
    assert longer.encode_texts(["a b c a b c"]).shape == (1, 6)
    blanks = texts.for_inference(any_length=False, with_blanks=True)
    assert [names for names, _ in blanks.read(["a ___", "___ b"], 1)] == [["a ___"], ["___ b"]]
    with pytest.raises(DataError, match="text 2 has no blank: 'b'"):
        list(blanks.read(["a ___", "b"], 1))  # By its number among all, not in its batch.
