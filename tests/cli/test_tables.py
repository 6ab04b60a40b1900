"""Numbers in CSV have the digits that give them back."""

import csv
import io
import struct

import pytest

from dltool.cli.tables import all_digits, write_csv


def as_float32(number: float) -> float:
    rounded: float = struct.unpack("f", struct.pack("f", number))[0]
    return rounded


@pytest.mark.parametrize("number", [0.1, 1 / 3, 1.7e9 + 0.6183023, 1e300, 5e-324, -2.0])
def test_a_number_of_64_bits_comes_back(number: float) -> None:
    assert float(all_digits(number)) == number


@pytest.mark.parametrize(("number", "digits"), [(0.1, "0.100000001"), (1 / 3, "0.333333343"), (2.0, "2")])
def test_a_number_of_32_bits_has_nine_digits(number: float, digits: str) -> None:
    assert all_digits(as_float32(number)) == digits
    assert as_float32(float(digits)) == as_float32(number)


def test_a_table_is_written_with_them() -> None:
    file = io.StringIO()
    write_csv(file, ["name", "value"], [["a", 1.7e9 + 0.25], ["b", 3], ["c", float("nan")]])
    assert list(csv.reader(io.StringIO(file.getvalue())))[1:] == [["a", "1700000000.25"], ["b", "3"], ["c", "nan"]]
