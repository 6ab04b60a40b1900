"""Predictions for sequences: a tag for each word, a text for each text or image, words for the blanks of a text.

Each has the interface dltool.tasks.predictions.AnyPredictions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dltool.core.spec import IGNORED, DataSpec
from dltool.metrics.bleu import until_end
from dltool.tasks.predictions import Prediction, Screen
from dltool.text.fitting import load_tokenizer
from dltool.text.tokenizer import BLANK, Tokenizer

Table = tuple[list[str], list[list[Any]]]


@dataclass(frozen=True)
class TagPredictions:
    """A tag for each word of N texts.

    Attributes:
        names: The name of each text.
        words: The words of each text.
        values: The tag of each word.
        probabilities: The probability of each predicted tag.
    """

    names: list[str]
    words: list[list[str]]
    values: list[list[str]]
    probabilities: list[list[float]]

    @classmethod
    def of(
        cls, names: list[str], words: list[list[str]], parts: Sequence[Prediction], class_names: tuple[str, ...]
    ) -> "TagPredictions":
        """Join the predictions of all batches; positions after a text's last word are padding."""
        labels: list[list[int]] = []
        likelihoods: list[list[float]] = []
        for _, found, probabilities in parts:
            assert found is not None
            assert probabilities is not None
            labels += found.tolist()
            likelihoods += probabilities.gather(2, found[:, :, None]).squeeze(2).tolist()  # (B, T)
        lengths = [min(len(text), len(row)) for text, row in zip(words, labels, strict=True)]
        return cls(
            names,
            [text[:n] for text, n in zip(words, lengths, strict=True)],
            [[class_names[label] for label in row[:n]] for row, n in zip(labels, lengths, strict=True)],
            [row[:n] for row, n in zip(likelihoods, lengths, strict=True)],
        )

    @staticmethod
    def truth(targets: Sequence[Tensor], spec: DataSpec) -> list[list[str]]:
        """The true tags of each text, from targets `(B, T)`."""
        rows = (row for batch in targets for row in batch.tolist())
        return [[spec.class_names[label] for label in row if label != IGNORED] for row in rows]

    def __len__(self) -> int:
        return len(self.names)

    def records(self) -> list[dict[str, Any]]:
        """A JSON-serializable mapping for each text."""
        columns = zip(self.names, self.words, self.values, self.probabilities, strict=True)
        return [
            {"input": name, "words": words, "prediction": tags, "probabilities": likelihoods}
            for name, words, tags, likelihoods in columns
        ]

    def table(self, targets: Sequence[Sequence[str]] | None = None) -> Table:
        """Headings and a row for each word, with its position in the text, from 1, and its true tag if it is known."""
        rows = []
        for i, name in enumerate(self.names):
            for place, word in enumerate(self.words[i]):
                truth = [] if targets is None else [targets[i][place]]
                rows.append([name, place + 1, word, *truth, self.values[i][place], self.probabilities[i][place]])
        return ["input", "position", "word", *(["target"] * (targets is not None)), "prediction", "probability"], rows

    def show(self, screen: Screen, count: int) -> None:
        """Print each text with the tag of every word under it."""
        del count  # One tag per word.
        for words, tags in zip(self.words, self.values, strict=True):
            screen.pairs(words, tags)


@dataclass(frozen=True)
class TextPredictions:
    """A text that the model wrote for each of N texts or images.

    Attributes:
        names: The name of each input.
        sources: The source texts, if the names do not contain them; else empty.
        values: The generated texts.
    """

    names: list[str]
    sources: list[str]
    values: list[str]

    @classmethod
    def of(cls, names: list[str], sources: list[str], parts: Sequence[Prediction], spec: DataSpec) -> "TextPredictions":
        """Join the texts of all batches."""
        return cls(names, sources, cls.truth([part.outputs for part in parts], spec))

    @staticmethod
    def truth(targets: Sequence[Tensor], spec: DataSpec) -> list[str]:
        """Tokens `(B, U)` as texts, up to END."""
        tokenizer = load_tokenizer(spec.target_tokenizer)
        return [tokenizer.decode(until_end(row)) for batch in targets for row in batch.tolist()]

    def __len__(self) -> int:
        return len(self.names)

    def records(self) -> list[dict[str, Any]]:
        """A JSON-serializable mapping for each text."""
        return [{"input": name, "prediction": text} for name, text in zip(self.names, self.values, strict=True)]

    def table(self, targets: Sequence[str] | None = None) -> Table:
        """Headings and a row for each text, with the true one if it is known."""
        columns = {"input": self.names, "source": self.sources, "target": targets or [], "prediction": self.values}
        there = {name: column for name, column in columns.items() if column or name in ("input", "prediction")}
        return list(there), [list(row) for row in zip(*there.values(), strict=True)]

    def show(self, screen: Screen, count: int) -> None:
        """Print one line per text: the input and the generated text."""
        del count  # One text for each input.
        screen.table(("input", "prediction"), list(zip(self.names, self.values, strict=True)))


@dataclass(frozen=True)
class ClozePredictions:
    """Words for the blanks of N texts.

    Attributes:
        names: The texts with their blanks.
        blanks: The likeliest tokens of each blank of each text, with their probabilities, in descending order.
    """

    TOP = 10

    names: list[str]
    blanks: list[list[list[tuple[str, float]]]]

    @classmethod
    def of(cls, names: list[str], parts: Sequence[Prediction], tokenizer: Tokenizer) -> "ClozePredictions":
        """Join the predictions of all masked positions; unknown words are masked too, but are not blanks.

        Args:
            names: The texts as they were typed.
            parts: The probabilities of all masked positions `(N, V)` of each batch, text by text.
            tokenizer: The tokeniser of the texts.
        """
        found = [top for part in parts for top in likeliest(part, tokenizer, cls.TOP)]
        blanks: list[list[list[tuple[str, float]]]] = []
        place = 0
        for name in names:
            are_blanks = [blank for part in BLANK.split(name) for blank in (True, *stranger_marks(part, tokenizer))][1:]
            answers = found[place : place + len(are_blanks)]
            blanks.append([answer for answer, blank in zip(answers, are_blanks, strict=True) if blank])
            place += len(are_blanks)
        return cls(names, blanks)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def values(self) -> list[str]:
        """Each text with the likeliest token in every blank."""
        return [filled(name, blanks) for name, blanks in zip(self.names, self.blanks, strict=True)]

    def records(self) -> list[dict[str, Any]]:
        """A JSON-serializable mapping for each text."""
        return [
            {"input": name, "prediction": value, "blanks": [dict(answers) for answers in blanks]}
            for name, value, blanks in zip(self.names, self.values, self.blanks, strict=True)
        ]

    def table(self, targets: Sequence[Any] | None = None) -> Table:
        """Headings and a row for each blank, from 1, and each of its likeliest tokens; true values are not known."""
        assert targets is None
        rows: list[list[Any]] = []
        for name, blanks in zip(self.names, self.blanks, strict=True):
            for place, answers in enumerate(blanks):
                rows += [[name, place + 1, token, probability] for token, probability in answers]
        return ["input", "blank", "prediction", "probability"], rows

    @staticmethod
    def truth(targets: Sequence[Tensor], spec: DataSpec) -> list[Any]:
        """Raises NotImplementedError: an evaluation masks other words and keeps no predictions."""
        raise NotImplementedError

    def show(self, screen: Screen, count: int) -> None:
        """Print each text with its blanks filled, then the `count` likeliest words for each blank."""
        for value, blanks in zip(self.values, self.blanks, strict=True):
            screen.line(value)
            for place, answers in enumerate(blanks, start=1):
                screen.line(f"  blank {place}  " + "  ".join(f"{visible(word)} {p:.4f}" for word, p in answers[:count]))


def filled(text: str, blanks: Sequence[Sequence[tuple[str, float]]]) -> str:
    """A text with the likeliest token in each of its blanks."""
    words = iter(blanks)
    return BLANK.sub(lambda _: next(words)[0][0], text)


def visible(token: str) -> str:
    """A token as it is printed: in quotes if it is white space, or nothing."""
    return token if token.strip() else repr(token)


def likeliest(part: Prediction, tokenizer: Tokenizer, count: int) -> list[list[tuple[str, float]]]:
    """The likeliest tokens of each masked position with their probabilities, without special tokens."""
    assert part.probabilities is not None
    chances = part.probabilities[:, len(tokenizer.specials) :]
    best = chances.topk(min(count, chances.shape[1]))
    return [
        [(tokenizer.name(token + len(tokenizer.specials)), p) for token, p in zip(row, values, strict=True)]
        for row, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def stranger_marks(part: str, tokenizer: Tokenizer) -> list[bool]:
    """False for each unknown token of a text without blanks."""
    return [False for token in tokenizer.encode(part) if token == tokenizer.unknown]
