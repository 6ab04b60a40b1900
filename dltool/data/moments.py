"""Reads a column of times: dates, dates with times of day, ISO 8601 with a zone, Unix time, years, plain numbers.

A moment is an int64, microseconds since 1970 in UTC (or in the file's own clock, if it states no zone). Plain numbers
stay float64: their unit is unknown.
"""

import datetime
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dltool.data.cells import parse_numbers

EPOCH = datetime.datetime(1970, 1, 1)
MICROSECOND = datetime.timedelta(microseconds=1)
PROBED = 200  # Cells that a format must read before all are read.
DAYS = (
    *("%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y"),
    *(
        "%d/%m/%y",
        "%m/%d/%y",
        "%d-%m-%y",
        "%m-%d-%y",
        "%d %b %Y",
        "%d-%b-%Y",
        "%d-%b-%y",
        "%b %d, %Y",
        "%d %B %Y",
        "%B %d, %Y",
        "%Y%m%d",
    ),
)
CLOCKS = (
    *("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M", "T%H:%M:%S"),
    *(" %H.%M.%S", " %H"),
)
YEAR_FIRST = tuple(f"%y{sign}%m{sign}%d{clock}" for sign in "-/." for clock in CLOCKS)
SHORT_DATE = re.compile(r"(\d{1,2})([-/.])\d{1,2}\2(\d{1,2})(?:[ T].*)?")
PARTS = ("%Y %m", "%Y %m %d", "%Y %m %d %H")  # Of several columns.
MONTHS = ("%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%Y年%m月", "%YM%m")
STAMPS = (  # Of e-mails, ctime and Twitter.
    *map("".join, itertools.product(("%a, %d %b %Y", "%a, %b %d, %Y"), ("", " %H:%M:%S", " %H:%M:%S %z"))),
    *("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y"),
)
FORMS = (*map("".join, itertools.product(DAYS, CLOCKS)), *MONTHS, *PARTS, *STAMPS)
UNPADDED = tuple(f"%Y-%m-%d{clock}" for clock in CLOCKS)  # 2024-1-5, which is no ISO 8601.
SPACED_OFFSET = re.compile(r" (?=[+-]\d{2}:?\d{2}$)| ?(?:UTC|GMT)$")
NUMERIC_DAY = "%Y%m%d"  # 20240131, which is a number as well.
NUMERIC_DATES = {6: "%Y%m", 8: NUMERIC_DAY, 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}  # By digits.
QUARTER = re.compile(r"(?P<year>\d{4})(?P<sign>[- ]?)Q(?P<quarter>[1-4])")
QUARTER_FIRST = re.compile(r"(?P<sign>Q)(?P<quarter>[1-4])(?P<blank>[- /]?)(?P<year>\d{4})")
# Unit of Unix time to its microseconds; the unit follows from the size of the numbers, which are after 1973.
UNIX = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}
UNIX_FROM, UNIX_TO = 1e8, 5e9  # Seconds.
YEARS, DATED_YEARS = range(1000, 3000), range(1800, 2200)

Kind = Literal["iso", "strptime", "quarter", "year", "unix", "number"]


@dataclass(frozen=True)
class TimeFormat:
    """How a column writes its times.

    Attributes:
        kind: "iso" is ISO 8601; "strptime" another notation of dates.
        form: The longest cell for "iso", strptime's format, the separator of year and quarter (after a Q where the
            quarter is first), the unit of Unix time.
        offset: Minutes east of UTC of the last cell; None where cells have no zone.
    """

    kind: Kind
    form: str = ""
    offset: int | None = None

    @property
    def is_date(self) -> bool:
        return self.kind != "number"

    def read(self, cells: Sequence[str]) -> np.ndarray:
        """The moment of each cell, int64 `(R,)`, or float64 for plain numbers.

        Raises:
            ValueError: A cell has another format; its argument is the cell's position.
        """
        if self.kind in ("unix", "number", "year"):
            numbers, _ = parse_numbers(cells)
            if np.isnan(numbers).any():
                raise ValueError(int(np.isnan(numbers).argmax()))
            return self._of_numbers(numbers)
        moments = []
        for position, cell in enumerate(cells):
            try:
                moments.append(self._moment(cell.strip()))
            except ValueError as error:
                raise ValueError(position) from error
        return np.array(moments, dtype=np.int64)

    def _of_numbers(self, numbers: np.ndarray) -> np.ndarray:
        if self.kind == "number":
            return numbers
        if self.kind == "year":
            outside = (numbers < 1) | (numbers > 9999) | (numbers != np.floor(numbers))
            if outside.any():
                raise ValueError(int(outside.argmax()))
            return (numbers.astype(np.int64) - 1970).astype("datetime64[Y]").astype("datetime64[us]").astype(np.int64)
        return np.round(numbers * UNIX[self.form]).astype(np.int64)

    def _moment(self, text: str) -> int:
        if self.kind == "quarter":
            found = (QUARTER_FIRST if self.form.startswith("Q") else QUARTER).fullmatch(text)
            if found is None:
                raise ValueError(text)
            moment = datetime.datetime(int(found["year"]), 3 * int(found["quarter"]) - 2, 1)
        elif self.kind == "iso":
            moment = from_iso(text)
            if (moment.tzinfo is None) != (self.offset is None):
                raise ValueError(text)  # A time without a zone among those with one.
        else:
            moment = datetime.datetime.strptime(text, self.form)
        if moment.tzinfo is not None:
            moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
        return (moment - EPOCH) // MICROSECOND

    def write(self, moment: float) -> str:
        """The moment in the notation of the column."""
        if self.kind == "number":
            return f"{moment:.10g}"
        if self.kind == "unix":
            return in_unix(int(moment), UNIX[self.form])
        date = EPOCH + datetime.timedelta(microseconds=int(moment), minutes=self.offset or 0)
        match self.kind:
            case "year":
                return str(date.year)
            case "quarter":
                quarter = (date.month + 2) // 3
                if self.form.startswith("Q"):
                    return f"Q{quarter}{self.form[1:]}{date.year}"
                return f"{date.year}{self.form}Q{quarter}"
            case "strptime":
                return date.strftime(self.form)
        return self._in_iso(date)

    def _in_iso(self, date: datetime.datetime) -> str:
        sign = "-" if self.form[4:5] == "-" else ""  # 20240131T1200 is the basic format.
        if "W" in self.form:
            day = f"{sign}%u" if len(self.form) > len(f"2024{sign}W01") else ""
            return date.strftime(f"%G{sign}W%V{day}")
        day = date.strftime(f"%Y{sign}%m{sign}%d").rjust(8 + 2 * len(sign), "0")  # strftime does not pad years.
        if len(self.form) <= len(day):
            return day
        clock = self.form[len(day) + 1 :].replace(",", ".")
        seconds = re.match(r"\d{2}:?\d{2}:?\d{2}", clock)
        digits = "microseconds" if "." in clock else "seconds" if seconds else "minutes"
        time = date.time().isoformat(digits)
        text = day + self.form[len(day)] + (time if sign else time.replace(":", ""))
        if self.offset is None:
            return text
        hours, minutes = divmod(abs(self.offset), 60)
        zone = f"{'-' if self.offset < 0 else '+'}{hours:02}:{minutes:02}"
        return text + next((name for name in ("Z", " UTC", " GMT") if self.form.endswith(name)), zone)


def from_iso(text: str) -> datetime.datetime:
    """Read ISO 8601; also with a space before the offset, or with UTC. Raises ValueError for other texts."""
    return datetime.datetime.fromisoformat(SPACED_OFFSET.sub(lambda found: found[0].strip() and "Z", text))


def in_unix(moment: int, microseconds: float) -> str:
    """A moment as the number of a unit of Unix time, with all digits."""
    if microseconds < 1:
        return str(moment * round(1 / microseconds))
    whole, rest = divmod(moment, int(microseconds))
    return str(whole) if not rest else f"{moment / microseconds:.16g}"


def readings(cells: Sequence[str]) -> list[tuple[TimeFormat, np.ndarray]]:
    """Each way to read all cells as dates or times, with the moments; empty if some cell is none of them."""
    found = []
    for form in possible_formats(cells[:PROBED]):
        try:
            current = fitted(form, cells)
            found.append((current, current.read(cells)))
        except ValueError:
            continue
    return found


def possible_formats(cells: Sequence[str]) -> list[TimeFormat]:
    """The formats that read all of some cells of a column, of which none is missing."""
    if not cells:
        return []
    numbers, texts = parse_numbers(cells)
    if not texts.any() and not np.isnan(numbers).any():
        return [number_format(cells, numbers)]
    iso = fitted(TimeFormat("iso"), cells)
    forms = FORMS if reads(iso, cells) else (*UNPADDED, *FORMS)
    formats = [iso, *(TimeFormat("strptime", form) for form in (*forms, *(YEAR_FIRST if year_is_first(cells) else ())))]
    quarter = QUARTER.fullmatch(cells[0].strip()) or QUARTER_FIRST.fullmatch(cells[0].strip())
    formats += [TimeFormat("quarter", quarter["sign"] + quarter.groupdict().get("blank", ""))] if quarter else []
    return [form for form in formats if reads(form, cells)]


def year_is_first(cells: Sequence[str]) -> bool:
    """Whether dates of three short numbers, such as 24/01/31, have fewer different first numbers than last ones.

    Many days share a year, so that the number with fewer values is the year.
    """
    found = [SHORT_DATE.fullmatch(cell.strip()) for cell in cells]
    firsts = {match[1] for match in found if match}
    return all(found) and len(firsts) < len({match[3] for match in found if match})


def orders_of(forms: Sequence[str]) -> str:
    """How the dates of some formats of strptime can be read, such as "day/month or as month/day"."""
    words = {"%d": "day/month", "%m": "month/day", "%y": "year/month"}
    starts = {form[:2] for form in forms}
    return " or as ".join(word for start, word in words.items() if start in starts)


def number_format(cells: Sequence[str], numbers: np.ndarray) -> TimeFormat:
    """Years, days such as 20240131, months and hours likewise, Unix time in some unit, or plain numbers."""
    least, most = numbers.min(), numbers.max()
    whole = bool((numbers == np.floor(numbers)).all())
    if whole and YEARS.start <= least <= most < YEARS.stop:
        return TimeFormat("year")
    texts = [cell.strip() for cell in cells]
    dated = NUMERIC_DATES.get(len(texts[0]))
    if dated and all(text.isdecimal() and len(text) == len(texts[0]) for text in texts):
        recent = all(int(text[:4]) in DATED_YEARS for text in texts)
        if recent and reads(TimeFormat("strptime", dated), cells):
            return TimeFormat("strptime", dated)
    for unit, microseconds in UNIX.items():
        size = 1e6 / microseconds
        if UNIX_FROM * size <= least <= most < UNIX_TO * size:
            return TimeFormat("unix", unit)
    return TimeFormat("number")


def reads(form: TimeFormat, cells: Sequence[str]) -> bool:
    try:
        form.read(cells)
    except ValueError:
        return False
    return True


def fitted(form: TimeFormat, cells: Sequence[str]) -> TimeFormat:
    """The format with what the cells of another file decide: the zone of the last one, and how precise they are."""
    if form.kind != "iso":
        return form
    longest = max((cell.strip() for cell in cells), key=len)
    try:
        zone = from_iso(cells[-1].strip()).utcoffset()
    except ValueError:
        zone = None
    return TimeFormat("iso", longest, None if zone is None else int(zone.total_seconds()) // 60)


def as_datetimes(form: TimeFormat, moments: Sequence[float]) -> Iterator[datetime.datetime | float]:
    """The moments for the axis of a figure, in the zone of the column; plain numbers as they are."""
    for moment in moments:
        since = datetime.timedelta(microseconds=int(moment), minutes=form.offset or 0)
        yield EPOCH + since if form.is_date else float(moment)
