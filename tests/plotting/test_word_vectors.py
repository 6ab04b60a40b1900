"""The figure of word vectors: its answers are those of `task.analogies`, one-hot vectors are orthogonal."""

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from places import NUMBERS_ONLY

from dltool.metrics.word_vectors import analogies_solved, analogy_answers
from dltool.plotting.figure import Options
from dltool.plotting.runs import loaded
from dltool.plotting.subject import Subject
from dltool.plotting.word_vectors import cosines, frequent_tokens, token_vectors, words_view

Dltool = Callable[..., CompletedProcess[str]]
QUESTIONS = ": gender\nking queen man woman\nking queen boy girl\n: age\nman boy woman girl\nunicorn a b c\n"
WORDS = ("king", "queen", "man", "woman", "boy", "girl")


@pytest.fixture
def subject(trained_here: Callable[..., Path]) -> Subject:
    draw = torch.Generator().manual_seed(0)
    lines = [" ".join(WORDS[int(i)] for i in torch.randint(6, (8,), generator=draw)) for _ in range(300)]
    Path("corpus.txt").write_text("\n".join(lines))
    Path("questions.txt").write_text(QUESTIONS)
    words = ("model=word2vec", "model.dim=6", "data=corpus", "data.path=corpus.txt", "task.analogies=questions.txt")
    return loaded(trained_here("run", *words, "trainer.epochs=2", *NUMBERS_ONLY, "diagnostics=default"))


def test_the_first_answer_is_right_where_the_question_is_solved() -> None:
    vectors = torch.randn(12, 5, generator=torch.Generator().manual_seed(1))
    questions = torch.cartesian_prod(*4 * [torch.arange(4)])
    nearest, values = analogy_answers(vectors, questions[:, :3], 20)
    assert torch.equal(nearest[:, 0] == questions[:, 3], analogies_solved(vectors, questions))
    a, b, c = F.normalize(vectors)[questions[:, :3]].unbind(1)
    expected = F.cosine_similarity(b - a + c, vectors[nearest[:, 0]])
    torch.testing.assert_close(values[:, 0], expected)


def test_fewer_words_than_answers() -> None:
    nearest, values = analogy_answers(torch.eye(4), torch.tensor([[0, 1, 2]]), 5)
    assert nearest.tolist() == [[3]]
    assert values.tolist() == [[0.0]]


def test_the_answers_are_those_of_the_task(subject: Subject, dltool_here: Dltool) -> None:
    drawn = dltool_here("plot", "run", "--figure", "words")
    assert drawn.returncode == 0, drawn.stderr
    assert Path("run/plots/words.png").stat().st_size > 10_000
    view = words_view(subject, Options())
    metrics = subject.task.finish_evaluation({})
    rows = {name: questions[:1] for name, questions in subject.task.analogy_questions.items()}
    vectors = token_vectors(subject)
    assert vectors is not None
    assert set(rows) == {"gender", "age"}
    assert 0 <= metrics["analogy"] <= 1
    assert len(view.offsets) == len(rows)
    for offset, name in zip(view.offsets, rows, strict=True):
        solved = bool(subject.task.solved[name][0])
        assert (offset.answers[0][0] == offset.expected) == solved
    assert [group.label for group in view.groups] == ["gender", "age"]
    names = [(view.names[i], view.names[j]) for i, j in view.groups[0].pairs]
    assert names == [("king", "queen"), ("man", "woman"), ("boy", "girl")]


def test_one_hot_vectors_are_orthogonal_and_the_others_have_their_cosines(subject: Subject) -> None:
    view = words_view(subject, Options())
    assert np.array_equal(view.one_hot, np.eye(len(view.one_hot)))
    tokens = [subject.preprocessing.tokenizer.encode(name)[0] for name in view.names]
    vectors = token_vectors(subject)
    assert vectors is not None
    unit = vectors[tokens].double().numpy()
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    kept = len(view.trained)
    np.testing.assert_allclose(view.trained, (unit @ unit.T)[:kept, :kept], atol=1e-6)
    centred = unit - unit.mean(axis=0)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(view.places), np.abs(centred @ axes[:2].T), atol=1e-6)
    np.testing.assert_allclose(view.shares, (lengths**2 / (lengths**2).sum())[:2], atol=1e-6)


def test_requested_words(subject: Subject, dltool_here: Dltool) -> None:
    (offset,) = words_view(subject, Options(analogies=[("king", "man", "woman")])).offsets
    assert offset.formula == "king - man + woman"
    assert {name for name, _ in offset.answers} == {"queen", "boy", "girl"}
    words = ("plot", "run", "--figure", "words", "--analogy")
    done = dltool_here(*words, "king,man,woman", "--output", "drawn")
    assert done.returncode == 0, done.stderr
    done = dltool_here(*words, "king,men,woman")
    assert done.returncode == 2
    assert "'men' is not in the vocabulary of 6 words" in done.stderr
    assert "--analogy king,man,woman" in done.stderr
    assert "three words with commas" in dltool_here(*words, "king,man").stderr
    done = dltool_here("plot", "run", "--figure", "layers", "--analogy", "king,man,woman")
    assert done.returncode == 2
    assert "--figure words" in done.stderr


def test_a_language_models_embedding(dltool_here: Dltool) -> None:
    small = ("model.dim=8", "model.depth=1", "model.num_heads=2", "data=pydoc", "data.length=8", "data.batch_size=8")
    done = dltool_here(
        "train", "model=gpt", *small, "trainer.steps=2", "trainer.epochs=null", "trainer.threads=1", "run.dir=lm",
        "diagnostics=default",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    subject = loaded(Path("lm").resolve())
    vectors = token_vectors(subject)
    assert vectors is not None
    assert vectors.shape == (subject.spec.num_tokens, 8)
    view = words_view(subject, Options())
    assert view.names[0] == "␣"  # The most frequent character.
    assert len(view.names) == 40
    assert not view.groups
    assert len(set(frequent_tokens(subject, 1, len(vectors)))) == 40
    (line,) = re.findall(r"^words .*$", dltool_here("plot", "lm", "--figure", "list").stdout, re.M)
    assert line.split()[1] == "yes"


def test_cosines_of_a_zero_vector() -> None:
    assert torch.isfinite(cosines(torch.zeros(2, 3))).all()
