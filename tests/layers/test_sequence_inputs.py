"""Tokens, rows and images as sequences of vectors."""

import pytest
import torch

from dltool.core.errors import ConfigError
from dltool.core.spec import UNKNOWN, DataSpec
from dltool.layers.sequence_inputs import SequenceInputs

SENTENCES = DataSpec((6,), target="tags", num_tokens=20, padded=True, output_dim=3)
TOKENS = torch.tensor([[5, 6, 7, 0], [8, 0, 0, 0]])


def test_an_image_is_read_from_top_to_bottom() -> None:
    image = torch.arange(24.0).view(1, 2, 3, 4)  # (B, C, H, W)
    reader = SequenceInputs(DataSpec((2, 3, 4)), 5)
    rows, mask = reader(image)
    assert mask is None
    assert reader.output_dim == 8
    assert rows[0].tolist() == [[*image[0, 0, y].tolist(), *image[0, 1, y].tolist()] for y in range(3)]


def test_rows_of_numbers_stay() -> None:
    rows = torch.randn(2, 7, 3)
    reader = SequenceInputs(DataSpec((7, 3)), 5, dropout=0.5)
    assert reader.output_dim == 3
    assert torch.equal(reader(rows)[0], rows)


def test_padding_is_masked_and_zero() -> None:
    vectors, mask = SequenceInputs(SENTENCES, 4)(TOKENS)
    assert mask.tolist() == [[True, True, True, False], [True, False, False, False]]
    assert not vectors[~mask].any()
    assert SequenceInputs(SENTENCES, 4)(torch.zeros(1, 3, dtype=torch.int64))[1].tolist() == [[True, False, False]]


def test_a_stream_has_no_padding() -> None:
    stream = DataSpec((6,), target="next_token", num_tokens=20, num_target_tokens=20)
    vectors, mask = SequenceInputs(stream, 4)(TOKENS)
    assert mask is None
    assert vectors[0, 3].any()  # Token 0 is one as others are.


def test_words_are_dropped_in_training_only_and_padding_never() -> None:
    torch.manual_seed(0)
    reader = SequenceInputs(SENTENCES, 4, word_dropout=0.25)
    tokens = torch.full((100, 40), 7)
    tokens[:, 30:] = 0
    vectors, mask = reader(tokens)
    unknown = (vectors == reader.embedding.weight[UNKNOWN]).all(2)
    assert unknown[:, :30].float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert not vectors[:, 30:].any()
    assert mask[:, :30].all()  # A dropped word is still one.
    vectors, _ = reader.eval()(tokens)
    assert (vectors[:, :30] == reader.embedding.weight[7]).all()


def test_words_are_dropped_where_there_is_an_unknown_word_only() -> None:
    for spec in (DataSpec((6,), target="next_token", num_tokens=20), DataSpec((7, 3))):
        with pytest.raises(ConfigError, match=r"word_dropout=0\.1 replaces words by <unk>") as error:
            SequenceInputs(spec, 4, word_dropout=0.1)
        assert error.value.hint == "model.word_dropout=0"
