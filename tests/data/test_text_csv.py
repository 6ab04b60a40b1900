"""Texts with a class each from CSV and TSV files."""

import pytest
import torch

from dltool.core.errors import DataError
from dltool.data.text_csv import text_csv

RNG = torch.Generator()
ROWS = 'good film,pos\n"bad, very bad",neg\nfine,pos\nawful,neg\n'


@pytest.fixture
def write(tmp_path):
    def write(content, name="films.csv"):
        (tmp_path / name).write_text(content, encoding="utf-8")
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize(
    ("head", "columns", "first_row"),
    [
        ("", {"text": 1, "target": -1}, 1),  # All its cells are texts, and it is no header.
        ("", {"text": "1", "target": "2"}, 1),
        ("review,label\n", {"text": 1, "target": 2}, 2),
        ("review,label\n", {"text": "review", "target": "label"}, 2),
        ("pos,neg\n", {"text": 1, "target": 2, "header": True}, 2),
    ],
)
def test_header_and_columns_are_found(write, head, columns, first_row):
    raw = text_csv(RNG, path=write(head + ROWS), **columns)
    assert list(raw.texts.inputs) == ["good film", "bad, very bad", "fine", "awful"]
    assert raw.class_names == ("neg", "pos")
    assert raw.train.targets.tolist() == [1, 0, 1, 0]
    assert raw.train.rows.tolist() == list(range(first_row, first_row + 4))


def test_a_tsv_file_is_cut_at_tabs_alone(write):
    raw = text_csv(RNG, path=write("a, b, c\t1\nd, e, f\t2\ng, h, i\t2\n", "films.tsv"), text=1, target=2)
    assert list(raw.texts.inputs) == ["a, b, c", "d, e, f", "g, h, i"]
    assert raw.class_names == ("2", "1")  # Of two classes, the rarer one is the positive one.


def test_a_file_for_each_split(write):
    files = {"train": write(ROWS, "a.csv"), "test": write("so so,mixed\nfine,pos\n", "b.csv")}
    raw = text_csv(RNG, **files, text=1, target=2, header=False)
    assert raw.class_names == ("mixed", "neg", "pos")
    assert raw.val is None
    assert raw.test.targets.tolist() == [0, 2]
    assert [raw.texts.inputs[row] for row in raw.test.inputs] == ["so so", "fine"]


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("review,label\n" + ROWS, {"text": "review", "target": "stars"}, "the columns are review, label"),
        ("review,label\n" + ROWS, {"text": "review"}, r"data.target is not set; the columns of .* are review, label"),
        (ROWS, {"text": 1, "target": 3}, "is not a column"),
        (ROWS, {"text": 2, "target": 2}, "data.text and data.target are both 2"),
        (
            ROWS + ' ,pos\n"",neg\n',
            {"text": 1, "target": 2},
            "row 5, text column_1: the cell is empty; 1 more are empty",
        ),
        (ROWS + "fine,\n", {"text": 1, "target": 2}, "row 5, target column_2: the cell is empty"),
        ("a,x\nb,x\nc,x\n", {"text": 1, "target": 2}, "the target is 'x' in every row"),
        (
            "".join(f"a,label {number}\n" for number in range(21)),
            {"text": 1, "target": 2, "header": False},
            "has 21 classes in 21 rows",
        ),
    ],
)
def test_what_is_wrong_is_named(write, content, columns, message):
    path = write(content)
    with pytest.raises(DataError, match=message) as error:
        text_csv(RNG, path=path, **columns)
    assert path in str(error.value)


def test_labels_that_look_alike_are_named(write):
    rows = "".join(f"text {i},{label}\n" for i, label in enumerate(["pos", "Pos", "neg", "neg\u200b"] * 5))
    notes = text_csv(RNG, path=write("text,label\n" + rows), text="text", target="label").notes
    assert (
        r"target label: classes that look alike but are written differently: Pos and pos, neg and 'neg\u200b'" in notes
    )


def test_texts_that_occur_again_are_counted(write):
    rows = "".join(f"text {i % 15},{'ab'[i % 2]}\n" for i in range(20))
    notes = text_csv(RNG, path=write("text,label\n" + rows + "nan,a\n"), text="text", target="label").notes
    assert (
        "5 of 21 texts occur before in the file, so that texts of the test split can be in the training split" in notes
    )
    assert "5 texts have several labels in different rows, such as 'text 0'" in notes
    assert "1 texts are nan, which is taken as a text, not as a missing cell" in notes


def test_texts_of_two_splits_are_counted(write):
    train = write("text,label\n" + "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(20)), "train.csv")
    test = write("text,label\ntext 3,b\nother,a\n", "test.csv")
    notes = text_csv(RNG, train=train, test=test, text="text", target="label").notes
    assert "1 of 2 texts of data.test are in data.train, too" in notes
    assert not any("several labels" in note or "occur before" in note for note in notes)
