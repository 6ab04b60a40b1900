"""Texts for a trained model, given in memory or by files."""

from pathlib import Path

import pytest
import torch

from dltool.core.errors import DataError
from dltool.data.arrays import TextColumn
from dltool.data.text_csv import text_csv
from dltool.data.text_inputs import given_words, shown, texts_of

COLUMN = TextColumn("text", "comma", "auto", header=True)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_texts_in_memory() -> None:
    assert texts_of("a b", None) == ["a b"]
    assert texts_of(["a b", ["c", "d e"]], None) == ["a b", ["c", "d e"]]
    with pytest.raises(DataError, match="takes a text, a list of texts or of lists of words"):
        texts_of([1, 2], None)


def test_a_table_is_read_as_in_training(tmp_path: Path) -> None:
    train = write(tmp_path / "train.csv", 'label,text\ngood,"fine, very"\nbad,dull\n')
    raw = text_csv(torch.Generator(), path=str(train), text="text", target="label")
    assert raw.texts.column == COLUMN
    assert texts_of(train, raw.texts.column) == ["fine, very", "dull"]
    assert texts_of(write(tmp_path / "new.csv", 'id,text\n7,"a, b"\n8, c \n'), COLUMN) == ["a, b", "c"]
    assert texts_of(write(tmp_path / "new.tsv", "text\tid\na, b\t7\n"), COLUMN) == ["a, b"]
    assert texts_of(write(tmp_path / "lines.txt", "text,id\n\na, b\n"), COLUMN) == ["text,id", "a, b"]
    with pytest.raises(DataError, match="has no column text; it has id, words"):
        texts_of(write(tmp_path / "other.csv", "id,words\n7,a\n"), COLUMN)
    with pytest.raises(DataError, match="row 3, text: the cell is empty"):
        texts_of(write(tmp_path / "empty.csv", "text,id\na,7\n,8\n"), COLUMN)


def test_a_table_without_a_header(tmp_path: Path) -> None:
    train = write(tmp_path / "train.tsv", "fine, very\t1\ndull\t0\n")
    column = text_csv(torch.Generator(), path=str(train), text=1, target=2, header=False).texts.column
    assert column == TextColumn("column_1", "auto", "auto", header=False)
    assert texts_of(train, column) == ["fine, very", "dull"]
    assert texts_of(write(tmp_path / "new.tsv", "fine\nnot so dull\n"), column) == ["fine", "not so dull"]


def test_words_are_separated_by_spaces() -> None:
    assert given_words(" I do\tn't  know\n") == ["I", "do", "n't", "know"]
    assert shown(["10 000", "x"]) == "10\u00a0000 x"
    assert given_words(shown(["10 000", "x"])) == ["10\u00a0000", "x"]
