import pytest

from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import SPECIAL_TOKENS, UNKNOWN
from dltool.text.fitting import fingerprint, fit_tokenizer, load_tokenizer
from dltool.text.tokenizer import STREAM_SPECIALS, TokenizerSettings

KINDS = ["char", "word", "bpe"]
TEXTS = ["The cat sat, the dog ran.", "A cat!", "naïve 机器学习 ok"]


def fitted(kind, specials=SPECIAL_TOKENS, texts=TEXTS, **settings):
    if kind == "bpe":
        pytest.importorskip("tokenizers")
        settings.setdefault("max_size", 300)
    return fit_tokenizer(TokenizerSettings(kind=kind, **settings), texts, specials)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("specials", [SPECIAL_TOKENS, STREAM_SPECIALS])
def test_text_comes_back(kind, specials):
    tokenizer = fitted(kind, specials)
    for text in TEXTS:
        tokens = tokenizer.encode(text)
        assert all(len(specials) <= token < len(tokenizer) for token in tokens)
        expected = text if kind != "word" else text.replace(",", " ,").replace(".", " .").replace("!", " !")
        assert tokenizer.decode(tokens) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_is_the_same(kind):
    tokenizer = fitted(kind, lower=True)
    again = load_tokenizer(tokenizer.to_json())
    assert again.to_json() == tokenizer.to_json()
    assert len(again) == len(tokenizer)
    assert again.encode("The CAT") == tokenizer.encode("the cat")
    assert [again.name(i) for i in range(len(again))] == [tokenizer.name(i) for i in range(len(tokenizer))]


@pytest.mark.parametrize("kind", KINDS)
def test_the_vocabulary_is_a_function_of_the_texts(kind):
    assert fitted(kind).to_json() == fitted(kind).to_json()
    assert fingerprint(fitted(kind).to_json()) != fingerprint(fitted(kind, texts=["other"]).to_json())


@pytest.mark.parametrize(("kind", "text"), [("char", "cat?"), ("word", "cat bird")])
def test_what_was_never_seen_is_unknown(kind, text):
    tokenizer = fitted(kind)
    tokens = tokenizer.encode(text)
    assert tokens[-1] == UNKNOWN
    assert tokenizer.decode(tokens).endswith("\N{REPLACEMENT CHARACTER}")
    with pytest.raises(DataError, match=r"not in the training data: '(bird|[?])'") as error:
        tokenizer.encode_known(text)
    assert error.value.hint == "--unknown=skip"
    assert tokenizer.encode_known(text, unknown="skip") == tokens[:-1]


def test_words_are_ordered_by_frequency():
    tokenizer = fit_tokenizer(TokenizerSettings(kind="word"), ["b a b", "c b a"], SPECIAL_TOKENS)
    assert [tokenizer.name(i) for i in range(len(tokenizer))] == [*SPECIAL_TOKENS, "b", "a", "c"]


def test_rare_and_surplus_tokens_are_left_out():
    texts = ["a a a b b c"]
    assert len(fit_tokenizer(TokenizerSettings(kind="word", min_freq=2), texts, SPECIAL_TOKENS)) == 6
    limited = fit_tokenizer(TokenizerSettings(kind="char", max_size=2), texts, STREAM_SPECIALS)
    assert [limited.name(i) for i in range(len(limited))] == ["<unk>", " "]  # The most frequent one.


def test_words_that_are_told_apart_already():
    tokenizer = fit_tokenizer(TokenizerSettings(kind="word", lower=True), [["Don't", "stop"]], SPECIAL_TOKENS)
    assert tokenizer.encode(["don't", "STOP", "now"]) == [4, 5, UNKNOWN]


def test_a_stream_of_words_keeps_its_lines():
    tokenizer = fitted("word", STREAM_SPECIALS, ["one two\nthree"])
    assert tokenizer.decode(tokenizer.encode("one\ntwo three\n")) == "one\ntwo three\n"


def test_a_special_token_in_a_text_is_no_second_one():
    tokenizer = fit_tokenizer(TokenizerSettings(kind="word"), [["<unk>", "a", "<unk>"]], SPECIAL_TOKENS)
    assert len(tokenizer) == 5
    assert tokenizer.encode(["<unk>"]) == [UNKNOWN]


@pytest.mark.parametrize(("settings", "message"), [({"max_size": None}, "size"), ({"max_size": 100}, "alone are 260")])
def test_pieces_need_a_size(settings, message):
    pytest.importorskip("tokenizers")
    with pytest.raises(ConfigError, match=message):
        fitted("bpe", **settings)


COMPOSED, DECOMPOSED = "caf\u00e9 Å \uac00", "cafe\u0301 A\u030a \u1100\u1161"  # é, Å, 가


@pytest.mark.parametrize("kind", ["char", "word"])
@pytest.mark.parametrize("written", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize("lower", [False, True])
def test_a_letter_is_the_same_token_however_it_is_written(kind: str, written: str, lower: bool) -> None:
    settings = TokenizerSettings(kind=kind, lower=lower)  # type: ignore[arg-type]
    tokenizer = load_tokenizer(fit_tokenizer(settings, [written], STREAM_SPECIALS).to_json())
    tokens = tokenizer.encode(COMPOSED)
    assert tokenizer.unknown not in tokens
    assert tokenizer.encode(DECOMPOSED) == tokens == tokenizer.encode_known(DECOMPOSED)
    assert tokenizer.encode_all([DECOMPOSED, COMPOSED]).tokens.tolist() == 2 * tokens
    assert tokenizer.decode(tokens) == (COMPOSED.lower() if lower else COMPOSED)
    assert tokenizer.encode_all([DECOMPOSED.split()]).tokens.tolist() == tokenizer.encode(COMPOSED.split())


def test_texts_can_be_taken_as_they_are_written_and_are_in_earlier_runs() -> None:
    settings = TokenizerSettings(kind="char", form="none")
    tokenizer = load_tokenizer(fit_tokenizer(settings, [COMPOSED], STREAM_SPECIALS).to_json())
    assert tokenizer.unknown in tokenizer.encode(DECOMPOSED)
    assert "form" not in tokenizer.to_json()
