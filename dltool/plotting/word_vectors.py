"""Word vectors in the plane with the lines of pairs, the nearest words of offsets, and cosine similarities."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.errors import DltoolError
from dltool.core.shell import quoted
from dltool.figures.attention import visible
from dltool.figures.word_vectors import Offset, PairGroup, WordsView, words_picture
from dltool.inference.similar import token_of
from dltool.introspection.principal_components import PrincipalPlane, principal_plane
from dltool.metrics.word_vectors import analogy_answers
from dltool.plotting.figure import Drawings, Options
from dltool.plotting.subject import Subject
from dltool.tasks.uses import has_word_vectors

if TYPE_CHECKING:  # matplotlib is imported when the first figure is drawn.
    from matplotlib.figure import Figure

NUM_FREQUENT = 40  # Words drawn where there are no pairs.
NUM_SECTIONS, NUM_PAIRS = 2, 6  # Of the task's analogies: sections, and pairs of each.
NUM_ANSWERS = 5
NUM_COMPARED = 8  # Words in the maps of similarities.
NUM_SAMPLES = 256  # Training samples whose words are counted, at least.


class Question(NamedTuple):
    """b - a + c as tokens, and the expected word if it is known."""

    a: int
    b: int
    c: int
    expected: int | None = None


class WordsFigure:
    """Principal components of word vectors with the lines of pairs; 3CosAdd; one-hot against trained vectors."""

    name = "words"
    summary = "word vectors in the plane, the words nearest to b - a + c, cosines against those of one-hot vectors"
    overlays = None

    def lacks(self, subject: Subject) -> str | None:
        if not subject.preprocessing.reads_texts:
            return "its inputs are not texts"
        return None if token_vectors(subject) is not None else "its model has no vector for each word"

    def drawings(self, subjects: Sequence[Subject], options: Options) -> Drawings:
        (subject,) = subjects

        def picture() -> "Figure":
            return words_picture(words_view(subject, options), title=subject.title, note=subject.note())

        return {"words": picture}


def token_vectors(subject: Subject) -> Tensor | None:
    """The vector of each token, `(V, D)`: the task's, or the input embedding of its model; None if there is none."""
    if has_word_vectors(subject.task):
        return subject.task.word_vectors.detach().float().cpu()
    for module in subject.task.model.modules():
        if isinstance(module, nn.Embedding) and module.num_embeddings == subject.spec.num_tokens:
            return module.weight.detach().float().cpu()
    return None


def words_view(subject: Subject, options: Options) -> WordsView:
    """The words of analogies, else the most frequent ones, and what is drawn of them."""
    vectors = token_vectors(subject)
    assert vectors is not None
    first = len(subject.preprocessing.tokenizer.specials)
    questions = questions_of(subject, options.analogies)
    answers = [answers_of(vectors, first, question) for question in questions]
    groups = pairs_of_answers(questions, answers) if options.analogies else pairs_of(subject)
    chosen = [token for pairs in groups.values() for pair in pairs for token in pair]
    chosen += [token for best in answers for token, _ in best]
    tokens = list(dict.fromkeys(chosen or frequent_tokens(subject, first, len(vectors))))
    unit = F.normalize(vectors, dim=1)
    plane = principal_plane(unit[tokens])
    compared = tokens[:NUM_COMPARED]
    place_of = {token: place for place, token in enumerate(tokens)}
    return WordsView(
        names=names_of(subject, tokens),
        places=plane.places(unit[tokens]).numpy(),
        shares=plane.shares,
        groups=[
            PairGroup(label, [(place_of[left], place_of[right]) for left, right in pairs])
            for label, pairs in groups.items()
        ],
        offsets=[
            offset_view(subject, unit, plane, question, best, place_of[question.c])
            for question, best in zip(questions, answers, strict=True)
        ],
        one_hot=cosines(F.one_hot(torch.tensor(compared), len(vectors)).float()).numpy(),
        trained=cosines(vectors[compared]).numpy(),
        num_words=len(vectors) - first,
        dim=vectors.shape[1],
    )


def names_of(subject: Subject, tokens: Sequence[int]) -> list[str]:
    tokenizer = subject.preprocessing.tokenizer
    return visible([tokenizer.name(token) for token in tokens])


def cosines(vectors: Tensor) -> Tensor:
    """The cosine similarity of each vector with each, `(N, N)`."""
    unit = F.normalize(vectors, dim=1)
    return unit @ unit.T


def questions_of(subject: Subject, analogies: Sequence[Sequence[str]]) -> list[Question]:
    """The requested analogies (b, a, c), or the first question of each section that the task has.

    Raises:
        DataError: A requested word is not in the vocabulary.
    """
    if analogies:
        return [requested(subject, words) for words in analogies]
    return [Question(*rows[0].tolist()) for rows in sections_of(subject).values()]


def requested(subject: Subject, words: Sequence[str]) -> Question:
    """The tokens of b, a and c."""
    tokenizer = subject.preprocessing.tokenizer

    def token(place: int) -> int:
        def hint(near: str) -> str:
            return f"--analogy {quoted(','.join([*words[:place], near, *words[place + 1 :]]))}"

        return token_of(tokenizer, words[place], hint)

    b, a, c = map(token, range(3))
    return Question(a, b, c)


def sections_of(subject: Subject) -> dict[str, Tensor]:
    """The first sections of the task's analogies that have questions, tokens `(Q, 4)`."""
    if not has_word_vectors(subject.task):
        return {}
    found = {name: rows for name, rows in subject.task.analogy_questions.items() if len(rows)}
    return dict(list(found.items())[:NUM_SECTIONS])


def pairs_of(subject: Subject) -> dict[str, list[tuple[int, int]]]:
    """Section to the first pairs (a, b) and (c, d) of its questions."""
    sections = {}
    for name, rows in sections_of(subject).items():
        pairs = [(left, right) for left, right in rows.view(-1, 2).tolist()]
        sections[name] = list(dict.fromkeys(pairs))[:NUM_PAIRS]
    return sections


def pairs_of_answers(
    questions: Sequence[Question], answers: Sequence[Sequence[tuple[int, float]]]
) -> dict[str, list[tuple[int, int]]]:
    """The pair (a, b) of each question, and c with its answer."""
    asked = [(one.a, one.b) for one in questions]
    answered = [(one.c, best[0][0]) for one, best in zip(questions, answers, strict=True) if best]
    return {"": asked + answered}


def answers_of(vectors: Tensor, first: int, question: Question) -> list[tuple[int, float]]:
    """The tokens nearest to b - a + c without a, b and c, with their cosines; special tokens are no answers."""
    words = torch.tensor([question[:3]]) - first
    tokens, values = analogy_answers(vectors[first:], words, NUM_ANSWERS)
    return [(token + first, value) for token, value in zip(tokens[0].tolist(), values[0].tolist(), strict=True)]


def offset_view(
    subject: Subject,
    unit: Tensor,
    plane: PrincipalPlane,
    question: Question,
    answers: Sequence[tuple[int, float]],
    start: int,
) -> Offset:
    """What is drawn of one offset."""
    a, b, c = names_of(subject, question[:3])
    point = unit[question.b] - unit[question.a] + unit[question.c]
    x, y = plane.places(point[None])[0].tolist()
    nearest = list(
        zip(names_of(subject, [token for token, _ in answers]), (value for _, value in answers), strict=True)
    )
    expected = "" if question.expected is None else names_of(subject, [question.expected])[0]
    return Offset(f"{b} - {a} + {c}", nearest, expected, start, (x, y))


def frequent_tokens(subject: Subject, first: int, num_tokens: int) -> list[int]:
    """The tokens that occur most often in some training samples; the vocabulary's first ones where none is known."""
    known = list(range(first, num_tokens))
    if subject.training_samples is None:
        return known[:NUM_FREQUENT]
    try:
        inputs = subject.training_samples(NUM_SAMPLES).inputs
    except DltoolError:
        return known[:NUM_FREQUENT]
    counts = torch.bincount(inputs.flatten().cpu(), minlength=num_tokens)
    return sorted(known, key=lambda token: -int(counts[token]))[:NUM_FREQUENT]
