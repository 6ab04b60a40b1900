import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dltool.config.compose import parse_override
from dltool.core.errors import DataError
from dltool.data.csv_file import read_csv
from dltool.data.csv_table import csv_table
from dltool.data.fitted import Fitted
from dltool.data.table_data import TableData

RNG = torch.Generator()
SHAPES = "id,side,colour,y\n" + "".join(
    f"{i},{i % 7}.5,{'red' if i % 3 else 'blue'},{'ab'[i % 2]}\n" for i in range(30)
)


@pytest.fixture
def load(tmp_path):
    def load(text, **fields):
        path = tmp_path / "t.csv"
        path.write_text(text, encoding="utf-8")
        return csv_table(RNG, path=str(path), **{"target": "y", **fields})

    return load


@pytest.fixture
def refused(load):
    def refused(text, **fields):
        with pytest.raises(DataError) as caught:
            load(text, **fields)
        assert caught.value.hint
        return caught.value.message, caught.value.hint

    return refused


def column(values, name="y", x="0.5"):
    return f"x,{name}\n" + "".join(f"{x},{value}\n" for value in values)


def test_finds_types_task_and_classes(load):
    raw = load(SHAPES, drop=["id"])
    assert raw.target == "binary"
    assert raw.class_names == ("a", "b")
    assert [(c.name, c.categories) for c in raw.columns] == [("side", None), ("colour", ("blue", "red"))]
    assert raw.train.inputs[:3].tolist() == [[0.5, 0], [1.5, 1], [2.5, 1]]
    assert raw.train.targets[:3].tolist() == [0, 1, 0]
    assert raw.train.rows[:2].tolist() == [2, 3]
    text = "\n".join(raw.notes)
    for part in (
        "30 rows",
        "a comma",
        "a header",
        "target y: 2 classes, a (15, 50 %), b (15, 50 %); b is the positive class (data.positive)",
        "numbers: side",
        "colour (2)",
    ):
        assert part in text


def test_the_number_of_a_column_is_no_name_in_a_header(load):
    raw = load("1,0.5\n" + "".join(f"{i % 2},{i}.5\n" for i in range(19)), target=1)
    assert len(raw.train) == 20


def test_a_header_of_years_and_a_target_by_its_year(load):
    raw = load("2019,2020,2021\n" + "".join(f"{i % 7},{i % 5},{i % 7 + i % 5}\n" for i in range(200)), target=2021)
    assert len(raw.train) == 200
    assert raw.class_names == tuple(map(str, range(11)))


@pytest.mark.parametrize(
    ("values", "positive", "classes"),
    [
        (["fraud"] * 2 + ["normal"] * 98, "auto", ("normal", "fraud")),
        (["no"] * 30 + ["yes"] * 10, "auto", ("no", "yes")),
        (["no"] * 10 + ["yes"] * 30, "auto", ("yes", "no")),
        (["no"] * 46 + ["yes"] * 54, "auto", ("no", "yes")),  # About as frequent: the last by name.
        (["no"] * 44 + ["yes"] * 56, "auto", ("yes", "no")),
        (["no"] * 10 + ["yes"] * 30, "yes", ("no", "yes")),
        (["no"] * 10 + ["yes"] * 30, None, ("no", "yes")),
        (["0"] * 30 + ["1"] * 10, 0, ("1", "0")),
    ],
)
def test_the_positive_class_is_the_second(load, values, positive, classes):
    raw = load("x,y\n" + "".join(f"{i % 7},{value}\n" for i, value in enumerate(values)), positive=positive)
    assert raw.class_names == classes
    assert [classes[label] for label in raw.train.targets.tolist()] == values
    assert raw.choices.get("data.positive") == (classes[1] if positive == "auto" else None)
    assert any(note.endswith(f"{classes[1]} is the positive class (data.positive)") for note in raw.notes)


def test_a_positive_class_that_is_none(refused):
    rows = "x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(20))
    message, hint = refused(rows, positive="c")
    assert "data.positive=c is none of two classes; the classes of the target are a, b" in message
    assert hint == "data.positive=b, or data.positive=auto"
    message, hint = refused("x,y\n" + "".join(f"{i},{'abc'[i % 3]}\n" for i in range(30)), positive="a")
    assert hint == "data.positive=auto"


@pytest.mark.parametrize(
    ("values", "kind", "target", "classes"),
    [
        (["3", "1", "2"] * 10, "auto", "classes", ("1", "2", "3")),
        (["10", "9.0", "9"] * 10, "auto", "binary", ("9", "10")),
        (["yes", "no"] * 10, "auto", "binary", ("no", "yes")),
        (["红", "绿", "蓝"] * 10, "auto", "classes", ("红", "绿", "蓝")),
        (["0.5", "1.5"] * 10, "auto", "numbers", ()),
        (["0.5", "1.5"] * 10, "classes", "binary", ("0.5", "1.5")),
        ([str(i) for i in range(30)], "auto", "numbers", ()),
        (["1", "2"] * 10, "numbers", "numbers", ()),
    ],
)
def test_kind_of_target(load, values, kind, target, classes):
    raw = load(column(values), kind=kind)
    assert raw.target == target
    assert set(raw.class_names) == set(classes)
    if target == "numbers":
        assert raw.train.targets.flatten().tolist() == [float(value) for value in values]
    else:
        named = [raw.class_names[label] for label in raw.train.targets.tolist()]
        assert named == [value.removesuffix(".0") for value in values]


CODES = ["01", "1", "001", "02"] * 50


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        (CODES, "classes", ("001", "01", "1", "02")),
        (CODES, "auto", ("001", "01", "1", "02")),
        (CODES, "integer_classes", ("1", "2")),
        (["10", "9", "2"] * 20, "auto", ("2", "9", "10")),
        (["10", "9", "2"] * 20, "classes", ("2", "9", "10")),
        (["1", "1.0", "2"] * 20, "auto", ("1", "2")),
        (["1", "1.0", "2"] * 20, "classes", ("1", "1.0", "2")),
        (["1e3", "1000", "+1000"] * 20, "classes", ("+1000", "1000", "1e3")),
        (["1.1", "1.10", "1.2"] * 20, "classes", ("1.1", "1.10", "1.2")),
        ([" 1", "1", "2"] * 20, "classes", ("1", "2")),  # Blanks around a cell do not count.
        (["16777216", "16777217", "9007199254740993", "9007199254740992"] * 20, "classes", None),
        (["0", "01", "x"] * 20, "auto", ("0", "01", "x")),
    ],
)
def test_labels_are_the_texts_of_the_file(load, values, kind, classes):
    raw = load(column(values), kind=kind)
    assert raw.class_names == (classes or tuple(sorted(set(values), key=int)))
    if kind != "integer_classes" and not (kind == "auto" and "1.0" in values):
        assert [raw.class_names[label] for label in raw.train.targets.tolist()] == [value.strip() for value in values]
    if kind == "auto":
        again = load(column(values), kind=raw.choices["data.kind"])
        assert again.class_names == raw.class_names
        assert again.train.targets.equal(raw.train.targets)


def test_a_missing_label_is_no_class(load, refused):
    message, _ = refused(column(["01", "nan", "1", "02"] * 5), kind="classes")
    assert "row 3, target y: the cell is missing (nan)" in message
    assert load(column(["01", "nan", "1", "02"] * 5), kind="classes", missing="drop").class_names == ("01", "1", "02")


def test_integer_classes_are_whole_numbers(refused):
    message, hint = refused(column(["1", "1.5", "2"] * 20), kind="integer_classes")
    assert "row 3, column y: 1.5 is not a whole number" in message
    assert hint == "data.kind=classes"
    message, _ = refused(column(["1", "2", "x"] * 20), kind="integer_classes")
    assert "row 4, column y: 'x' is a text" in message


LARGE = 1_700_000_000  # Around here float32's numbers are 128 apart.


def large_table(count=200):
    """Rows of a, b and y = LARGE + 3a - 2b; a is large itself."""
    rng = torch.Generator().manual_seed(0)
    a, b = (torch.randn(count, generator=rng, dtype=torch.float64) for _ in range(2))
    y = LARGE + 3 * a - 2 * b
    rows = zip((LARGE + a).tolist(), b.tolist(), y.tolist(), strict=True)
    return "a,b,y\n" + "".join(f"{a!r},{b!r},{y!r}\n" for a, b, y in rows)


@pytest.mark.parametrize("scaling", ["standardize", "unit", "symmetric"])
def test_large_numbers_are_scaled_before_they_are_rounded(load, scaling):
    raw = load(large_table())
    assert raw.train.inputs.dtype == raw.train.targets.dtype == torch.float64
    data = TableData(lambda _rng: raw, scaling=scaling)
    data.prepare(0, torch.device("cpu"))
    train = data.splits["train"]
    rows = raw.train.inputs[train.rows - 2, 0]
    assert train.inputs.dtype == train.targets.dtype == torch.float32
    assert len(train.inputs[:, 0].unique()) == len(rows.unique())
    (column, _) = data.preprocessing.columns
    torch.testing.assert_close(train.inputs[:, 0].double(), (rows - column.shift) * column.factor, rtol=1e-6, atol=1e-7)
    in_units = data.spec.in_units(train.targets)
    torch.testing.assert_close(in_units, raw.train.targets[train.rows - 2], rtol=0, atol=1e-6)
    again = data.preprocessing(read_csv(Path(raw.origin)))
    assert again[train.rows - 2].equal(train.inputs)


def test_numbers_that_float32_cannot_distinguish_are_noted(load):
    raw = load(large_table(), target_scaling="none")
    data = TableData(lambda _rng: raw, scaling="none")
    data.prepare(0, torch.device("cpu"))
    noted = [note for note in data.notes if "loses its differences in float32" in note]
    assert [note.split()[0] for note in noted] == ["a", "the"]
    assert "data.scaling=standardize" in noted[0]
    small = TableData(lambda _rng: load(column(["1.5", "2.5", "3.5"] * 9), target_scaling="none"), scaling="none")
    small.prepare(0, torch.device("cpu"))
    assert not [note for note in small.notes if "loses its differences" in note]


def test_other_data_has_the_classes_of_the_run(load):
    def labels_of(values, trained, kind="classes"):
        """The labels that a run with the classes `trained` gives a table, whose notes come with them."""
        data = TableData(lambda _rng: load(column([*"pq"] * 9)))
        data.prepare(0, torch.device("cpu"))
        spec = replace(data.spec, target="classes", class_names=trained)
        other = TableData(lambda _rng: load(column(values), kind=kind))
        other.prepare(0, torch.device("cpu"), fitted=Fitted(data.preprocessing, spec), cut=False)
        return other.splits["train"].targets.tolist(), other.notes

    assert labels_of(["02", "1"] * 9, ("001", "01", "1", "02"))[0] == [3, 2] * 9
    # A run of an earlier version, whose classes are numbers.
    labels, notes = labels_of(["01", "1", "001", "02"] * 9, ("1", "2"))
    assert labels == [0, 0, 0, 1] * 9
    assert "classes of the same number are merged: 001 as 1, 01 as 1, 02 as 2" in notes
    assert labels_of(["1.0", "2.0"] * 9, ("1", "2", "10"))[0] == [0, 1] * 9
    with pytest.raises(DataError, match=r"has the class 1\.0, which was not in the training data"):
        labels_of(["1.0", "02"] * 9, ("01", "1", "02"))  # 01, or 1?
    with pytest.raises(DataError, match="has the class 3, which was not in the training data"):
        labels_of(["1", "3"] * 9, ("1", "2"))


def test_a_target_by_number_and_a_name_that_is_one(load):
    table = "1,2,a\n3,4,b\n" * 5
    for target in (3, -1, "column_3"):
        assert load(table, target=target).class_names == ("a", "b")
    assert load("2019,2020\n0.5,a\n1.5,b\n" + "0.5,a\n1.5,b\n" * 5, target=2020, header=True).class_names == ("a", "b")


def test_postcodes_are_categories_on_request(load):
    raw = load("plz,y\n" + "10115,a\n20095,b\n" * 10, categories=["plz"])
    assert raw.columns[0].categories == ("10115", "20095")


def test_underscores_and_infinity_are_no_numbers(load, refused):
    assert load(column(["a", "b"] * 10, x="1_2") + "3_4,a\n").columns[0].categories == ("1_2", "3_4")
    message, _ = refused(column(["a", "b"] * 10) + "inf,a\n")
    assert "row 22, column x: 'inf' is a text in a column of numbers" in message


@pytest.mark.parametrize("cell", ["", " ", "?", "NA", "nan", "NULL"])
def test_missing_cells(load, refused, cell):
    text = "x,c,y\n1,r,a\n" + f"{cell},s,b\n" + f"3,{cell},a\n" + "5,r,b\n" * 4
    message, hint = refused(text)
    assert "t.csv: row 3, column x: the cell is missing" in message
    assert message.endswith("; missing cells: x (1), c (1)")
    assert hint == "data.missing=drop, mean or mode"
    dropped = load(text, missing="drop")
    assert dropped.train.rows.tolist() == [2, 5, 6, 7, 8]
    assert any("2 rows with a missing cell are dropped" in note for note in dropped.notes)
    kept = load(text, missing="mean")
    assert kept.train.inputs.isnan().nonzero().tolist() == [[1, 0], [2, 1]]
    assert {c.fill for c in kept.columns} == {"mean"}


def test_a_missing_target_is_never_made_up(load, refused):
    text = column(["a", "b", "", "a", "b", "a"])
    message, hint = refused(text, missing="mean")
    assert "row 4, target y" in message
    assert hint == "data.missing=drop"
    assert len(load(text, missing="drop").train) == 5


@pytest.mark.parametrize(
    ("text", "fields", "message", "hint"),
    [
        (SHAPES, {"target": "colours"}, "data.target=colours is not a column", "did you mean colour?"),
        (SHAPES, {"target": 9}, "data.target=9", "1 … 4"),
        (SHAPES, {"drop": ["idd"]}, "data.drop=idd", "did you mean id?"),
        (SHAPES, {"drop": ["y"]}, "data.drop contains the target y", "data.drop"),
        (SHAPES, {"drop": ["id", "side", "colour"]}, "no column besides the target", "data.drop"),
        (SHAPES, {"header": False, "target": 4}, "row 1, column column_1: 'id' is a text", "data.header=true"),
        (SHAPES, {"delimiter": "tab"}, "is not a column", "separated by a tab?"),
        (SHAPES.replace("3.5", "three", 1), {}, "row 5, column side: 'three' is a text", "data.categories=[side]"),
        (column(["a"] * 9), {}, "the target y is a in every row", "data.target"),
        (column(["2.5"] * 9), {}, "the target y is 2.5 in every row", "data.target"),
        (column("abcdefghi"), {}, "the target y has 9 classes in 9 rows", "data.target"),
        (
            column(["1.5", "2.5"] * 9 + ["x"]),
            {"kind": "numbers"},
            "row 20, column y: 'x' is a text",
            "data.kind=classes",
        ),
        (column([f"{i}.5" for i in range(50)] + ["x"]), {}, "row 52, column y: 'x' is a text", "data.kind=classes"),
        ("x,z,y\n" + "1,,a\n1,,b\n" * 5, {"missing": "mean"}, "every cell of the column z is missing", "data.drop=[z]"),
        ("x,z,y\n" + "1,,a\n,2,b\n" * 5, {"missing": "drop"}, "every row has a missing cell", "data.missing=mean"),
        (
            "x,y\n" + "".join(f"name{i},{'ab'[i % 2]}\n" for i in range(50)),
            {},
            "the column x has 50 different texts in 50 rows",
            "data.drop=[x]",
        ),
        (
            "x;y\n" + "".join(f"{i},5;{'ab'[i % 2]}\n" for i in range(50)) + "1,5 m;a\n",
            {},
            "row 52, column x: '1,5 m' is a text in a column of numbers",
            "fix the cell, or 'data.categories=[x]', 'data.drop=[x]'",
        ),
    ],
)
def test_bad_tables_are_explained(refused, text, fields, message, hint):
    found = refused(text, **fields)
    assert message in found[0]
    assert hint in found[1]


def test_statistics_and_fillings_are_those_of_the_training_split(load, tmp_path):
    rows = [f"{'' if i % 10 == 0 else i * i},{'abc'[i % 3]}" for i in range(90)]

    def again(_rng):
        return load("x,y\n" + "\n".join(rows), missing="mean")

    data = TableData(again)
    data.prepare(0, torch.device("cpu"))
    raw = again(RNG).train
    held_in = torch.isin(raw.rows, data.splits["train"].rows)
    present = raw.inputs[held_in, 0]
    present = present[~present.isnan()]
    (column,) = data.preprocessing.columns
    assert column.fill == pytest.approx(present.mean().item(), rel=1e-12)
    filled = raw.inputs[held_in, 0].nan_to_num(column.fill)
    assert column.shift == pytest.approx(filled.mean().item())
    assert 1 / column.factor == pytest.approx(filled.std(correction=0).item())
    torch.testing.assert_close(data.splits["train"].inputs[:, 0], ((filled - column.shift) * column.factor).float())


@pytest.mark.parametrize("name", ["weight (kg), net", "it's $1", "a[0]", "身高", "null"])
def test_a_hint_with_a_column_works_in_a_shell(refused, name):
    cell = '"' + name + '"'
    text = f"{cell},z,y\n" + "1,2,a\n2,3,b\n" * 3 + "three,2,a\n"
    _, hint = refused(text, header=True)
    words = shlex.split(hint.partition(" or ")[2])
    assert [parse_override(word.removesuffix(",")).value() for word in words] == [[name], [name]]
