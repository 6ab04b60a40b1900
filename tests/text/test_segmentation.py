"""Words of texts in any script."""

import re
import unicodedata
from collections import Counter

import numpy as np
import pytest

from dltool.text.segmentation import divide, join
from dltool.text.tokenizer import TokenizerSettings
from dltool.text.vocabulary import CharTokenizer, WordTokenizer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("我喜欢这部电影，很好看。", [*"我喜欢这部电影，很好看。"]),
        ("Python很好3次", ["Python", "很", "好", "3", "次"]),
        ("私はコーヒー", [*"私はコーヒー"]),
        ("ｶﾞｷﾞ", ["ｶﾞ", "ｷﾞ"]),
        ("नमस्ते दुनिया २०२४", ["नमस्ते", "दुनिया", "२०२४"]),
        ("مُحَمَّد كتب", ["مُحَمَّد", "كتب"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),  # A non-joiner is within a word.
        ("cafe\u0301 cre\u0300me", ["cafe\u0301", "cre\u0300me"]),
        ("กี่ครั้ง ๑๒๓", ["กี่", "ค", "รั้", "ง", "๑๒๓"]),
        ("ສະບາຍດີ", ["ສ", "ະ", "ບ", "າ", "ຍ", "ດີ"]),
        ("ខ្ញុំ", ["ខ្", "ញុំ"]),
        ("မြန်မာ", ["မြ", "န်", "မာ"]),
        ("한국어 단어", ["한국어", "단어"]),
        ("𠮷野家", ["𠮷", "野", "家"]),
        ("❤️ 1️⃣", ["❤️", "1️⃣"]),
        ("\u0301 a", ["\u0301", "a"]),  # A mark without a letter.
    ],
)
def test_marks_belong_to_their_letter_and_scripts_without_spaces_are_divided(text: str, words: list[str]) -> None:
    assert list(divide(text, "unicode")) == words


@pytest.mark.parametrize(
    "text",
    [
        "Don't stop: e-mail me at 3.5 % of 1,000 x_y (a.k.a. “Zoë”) – café… naïve €5 №7\u00a0½ ²\tend",
        "Grüße, Straße; Ærøskøbing, İstanbul, Łódź; русский язык, ελληνικά, עברית",
        "".join(map(chr, range(0x250))),
        "한국어 e–mail ½ ⅓ ½x ①②",
    ],
)
def test_the_words_of_other_texts_are_those_of_version_0_1(text: str) -> None:
    assert divide(text, "unicode") == divide(text, "alphanumeric") == re.findall(r"\w+|[^\w\s]", text)
    lines = text + "\n\nend\n"
    assert divide(lines, "unicode", with_line_ends=True) == re.findall(r"\w+|[^\w\s]|\n", lines)


def test_no_character_is_lost() -> None:
    text = "".join(chr(code) for code in range(0x30000) if unicodedata.category(chr(code)) != "Cs")
    assert "".join(divide(text, "unicode")) == re.sub(r"\s", "", text)


def test_texts_that_are_divided_already() -> None:
    assert divide("我 喜欢 do n't 1,000.5", "spaces") == ["我", "喜欢", "do", "n't", "1,000.5"]
    assert divide("a b\n\nc", "spaces", with_line_ends=True) == ["a", "b", "\n", "\n", "c"]


@pytest.mark.parametrize("text", ["我喜欢这部电影，很好看。", "naïve 机器学习 ok", "私は「本」を読む。", "नमस्ते दुनिया"])
def test_spaces_are_only_between_words_that_have_them(text: str) -> None:
    assert join(divide(text, "unicode"), "unicode") == text


def test_the_division_is_saved_and_runs_without_it_keep_theirs() -> None:
    fitted = WordTokenizer.fit(["很好"], ["<unk>"], TokenizerSettings(kind="word"))
    again = WordTokenizer.from_state(["<unk>"], False, fitted.state())
    assert again.words("很好") == fitted.words("很好") == ["很", "好"]
    old = WordTokenizer.from_state(["<unk>"], False, {"tokens": ["很好"]})
    assert old.words("很好cafe\u0301") == ["很好cafe", "\u0301"]
    assert old.state() == {"tokens": ["很好"]}


@pytest.mark.parametrize("lower", [False, True])
def test_characters_by_table_are_those_one_by_one(lower: bool) -> None:
    texts = ["abcABCİ", "", "汉字 𠮷\n", ["ab", "c"], "\udce9x", "z" * 2_000_000 + "é"]
    settings = TokenizerSettings(kind="char", lower=lower, min_freq=2)
    tokenizer = CharTokenizer.fit(texts, ["<pad>", "<unk>"], settings)
    counts = Counter("".join(map(tokenizer.parts, texts)))
    assert [*tokenizer.tokens] == sorted(character for character, count in counts.items() if count >= 2)
    unseen = [*texts, "\U0010ffff?"]
    encoded = tokenizer.encode_all(unseen)
    assert encoded.tokens.dtype == np.int32
    smallest = tokenizer.encode_all(unseen, tokenizer.smallest_type).tokens
    assert smallest.dtype == np.uint8
    assert smallest.tolist() == encoded.tokens.tolist()
    rows = np.split(encoded.tokens, encoded.lengths.cumsum()[:-1])
    assert [row.tolist() for row in rows] == [tokenizer.encode(text) for text in unseen]


@pytest.mark.parametrize(
    ("size", "dtype"), [(2, np.uint8), (256, np.uint8), (257, np.int16), (32768, np.int16), (32769, np.int32)]
)
def test_the_smallest_type_holds_every_token(size: int, dtype: type) -> None:
    tokenizer = CharTokenizer(["<unk>"], [chr(0x4E00 + code) for code in range(size - 1)], lower=False)
    last = chr(0x4E00 + size - 2)
    assert tokenizer.smallest_type == dtype
    assert tokenizer.encode_all([last], tokenizer.smallest_type).tokens.tolist() == tokenizer.encode(last) == [size - 1]
