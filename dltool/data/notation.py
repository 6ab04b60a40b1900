"""How a column writes its numbers: the decimal sign, the thousands separator, a currency or percent sign, or dates.

A column that Python reads as numbers is left as it is. Otherwise the notation is found from all its cells, and the
cells are rewritten, `1.234,50 €` as `1234.50`, so that whatever reads the table afterwards sees plain numbers. The
notation is saved with the run and applied to new rows.
"""

import datetime
import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.cells import MISSING, to_number
from dltool.data.csv_file import CsvTable
from dltool.data.text_column import mapped

Decimal = Literal["auto", "point", "comma"]
Thousands = Literal["auto", "none", "comma", "point", "space", "apostrophe"]
Dates = Literal["refuse", "number", "categories"]

SIGNS = {"point": ".", "comma": ",", "space": " ", "apostrophe": "'", "none": ""}
NAMES = {sign: name for name, sign in SIGNS.items()}
BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "−": "-"})
CURRENCY = r"[$€£¥₹₽₩₺฿₫₴₦]|USD|EUR|GBP|CNY|JPY|CHF|INR"
AFFIXED = re.compile(rf"([-+]?)\s*({CURRENCY})?\s*([-+]?[\d.,' ]*\d)\s*({CURRENCY}|%)?")
EPOCH = datetime.datetime(1970, 1, 1)
SECONDS_PER_DAY = 86_400
PROBED = 1000  # Cells of a column.
NAMED = ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%b %d %Y", "%d %B %Y", "%d-%B-%Y", "%B %d, %Y", "%B %d %Y")
DATES = tuple(
    f"{day}{time}"
    for day in ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y年%m月%d日", *NAMED)
    for time in ("", " %H:%M", " %H:%M:%S", "T%H:%M", "T%H:%M:%S", "T%H:%M:%SZ", " %H:%M:%S.%f")
)
MONTH = (
    "(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)
NAMED_DAY = rf"\d{{1,2}}[ -]{MONTH}[ -]\d{{2}}(?:\d{{2}})?|{MONTH} \d{{1,2}},? \d{{4}}"
DAY = r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}([-/.])\d{1,2}\1\d{4}|\d{1,2}([-/])\d{1,2}\2\d{2}"
LOOKS_LIKE_A_DATE = re.compile(rf"(?:{DAY}|{NAMED_DAY})(?:[T ].*)?")


@dataclass(frozen=True)
class Notation:
    """How one column writes its numbers.

    Attributes:
        decimal: Between the whole part and the fraction, "." or ",".
        thousands: Between groups of three digits: "", ",", ".", " " or "'".
        affix: The currency or percent sign of each cell, which is removed: `12 %` is 12.
        date: The format of dates, as of strptime, which become days since 1970; "" for numbers.
    """

    decimal: str = "."
    thousands: str = ""
    affix: str = ""
    date: str = ""

    def plain(self, cell: str) -> str:
        """The cell as Python writes the number; unchanged if it has another notation."""
        if self.date:
            try:
                moment = datetime.datetime.strptime(cell.strip(), self.date)
            except ValueError:
                return cell
            return repr((moment - EPOCH).total_seconds() / SECONDS_PER_DAY)
        text, affix = without_affix(cell)
        if affix != self.affix or not self.pattern.fullmatch(text):
            return cell
        return text.replace(self.thousands, "").replace(self.decimal, ".") if self.thousands else text.replace(",", ".")

    @property
    def pattern(self) -> re.Pattern[str]:
        """The numbers in this notation."""
        whole = r"\d+"
        if self.thousands:
            whole = rf"(?:[1-9]\d{{0,2}}(?:{re.escape(self.thousands)}\d{{3}})+|\d+)"
        return re.compile(rf"[-+]?{whole}(?:{re.escape(self.decimal)}\d+)?")

    def describe(self) -> str:
        """Such as "decimal comma, thousands separated by a point, € removed"."""
        if self.date:
            return "dates, as days since 1970"
        parts = [f"decimal {NAMES[self.decimal]}"] if self.decimal != "." else []
        parts += [f"thousands separated by {a(NAMES[self.thousands])}"] if self.thousands else []
        return ", ".join([*parts, *([f"{self.affix} removed"] if self.affix else [])])


PLAIN = Notation()


def a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def without_affix(cell: str) -> tuple[str, str]:
    """The number in a cell, and its currency or percent sign; the cell itself and "" if it is no such number."""
    text = cell.translate(BLANKS).strip()
    if text.startswith("(") and text.endswith(")"):  # A negative amount, in accounting.
        text = f"-{text[1:-1].strip()}"
    found = AFFIXED.fullmatch(text)
    if found is None or (found[1] and found[3][0] in "-+") or (found[2] and found[4]):
        return text, ""
    return found[1] + found[3], found[2] or found[4] or ""


def rewritten(
    table: CsvTable, columns: Collection[int], decimal: Decimal, thousands: Thousands, dates: Dates
) -> tuple[CsvTable, dict[str, Notation]]:
    """The table with plain numbers in the given columns, and the notation of each column that had another one.

    Raises:
        DataError: A column can be read in two ways, or holds dates and `dates` is "refuse".
    """
    found = {}
    for index in columns:
        notation = find_notation(table, index, decimal, thousands, dates)
        if notation is not None and notation != PLAIN:
            found[table.names[index]] = notation
    return apply(table, found), found


def apply(table: CsvTable, notations: Mapping[str, Notation]) -> CsvTable:
    """The table with plain numbers in the columns that have a notation."""
    if not notations:
        return table
    columns = list(table.columns)
    for index, name in enumerate(table.names):
        if (notation := notations.get(name)) is not None:
            columns[index] = mapped(columns[index], notation.plain)
    return replace(table, columns=columns)


def find_notation(table: CsvTable, index: int, decimal: Decimal, thousands: Thousands, dates: Dates) -> Notation | None:
    """The notation of a column of numbers or dates; None for a column of texts.

    Raises:
        DataError: The cells can be read in two ways, or are dates, which `dates` refuses.
    """
    fixed = decimal != "auto" or thousands != "auto"
    if not fixed and all(map(is_plain, table.columns[index][:PROBED])):
        return PLAIN  # A text further below is an error of whatever reads the column.
    cells = sorted({text for cell in set(table.columns[index]) if (text := cell.strip()) not in MISSING})
    texts, affixes = zip(*map(without_affix, cells), strict=True) if cells else ((), ())
    counts = {
        notation: sum(map(bool, map(notation.pattern.fullmatch, texts))) for notation in candidates(decimal, thousands)
    }
    most = max(counts.values())
    if most * 2 <= len(cells):
        return date_notation(table, index, cells, dates) if cells else PLAIN
    if len(set(affixes)) > 1:
        raise mixed(table, index, cells, affixes)
    best = [notation for notation, count in counts.items() if count == most]
    readings = {tuple(map(notation.plain, texts)): notation for notation in reversed(best)}
    if len(readings) > 1:
        raise ambiguous(table, index, texts, list(readings.values()))
    return replace(best[0], affix=affixes[0])


def candidates(decimal: Decimal, thousands: Thousands) -> list[Notation]:
    """The notations that the settings allow, the simplest first."""
    decimals = (".", ",") if decimal == "auto" else (SIGNS[decimal],)
    groups = ("", ",", ".", " ", "'") if thousands == "auto" else (SIGNS[thousands],)
    return [Notation(d, t) for t, d in itertools.product(groups, decimals) if d != t]


def is_plain(cell: str) -> bool:
    return to_number(cell) not in (float("inf"), float("-inf"))


def mixed(table: CsvTable, index: int, cells: Sequence[str], affixes: Sequence[str]) -> DataError:
    first: dict[str, str] = {}
    for cell, affix in zip(cells, affixes, strict=True):
        first.setdefault(affix, cell)
    name = table.names[index]
    return DataError(
        f"{table.origin}: the column {name} mixes units: {' and '.join(list(first.values())[:3])}",
        f"write all cells alike, or {setting('data.categories', [name])}",
    )


def ambiguous(table: CsvTable, index: int, numbers: Sequence[str], readings: Sequence[Notation]) -> DataError:
    text = next(text for text in numbers if len({notation.plain(text) for notation in readings}) > 1)
    values = " or ".join(dict.fromkeys(notation.plain(text) for notation in readings))
    sign = next(sign for sign in (",", ".") if sign in text)
    return DataError(
        f"{table.origin}: column {table.names[index]}: {text} is {values}, and no cell of the column decides it",
        f"{setting('data.decimal', NAMES[sign])}, or {setting('data.thousands', NAMES[sign])}",
    )


def date_notation(table: CsvTable, index: int, cells: Collection[str], dates: Dates) -> Notation | None:
    """The format of a column of dates; None if it holds none.

    Raises:
        DataError: It holds dates, and `dates` refuses them or cannot read them.
    """
    if dates == "categories" or sum(map(bool, map(LOOKS_LIKE_A_DATE.fullmatch, cells))) * 2 <= len(cells):
        return None
    name, example = table.names[index], min(cells)
    if dates == "refuse":
        raise DataError(
            f"{table.origin}: the column {name} holds dates, such as {example}",
            f"data.dates=number takes them as days since 1970, {setting('data.drop', [name])} leaves them out",
        )
    formats = [form for form in map(dated, DATES) if all(form.plain(cell) != cell for cell in cells)]
    # May is both a short and a long name. Numbers of a day and a month that are the same do not show their order.
    if len(formats) == 1 or (formats and all("%b" in form.date.lower() for form in formats)):
        return formats[0]
    what = "are in no common format" if not formats else "can be read as day/month or as month/day"
    raise DataError(
        f"{table.origin}: the dates of the column {name} {what}, such as {example}",
        f"write them as 2024-12-31, or {setting('data.drop', [name])}",
    )


def dated(form: str) -> Notation:
    return Notation(date=form)
