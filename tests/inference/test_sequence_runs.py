"""What runs on texts say of new texts, and of those that they are measured on."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from dltool.cli.screen import TerminalScreen
from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import BEGIN, END
from dltool.data.fitted import from_json
from dltool.data.text_preprocessing import TextPreprocessing
from dltool.inference.run import Run
from dltool.runs.folder import RunFolder
from dltool.tasks.sequence_predictions import ClozePredictions, TagPredictions, TextPredictions
from dltool.text.fitting import load_tokenizer

Load = Callable[..., Run]


def test_each_word_has_its_tag(load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = load("tags")
    said = run.predict(["Dogs don't", "Cats do sleep"])
    assert isinstance(said, TagPredictions)
    assert said.words == [["Dogs", "don't"], ["Cats", "do", "sleep"]]  # Cats is unknown to the training.
    assert said.values[1][1] == "AUX"
    assert [len(tags) for tags in said.values] == [2, 3]
    assert all(0 < p <= 1 for row in said.probabilities for p in row)
    headings, rows = said.table()
    assert headings == ["input", "position", "word", "prediction", "probability"]
    assert rows[2][:3] == ["Cats do sleep", 1, "Cats"]
    capsys.readouterr()
    run.predict(["Dogs do"]).show(TerminalScreen(), 1)
    assert capsys.readouterr().out == "Dogs  do\nNOUN  AUX\n\n"
    (tmp_path / "texts.txt").write_text("Dogs don't\n\nCats do sleep\n")
    assert run.predict(tmp_path / "texts.txt").values == said.values


def test_files_are_read_as_named_or_as_in_training(load: Load, tmp_path: Path) -> None:
    run, path = load("tags"), tmp_path / "texts.txt"
    path.write_bytes("Dogs 大小\n".encode("gb18030"))
    with pytest.raises(DataError, match="not UTF-8") as caught:
        run.predict(path)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("--encoding gb18030")
    said = run.predict(path, encoding="gb18030")
    assert isinstance(said, TagPredictions)
    assert said.words == [["Dogs", "大小"]]
    run.config["data"]["encoding"] = "gb18030"
    assert run.predict(path) == said
    path.write_text("Dogs 大小\n", encoding="utf-8")
    assert run.predict(path) == said


def test_the_words_of_a_tagger_are_given_as_in_training(load: Load, tmp_path: Path) -> None:
    run = load("tags")
    sentence = ["Dogs", "do", "n't", "sleep"]
    line = "{}\t{}" + "\t_" * 8
    (tmp_path / "new.conllu").write_text("\n".join(line.format(i, word) for i, word in enumerate(sentence, 1)) + "\n\n")
    typed = run.predict("Dogs do n't sleep")
    assert isinstance(typed, TagPredictions)
    assert typed.words == [sentence]
    assert typed.values == [["NOUN", "AUX", "PART", "VERB"]]
    for inputs in ([sentence], tmp_path / "new.conllu"):
        assert run.predict(inputs) == typed
    spaced = run.predict([["10 000", "sleep"]])
    assert isinstance(spaced, TagPredictions)
    assert spaced.words == [["10\u00a0000", "sleep"]]


def test_a_tagger_of_version_0_1_is_given_words_too(load: Load) -> None:
    saved = load("tags").folder.read_preprocessing()
    del saved["preprocessing"]["given_words"]
    assert from_json(saved, "run").preprocessing.words("do n't") == ["do", "n't"]


def test_an_evaluation_of_tags_says_each_word(load: Load) -> None:
    measured = load("tags").evaluate(predictions=True)
    headings, rows = measured.table()
    assert headings == ["input", "position", "word", "target", "prediction", "probability"]
    assert [row[1:4] for row in rows[:2]] == [[1, "Dogs", "NOUN"], [2, "do", "AUX"]]
    right = sum(row[3] == row[4] for row in rows) / len(rows)
    assert right == pytest.approx(measured.metrics["accuracy"])


def test_texts_are_written_greedily_or_with_a_beam(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    run = load("reversal")
    said = run.predict(["123", "4567"])
    assert isinstance(said, TextPredictions)
    assert said.records()[0] == {"input": "123", "prediction": said.values[0]}
    beam = run.predict(["123", "4567"], beam=3, length_penalty=0.0)
    for source, greedy, searched in zip(said.names, said.values, beam.values, strict=True):
        assert log_probability(run, source, searched) >= log_probability(run, source, greedy) - 1e-4
    assert run.task.beam == 1  # type: ignore[attr-defined]  # The run's own task stays as it is.
    capsys.readouterr()
    said.show(TerminalScreen(), 1)
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "123"
    with pytest.raises(ConfigError, match="writes no text"):
        load("tags").predict(["Dogs do"], beam=2)


def log_probability(run: Run, source: str, text: str) -> float:
    """Of a text, as the model sees it."""
    tokenizer = load_tokenizer(run.spec.target_tokenizer)
    assert isinstance(run.preprocessing, TextPreprocessing)
    tokens = torch.tensor([[BEGIN, *tokenizer.encode(text), END]])
    with torch.no_grad():
        scores = run.model(run.preprocessing([source]).long(), tokens[:, :-1]).log_softmax(dim=2)
    return float(scores.gather(2, tokens[:, 1:, None]).sum())


def test_an_evaluation_of_written_texts(load: Load) -> None:
    measured = load("reversal").evaluate(predictions=True)
    headings, rows = measured.table()
    assert headings == ["input", "source", "target", "prediction"]
    assert all(source[::-1] == target for _, source, target, _ in rows)
    exact = sum(target == written for _, _, target, written in rows) / len(rows)
    assert exact == pytest.approx(measured.metrics["exact_match"])
    assert measured.task.remarks[0].startswith("bleu: sacrebleu nrefs:1|case:mixed")


def test_blanks_are_filled(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    run = load("cloze")
    said = run.predict(["Ann__", "_é<unk>ob"])
    assert isinstance(said, ClozePredictions)
    assert [len(blanks) for blanks in said.blanks] == [1, 1]  # One underscore is a letter, é one that nobody saw.
    assert said.values[0] == "Ann" + said.blanks[0][0][0][0]
    assert said.values[0] == "Anna"
    assert said.values[1].startswith("_é")
    chances = [p for _, p in said.blanks[0][0]]
    assert chances == sorted(chances, reverse=True)
    capsys.readouterr()
    run.predict(["Ann__"]).show(TerminalScreen(), 1)
    assert capsys.readouterr().out.startswith("Anna\n  blank 1  a 0.")
    with pytest.raises(DataError, match="text 1 has no blank"):
        run.predict(["Anna"])
    with pytest.raises(ConfigError, match="predicts nothing"):
        run.evaluate(predictions=True)


def test_a_predicted_space_is_visible(capsys: pytest.CaptureFixture[str]) -> None:
    ClozePredictions(["a__b"], [[[(" ", 0.5), ("\n", 0.25), ("c", 0.125)]]]).show(TerminalScreen(), 3)
    assert capsys.readouterr().out == "a b\n  blank 1  ' ' 0.5000  '\\n' 0.2500  c 0.1250\n"


def test_a_language_model_is_measured_on_what_was_held_out(load: Load) -> None:
    run = load("gpt")
    measured = run.evaluate()
    assert (measured.split, measured.unit) == ("val", "tokens")
    assert measured.metrics["loss"] == pytest.approx(run.metrics["val/loss"])
    with pytest.raises(ConfigError, match="predicts nothing"):
        run.predict(["gold"])


def test_a_text_that_is_too_long_for_the_positions_is_named(load: Load) -> None:
    run = load("reversal")
    assert len(run.predict(["12", "1" * 30]).values) == 2  # An LSTM has no positions that could end.
    run.model.max_length = 8  # type: ignore[assignment]
    with pytest.raises(DataError, match=r"text 2 has 30 tokens, but the model takes at most \d"):
        run.predict(["12", "1" * 30])


def test_a_vocabulary_that_was_edited_is_refused(load: Load, trained: Callable[[str], Path], tmp_path: Path) -> None:
    load("gpt").sample(length=1)
    folder = shutil.copytree(trained("gpt"), tmp_path / "run")
    saved = folder / "preprocessing.json"
    saved.write_text(saved.read_text(encoding="utf-8").replace('\\"A\\"', '\\"B\\"'), encoding="utf-8")
    with pytest.raises(DataError, match=r"preprocessing.json \(SHA-256 \w{12}…\) are not those .* \(SHA-256 \w{12}…\)"):
        Run(RunFolder(folder)).sample(length=1)


def test_a_text_that_was_changed_is_refused_on_resume(dltool_here: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("abcabcabca" * 100)
    words = ["model=gpt", "model.dim=8", "model.depth=1", "model.num_heads=2", "data=text", "data.path=text.txt"]
    words += ["data.length=8", "trainer.epochs=null", "trainer.steps=2", "trainer.threads=1", "run.dir=outputs/g"]
    assert dltool_here("train", *words, "--quiet").returncode == 0
    (tmp_path / "text.txt").write_text("abdabdabda" * 100)
    done = dltool_here("resume", "outputs/g", "trainer.steps=4")
    assert done.returncode == 2
    assert "the tokenisers of the data, as it is now, (SHA-256 " in done.stderr
    assert "train again from scratch: dltool train --from outputs/g" in done.stderr


@pytest.mark.parametrize("name", ["reversal", "tags", "lstm"])
def test_the_weights_of_models_of_texts(load: Load, tmp_path: Path, name: str) -> None:
    exported = load(name).export(tmp_path / "m.safetensors", format="safetensors")
    assert exported.difference == 0
    assert safetensors.torch.load_file(tmp_path / "m.safetensors").keys() == load(name).model.state_dict().keys()


def test_a_gpt_as_a_program(load: Load, tmp_path: Path) -> None:
    exported = load("gpt").export(tmp_path / "m.pt2", format="torch")
    assert exported.difference <= exported.bound
    assert "each token, in the order of the vocabulary" in exported.networks["model"]["outputs"]["meaning"]


def test_what_writes_token_by_token_is_a_graph_of_source_and_text_so_far(load: Load, tmp_path: Path) -> None:
    exported = load("reversal").export(tmp_path / "m.pt2", format="torch")
    network = exported.networks["model"]
    assert network["inputs"]["shape"] == ["batch", "length"]
    assert network["target_inputs"]["shape"] == ["batch", "target_length"]
    assert network["outputs"]["shape"][:2] == ["batch", "target_length"]
