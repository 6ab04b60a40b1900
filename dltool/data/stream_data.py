"""One long text, predicted token by token."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.errors import DataError
from dltool.core.spec import DataSpec
from dltool.data.contents import load_recorded
from dltool.data.dataset import Dataset, PrepareOptions
from dltool.data.splits import check_train_samples
from dltool.data.stream_source import Batching, StreamSource, evaluation_batches
from dltool.data.text_preprocessing import TextPreprocessing
from dltool.data.unknown_tokens import count_unknown, unknown_notes, unknown_share
from dltool.declarations.component import Fraction, Handling, Membership, Positive
from dltool.text.tokenizer import STREAM_SPECIALS, Tokenizer, TokenizerSettings

# A hint for a short text shortens the rows to 16 tokens, then lowers their number to 4.
SHORTEST, FEWEST_ROWS = 16, 4


@dataclass(frozen=True)
class RawText:
    """The result of a text loader.

    Attributes:
        train: The whole text, or that of the official training split.
        val, test: Official splits; None where none exist.
        origin: The absolute path of the text, or the name of its generator.
        notes: Messages for the user, one line each.
    """

    train: str
    val: str | None = None
    test: str | None = None
    origin: str = "text"
    notes: tuple[str, ...] = ()


class StreamData(Dataset):
    """A text as a stream of tokens; its end is held out.

    Args:
        load: Loads the text.
        tokenizer: How the text becomes tokens; the vocabulary comes from the training split.
        length: Tokens in each row of a batch, the length of the sequences in training.
        batch_size: Rows per training step.
        eval_batch_size: Rows per evaluation batch. With "columns" it is the number of places where an evaluation starts
            without context, so that it is never chosen by the available memory.
        batching: "columns" continue from batch to batch, so that a recurrent model can carry its state; "crops" are
            drawn from anywhere. "auto" takes the batching that the model is made for.
        val_fraction, test_fraction: Fractions of the characters that are held out, from the end, the test split last,
            where the data has no official one.
        train_samples: Train on this number of tokens, the first of the training split, for learning curves; null takes
            all. The vocabulary stays that of the whole split, and so does what is held out.
    """

    preprocessing: TextPreprocessing
    unit = "tokens"

    def __init__(
        self,
        load: Callable[[], RawText],
        *,
        tokenizer: Handling[TokenizerSettings] = TokenizerSettings(),  # noqa: B008 (frozen)
        length: Handling[Positive[int]] = 64,
        batch_size: Handling[Positive[int]] = 32,
        eval_batch_size: Handling[Positive[int]] = 32,
        batching: Handling[Literal["auto", "columns", "crops"]] = "auto",
        val_fraction: Membership[Fraction[float]] = 0.1,
        test_fraction: Membership[Fraction[float]] = 0.0,
        train_samples: Membership[Positive[int] | None] = None,
    ) -> None:
        super().__init__()
        self.load = load
        self.tokenizer_settings = tokenizer
        self.length = length
        self.batch_size: int = batch_size
        self.eval_batch_size = eval_batch_size
        self.batching_setting = batching
        self.val_fraction = val_fraction
        self.test_fraction = test_fraction
        self.train_samples = train_samples
        self.streams: dict[str, Tensor] = {}

    def _prepare(self, options: PrepareOptions) -> None:
        raw = load_recorded(self.load)
        self.notes += raw.notes
        texts = self._splits(raw) if options.cut else {"train": raw.train}
        origin = raw.origin
        del raw  # Its text may be large; the splits are copies.
        fitted = options.fitted
        if fitted is None:
            tokenizer = self._fit_tokenizer(
                "data.tokenizer", self.tokenizer_settings, [texts["train"]], STREAM_SPECIALS
            )
            self.preprocessing = TextPreprocessing(tokenizer.to_json(), self.length, padded=False)
            self.spec = DataSpec(
                input_shape=(self.length,),
                target="next_token",
                num_tokens=len(tokenizer),
                num_target_tokens=len(tokenizer),
                target_tokenizer=tokenizer.to_json(),
            )
        elif isinstance(fitted.preprocessing, TextPreprocessing) and not fitted.spec.padded:
            self.preprocessing, self.spec = fitted.preprocessing, fitted.spec
            tokenizer = self.preprocessing.tokenizer
        else:
            raise DataError(f"{origin} is one long text, but the run was trained on other data")
        # Each text is freed as soon as it is encoded.
        self.streams = {name: self._encode(name, texts.pop(name), tokenizer, origin) for name in list(texts)}
        if options.cut and self.train_samples is not None:
            check_train_samples(self.train_samples, len(self.streams["train"]), origin, "token")
            self.streams["train"] = self.streams["train"][: self.train_samples]
        self.notes.append(f"a vocabulary of {len(tokenizer):,} tokens from the training split")
        if tokenizer.kind == "word":
            shares = {name: unknown_share(stream.cpu().numpy(), tokenizer) for name, stream in self.streams.items()}
            self.notes += unknown_notes(shares, tokenizer, "data.tokenizer")
        if self.batching_setting != "auto":
            self.batching: Batching = self.batching_setting
        else:
            self.batching = options.model_traits.get("batching", "crops")
            self.choices["data.batching"] = self.batching
        self._check_length(origin)
        self.train = StreamSource(
            self.streams["train"],
            batch_size=self.batch_size,
            length=self.length,
            batching=self.batching,
            seed=options.seed,
        )

    @property
    def sizes(self) -> dict[str, int]:
        return {name: len(stream) for name, stream in self.streams.items()}

    def sample_names(self, split: str) -> list[str]:
        return [str(place) for place in range(len(self.streams[split]))]

    def drop_held_out(self) -> None:
        self.streams = {"train": self.streams["train"]}

    def _batches(self, split: str) -> Iterator[Batch]:
        return evaluation_batches(
            self.streams[split], batch_size=self.eval_batch_size, length=self.length, batching=self.batching
        )

    def _splits(self, raw: RawText) -> dict[str, str]:
        """The official splits; missing ones are taken from the end of the training text.

        Raises:
            DataError: A split would be empty.
        """
        splits = {name: text for name, text in (("val", raw.val), ("test", raw.test)) if text is not None}
        rest, total = raw.train, len(raw.train)
        for name, fraction in (("test", self.test_fraction), ("val", self.val_fraction)):
            if name in splits or fraction == 0:
                continue
            count = round(fraction * total)
            if not 0 < count < len(rest):
                raise DataError(
                    f"data.{name}_fraction={fraction} of the {total:,} characters of {raw.origin} cannot be held out",
                    f"data.{name}_fraction=0",
                )
            splits[name], rest = rest[-count:], rest[:-count]
        return {
            name: {"train": rest, **splits}[name] for name in ("train", "val", "test") if name in {"train", *splits}
        }

    def _encode(self, name: str, text: str, tokenizer: Tokenizer, origin: str) -> Tensor:
        tokens = tokenizer.encode_all([text], tokenizer.smallest_type).tokens
        unknown = count_unknown(tokens, tokenizer)
        if unknown and tokenizer.kind != "word":
            self.notes.append(
                f"{unknown:,} of the {len(tokens):,} tokens of the {name} split are not in the vocabulary"
            )
        if len(tokens) < 2:
            hint = "a longer text" if name == "train" else f"data.{name}_fraction=0, or a longer text"
            raise DataError(f"the {name} split of {origin} has {len(tokens)} tokens; at least 2 are needed", hint)
        return torch.from_numpy(tokens).to(self.device)

    def _check_length(self, origin: str) -> None:
        available = len(self.streams["train"]) - 1
        needed = self.length * self.batch_size if self.batching == "columns" else self.length
        if available < needed:
            rows = f"{self.batch_size} rows of " if self.batching == "columns" else ""
            raise DataError(
                f"the training split of {origin} has {available + 1:,} tokens, too few for {rows}"
                f"data.length={self.length}",
                shorter_batches(available, self.batch_size if rows else 1, self.length),
            )


def shorter_batches(available: int, rows: int, length: int) -> str:
    """The settings of batches that a text of this many tokens fills: fewer rows rather than very short ones."""
    if rows > 1 and (longest := available // rows) < SHORTEST:
        length = min(length, max(1, longest, available // FEWEST_ROWS))
        return f"data.batch_size={available // length} data.length={length}"
    return f"data.length={max(1, available // rows)}"
