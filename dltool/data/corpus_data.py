"""A corpus for word vectors: one sentence or document per line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.errors import DataError
from dltool.core.spec import DataSpec
from dltool.data.contents import load_recorded
from dltool.data.dataset import Dataset, PrepareOptions
from dltool.data.splits import check_train_samples
from dltool.data.stream_data import RawText
from dltool.data.text_preprocessing import TextPreprocessing
from dltool.data.unknown_tokens import unknown_notes, unknown_share
from dltool.data.window_source import WindowSource, keep_probabilities
from dltool.declarations.component import Fraction, Handling, Membership, NonNegative, Positive
from dltool.text.tokenizer import STREAM_SPECIALS, Tokenizer, TokenizerSettings


@dataclass(frozen=True)
class Words:
    """The words of some lines that are in the vocabulary.

    Attributes:
        tokens: int32 `(N,)`, the tokens of all lines, concatenated.
        lines: int32 `(N,)`, the line number of each token.
    """

    tokens: Tensor
    lines: Tensor


class CorpusData(Dataset):
    """Lines of text as words with their context words; the last lines are held out.

    Words that are not in the vocabulary are left out before windows are made, as in word2vec.c.

    Args:
        load: Loads the text.
        tokenizer: How a line becomes words; the vocabulary is that of the training split.
        window: Largest number of context words on each side; for each occurrence of a word, the number is drawn from 1
            to this.
        sample: s, the relative frequency above which sub-sampling leaves words out (dltool.data.window_source); 0
            leaves out none.
        batch_size: Words of text per training step, before sub-sampling.
        block_size: Words that are computed together, by matrix products; they share their negative samples.
        val_fraction: Fraction of the lines that is held out, taken from the end.
        train_samples: Train on this number of lines, the first of the training split, for learning curves; null takes
            all. The vocabulary and its counts stay those of the whole split, and so does what is held out.
    """

    preprocessing: TextPreprocessing
    unit = "tokens"

    def __init__(
        self,
        load: Callable[[], RawText],
        *,
        tokenizer: Handling[TokenizerSettings] = TokenizerSettings(),  # noqa: B008 (frozen)
        window: Handling[Positive[int]] = 5,
        sample: Handling[NonNegative[float]] = 1e-3,
        batch_size: Handling[Positive[int]] = 8192,
        block_size: Handling[Positive[int]] = 16,
        val_fraction: Membership[Fraction[float]] = 0.01,
        train_samples: Membership[Positive[int] | None] = None,
    ) -> None:
        super().__init__()
        self.load = load
        self.tokenizer_settings = tokenizer
        self.window = window
        self.sample = sample
        self.batch_size: int = batch_size
        self.block_size = block_size
        self.val_fraction = val_fraction
        self.train_samples = train_samples
        self.sources: dict[str, WindowSource] = {}
        self.unknown: list[float] = []

    def _prepare(self, options: PrepareOptions) -> None:
        raw = load_recorded(self.load)
        self.notes += raw.notes
        lines = self._splits(raw, options.cut)
        fitted = options.fitted
        if fitted is None:
            tokenizer = self._fit_tokenizer("data.tokenizer", self.tokenizer_settings, lines["train"], STREAM_SPECIALS)
        elif isinstance(fitted.preprocessing, TextPreprocessing) and fitted.spec.token_counts:
            self.preprocessing, self.spec = fitted.preprocessing, fitted.spec
            tokenizer = self.preprocessing.tokenizer
        else:
            raise DataError(f"{raw.origin} is a corpus for word vectors, but the run was trained on other data")
        self.unknown = []
        words = {name: self._encode(part, tokenizer) for name, part in lines.items()}
        self._check(words, raw)
        if fitted is None:
            self._describe(words["train"], tokenizer)
        shares = dict(zip(lines, self.unknown, strict=True))
        self.notes += unknown_notes(shares, tokenizer, "data.tokenizer", left_out=True)
        if options.cut and self.train_samples is not None:
            check_train_samples(self.train_samples, len(lines["train"]), raw.origin, "line")
            kept = words["train"].lines < self.train_samples
            words["train"] = Words(words["train"].tokens[kept], words["train"].lines[kept])
            self._check(words, raw)
        self._make_sources(words, options.seed)

    @property
    def sizes(self) -> dict[str, int]:
        return {name: len(source.tokens) for name, source in self.sources.items()}

    def sample_names(self, split: str) -> list[str]:
        return [str(place) for place in range(self.sizes[split])]

    def drop_held_out(self) -> None:
        self.sources = {"train": self.sources["train"]}

    def _batches(self, split: str) -> Iterator[Batch]:
        return self.sources[split].in_order()

    def _splits(self, raw: RawText, cut: bool) -> dict[str, list[str]]:
        """Raises DataError where a split would be empty."""
        lines = [line for line in raw.train.split("\n") if line.strip()]
        if self.val_fraction == 0 or not cut:
            return {"train": lines}
        count = round(self.val_fraction * len(lines))
        if not 0 < count < len(lines):
            raise DataError(
                f"data.val_fraction={self.val_fraction} of the {len(lines):,} lines of {raw.origin} cannot be held out",
                "data.val_fraction=0",
            )
        return {"train": lines[:-count], "val": lines[-count:]}

    def _encode(self, lines: Sequence[str], tokenizer: Tokenizer) -> Words:
        tokens, lengths = tokenizer.encode_all(lines)
        self.unknown.append(unknown_share(tokens, tokenizer))
        known = torch.from_numpy(tokens != tokenizer.unknown)
        numbers = torch.arange(len(lines), dtype=torch.int32).repeat_interleave(torch.from_numpy(lengths))
        return Words(torch.from_numpy(tokens)[known].to(self.device), numbers[known].to(self.device))

    def _check(self, words: Mapping[str, Words], raw: RawText) -> None:
        for name, part in words.items():
            if len(part.tokens) < 2:
                raise DataError(
                    f"the {name} split of {raw.origin} has {len(part.tokens)} words that occur "
                    f"{self.tokenizer_settings.min_freq} times or more; at least 2 are needed",
                    f"data.tokenizer.min_freq={max(1, self.tokenizer_settings.min_freq // 5)}, a longer text, or "
                    "data.val_fraction=0",
                )

    def _describe(self, words: Words, tokenizer: Tokenizer) -> None:
        counts = torch.bincount(words.tokens.cpu(), minlength=len(tokenizer))
        length = self.window + self.block_size + self.window
        self.preprocessing = TextPreprocessing(tokenizer.to_json(), length, padded=False)
        self.spec = DataSpec(
            input_shape=(length,),
            target="none",
            num_tokens=len(tokenizer),
            num_target_tokens=len(tokenizer),
            token_counts=tuple(counts.tolist()),
            target_tokenizer=tokenizer.to_json(),
        )
        self.notes.append(f"a vocabulary of {len(tokenizer):,} words from the training split; others are left out")

    def _make_sources(self, words: Mapping[str, Words], seed: int) -> None:
        counts = torch.tensor(self.spec.token_counts)
        keep = keep_probabilities(counts, self.sample)
        share = float((counts * keep.double()).sum() / counts.sum())
        self.notes.append(f"sub-sampling keeps {share:.0%} of the words (data.sample={self.sample:g})")
        self.sources = {
            name: WindowSource(
                part.tokens,
                part.lines,
                keep.to(self.device),
                batch_size=self.batch_size,
                block_size=self.block_size,
                window=self.window,
                seed=seed,
            )
            for name, part in words.items()
        }
        self.train = self.sources["train"]
