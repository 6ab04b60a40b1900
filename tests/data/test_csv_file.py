import gzip
from pathlib import Path

import pytest

from dltool.core.errors import DataError
from dltool.data.csv_file import CsvTable, describe_file, read_csv


@pytest.fixture
def write(tmp_path):
    def write(text, name="表 1.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def cells(table):
    return [list(column) for column in table.columns]


@pytest.mark.parametrize(("name", "sign"), [("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("pipe", "|")])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_finds_the_delimiter(write, name, sign, newline):
    lines = ["长度,colour,y", '1.5,"red, or ""so""",a', "2.5,blue,b"]
    text = newline.join(lines) if sign == "," else newline.join(line.replace(",", sign) for line in lines)
    table = read_csv(write(text))
    assert (table.delimiter, table.header) == (name, True)
    assert table.names == ("长度", "colour", "y")
    assert cells(table) == [["1.5", "2.5"], [f'red{sign if name != "comma" else ","} or "so"', "blue"], ["a", "b"]]
    assert list(table.rows) == [2, 3]


def test_decimal_commas_are_no_delimiter(write):
    assert read_csv(write("x;y;z\n1,5;2,5;a\n3,5;4,5;b\n")).delimiter == "semicolon"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_mark_is_no_part_of_the_first_name(write, encoding):
    assert read_csv(write("年龄,y\n1,2\n", encoding=encoding)).names == ("年龄", "y")


def test_gzip(write):
    assert cells(read_csv(write(gzip.compress(b"a,b\n1,2\n"), "t.csv.gz"))) == [["1"], ["2"]]


@pytest.mark.parametrize(
    ("first", "expected", "header"),
    [
        ("a,b,c", (), True),
        ("a,1,c", (), False),
        ("a,,c", (), False),
        ("a,a,c", (), False),
        ("name,2019,2020", ("name",), True),
        ("39, State-gov, 77516", ("y",), False),
    ],
)
def test_a_header_is_told_from_a_sample(write, first, expected, header):
    table = read_csv(write(f"{first}\n1,2,3\n"), expected=expected)
    assert table.header is header
    assert len(table) == (1 if header else 2)
    if not header:
        assert table.names == ("column_1", "column_2", "column_3")


def test_header_can_be_said(write):
    assert len(read_csv(write("a,b\nc,d\n"), header=False)) == 2
    assert read_csv(write("1,2\n3,4\n"), header=True).names == ("1", "2")


def test_blank_rows_count_as_in_a_spreadsheet_and_quoted_newlines_do_not(write):
    table = read_csv(write('a,b\n\n1,"two\nlines"\n,\n3,4\n\n'))
    assert list(table.rows) == [3, 5]
    assert cells(table) == [["1", "3"], ["two\nlines", "4"]]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is empty"),
        ("\n\n  \n", "is empty"),
        ("a,b\n", "a header but no rows"),
        ("a,b\n1,2\n1,2,3\n", "row 3 has 3 cells, but the first row has 2"),
        ("a,b\n1,2\n\n1\n", "row 4 has 1 cell,"),
        ("a,b,a\n1,2,3\n", "the column a is in the header twice"),
        ('a,b\n1,"2\n3,4\n', "cannot be read"),
        ("a,b\n1,é\n".encode("latin-1"), "is not UTF-8: line 2 has the byte 0xe9"),
        (gzip.compress(b"a,b\n" * 9, mtime=0)[:-9], "cannot be read"),
    ],
)
def test_what_is_no_table_is_named(write, text, part):
    path = write(text)
    with pytest.raises(DataError) as caught:
        read_csv(path, header=True if isinstance(text, str) and "a,b,a" in text else "auto")
    assert caught.value.message.startswith(str(path))
    assert part in caught.value.message
    assert caught.value.hint


def test_missing_file_names_those_that_are_there(write, tmp_path):
    write("a\n1\n", "train.csv")
    for path, part in ((tmp_path / "trian.csv", "does not exist"), (tmp_path, "is a folder")):
        with pytest.raises(DataError, match=part) as caught:
            read_csv(path)
        assert "train.csv" in caught.value.hint


def test_rows_of_python_values():
    table = CsvTable.from_rows([{"age": 39, "job": None}, {"age": 1.5, "job": "cook"}])
    assert table.names == ("age", "job")
    assert cells(table) == [["39", "1.5"], ["", "cook"]]


def test_quotes_that_would_join_lines_are_characters(tmp_path: Path) -> None:
    """In a table of texts a line may begin a cell with a quote, and a later one end a cell with one."""
    lines = [f"{i % 2}\t{chr(34) * (i in (20, 120))}film {i}{chr(34) * (i in (60, 200))}" for i in range(300)]
    path = tmp_path / "r.tsv"
    path.write_text("\n".join(lines), encoding="utf-8")
    table = read_csv(path, header=False)
    assert len(table) == 300
    assert table.columns[1][20] == '"film 20'
    assert len(read_csv(path, header=False, quote="double")) == 180
    path.write_text('a,b\n"1\n2",3\n"x,y",4\n', encoding="utf-8")  # Enclosed line ends and separators stay one cell.
    assert list(read_csv(path).columns[0]) == ["1\n2", "x,y"]
    assert list(read_csv(path, quote="none", header=False, delimiter="pipe").columns[0])[:2] == ["a,b", '"1']


@pytest.mark.parametrize(
    ("first", "header"),
    [
        ("2019,2020,2021", True),
        ("0,1,2", True),
        ("1,2,3", True),
        ("3,2,1", False),
        ("1,2", False),
        ("1.0,2.0,3.0", False),
    ],
)
def test_consecutive_whole_numbers_are_names(first: str, header: bool, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        f"{first}\n" + "\n".join(",".join("507"[: first.count(",") + 1]) for _ in range(4)), encoding="utf-8"
    )
    assert read_csv(path, delimiter="comma").header == header


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("# made by x\n# on Monday, 3rd\n", "without 2 lines before the table (# made by x)"),
        ("Sales 2024\n\n", "without a line before the table (Sales 2024)"),
        ("Sales 2024,,\n,,\n", "without a line before the table (Sales 2024)"),
        ("sep=,\n", "without a line before the table (sep=)"),
        ("", ""),
    ],
)
def test_lines_before_a_table_are_left_out_and_said(write, before: str, said: str) -> None:
    table = read_csv(write(before + "a,b,c\n1,2,x\n3,4,y\n"))
    assert (table.names, cells(table)) == (("a", "b", "c"), [["1", "3"], ["2", "4"], ["x", "y"]])
    assert list(table.rows) == [before.count("\n") + 2, before.count("\n") + 3]
    assert said in describe_file(table, "auto")


def test_a_short_row_is_no_title(write) -> None:
    with pytest.raises(DataError, match="row 2 has 2 cells, but the first row has 1"):
        read_csv(write("text\none, two\nthree, four\n"), expected=["text"])
    assert read_csv(write("x,,\n1,2,3\n"), header=False).rows == range(1, 3)
    with pytest.raises(DataError, match="row 2 has 3 cells"):
        read_csv(write("a,b\n1,2,3\n4,5,6\n"))


def test_empty_columns_at_the_end_are_left_out_and_said(write) -> None:
    table = read_csv(write("a,b,,\n1,2,,\n3,,,\n"))
    assert (table.names, cells(table)) == (("a", "b"), [["1", "3"], ["2", ""]])
    assert "without the 2 last columns, which are empty" in describe_file(table, "auto")
    assert read_csv(write("a,b\n1,\n3,\n")).names == ("a", "b")  # It has a name.


def test_columns_that_are_aligned_by_spaces(write) -> None:
    table = read_csv(write("  a    b\n 1.5   -2\n\n11.5\t 20  \n"))
    assert (table.names, cells(table), table.delimiter) == (("a", "b"), [["1.5", "11.5"], ["-2", "20"]], "space")
    assert len(read_csv(write("good film\nbad film\n"), header=False).names) == 1  # Texts are not divided.
    quoted = read_csv(write('18.0  130 "ford torino"\n15.0   165 "buick"\n'), delimiter="space", header=False)
    assert cells(quoted)[2] == ["ford torino", "buick"]


@pytest.mark.parametrize(
    ("first", "header"), [("name,2019,2020", True), ("a,2019,2021", False), ("a,3,4", False), ("a,b,2020", False)]
)
def test_years_beside_names_are_a_header(write, first: str, header: bool) -> None:
    assert read_csv(write(f"{first}\nx,1.5,2.5\ny,3.5,4.5\n")).header == header


def test_a_table_of_r_says_what_its_first_row_lacks(write) -> None:
    with pytest.raises(DataError, match="row 2 has 3 cells, but the first row has 2") as caught:
        read_csv(write('"x" "y"\n"1" 2.5 3\n"2" 4 5\n'))
    assert "lacks its name, as in files of R" in str(caught.value.hint)
