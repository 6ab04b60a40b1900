"""Files of analogies and similarities, and what is said of wrong ones."""

from pathlib import Path

import pytest

from dltool.core.errors import DataError
from dltool.data.word_tests import read_analogies, read_similarities


def test_analogies_by_section(tmp_path: Path) -> None:
    path = tmp_path / "questions.txt"
    path.write_text(": family\nboy girl brother sister\n\n: capital world\nAthens Greece Rome Italy\n")
    assert read_analogies(path).sections == {
        "family": [("boy", "girl", "brother", "sister")],
        "capital world": [("Athens", "Greece", "Rome", "Italy")],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (": family\nboy girl brother\n", "line 2: 3 words"),
        ("boy girl brother sister\n", "line 1: a question before the first section"),
        (": family\n", "has no analogy"),
    ],
)
def test_wrong_analogies_are_named_by_their_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "问题.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=said) as caught:
        read_analogies(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_similarities_have_a_heading_and_may_have_more_columns(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tab"
    path.write_bytes(b"Word 1\tWord 2\tHuman (mean)\t1\r\ntiger\tcat\t7.35\t8\r\n\r\nlove\tsex\t6.77\t9\r\n")
    similarities = read_similarities(path)
    assert similarities.pairs == [("tiger", "cat"), ("love", "sex")]
    assert similarities.scores == [7.35, 6.77]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Word 1,Word 2,Human\ntiger,cat,7.35\nlove,sex\n", "line 3: two words and a score"),
        ("a\tb\tc\ntiger\tcat\tmuch\n", "line 2: 'much' is not a number"),
        ("a\tb\tc\n", "has no pair"),
    ],
)
def test_wrong_similarities_are_named_by_their_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "pairs.tab"
    path.write_text(text)
    with pytest.raises(DataError, match=said) as caught:
        read_similarities(path)
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "Word 1,Word 2,Human (mean)\ntiger,cat,7.35\nlove,sex,6.77\n",
        "tiger,cat,7.35\nlove,sex,6.77\n",
        "tiger cat 7.35\n\nlove  sex 6.77\n",
        "tiger;cat;7.35\nlove;sex;6.77\n",
        "tiger\tcat\t7.35\nlove\tsex\t6.77\n",
        "word1\tword2\tPOS\tSimLex999\tconc\ntiger\tcat\tN\t7.35\t1\nlove\tsex\tN\t6.77\t2\n",
    ],
)
def test_similarities_of_other_test_sets(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pairs"
    path.write_text(text)
    similarities = read_similarities(path)
    assert similarities.pairs == [("tiger", "cat"), ("love", "sex")]
    assert similarities.scores == [7.35, 6.77]
