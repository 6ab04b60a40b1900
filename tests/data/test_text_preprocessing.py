"""What turns the texts of a run's users into tokens."""

import json
from dataclasses import replace

import pytest

from dltool.core.errors import DataError
from dltool.core.spec import BEGIN, PAD, SPECIAL_TOKENS, UNKNOWN, DataSpec
from dltool.data.fitted import Fitted, from_json, to_json
from dltool.data.text_preprocessing import TextPreprocessing, padded
from dltool.text.fitting import fit_tokenizer
from dltool.text.tokenizer import TokenizerSettings

TOKENIZER = fit_tokenizer(TokenizerSettings(kind="char"), ["abc", "汉"], SPECIAL_TOKENS)
A, B, C, HAN = range(4, 8)
PREPROCESSING = TextPreprocessing(TOKENIZER.to_json(), max_length=4)


def test_texts_become_padded_tokens():
    assert PREPROCESSING(["ab", "c汉ba", "x"]).tolist() == [[A, B, PAD, PAD], [C, HAN, B, A], [UNKNOWN, PAD, PAD, PAD]]
    assert replace(PREPROCESSING, begin=True)(["ab"]).tolist() == [[BEGIN, A, B]]


def test_longer_texts_are_cut_or_refused():
    with pytest.raises(DataError, match="text 2 has 5 tokens, but the model takes at most 4"):
        PREPROCESSING(["a", "abcab"])
    with pytest.raises(DataError, match="line 7 has 5 tokens"):
        PREPROCESSING(["abcab"], names=["line 7"])
    assert replace(PREPROCESSING, cut=True)(["abcab"]).tolist() == [[A, B, C, A]]


def test_empty_texts_are_refused():
    with pytest.raises(DataError, match="text 2 is empty"):
        PREPROCESSING(["a", ""])


def test_saved_and_loaded_it_is_the_same():
    spec = DataSpec((4,), "sequence", num_tokens=8, padded=True, target_tokenizer=TOKENIZER.to_json())
    saved = json.loads(json.dumps(to_json(replace(PREPROCESSING, begin=True), spec)))
    assert from_json(saved, "run") == Fitted(replace(PREPROCESSING, begin=True), spec)
    assert from_json(saved, "run").preprocessing(["汉a"]).tolist() == [[BEGIN, HAN, A]]


def test_padding():
    assert padded([[1, 2], [], [3]], value=-100).tolist() == [[1, 2], [-100, -100], [3, -100]]
    assert padded([]).shape == (0, 0)
