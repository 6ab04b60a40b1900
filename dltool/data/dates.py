"""Columns of dates and times as numbers: days since 1970, in UTC where the cells state an offset, or hours."""

import re
from collections.abc import Collection, Sequence

from dltool.data.cells import MISSING
from dltool.data.moments import NUMERIC_DAY, PROBED, TimeFormat, readings

MICROSECONDS_PER_DAY = 86_400 * 10**6
MONTH = (
    "(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)
WEEKDAY = "(?i:(?:mon|tue|wed|thu|fri|sat|sun),? )?"
NAMED_DAY = rf"\d{{1,2}}[ -]{MONTH}[ -]\d{{2}}(?:\d{{2}})?|{MONTH} \d{{1,2}},? \d{{4}}"
DAY = r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}([-/.])\d{1,2}\1\d{4}|\d{1,2}([-/])\d{1,2}\2\d{2}"
SHORT_DAY = r"(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.\d{2}"  # Versions have other numbers, too.
YEAR = r"(?:18|19|20|21)\d{2}"
QUARTER = rf"{YEAR}[- ]?Q[1-4]|Q[1-4][- /]?{YEAR}"
PERIOD = rf"{YEAR}[-/](?:0[1-9]|1[0-2])|{YEAR}年\d{{1,2}}月|{QUARTER}|{YEAR}-W\d{{2}}|{MONTH}[ -]{YEAR}"
STAMP = rf"{MONTH} +\d{{1,2}} \d{{1,2}}:\d{{2}}:\d{{2}}(?: [+-]\d{{4}})? \d{{4}}"  # Of ctime and Twitter.
# Of German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Polish and Russian, without those of English.
FOREIGN_MONTH = (
    "(?i:januar[i]?|jän(?:ner)?|janv(?:ier)?|enero?|gen(?:naio)?|janeiro|stycznia|января|februar[i]?|févr?(?:ier)?|"
    "febrero|febbraio|fev(?:ereiro)?|lutego|февраля|märz?|mrz|mrt|mars|maart|marzo|março|marca|марта|avr(?:il)?|abr(?:il)?|"
    "aprile|kwietnia|апреля|mai|maj|mei|mayo|mag(?:gio)?|maio|maja|мая|juni|juin|junio|giu(?:gno)?|junho|czerwca|июня|juli|"
    "juil(?:let)?|julio|lug(?:lio)?|julho|lipca|июля|août|augusti?|agosto?|ago|augustus|sierpnia|августа|"
    "septembre|se[pt]?tiembre|set(?:tembre|embro)?|września|сентября|okt(?:ober)?|octobre|octubre|ott(?:obre)?|out(?:ubro)?|"
    "października|октября|novembre|noviembre|novembro|listopada|ноября|dez(?:ember|embro)?|déc(?:embre)?|dic(?:iembre|embre)?|"
    "grudnia|декабря|ene)"
)
FOREIGN_DATE = re.compile(
    rf"(?i:\w+,? )?(?:\d{{1,2}}(?:\.|er|º)?[ -]?(?:de )?)?({FOREIGN_MONTH})\.?"
    r"(?:[ -]| de )?(?:\d{4}|\d{2})(?:[ T,].*)?"
)
LOOKS_LIKE_A_DATE = re.compile(rf"{WEEKDAY}(?:(?:{DAY}|{SHORT_DAY}|{NAMED_DAY})(?:[T ].*)?|{PERIOD}|{STAMP})")
CLOCK = re.compile(r"(?:(-?\d+) days?,? )?\+?(\d{1,3}):([0-5]\d)(?::([0-5]\d(?:[.,]\d+)?))?(?: ?([AaPp])\.?[Mm]\.?)?")
ISO_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?(?<![PT])")
NAMED_DURATION = re.compile(
    r"(?=\d)(?:(\d+) ?d(?:ays?)?,? ?)?(?:(\d+) ?h(?:ours?|rs?)?,? ?)?(?:(\d+) ?m(?:in(?:ute)?s?)?,? ?)?"
    r"(?:(\d+(?:\.\d+)?) ?s(?:ec(?:ond)?s?)?)?"
)
SEVERAL_UNITS = re.compile(r"\d+ ?[a-z]+,? ?\d+ ?[a-z]+.*")  # 90 min is a number with its unit.
NUMERIC = re.compile(rf"{YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
ISO, ISO_WITH_OFFSET, HOURS = "ISO 8601", "ISO 8601 with a UTC offset", "hours"
QUARTERS = "quarters"  # Followed by the text between year and quarter.


def are_dates(cells: Collection[str]) -> bool:
    """Whether more than half of the cells look like dates."""
    return sum(map(bool, map(LOOKS_LIKE_A_DATE.fullmatch, cells))) * 2 > len(cells)


def foreign_month(cells: Collection[str]) -> str:
    """The name of a month in another language than English; "" if fewer than a quarter of the cells have one.

    Several languages share most names with English: in German, five of twelve.
    """
    found = [match[1] for cell in cells if (match := FOREIGN_DATE.fullmatch(cell.strip()))]
    return found[0] if len(found) * 4 >= len(cells) > 0 else ""


def are_times(cells: Collection[str]) -> bool:
    """Whether more than half of the cells are times of day, or durations such as 26:15:00, 2h 15m or PT2H15M."""
    if not any(
        CLOCK.fullmatch(cell) or ISO_DURATION.fullmatch(cell) or SEVERAL_UNITS.fullmatch(cell) for cell in cells
    ):
        return False
    return sum(hours(cell) is not None for cell in cells) * 2 > len(cells)


def are_numeric_days(cells: Sequence[str]) -> bool:
    """Whether all cells of a column are different days such as 20240131, or missing."""
    if not all(text in MISSING or NUMERIC.fullmatch(text) for text in map(str.strip, cells[:PROBED])):
        return False
    texts = {text for cell in set(cells) if (text := cell.strip()) not in MISSING}
    return len(texts) > 1 and all(NUMERIC.fullmatch(text) and number(text, NUMERIC_DAY) is not None for text in texts)


def formats_of(cells: Sequence[str]) -> list[str]:
    """The formats in which all cells are dates, or times; several if the cells are different moments in them.

    Args:
        cells: Different texts, none of which is missing.

    Returns:
        Formats for `number`.
    """
    if are_times(cells):
        return [HOURS] if all(hours(cell) is not None for cell in cells) else []
    found = {moments.tobytes(): form for form, moments in reversed(readings(cells)) if form.is_date}
    return [format_name(form) for form in found.values()]


def format_name(form: TimeFormat) -> str:
    """The name under which a run saves the format of a column."""
    if form.kind == "iso":
        return ISO if form.offset is None else ISO_WITH_OFFSET
    return f"{QUARTERS}{form.form}" if form.kind == "quarter" else form.form


def number(cell: str, form: str) -> float | None:
    """The days since 1970, or the hours, of a cell; None if it has another format.

    Args:
        cell: A text.
        form: ISO, ISO_WITH_OFFSET, HOURS, QUARTERS with the text between year and quarter, or a format of strptime.
    """
    if form == HOURS:
        return hours(cell.strip())
    moments = TimeFormat("strptime", form)
    if form in (ISO, ISO_WITH_OFFSET):
        moments = TimeFormat("iso", offset=None if form == ISO else 0)
    elif form.startswith(QUARTERS):
        moments = TimeFormat("quarter", form.removeprefix(QUARTERS))
    try:
        (moment,) = moments.read([cell])
    except ValueError:
        return None
    return float(moment) / MICROSECONDS_PER_DAY


def hours(text: str) -> float | None:
    """The hours of a time of day or a duration; None for another text."""
    found = CLOCK.fullmatch(text)
    if found is None:
        units = ISO_DURATION.fullmatch(text) or NAMED_DURATION.fullmatch(text)
        if units is None:
            return None
        day, hour, minute, second = (float(part or 0) for part in units.groups())
        return 24 * day + hour + minute / 60 + second / 3600
    days, clock, minutes, seconds, half = found.groups()
    whole = int(clock)
    if half is not None:
        whole = whole % 12 + 12 * (half in "Pp")
    return 24 * int(days or 0) + whole + int(minutes) / 60 + float((seconds or "0").replace(",", ".")) / 3600
