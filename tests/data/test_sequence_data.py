"""Texts as padded sequences of tokens."""

import pytest
import torch

from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import BEGIN, END, IGNORED, PAD, UNKNOWN
from dltool.data.arrays import RawData, Split, Texts
from dltool.data.fitted import Fitted
from dltool.data.sequence_data import PairData, SequenceData
from dltool.text.fitting import load_tokenizer
from dltool.text.tokenizer import TokenizerSettings

CPU = torch.device("cpu")
WORDS = TokenizerSettings(kind="word")
SENTENCES = ["a b", "b", "c a b", "a a a a", "b c", "c", "a c b a", "c b", "a b c", "b b"]


def raw_data(target, texts=SENTENCES, targets=(), class_names=(), labels=None):
    rows = torch.arange(len(texts))
    chosen = rows if labels is None else torch.tensor(labels)
    return RawData(Split(rows, chosen), None, None, target, class_names, texts=Texts(texts, targets))


def prepared(raw, kind=SequenceData, fitted=None, **settings):
    data = kind(lambda rng: raw, **{"tokenizer": WORDS, "batch_size": 4} | settings)
    data.prepare(0, CPU, fitted=fitted, cut=fitted is None)
    return data


def padded_split(data, name):
    """All samples of a split as one batch."""
    samples = data.sequences[name]
    return samples.batch(torch.arange(len(samples)), CPU)


def test_texts_with_a_class():
    data = prepared(raw_data("classes", class_names=("x", "y"), labels=[0, 1] * 5))
    assert data.sizes == {"train": 7, "val": 1, "test": 2}
    assert (data.spec.input_shape, data.spec.num_tokens, data.spec.padded) == ((4,), 7, True)
    assert (data.spec.num_target_tokens, data.spec.target_tokenizer) == (0, "")
    assert data.choices["data.max_length"] == 4
    for name, split in data.splits.items():
        inputs, targets = padded_split(data, name).inputs.tolist(), padded_split(data, name).targets.tolist()
        for row, label, place in zip(inputs, targets, split.places.tolist(), strict=True):
            assert data.preprocessing.tokenizer.decode(row) == SENTENCES[place], name
            assert label == place % 2


def test_next_token_of_whole_texts():
    data = prepared(raw_data("next_token"))
    train = padded_split(data, "train")
    for row, told in zip(train.inputs.tolist(), train.targets.tolist(), strict=True):
        tokens = [token for token in row if token != PAD]
        assert tokens[0] == BEGIN
        assert [token for token in told if token != IGNORED] == [*tokens[1:], END]
    assert data.spec.input_shape == (5,)
    assert data.spec.num_target_tokens == data.spec.num_tokens
    assert data.spec.target_tokenizer == data.preprocessing.saved_tokenizer


def test_pairs_have_a_vocabulary_for_each_side():
    upper = [text.upper() for text in SENTENCES]
    settings = TokenizerSettings(kind="char")
    data = prepared(raw_data("sequence", targets=upper), PairData, target_tokenizer=settings)
    tell = load_tokenizer(data.spec.target_tokenizer)
    assert (tell.kind, len(tell), data.spec.num_target_tokens) == ("char", 8, 8)
    assert data.spec.max_target_length == 9  # "A A A A" with its beginning and end.
    batch = data.train.draw()
    for row, told in zip(batch.inputs.tolist(), batch.targets.tolist(), strict=True):
        assert told[0] == BEGIN
        assert tell.decode(told) == data.preprocessing.tokenizer.decode(row).upper()


def test_longer_texts_lose_their_end():
    tags = [[index % 2 for index in range(len(text.split()))] for text in SENTENCES]
    data = prepared(
        raw_data("tags", [text.split() for text in SENTENCES], tags, ("x", "y")), max_length=2, val_fraction=0
    )
    assert data.spec.input_shape == (2,)
    for name in data.splits:
        split = padded_split(data, name)
        assert split.inputs.shape == split.targets.shape == (data.sizes[name], 2)
        assert ((split.inputs == PAD) == (split.targets == IGNORED)).all()
    assert any(note.endswith("texts are longer than data.max_length=2 and are truncated") for note in data.notes)


def test_the_vocabulary_is_that_of_the_training_split():
    texts = ["a b"] * 8 + ["x y", "x a"]
    rows = torch.arange(10)
    raw = RawData(
        Split(rows[:8], rows[:8] % 2), None, Split(rows[8:], rows[8:] % 2), "classes", ("e", "o"), texts=Texts(texts)
    )
    data = prepared(raw, val_fraction=0)
    a = data.preprocessing.tokenizer.encode("a")[0]
    assert data.spec.num_tokens == 6
    assert padded_split(data, "test").inputs.tolist() == [[UNKNOWN, UNKNOWN], [UNKNOWN, a]]


def test_a_run_prepares_other_texts_as_its_own():
    data = prepared(raw_data("classes", class_names=("x", "y"), labels=[0, 1] * 5))
    fitted = Fitted(data.preprocessing, data.spec)
    other = prepared(raw_data("classes", ["b a", "z"], class_names=("x", "y"), labels=[1, 0]), fitted=fitted)
    encode = data.preprocessing.tokenizer.encode
    assert padded_split(other, "train").inputs.tolist() == [encode("b a"), [UNKNOWN, PAD]]
    with pytest.raises(DataError, match="has a text of 5 tokens, but the model takes at most 4"):
        prepared(raw_data("classes", ["a a a a a"], class_names=("x", "y"), labels=[1]), fitted=fitted)


def test_a_run_refuses_targets_longer_than_its_own():
    data = prepared(raw_data("sequence", targets=SENTENCES), PairData, target_tokenizer=WORDS)
    with pytest.raises(DataError, match="a target text of 7 tokens, but the model takes at most 6"):
        prepared(
            raw_data("sequence", ["a"], ["a a a a a"]),
            PairData,
            target_tokenizer=WORDS,
            fitted=Fitted(data.preprocessing, data.spec),
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"group_by_length": False}, r"data\.batch_tokens=9 .* need data.group_by_length=true"),
        ({"shuffle": False}, r"need data\.shuffle=true"),
        ({"sampling": "balanced"}, r"need data\.sampling=all"),
        ({"drop_last": True}, "with data.batch_tokens no batch is incomplete"),
    ],
)
def test_a_budget_of_tokens_needs_texts_of_like_length(settings, message):
    with pytest.raises(ConfigError, match=message):
        prepared(raw_data("classes", class_names=("x", "y"), labels=[0, 1] * 5), batch_tokens=9, **settings)


def test_one_long_text_takes_its_own_memory_alone():
    texts = [*["a b"] * 200, "a " * 100_000]
    data = prepared(raw_data("classes", texts, class_names=("x", "y"), labels=[0, 1] * 100 + [0]))
    assert data.spec.input_shape == (100_000,)
    assert sum(samples.inputs.nbytes for samples in data.sequences.values()) == 4 * 100_400
    for name in data.sizes:
        shapes = [batch.inputs.shape[1] for batch in data.evaluation(name)]
        assert sum(length > 2 for length in shapes) <= 1


def test_samples_are_hashed():
    def digest(texts, labels):
        parts = []
        prepared(raw_data("classes", texts, class_names=("x", "y"), labels=labels)).hash_samples(
            ["train", "val", "test"], parts.append
        )
        return b"".join(parts)

    first = digest(SENTENCES, [0, 1] * 5)
    assert first == digest(SENTENCES, [0, 1] * 5)
    assert first != digest([*SENTENCES[:-1], "b c"], [0, 1] * 5)
    assert first != digest(SENTENCES, [1, 0] * 5)


def test_the_share_of_unknown_words_is_a_note():
    texts = ["a b"] * 8 + ["x y", "x a"]
    rows = torch.arange(10)
    raw = RawData(
        Split(rows[:8], rows[:8] % 2), None, Split(rows[8:], rows[8:] % 2), "classes", ("e", "o"), texts=Texts(texts)
    )
    notes = prepared(raw, val_fraction=0).notes
    assert "not in the vocabulary (data.tokenizer): 75.0% of the test words" in notes
    (warning,) = [note for note in notes if note.startswith("warning: ")]
    assert "75% of the words" in warning
    assert "data.tokenizer.kind=char" in warning
    pairs = prepared(raw_data("sequence", targets=SENTENCES), PairData, target_tokenizer=WORDS)
    assert any(note.startswith("not in the vocabulary (data.target_tokenizer): ") for note in pairs.notes)
    tags = prepared(
        raw_data("tags", [["q", "a"]] * 5 + [[str(i)] for i in range(5)], [[0, 1]] * 5 + [[0]] * 5, ("x", "y"))
    )
    assert not any("kind=char" in note for note in tags.notes)  # Tags need words.
