"""How a column writes its numbers: the decimal sign, the thousands separator, a currency or percent sign, or dates.

A column that Python reads as numbers is left as it is. Otherwise the notation is found from all its cells, and the
cells are rewritten, `1.234,50 €` as `1234.50`, so that whatever reads the table afterwards sees plain numbers. The
notation is saved with the run and applied to new rows.
"""

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from dltool.core.errors import DataError
from dltool.core.shell import setting
from dltool.data.cells import to_number
from dltool.data.csv_file import CsvTable
from dltool.data.dates import (
    HOURS,
    ISO_WITH_OFFSET,
    are_dates,
    are_numeric_days,
    are_times,
    foreign_month,
    formats_of,
    number,
)
from dltool.data.moments import NUMERIC_DAY, orders_of
from dltool.data.text_column import mapped

Decimal = Literal["auto", "point", "comma"]
Thousands = Literal["auto", "none", "comma", "point", "space", "apostrophe"]
Dates = Literal["refuse", "number", "categories"]

SIGNS = {"point": ".", "comma": ",", "space": " ", "apostrophe": "'", "none": ""}
NAMES = {sign: name for name, sign in SIGNS.items()}
BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "−": "-"})
CURRENCY = (
    r"(?:US|AU|CA|HK|NT|[ACRS])?\$|[€£¥₹₽₩₺฿₫₴₦元円원]|USD|EUR|GBP|CNY|RMB|JPY|CHF|INR|AUD|CAD|NZD|HKD|SGD|TWD|KRW|SEK|NOK|"
    r"DKK|PLN|CZK|HUF|RON|RUB|TRY|BRL|MXN|ZAR|ILS|THB|kr\.?|zł|Kč|Ft|lei|TL|руб\.?|Fr\.?"
)
AFFIXED = re.compile(rf"([-+]?)\s*({CURRENCY})?\s*([-+]?[\d.,' ]*\d(?:[eE][-+]?\d+)?)\s*({CURRENCY}|%)?")
# A number and its unit, such as 5 kg, 21.5 °C, 30 km/h; a column of such cells is one of numbers if all have one unit.
UNITED = re.compile(r"([-+]?[\d.,' ]*\d) ?([^\W\d_°µμ]{1,12}|[°µμ]?[^\W\d_]{1,6}[²³23]?(?:/[^\W\d_]{1,6}[²³23]?)?|°)")
CONVERTIBLE = (
    frozenset(("mg", "g", "kg", "t", "lb", "lbs", "oz")),
    frozenset(("mm", "cm", "m", "km", "in", "ft", "mi")),
    frozenset(("ml", "cl", "dl", "l", "L")),
    frozenset(("ms", "s", "sec", "min", "h")),
    frozenset(("B", "KB", "kB", "MB", "GB", "TB")),
    frozenset(("W", "kW", "MW")),
    frozenset(("Wh", "kWh", "MWh")),
    frozenset(("K", "M", "k", "B", "")),  # Thousands, millions and billions.
)
FEWEST_UNITED = 3  # Different cells with a unit that are numbers; fewer are categories.
IN_PARENTHESES = re.compile(rf"({CURRENCY})?\s*\(([^()]+)\)\s*({CURRENCY}|%)?")  # A negative amount, in accounting.
MINUS_BEHIND = re.compile(rf"([^-]*\d)\s*-\s*({CURRENCY}|%)?")
PROBED = 1000  # Cells of a column.


@dataclass(frozen=True)
class Notation:
    """How one column writes its numbers.

    Attributes:
        decimal: Between the whole part and the fraction, "." or ",".
        thousands: Between groups of three digits: "", ",", ".", " " or "'".
        affix: The currency or percent sign or the unit of each cell, which is removed: `12 %` is 12, `5 kg` is 5.
        minus: How negative numbers are written, for the user, if not with a hyphen in front; "" otherwise.
        date: The format of dates or times, which become days since 1970 or hours (dltool.data.dates); "" for numbers.
    """

    decimal: str = "."
    thousands: str = ""
    affix: str = ""
    date: str = ""
    minus: str = ""

    def plain(self, cell: str) -> str:
        """The cell as Python writes the number; unchanged if it has another notation."""
        if self.date:
            value = number(cell, self.date)
            return cell if value is None else repr(value)
        text, affix = without_affix(cell)
        if affix != self.affix:
            text, affix = without_unit(cell)
        if affix != self.affix or not self.pattern.fullmatch(text):
            return cell
        text = text.replace(self.thousands, "") if self.thousands else text
        return text.replace(self.decimal, ".")

    @property
    def pattern(self) -> re.Pattern[str]:
        """The numbers in this notation."""
        whole = r"\d+"
        if self.thousands:
            sign = re.escape(self.thousands)
            lakhs = rf"|[1-9]\d?(?:{sign}\d{{2}})+{sign}\d{{3}}" if self.thousands == "," else ""  # 12,34,567 in India.
            whole = rf"(?:[1-9]\d{{0,2}}(?:{sign}\d{{3}})+{lakhs}|\d+)"
        return re.compile(rf"[-+]?{whole}(?:{re.escape(self.decimal)}\d+)?(?:[eE][-+]?\d+)?")

    def describe(self) -> str:
        """Such as "decimal comma, thousands separated by a point, € removed"."""
        if self.date == HOURS:
            return "times, as hours: 12:30 is 12.5"
        if self.date:
            in_utc = self.date == ISO_WITH_OFFSET or "%z" in self.date
            return f"dates, as days since 1970{' in UTC' if in_utc else ''}"
        parts = [f"decimal {NAMES[self.decimal]}"] if self.decimal != "." else []
        parts += [f"thousands separated by {a(NAMES[self.thousands])}"] if self.thousands else []
        parts += [f"{self.affix} removed"] if self.affix else []
        return ", ".join([*parts, *([self.minus] if self.minus else [])])


PLAIN = Notation()


def a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def without_affix(cell: str) -> tuple[str, str]:
    """The number in a cell, and its currency or percent sign; the cell itself and "" if it is no such number."""
    text = cell.translate(BLANKS).strip()
    if found := IN_PARENTHESES.fullmatch(text) or MINUS_BEHIND.fullmatch(text):
        text = "-" + "".join(part or "" for part in found.groups())
    found = AFFIXED.fullmatch(text)
    if found is None or (found[1] and found[3][0] in "-+") or (found[2] and found[4]):
        return text, ""
    return found[1] + found[3], found[2] or found[4] or ""


def without_unit(cell: str) -> tuple[str, str]:
    """The number in a cell, and its unit; the cell itself and "" if it is no such number."""
    text = cell.translate(BLANKS).strip()
    found = UNITED.fullmatch(text)
    return (found[1], found[2]) if found else (text, "")


def parted(cells: Sequence[str]) -> list[tuple[str, str]]:
    """The number and the affix of each different cell: a currency or percent sign, or a unit if all have one.

    Units count if there is only one, or if they measure the same, which is for the caller to refuse.
    """
    parts = [without_affix(cell) for cell in cells]
    if len(cells) < FEWEST_UNITED or any(affix for _, affix in parts):
        return parts
    united = [without_unit(cell) for cell in cells]
    units = {unit for _, unit in united}
    one = len(units) == 1 and units != {""}
    several = len(units) > 1 and any(units <= known for known in CONVERTIBLE)
    return united if one or several else parts


def minus_of(cells: Sequence[str]) -> str:
    """How the cells write negative numbers; "" for a hyphen in front."""
    for cell in cells:
        if IN_PARENTHESES.fullmatch(cell):
            return "numbers in parentheses are negative"
        if MINUS_BEHIND.fullmatch(cell):
            return "numbers with a minus behind are negative"
        if "−" in cell:
            return "the sign − is a minus"
    return ""


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
    if dates == "number" and are_numeric_days(table.columns[index]):
        return Notation(date=NUMERIC_DAY)
    if not fixed and all(map(is_plain, table.columns[index][:PROBED])):
        return PLAIN  # A text further below is an error of whatever reads the column.
    cells = sorted({cell.strip() for cell in set(table.columns[index]) if not np.isnan(to_number(cell))})
    texts, affixes = zip(*parted(cells), strict=True) if cells else ((), ())
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
    return replace(best[0], affix=affixes[0], minus=minus_of(cells))


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


def date_notation(table: CsvTable, index: int, cells: Sequence[str], dates: Dates) -> Notation | None:
    """The format of a column of dates or times; None if it holds none.

    Raises:
        DataError: It holds dates or times, and `dates` refuses them or cannot read them.
    """
    times = are_times(cells)
    name, example = table.names[index], min(cells)
    if dates != "categories" and not times and (month := foreign_month(cells)):
        raise DataError(
            f"{table.origin}: the column {name} holds dates, such as {example}, and {month} is not the English "
            "name of a month",
            f"write them as 2024-12-31, or {setting('data.drop', [name])}, or {setting('data.categories', [name])}",
        )
    if dates == "categories" or not (times or are_dates(cells)):
        return None
    what, unit = ("times", "hours") if times else ("dates", "days since 1970")
    if dates == "refuse":
        raise DataError(
            f"{table.origin}: the column {name} holds {what}, such as {example}",
            f"data.dates=number takes them as {unit}, {setting('data.drop', [name])} leaves them out",
        )
    formats = formats_of(cells)
    if len(formats) == 1:
        return Notation(date=formats[0])
    problem = f"can be read as {orders_of(formats)}"
    if not formats:
        own = formats_of(cells[:1])
        example = next((cell for cell in cells if all(number(cell, form) is None for form in own)), example)
        problem = "are in no common format"
    raise DataError(
        f"{table.origin}: the {what} of the column {name} {problem}, such as {example}",
        f"write them as {'12:30' if times else '2024-12-31'}, or {setting('data.drop', [name])}",
    )
