"""Which words are near a word."""

import pytest
import torch

from dltool.core.errors import DataError
from dltool.core.spec import DataSpec
from dltool.inference.similar import nearest_words
from dltool.models.word2vec import Word2Vec
from dltool.text.fitting import fit_tokenizer
from dltool.text.tokenizer import STREAM_SPECIALS, TokenizerSettings

TOKENIZER = fit_tokenizer(
    TokenizerSettings(kind="word", lower=True), ["house house house house flat flat flat hut hut tree"], STREAM_SPECIALS
)


def vectors() -> torch.Tensor:
    made = Word2Vec(DataSpec((1,), num_tokens=5), dim=2)
    with torch.no_grad():  # <unk>, house, flat, hut, tree; <unk> is as near as can be, and no word.
        made.inputs.weight.copy_(torch.tensor([[1.0, 0], [1, 0], [3, 3], [5, 1], [-1, 0]]))
    return made.inputs.weight.detach()


def test_the_nearest_come_first_and_the_word_itself_not() -> None:
    found = nearest_words(vectors(), TOKENIZER, "House", 2)
    assert [word for word, _ in found] == ["hut", "flat"]
    assert [cosine for _, cosine in found] == pytest.approx([5 / 26**0.5, 0.5**0.5])
    assert [word for word, _ in nearest_words(vectors(), TOKENIZER, "house", 99)] == ["hut", "flat", "tree"]


@pytest.mark.parametrize(("word", "said", "hint"), [("hous", "not in the vocabulary", "--similar house"),
                                                    ("my house", "2 words", "--similar"),
                                                    ("", "0 words", "--similar")])  # fmt: skip
def test_what_is_no_known_word_is_refused(word: str, said: str, hint: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        nearest_words(vectors(), TOKENIZER, word, 3)
    assert hint in str(caught.value.hint)
