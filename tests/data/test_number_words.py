"""Numbers in words."""

import pytest

from dltool.data.number_words import LARGEST, chinese_numeral, english_words


@pytest.mark.parametrize(
    ("number", "english", "chinese"),
    [
        (0, "zero", "零"),
        (10, "ten", "十"),
        (14, "fourteen", "十四"),
        (25, "twenty five", "二十五"),
        (100, "one hundred", "一百"),
        (110, "one hundred and ten", "一百一十"),
        (205, "two hundred and five", "二百零五"),
        (1_000, "one thousand", "一千"),
        (1_005, "one thousand and five", "一千零五"),
        (1_010, "one thousand and ten", "一千零一十"),
        (1_100, "one thousand one hundred", "一千一百"),
        (10_000, "ten thousand", "一万"),
        (10_010, "ten thousand and ten", "一万零一十"),
        (10_100, "ten thousand one hundred", "一万零一百"),
        (50_203, "fifty thousand two hundred and three", "五万零二百零三"),
        (99_999, "ninety nine thousand nine hundred and ninety nine", "九万九千九百九十九"),
        (120_000, "one hundred and twenty thousand", "十二万"),
        (10_000_001, "ten million and one", "一千万零一"),
    ],
)
def test_known_numbers(number, english, chinese):
    assert " ".join(english_words(number)) == english
    assert chinese_numeral(number) == chinese


def test_no_two_numbers_are_told_alike():
    numbers = [*range(12_000), *range(99_000, 101_000), *range(LARGEST - 1_000, LARGEST + 1)]
    assert len({tuple(english_words(number)) for number in numbers}) == len(numbers)
    assert len({chinese_numeral(number) for number in numbers}) == len(numbers)


def test_chinese_numerals_mean_what_they_say():
    """Read back by place values, in another way than they are written."""
    for number in [*range(1, 3_000), *range(9_900, 10_200), *range(99_000, 100_200, 7)]:
        total = group = digit = 0
        for sign in chinese_numeral(number):
            if sign in "千百十":
                group += (digit or 1) * {"千": 1000, "百": 100, "十": 10}[sign]
                digit = 0
            elif sign == "万":
                total, group, digit = 10_000 * (group + digit), 0, 0
            else:
                digit = "零一二三四五六七八九".index(sign)
        assert total + group + digit == number
