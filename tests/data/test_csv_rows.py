"""Tables are read in chunks: the cells are those that the csv module reads from the whole text."""

import csv
import io
import random
from pathlib import Path

import pytest

from dltool.core.errors import DataError
from dltool.data.csv_file import read_csv
from dltool.data.csv_rows import DELIMITERS
from dltool.data.text_column import TextColumn
from dltool.data.text_file import BLOCK


def random_table(generator: random.Random, sign: str, quoted: bool) -> str:
    """Lines of different lengths, some blank, with any line end; cells with spaces, quotes and line ends."""
    cells = ["", "1", " 2", "-0.5 ", "é", "红", "x y", "\u2028", "\x0b"]
    cells += ['"a"', f'"a{sign}b"', '"a\nb"', '"a\r\nb"', '"say ""x"""', '""'] if quoted else []
    rows = []
    for _ in range(generator.randrange(1, 60)):
        row = [generator.choice(cells) for _ in range(3)]
        rows.append(sign.join(["k", *row]) + generator.choice(["\n", "\r\n", "\r"]))
        if generator.random() < 0.1:
            rows.append(generator.choice(["\n", "  \n", f"{sign}{sign}{sign}\n"]))
    return "".join(rows)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
def test_chunks_of_any_size_have_the_cells_of_the_whole(size: int, tmp_path: Path, monkeypatch) -> None:
    from dltool.data import csv_rows

    generator = random.Random(size)
    whole = csv_rows.whole_lines
    for round_ in range(60):
        sign = DELIMITERS[generator.choice(list(DELIMITERS))]
        text = random_table(generator, sign, quoted=round_ % 2 == 1)
        path = tmp_path / "t.csv"
        path.write_bytes(text.encode())
        name = next(name for name in DELIMITERS if DELIMITERS[name] == sign)

        def pieces(blocks):
            joined = "".join(blocks)
            return whole(joined[start : start + size] for start in range(0, len(joined), size))

        monkeypatch.setattr(csv_rows, "whole_lines", pieces)
        table = read_csv(path, delimiter=name, header=False, quote="double")
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign, skipinitialspace=True, strict=True))
        kept = [(row, record) for row, record in enumerate(records, 1) if any(cell.strip() for cell in record)]
        assert list(table.rows) == [row for row, _ in kept]
        assert [list(column) for column in table.columns] == [
            list(column) for column in zip(*(r for _, r in kept), strict=True)
        ]


def test_rows_of_a_later_chunk_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = ["a,b"] + ["1.25,2.5"] * (BLOCK // 4)
    for change, message in (("1,2,3", "has 3 cells"), ('"1,2', "cannot be read")):
        lines[BLOCK // 5] = change
        path.write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(DataError, match=message) as caught:
            read_csv(path)
        assert message != "has 3 cells" or f"row {BLOCK // 5 + 1} " in caught.value.message


def test_a_header_that_is_a_chunk_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('"a",b\n' + "1,2\n" * 3, encoding="utf-8")
    assert [list(column) for column in read_csv(path).columns] == [["1"] * 3, ["2"] * 3]


def test_a_column_of_texts_is_a_sequence() -> None:
    chunks = [["a", "", "b"], [""], ["c", "d"]]
    column, cells = TextColumn.of(chunks), [cell for chunk in chunks for cell in chunk]
    assert list(column) == cells
    assert [column[place] for place in range(-6, 6)] == cells + cells
    assert all(column[first:last] == cells[first:last] for first in range(-7, 8) for last in range(-7, 8))
    assert column[::-1] == cells[::-1]
    with pytest.raises(IndexError):
        column[6]
