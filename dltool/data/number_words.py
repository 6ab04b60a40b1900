"""Whole numbers in English words and in Chinese numerals."""

UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = ((1_000_000, "million"), (1_000, "thousand"))
LARGEST = 99_999_999

CHINESE_DIGITS = "零一二三四五六七八九"
CHINESE_PLACES = ((1000, "千"), (100, "百"), (10, "十"), (1, ""))


def english_words(number: int) -> list[str]:
    """A number of 0 … LARGEST in British English: 205 is two hundred and five. Twenty-five is two words here."""
    if number == 0:
        return [UNITS[0]]
    words: list[str] = []
    for size, name in SCALES:
        count, number = divmod(number, size)
        if count:
            words += [*below_thousand(count), name]
    if words and 0 < number < 100:
        words.append("and")  # One thousand and five.
    return words + below_thousand(number)


def below_thousand(number: int) -> list[str]:
    """A number of 0 … 999; nothing for 0."""
    hundreds, rest = divmod(number, 100)
    words = [UNITS[hundreds], "hundred", *["and"] * (rest > 0)] if hundreds else []
    if rest >= 20:
        tens, rest = divmod(rest, 10)
        words.append(TENS[tens])
    return words + [UNITS[rest]] * (rest > 0)


def chinese_numeral(number: int) -> str:
    """A number of 0 … LARGEST: 205 is 二百零五, 10,010 is 一万零一十.

    Any run of zeros between digits is one 零, zeros at the end of a group of four are omitted; 10 … 19 at the front are
    十 …, without 一. Two is 二, never 两.
    """
    if number == 0:
        return CHINESE_DIGITS[0]
    high, low = divmod(number, 10_000)
    text = below_ten_thousand(high) + "万" if high else ""
    if text and 0 < low < 1000:
        text += CHINESE_DIGITS[0]
    text += below_ten_thousand(low)
    return text.removeprefix("一") if text.startswith("一十") else text


def below_ten_thousand(number: int) -> str:
    """A group of four digits; nothing for 0."""
    text, skipped = "", False
    for size, place in CHINESE_PLACES:
        digit, number = divmod(number, size)
        if digit == 0:
            skipped = bool(text)
            continue
        text += CHINESE_DIGITS[0] * skipped + CHINESE_DIGITS[digit] + place
        skipped = False
    return text
