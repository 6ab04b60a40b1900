"""A text as a stream of tokens: its splits, its vocabulary, what is refused."""

import re

import pytest
import torch

from dltool.core.errors import DataError
from dltool.data.fitted import Fitted
from dltool.data.stream_data import RawText, StreamData
from dltool.data.text import tang
from dltool.text.tokenizer import TokenizerSettings

CPU = torch.device("cpu")
TEXT = "abcdefghij" * 90 + "klmnopqrst" * 10


def prepared(raw=None, traits=None, **settings):
    data = StreamData(lambda: raw or RawText(TEXT), **{"length": 8, "batch_size": 4} | settings)
    data.prepare(0, CPU, traits)
    return data


def test_the_end_is_held_out_and_its_letters_are_unknown():
    data = prepared(val_fraction=0.05, test_fraction=0.05)
    assert data.sizes == {"train": 900, "val": 50, "test": 50}
    assert data.spec.num_tokens == data.spec.num_target_tokens == 11  # a … j and <unk>.
    decode = data.preprocessing.tokenizer.decode
    assert decode(data.streams["train"].tolist()) == TEXT[:900]
    assert set(decode(data.streams["test"].tolist())) == {"\N{REPLACEMENT CHARACTER}"}
    assert "50 of the 50 tokens of the test split are not in the vocabulary" in data.notes


def test_official_splits_stay_whole():
    data = prepared(RawText(TEXT, val="abc" * 5), val_fraction=0.5, test_fraction=0.1)
    assert data.sizes == {"train": 900, "val": 15, "test": 100}


def test_batching_follows_the_model_and_is_a_choice():
    columns = prepared(traits={"batching": "columns"})
    assert columns.choices == {"data.batching": "columns"}
    columns.train.draw()
    assert columns.train.draw().continues
    crops = prepared(batching="crops", traits={"batching": "columns"})
    assert crops.choices == {}
    crops.train.draw()
    assert not crops.train.draw().continues


def test_automatic_tokens_of_a_text_are_characters():
    data = prepared(tokenizer=TokenizerSettings(kind="auto"))
    assert data.choices["data.tokenizer.kind"] == "char"


def test_a_run_reads_other_texts_with_its_vocabulary():
    data = prepared()
    other = StreamData(lambda: RawText("jihz"), length=2, batch_size=1)
    other.prepare(0, CPU, fitted=Fitted(data.preprocessing, data.spec), cut=False)
    assert other.sizes == {"train": 4}
    assert data.preprocessing.tokenizer.decode(other.streams["train"].tolist()) == "jih\N{REPLACEMENT CHARACTER}"
    assert other.spec == data.spec


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        ({"length": 1000}, "has 900 tokens, too few for data.length=1000", "data.length=899"),
        (
            {"length": 300, "batching": "columns"},
            "has 900 tokens, too few for 4 rows of data.length=300",
            "data.length=224",
        ),
        ({"val_fraction": 0.0001}, "data.val_fraction=0.0001 of the 1,000 characters", "data.val_fraction=0"),
    ],
)
def test_too_short_texts_say_how_long_they_are(settings, message, hint):
    with pytest.raises(DataError, match=message) as error:
        prepared(**settings)
    assert error.value.hint == hint


def test_a_split_of_one_token_is_refused():
    with pytest.raises(DataError, match="the val split of text has 1 tokens"):
        prepared(val_fraction=0.001)


@pytest.mark.parametrize(
    ("size", "batch", "hint"), [(113, 32, "data.batch_size=4 data.length=25"), (900, 32, "data.length=25")]
)
def test_a_poem_gets_batches_that_it_fills(size, batch, hint):
    def load(**settings):
        return prepared(RawText(TEXT[:size]), batch_size=batch, batching="columns", **settings)

    with pytest.raises(DataError, match="too few for 32 rows") as error:
        load(length=64)
    assert error.value.hint == hint
    given = {key.removeprefix("data."): int(value) for key, value in (word.split("=") for word in hint.split())}
    prepared(RawText(TEXT[:size]), batching="columns", **{"batch_size": batch} | given)


def test_the_share_of_unknown_words_is_a_note():
    text = "a b c d " * 50 + "a x y z " * 5
    data = prepared(RawText(text), tokenizer=TokenizerSettings(kind="word"))
    assert "not in the vocabulary (data.tokenizer): 68.2% of the val words" in data.notes
    assert any("data.tokenizer.kind=char" in note for note in data.notes if note.startswith("warning: "))
    alike = prepared(RawText("a b c d " * 50), tokenizer=TokenizerSettings(kind="word"))
    assert "not in the vocabulary (data.tokenizer): 0.0% of the val words" in alike.notes
    assert not any(note.startswith("warning: ") for note in alike.notes)


def test_the_quatrains_have_four_lines_of_five_characters():
    poems = tang().train.strip().split("\n\n")
    assert len(poems) == 3757
    verse = r"[^，。\n]{5}"
    assert all(re.fullmatch(f"{verse}，{verse}。\n{verse}，{verse}。", poem) for poem in poems)
    data = StreamData(tang)
    data.prepare(0, CPU)
    assert data.spec.num_tokens > 3000
