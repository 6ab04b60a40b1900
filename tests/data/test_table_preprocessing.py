import datetime
import json

import pytest
import torch

from dltool.core.errors import DataError
from dltool.core.notices import DltoolWarning
from dltool.core.spec import DataSpec
from dltool.data.arrays import Column
from dltool.data.builtin import iris
from dltool.data.csv_file import CsvTable
from dltool.data.dates import ISO
from dltool.data.fitted import from_json, to_json
from dltool.data.notation import Notation
from dltool.data.table_columns import CategoryColumn, NumberColumn
from dltool.data.table_data import TableData
from dltool.data.table_preprocessing import TablePreprocessing

NAN = float("nan")
COLUMNS = [Column("年龄"), Column("job", ("clerk", "cook", "smith"))]
TRAIN = torch.tensor([[1.0, 1], [3.0, 2], [5.0, 1]], dtype=torch.float64)  # No clerk.
FITTED = TablePreprocessing.fit(TRAIN, COLUMNS, "standardize")


def table(**columns):
    return CsvTable("/t.csv", tuple(columns), list(columns.values()), range(2, 2 + len(next(iter(columns.values())))))


def message(preprocessing, raw):
    with pytest.raises(DataError) as caught:
        preprocessing(raw)
    assert caught.value.hint
    return caught.value.message


def test_scaled_numbers_then_one_input_a_category_of_the_training_split():
    deviation = (8 / 3) ** 0.5
    assert FITTED.columns[1] == CategoryColumn("job", ("cook", "smith"))
    raw = table(job=["smith", " cook "], 年龄=["3", "5"], other=["?", "?"])
    torch.testing.assert_close(FITTED(raw), torch.tensor([[0, 0, 1], [2 / deviation, 1, 0]]))


def test_encoding_tensors_equals_encoding_texts():
    raw = table(年龄=["1", "3", "5"], job=["cook", "smith", "cook"])
    assert FITTED.encode(TRAIN, COLUMNS).equal(FITTED(raw))


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        (table(年龄=["1"], jobs=["cook"]), "/t.csv has no column job"),
        (table(年龄=["1", "old"], job=["cook", "cook"]), "/t.csv: row 3, column 年龄: 'old' is a text"),
        (
            table(年龄=["1", "1"], job=["cook", "clerk"]),
            "/t.csv: row 3, column job: the training split has no category",
        ),
        (table(年龄=["1", "1"], job=["cook", "?"]), "/t.csv: row 3, column job: the cell is missing"),
        (table(年龄=["", "1"], job=["cook", "cook"]), "/t.csv: row 2, column 年龄: the cell is missing"),
    ],
)
def test_bad_rows_are_named(raw, part):
    assert part in message(FITTED, raw)


def test_a_category_that_only_a_held_out_split_has_names_its_row():
    with pytest.raises(DataError, match="row 77, column job: the training split has no category 'clerk', only cook"):
        FITTED.encode(torch.tensor([[1.0, 0.0]]), COLUMNS, "/t.csv", torch.tensor([77]))


def test_ignored_categories_are_none_of_the_known():
    columns = [COLUMNS[0], Column("job", COLUMNS[1].categories, unknown="ignore")]
    fitted = TablePreprocessing.fit(TRAIN, columns, "none")
    assert fitted(table(年龄=["3"], job=["astronaut"])).tolist() == [[3, 0, 0]]
    assert fitted.encode(torch.tensor([[3.0, 0.0]]), columns).tolist() == [[3, 0, 0]]


@pytest.mark.parametrize(("fill", "number"), [("mean", 3.25), ("mode", 1.0)])
def test_missing_cells_get_the_mean_or_mode(fill, number):
    columns = [Column("x", None, fill), Column("job", ("clerk", "cook"), fill)]
    train = torch.tensor([[1, 1], [1, 1], [NAN, 0], [3, NAN], [8, 1]], dtype=torch.float64)
    fitted = TablePreprocessing.fit(train, columns, "none")
    assert fitted.columns == (NumberColumn("x", 0.0, 1.0, number), CategoryColumn("job", ("clerk", "cook"), "cook"))
    assert fitted.encode(train, columns)[2:4].tolist() == [[number, 1, 0], [3, 0, 1]]
    assert fitted(table(x=["NA"], job=[""])).tolist() == [[number, 0, 1]]


def test_a_column_without_a_cell_in_the_training_split_is_refused():
    with pytest.raises(DataError, match="column x are missing in the training split"):
        TablePreprocessing.fit(torch.full((3, 1), NAN), [Column("x", None, "mean")], "none")


def test_json_keeps_every_bit():
    columns = [Column("x", None, "mean"), Column("job", ("cook", "smith"), "mode", "ignore")]
    fitted = TablePreprocessing.fit(TRAIN / 3 * torch.tensor([1, 3]) - torch.tensor([0, 1]), columns, "standardize")
    spec = DataSpec((3,), "binary", ("否", "是"), output_dim=1, input_range=(0.0, 1.0), centers=((0.0, 1.0),))
    assert from_json(json.loads(json.dumps(to_json(fitted, spec))), "f") == (fitted, spec)
    with pytest.raises(DataError, match="has the format 2"):
        from_json({"format": 2}, "run/preprocessing.json")


def test_a_data_set_of_the_package_takes_raw_rows_too():
    data = TableData(iris)
    data.prepare(0, torch.device("cpu"))
    raw = iris(torch.Generator()).train.inputs[:5]
    rows = [dict(zip((c.name for c in data.preprocessing.columns), row, strict=True)) for row in raw.tolist()]
    expected = data.preprocessing.encode(raw, [Column(c.name) for c in data.preprocessing.columns])
    assert data.preprocessing(CsvTable.from_rows(rows)).equal(expected)


def test_files_for_prediction(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("job,年龄\ncook,4\n", encoding="utf-8")
    assert FITTED.read_file(path).names == ("job", "年龄")

    positions = TablePreprocessing((NumberColumn("column_1", 0, 1), NumberColumn("column_3", 0, 1)), file_columns=3)
    path.write_text("1,x,2\n", encoding="utf-8")
    assert positions(positions.read_file(path)).tolist() == [[1, 2]]
    path.write_text("1,2\n", encoding="utf-8")  # The inputs alone.
    assert positions(positions.read_file(path)).tolist() == [[1, 2]]
    path.write_text("1,2,3,4\n", encoding="utf-8")
    with pytest.raises(DataError, match="has 4 columns and no header; 3 columns as in training"):
        positions.read_file(path)


def test_columns_that_a_file_does_not_name_are_said(tmp_path):
    (tmp_path / "t.csv").write_text("3,smith\n5,cook\n", encoding="utf-8")
    with pytest.warns(DltoolWarning, match="has no header: its columns are taken as 年龄, job, in this order"):
        _, inputs = next(FITTED.read(tmp_path / "t.csv", 8))
    assert torch.equal(inputs, FITTED(table(年龄=["3", "5"], job=["smith", "cook"])))


def test_dates_in_mappings_are_read_as_in_files():
    fitted = TablePreprocessing((NumberColumn("day", 19754.0, 1.0, None, Notation(date=ISO)),))
    _, inputs = next(fitted.read([{"day": "2024-02-01"}, {"day": datetime.date(2024, 2, 2)}, {"day": 19756}], 8))
    assert inputs[:, 0].tolist() == [0, 1, 2]
