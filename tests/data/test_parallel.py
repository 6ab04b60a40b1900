"""Translations from two files."""

import gzip

import pytest
import torch
from places import REAL_DATA
from synthetic_texts import write_translations

from dltool.core.errors import DataError
from dltool.core.spec import BEGIN, END, PAD
from dltool.data.parallel import parallel
from dltool.data.sequence_data import PairData
from dltool.text.fitting import load_tokenizer
from dltool.text.tokenizer import TokenizerSettings

RNG = torch.Generator()
WORDS = TokenizerSettings(kind="word", lower=True)


def test_a_folder_has_its_three_splits(tmp_path):
    write_translations(tmp_path)
    raw = parallel(RNG, root=str(tmp_path), source="de", target=".en")
    assert [len(raw.train), len(raw.val), len(raw.test)] == [40, 5, 5]
    row = int(raw.test.inputs[0])
    assert raw.texts.inputs[row] == "eine Katze schläft 3 ."
    assert raw.texts.targets[row] == "a cat sleeps 3 ."


def test_batches_are_sentences_with_a_beginning_and_an_end(tmp_path):
    write_translations(tmp_path)
    data = PairData(
        lambda rng: parallel(rng, root=str(tmp_path), source="de", target="en"),
        tokenizer=WORDS,
        target_tokenizer=WORDS,
    )
    data.prepare(0, torch.device("cpu"))
    batch = data.train.draw()
    tell = load_tokenizer(data.spec.target_tokenizer)
    assert len(tell) == data.spec.num_target_tokens
    for row, told in zip(batch.inputs.tolist(), batch.targets.tolist(), strict=True):
        assert told[0] == BEGIN
        assert [token for token in told if token != PAD][-1] == END
        source = data.preprocessing.tokenizer.decode(row)
        swapped = source.replace("eine katze", "a cat").replace("ein hund", "a dog").replace("schläft", "sleeps")
        assert tell.decode(told) == swapped


def test_two_files_are_split(tmp_path):
    (tmp_path / "a").write_text("eins\nzwei\n\ndrei\n", encoding="utf-8")
    (tmp_path / "b").write_bytes(gzip.compress(b"one\r\ntwo\r\n\r\nthree"))
    raw = parallel(RNG, source=str(tmp_path / "a"), target=str(tmp_path / "b"))
    assert raw.val is None
    assert list(zip(raw.texts.inputs, raw.texts.targets, strict=True)) == [
        ("eins", "one"),
        ("zwei", "two"),
        ("drei", "three"),
    ]
    assert raw.train.rows.tolist() == [1, 2, 4]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("eins\nzwei\n", "one\n", "a has 2 lines, but .*b has 1"),
        ("eins\n\n", "one\ntwo\n", "a, line 2 is empty, but that of .*b is not"),
        ("eins\nzwei\n", "one\n \n", "b, line 2 is empty, but that of .*a is not"),
    ],
)
def test_lines_without_a_partner_are_named(tmp_path, source, target, message):
    (tmp_path / "a").write_text(source, encoding="utf-8")
    (tmp_path / "b").write_text(target, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        parallel(RNG, source=str(tmp_path / "a"), target=str(tmp_path / "b"))


def test_a_split_in_one_language_alone_is_refused(tmp_path):
    write_translations(tmp_path)
    (tmp_path / "val.en").unlink()
    with pytest.raises(DataError, match=r"the val split has .*val\.de, but no file in the other language"):
        parallel(RNG, root=str(tmp_path), source="de", target="en")


def test_several_test_files_ask_for_one(tmp_path):
    write_translations(tmp_path)
    (tmp_path / "test_2017.de").write_text("ein Hund\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"several files of the test split: test_2016\.de, test_2017\.de") as error:
        parallel(RNG, root=str(tmp_path), source="de", target="en")
    assert error.value.hint == "data.test_source=FILE"


def test_multi30k():
    folder = REAL_DATA / "multi30k"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    raw = parallel(RNG, root=str(folder), source="de", target="en")
    assert [len(raw.train), len(raw.val), len(raw.test)] == [29_000, 1_014, 1_000]
    assert raw.texts.targets[0] == "Two young, White males are outside near many bushes."


def test_files_of_another_encoding_are_read_or_named(tmp_path):
    source, target = tmp_path / "s", tmp_path / "t"
    target.write_text("small\nlarge\n", encoding="utf-8")
    for codec, encoding in (("utf-8-sig", "auto"), ("utf-16", "auto"), ("cp1252", "cp1252")):
        source.write_bytes("klein\ngroß\n".encode(codec))
        raw = parallel(RNG, source=str(source), target=str(target), encoding=encoding)
        assert list(raw.texts.inputs) == ["klein", "groß"]
        assert list(raw.texts.targets) == ["small", "large"]
    with pytest.raises(DataError, match="s is not UTF-8: line 2") as caught:
        parallel(RNG, source=str(source), target=str(target))
    assert caught.value.hint.startswith("data.encoding=cp1252")


def test_blank_lines_at_the_end_are_no_pairs(tmp_path):
    (tmp_path / "a").write_text("eins\nzwei\n\n \n", encoding="utf-8")
    (tmp_path / "b").write_text("one\ntwo", encoding="utf-8")
    assert len(parallel(RNG, source=str(tmp_path / "a"), target=str(tmp_path / "b")).train) == 2


def test_lines_that_are_the_same_or_occur_again_are_counted(tmp_path):
    (tmp_path / "a").write_text("eins\nzwei\ndrei\neins\n", encoding="utf-8")
    (tmp_path / "b").write_text("one\ntwo\nthree\none\n", encoding="utf-8")
    files = {side: str(tmp_path / name) for side, name in (("source", "a"), ("target", "b"))}
    again = "1 of 4 pairs occur before in the files, so that pairs of the test split can be in the training split"
    assert parallel(RNG, **files).notes == (again,)
    same = parallel(RNG, source=files["source"], target=files["source"]).notes
    assert same == ("4 of 4 lines of data.source and data.target are the same (train)", again)
    held_out = parallel(RNG, **files, test_source=files["source"], test_target=files["target"]).notes
    assert held_out == ("4 of 4 pairs of the test split are in the training split, too",)
