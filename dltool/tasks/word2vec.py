"""Word vectors: predict words from their context words, or the reverse."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.spec import DataSpec
from dltool.data.word_tests import Analogies, Similarities, read_analogies, read_similarities
from dltool.declarations.component import EvaluationOnly, register
from dltool.layers.word_windows import WordPredictions
from dltool.losses.cross_entropy import CrossEntropy
from dltool.metrics.mean import Mean, MeanOver
from dltool.metrics.word_vectors import analogies_solved, similarity_correlation
from dltool.models.word2vec import Word2Vec
from dltool.tasks.outputs import Network
from dltool.tasks.predictions import Prediction
from dltool.tasks.task import Loss, Task
from dltool.text.fitting import load_tokenizer
from dltool.text.tokenizer import Tokenizer


@register("task", "word2vec", loss_for="word2vec")
class Word2VecTask(Task):
    """Minimize the mean loss of a prediction: of each context word, or with CBOW of each word.

    The model defines the predictions (dltool.models.word2vec); the loss is
    negative_sampling, hierarchical_softmax, or cross_entropy, the softmax over the whole vocabulary.

    In training "loss" is logged. An evaluation adds metrics of the vectors, if test files are given: "spearman", the
    correlation of the words' cosine similarities with human scores, and "analogy", the share of the questions that are
    answered correctly. Items with a word that is not in the vocabulary, ignoring case, are left out; `dltool evaluate`
    counts them as "spearman_left_out" and "analogy_left_out", and gives "analogy_…" for each section.

    Args:
        analogies: A file such as questions-words.txt, which came with word2vec.c.
        similarities: A file such as combined.tab of WordSim-353.
    """

    model: Word2Vec
    uses = ("compare",)
    metric_directions: ClassVar[dict[str, str]] = {"spearman": "max", "analogy": "max"}

    def __init__(
        self,
        model: Word2Vec,
        loss: Any,
        spec: DataSpec,
        *,
        analogies: EvaluationOnly[str | None] = None,
        similarities: EvaluationOnly[str | None] = None,
    ) -> None:
        super().__init__(model)
        self.criterion = FullSoftmax(loss) if isinstance(loss, CrossEntropy) else loss
        tokenizer = load_tokenizer(spec.target_tokenizer)
        self.known = KnownWords(tokenizer)
        self.questions = None if analogies is None else self.known.questions(read_analogies(Path(analogies)))
        self.similarities = None if similarities is None else self.known.pairs(read_similarities(Path(similarities)))
        self.solved: dict[str, Tensor] = {}  # Section to whether each question was answered in the newest evaluation.
        if similarities is not None:
            self.main_metric = ("spearman", "max")

    def loss(self, batch: Batch) -> Loss:
        mean, count = self.criterion(self.model.predictions(batch.inputs, batch.targets), self.model.outputs)
        return Loss(mean, count, {"loss": MeanOver(mean.detach(), count)})

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        return self.loss(batch).logs

    def finish_evaluation(self, metrics: dict[str, float]) -> dict[str, float]:
        vectors = self.word_vectors[self.known.first :]
        measured = dict(metrics)
        if self.similarities is not None:
            pairs, scores, _ = self.similarities
            measured["spearman"] = similarity_correlation(vectors, pairs.to(vectors.device), scores)
        if self.questions is not None:
            sections, _ = self.questions
            self.solved = {
                name: analogies_solved(vectors, questions.to(vectors.device)) for name, questions in sections.items()
            }
            measured["analogy"] = share(torch.cat(list(self.solved.values())))
        return measured

    @property
    def word_vectors(self) -> Tensor:
        """The vectors `(V, D)` of all tokens, in the order of the vocabulary, special tokens first."""
        return self.model.inputs.weight.detach()

    @property
    def analogy_questions(self) -> dict[str, Tensor]:
        """Section to its questions of known words, tokens `(Q, 4)`; empty without a file of analogies."""
        if self.questions is None:
            return {}
        return {name: rows + self.known.first for name, rows in self.questions[0].items()}

    def details(self) -> dict[str, float]:
        """The numbers of items left out, and the accuracy of each section."""
        found: dict[str, float] = {}
        if self.similarities is not None:
            found["spearman_left_out"] = self.similarities[2]
        if self.questions is not None:
            found["analogy_left_out"] = self.questions[1]
        return found | {f"analogy_{name}": share(right) for name, right in self.solved.items() if len(right)}

    def predict(self, inputs: Tensor) -> Prediction:
        raise ConfigError(
            "word vectors have no predictions for a text", "--similar WORD names the words nearest to one"
        )

    @property
    def networks(self) -> dict[str, Network]:
        return {"model": Network(self.model, gives="the vector of each token")}


class FullSoftmax:
    """Eq. 2 of Mikolov et al. (2013b, arXiv:1310.4546): a softmax over the scores of all words."""

    def __init__(self, criterion: CrossEntropy) -> None:
        self.criterion = criterion

    def __call__(self, predictions: WordPredictions, outputs: nn.Embedding) -> tuple[Tensor, Tensor | int]:
        vectors, words = predictions.pairs()
        if not len(words):
            return vectors.sum(), 0
        return self.criterion(vectors @ outputs.weight.T, words)


class KnownWords:
    """The row of each word in the vectors without special tokens, ignoring case.

    Of words that differ only in case, the most frequent one is used.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.first = len(tokenizer.specials)
        names = [tokenizer.name(token).casefold() for token in range(self.first, len(tokenizer))]
        self.rows = {name: row for row, name in reversed(list(enumerate(names)))}

    def rows_of(self, words: Sequence[str]) -> list[int] | None:
        """The rows of the words; None if one is unknown."""
        rows = [self.rows.get(word.casefold(), -1) for word in words]
        return None if -1 in rows else rows

    def questions(self, analogies: Analogies) -> tuple[dict[str, Tensor], int]:
        """The questions of each section with known words, `(Q, 4)`, and the number of others."""
        sections, left_out = {}, 0
        for name, questions in analogies.sections.items():
            found = [rows for rows in map(self.rows_of, questions) if rows is not None]
            left_out += len(questions) - len(found)
            sections[name] = torch.tensor(found, dtype=torch.int64).view(-1, 4)
        return sections, left_out

    def pairs(self, similarities: Similarities) -> tuple[Tensor, Tensor, int]:
        """The pairs of known words, `(P, 2)`, their scores `(P,)`, and the number of others."""
        found = [
            (rows, score)
            for rows, score in zip(map(self.rows_of, similarities.pairs), similarities.scores, strict=True)
            if rows is not None
        ]
        pairs = torch.tensor([rows for rows, _ in found], dtype=torch.int64).view(-1, 2)
        return pairs, torch.tensor([score for _, score in found]), len(similarities.pairs) - len(found)


def share(right: Tensor) -> float:
    return float(right.double().mean()) if len(right) else math.nan
