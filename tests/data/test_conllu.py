"""Sentences with tags from CoNLL-U files."""

import pytest
import torch
from places import REAL_DATA
from synthetic_texts import write_every_text, write_treebank

from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import IGNORED
from dltool.data.conllu import conllu
from dltool.data.sequence_data import SequenceData
from dltool.text.tokenizer import TokenizerSettings

RNG = torch.Generator()
WORDS = TokenizerSettings(kind="word")
LINE = "1\tDogs\tdog\tNOUN\tNNS\t_\t0\troot\t_\t_\n"


def test_words_are_those_that_the_treebank_counts(tmp_path):
    write_every_text(tmp_path)
    raw = conllu(RNG, root=str(tmp_path))
    assert raw.class_names == ("AUX", "NOUN", "PART", "VERB")
    assert [len(raw.train), len(raw.val), len(raw.test)] == [40, 5, 5]
    assert list(raw.texts.inputs[2]) == ["Dogs", "do", "n't", "sleep"]
    assert [raw.class_names[tag] for tag in raw.texts.targets[2]] == ["NOUN", "AUX", "PART", "VERB"]
    assert raw.train.rows[:2].tolist() == [2, 8]  # The lines of their first words.


def test_batches_hold_a_tag_for_each_word(tmp_path):
    write_every_text(tmp_path)
    data = SequenceData(lambda rng: conllu(rng, root=str(tmp_path)), tokenizer=WORDS)
    data.prepare(0, torch.device("cpu"))
    batch = next(data.evaluation("test"))
    assert batch.inputs.shape == batch.targets.shape == (5, 4)
    assert ((batch.inputs == 0) == (batch.targets == IGNORED)).all()
    by_word = dict(zip(batch.inputs.flatten().tolist(), batch.targets.flatten().tolist(), strict=True))
    number = data.preprocessing.tokenizer.encode(["sleep"])[0]
    assert data.spec.class_names[by_word[number]] == "VERB"


def test_splits_without_a_file_are_cut_off(tmp_path):
    write_treebank(tmp_path / "own.conllu", 20)
    data = SequenceData(lambda rng: conllu(rng, train=str(tmp_path / "own.conllu")), tokenizer=WORDS)
    data.prepare(0, torch.device("cpu"))
    assert data.sizes == {"train": 14, "val": 2, "test": 4}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LINE + "2\tsleep\n", "line 2: 2 columns, but CoNLL-U has 10"),
        (LINE + "\n" + LINE.replace("NOUN", "_"), "'Dogs' of the sentence that begins in line 3 has no upos"),
        ("# nothing\n\n", "has no sentence"),
    ],
)
def test_bad_files_are_named_with_their_line(tmp_path, content, message):
    path = tmp_path / "bad.conllu"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message) as error:
        conllu(RNG, train=str(path))
    assert str(path) in str(error.value)


def test_folders_without_or_with_several_files_of_a_split_are_refused(tmp_path):
    with pytest.raises(DataError, match="no file of the training split"):
        conllu(RNG, root=str(tmp_path))
    for name in ("a-train.conllu", "b-train.conllu"):
        write_treebank(tmp_path / name, 3)
    with pytest.raises(DataError, match=r"several files of the train split: a-train\.conllu, b-train\.conllu"):
        conllu(RNG, root=str(tmp_path))


def test_tags_are_of_words_not_of_characters(tmp_path):
    write_every_text(tmp_path)
    data = SequenceData(lambda rng: conllu(rng, root=str(tmp_path)), tokenizer=TokenizerSettings(kind="char"))
    with pytest.raises(ConfigError, match=r"tags of .* belong to words") as error:
        data.prepare(0, torch.device("cpu"))
    assert error.value.hint == "data.tokenizer.kind=word"


def test_english_web_treebank():
    folder = REAL_DATA / "ud_english_ewt"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    raw = conllu(RNG, root=str(folder))
    assert [len(raw.train), len(raw.val), len(raw.test)] == [12_544, 2_001, 2_077]
    assert len(raw.class_names) == 17
    assert sum(map(len, raw.texts.targets[:12_544])) == 204_577


def test_files_of_another_encoding_are_read_or_named(tmp_path):
    line = "1\t{}\tx\tNOUN\tNN\t_\t0\troot\t_\t_\n\n"
    content = line.format("大小") + line.format("中国")
    path = tmp_path / "own.conllu"
    for codec, encoding in (("utf-8-sig", "auto"), ("utf-16", "auto"), ("gb18030", "gb18030")):
        path.write_bytes(content.encode(codec))
        raw = conllu(RNG, train=str(path), encoding=encoding)
        assert raw.texts.inputs == [["大小"], ["中国"]]
        assert any("read as" in note for note in raw.notes) == (codec != "utf-8-sig")
    with pytest.raises(DataError, match=r"own\.conllu is not UTF-8: line 1") as caught:
        conllu(RNG, train=str(path))
    assert caught.value.hint.startswith("data.encoding=gb18030")


def sentence(word="Hund", tag="NOUN"):
    rows = [("1", word, "_", tag, "_"), ("2", "bellt", "_", "VERB", "_")]
    return "".join("\t".join([*row, *"_____"]) + "\n" for row in rows) + "\n"


def test_blanks_around_words_and_tags_do_not_count(tmp_path):
    file = tmp_path / "a.conllu"
    file.write_text(sentence() + sentence("Hund ", "NOUN ") + sentence(tag="Noun"), encoding="utf-8")
    raw = conllu(torch.Generator(), train=str(file))
    assert raw.class_names == ("NOUN", "Noun", "VERB")
    assert raw.texts.inputs[1] == ["Hund", "bellt"]
    assert raw.notes[-1] == "data.column=upos: classes that look alike but are written differently: NOUN and Noun"


def test_an_empty_word_is_refused_and_a_single_tag_noted(tmp_path):
    file = tmp_path / "a.conllu"
    file.write_text(sentence() + sentence(" "), encoding="utf-8")
    with pytest.raises(DataError, match="line 4: the word is empty"):
        conllu(torch.Generator(), train=str(file))
    file.write_text(sentence(tag="VERB"), encoding="utf-8")
    assert "every word has the tag VERB (data.column)" in conllu(torch.Generator(), train=str(file)).notes
