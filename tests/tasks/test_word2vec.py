"""Word vectors, trained from files with the command line's parts: what they learn, and what is said of wrong input."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from states import same_state

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.core.errors import ConfigError, DataError
from dltool.engine.signals import Interrupted
from dltool.engine.trainer import Trainer
from dltool.inference.similar import nearest_words
from dltool.runs.folder import RunFolder

# Words of one kind stand where others of that kind do: "the king drinks", "a lion hunts".
KINDS = [(("king", "queen", "prince"), ("drinks", "speaks", "rules")), (("lion", "tiger", "wolf"), ("hunts", "runs"))]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    draw = torch.Generator().manual_seed(0)
    lines = []
    for _ in range(1500):
        nouns, verbs = KINDS[int(torch.randint(2, (), generator=draw))]
        noun, verb = (words[int(torch.randint(len(words), (), generator=draw))] for words in (nouns, verbs))
        lines.append(f"the {noun} {verb} .")
    path = tmp_path / "语料.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def tests(tmp_path: Path) -> list[str]:
    """Overrides that name files of analogies and similarities with words that are known and some that are not."""
    (tmp_path / "questions.txt").write_text(": verbs\nKing rules Queen rules\nlion hunts unicorn flies\n")
    pairs = ["first\tsecond\thuman", "King\tqueen\t9", "lion\ttiger\t8", "king\thunts\t1", "king\tunicorn\t2"]
    (tmp_path / "pairs.tab").write_text("\n".join(pairs))
    return [f"task.analogies={tmp_path / 'questions.txt'}", f"task.similarities={tmp_path / 'pairs.tab'}"]


SMALL = ["model=word2vec", "model.dim=16", "data=corpus", "data.batch_size=500", "data.sample=0", "data.window=2"]


def train(config: Config, folder: Path, stop_at: int | None = None) -> Trainer:
    """From the folder's newest checkpoint, if any, to the end or to a signal."""
    trainer = build_trainer(prepare(config), RunFolder(folder))
    if checkpoint := trainer.checkpoints.newest(pytest.fail):
        trainer.load(checkpoint)
    step = trainer.train_step

    def watched() -> None:
        step()
        if trainer.progress.step == stop_at:
            trainer.signals.received = 2

    trainer.train_step = watched  # type: ignore[method-assign]
    if stop_at is None:
        trainer.fit()
    else:
        with pytest.raises(Interrupted):
            trainer.fit()
    return trainer


@pytest.mark.parametrize("loss", ["negative_sampling", "hierarchical_softmax", "cross_entropy"])
@pytest.mark.parametrize("architecture", ["skip_gram", "cbow"])
def test_words_of_one_kind_get_close(
    loss: str, architecture: str, corpus: Path, configure: Callable[..., Config], tmp_path: Path
) -> None:
    overrides = [*SMALL, f"data.path={corpus}", f"loss={loss}", f"model.architecture={architecture}"]
    trainer = train(configure(*overrides, "trainer.epochs=20"), tmp_path / "run")
    tokenizer = trainer.data.preprocessing.tokenizer
    for nouns, _ in KINDS:
        for noun in nouns:
            near = [word for word, _ in nearest_words(trainer.task.word_vectors, tokenizer, noun, 2)]
            assert {*near} == {*nouns} - {noun}


@pytest.mark.parametrize("extra", [[], ["trainer.accumulate=3"], ["model.sparse=true", "optim=sparse_adam"]])
def test_resume_is_exact(extra: list[str], corpus: Path, configure: Callable[..., Config], tmp_path: Path) -> None:
    config = configure(*SMALL, f"data.path={corpus}", "data.sample=0.01", "trainer.steps=30", *extra)
    straight = train(config, tmp_path / "straight")
    train(config, tmp_path / "resumed", stop_at=11)
    resumed = train(config, tmp_path / "resumed")
    assert same_state(straight.task.model.state_dict(), resumed.task.model.state_dict())
    assert straight.progress.metrics == resumed.progress.metrics


def test_an_evaluation_asks_what_it_can(
    corpus: Path, tests: list[str], configure: Callable[..., Config], tmp_path: Path
) -> None:
    trainer = train(configure(*SMALL, f"data.path={corpus}", *tests, "trainer.epochs=6"), tmp_path / "run")
    metrics = trainer.progress.metrics
    assert metrics["val/spearman"] > 0
    assert trainer.task.main_metric == ("spearman", "max")
    left_out = {"spearman_left_out": 1, "analogy_left_out": 1}
    assert trainer.task.details() == left_out | {"analogy_verbs": metrics["val/analogy"]}


def test_the_commands(corpus: Path, tests: list[str], dltool_here: Run, tmp_path: Path) -> None:
    assert dltool_here(
        *("train", *SMALL, f"data.path={corpus}", "run.dir=run", "trainer.device=cpu", "trainer.threads=1", "--quiet"),
        *("logger.plots=false", "trainer.epochs=6", "optim.lr=0.02"),
    ).returncode == 0  # fmt: skip
    done = dltool_here("evaluate", "run", *tests)
    assert done.returncode == 0, done.stderr
    assert "analogy_verbs" in done.stdout
    assert "spearman_left_out" in done.stdout
    done = dltool_here("predict", "run", "--similar", "King", "--top", "2", "--csv")
    heading, *found = done.stdout.split("\n")
    assert heading == "word,cosine"
    assert {line.split(",")[0] for line in found[:2]} == {"queen", "prince"}
    done = dltool_here("predict", "run", "--text", "the king")
    assert done.returncode == 2
    assert "--similar WORD" in done.stderr
    done = dltool_here("export", "run", "--format", "word2vec", "--output", "vectors.txt")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "vectors.txt").read_text().splitlines()
    assert lines[0] == "13 16"
    assert len(lines) == 14
    models = pytest.importorskip("gensim.models")
    vectors = models.KeyedVectors.load_word2vec_format(str(tmp_path / "vectors.txt"))
    assert {word for word, _ in vectors.most_similar("king", topn=2)} == {"queen", "prince"}


def test_other_models_have_no_word_vectors(dltool_here: Run) -> None:
    small = ("data=iris", "model=linear", "trainer.epochs=1", "trainer.device=cpu", "logger.plots=false")
    assert dltool_here("train", *small, "run.dir=other", "--quiet").returncode == 0
    assert "has no word vectors" in dltool_here("predict", "other", "--similar", "house").stderr
    done = dltool_here("export", "other", "--format", "word2vec")
    assert done.returncode == 2
    assert "has no word vectors" in done.stderr
    assert not list(Path("other/export").glob("*"))


def test_a_corpus_without_frequent_words_is_refused(configure: Callable[..., Config], tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("every word comes once\n" + "and none of these\n")
    config = configure(*SMALL, f"data.path={tmp_path / 'short.txt'}", "data.val_fraction=0")
    with pytest.raises(DataError, match="0 words that occur 5 times or more") as caught:
        prepare(config)
    assert "data.tokenizer.min_freq=1" in caught.value.hint


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["model.sparse=true"], "gradients, which only sgd and sparse_adam support"),
        (["model.sparse=true", "optim=sgd", "optim.momentum=0.9"], "updates only the words of a batch"),
        (["model.sparse=true", "optim=sgd", "loss=cross_entropy"], "scores every word"),
        (["model.sparse=true", "optim=sgd", "trainer.clip_norm=1"], "cannot clip"),
    ],
)
def test_sparse_gradients_suit_few(overrides: list[str], said: str, configure: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match=said):
        configure(*SMALL, "data.path=x.txt", *overrides)


def test_a_text_without_lines_is_named(configure: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match="needs words with their contexts") as caught:
        configure("model=word2vec", "data=pydoc", "task=word2vec")
    assert "data=corpus" in caught.value.hint
