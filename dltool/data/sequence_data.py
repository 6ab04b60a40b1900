"""Texts as samples: with a class, a tag for each word or another text as target, or for a language model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import BEGIN, END, IGNORED, SPECIAL_TOKENS, DataSpec
from dltool.data.arrays import RawData, Split
from dltool.data.batch_source import IsOwn
from dltool.data.preprocessing import Preprocessing
from dltool.data.sample_data import LoadFunction, SampleData, as_bytes
from dltool.data.scaling import Scaling
from dltool.data.sequence_source import SequenceSource, evaluation_batches
from dltool.data.sequences import Sequences, SequenceSplit
from dltool.data.source import TrainSource
from dltool.data.text_preprocessing import TextPreprocessing
from dltool.data.unknown_tokens import unknown_notes, unknown_share
from dltool.declarations.component import Handling, Positive
from dltool.text.fitting import load_tokenizer
from dltool.text.tokenizer import Encoded, TokenizerSettings


class SequenceData(SampleData):
    """Texts as sequences of tokens.

    Args:
        load: Loads the data: `RawData.texts` with `inputs` and, for tags and target texts, `targets`.
        tokenizer: How texts become tokens.
        max_length: Largest number of tokens in a text; longer ones are truncated. null is the length of the longest
            one.
        batch_tokens: Largest number of tokens in a batch, padding included, instead of `batch_size` texts.
        group_by_length: Put texts of similar length into a batch, to reduce padding.
        shared: See SampleData.

    Attributes, after `prepare`:
        sequences: The samples of each split as tokens; those of `splits` are the indices of their texts.
    """

    preprocessing: TextPreprocessing

    def __init__(
        self,
        load: LoadFunction,
        *,
        tokenizer: Handling[TokenizerSettings] = TokenizerSettings(),  # noqa: B008 (frozen)
        max_length: Handling[Positive[int] | None] = None,
        batch_tokens: Handling[Positive[int] | None] = None,
        group_by_length: Handling[bool] = True,
        **shared: Any,
    ) -> None:
        super().__init__(load, **shared)
        self.tokenizer_settings = tokenizer
        self.target_tokenizer_settings = tokenizer
        self.max_length = max_length
        self.batch_tokens = batch_tokens
        self.group_by_length = group_by_length
        self.sequences: dict[str, SequenceSplit] = {}

    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        """The sequences get their shape when they are encoded."""
        if self.batch_tokens is None:
            return
        needed = {
            "data.group_by_length=true": self.group_by_length,
            "data.shuffle=true": self.shuffle,
            "data.sampling=all": self.sampling == "all",
            "data.order=random": self.order == "random",
        }
        if missing := [override for override, is_set in needed.items() if not is_set]:
            raise ConfigError(
                f"data.batch_tokens={self.batch_tokens} is the size of batches of texts of similar length, which need "
                f"{missing[0]}",
                f"{missing[0]}, or data.batch_tokens=null",
            )
        if self.drop_last:
            raise ConfigError("with data.batch_tokens no batch is incomplete", "data.drop_last=false")

    def _scale(self, raw: RawData, pixel_scaling: Scaling | None) -> None:
        known = [raw.texts.inputs[row] for row in self.splits["train"].inputs.tolist()]
        tokenizer = self._fit_tokenizer("data.tokenizer", self.tokenizer_settings, known, SPECIAL_TOKENS)
        if raw.target == "tags" and tokenizer.kind != "word":
            raise ConfigError(
                f"data.tokenizer.kind={tokenizer.kind}, but the tags of {raw.origin} belong to words",
                "data.tokenizer.kind=word",
            )
        self.preprocessing = TextPreprocessing(
            tokenizer.to_json(),
            max_length=self.max_length or 0,
            cut=self.max_length is not None,
            begin=raw.target == "next_token",
            given_words=not any(isinstance(text, str) for text in known),
            column=raw.texts.column,
        )
        self.target_tokenizer = self._fit_targets(raw)
        others = f", {tokenizer.specials[tokenizer.unknown]} for others" if tokenizer.kind != "bpe" else ""
        self.notes.append(f"a vocabulary of {len(tokenizer):,} tokens from the training split{others}")
        self._encode(raw)
        if self.max_length is None:
            longest = max(samples.inputs.longest for samples in self.sequences.values())
            self.preprocessing = replace(self.preprocessing, max_length=longest)
            self.choices["data.max_length"] = longest

    def _fit_targets(self, raw: RawData) -> str:
        """The tokeniser of the targets, as JSON."""
        if raw.target == "next_token":
            return self.preprocessing.saved_tokenizer
        if raw.target != "sequence":
            return ""
        known = [raw.texts.targets[row] for row in self.splits["train"].targets.tolist()]
        settings = self.target_tokenizer_settings
        return self._fit_tokenizer("data.target_tokenizer", settings, known, SPECIAL_TOKENS).to_json()

    def _reuse(self, raw: RawData, preprocessing: Preprocessing) -> None:
        if not isinstance(preprocessing, TextPreprocessing):
            raise DataError(f"{raw.origin} has texts, but the run was trained on other data")
        self.preprocessing = preprocessing
        self.target_tokenizer = self.spec.target_tokenizer
        self._encode(raw)
        longest, limit = self._longest_target(raw), self.spec.max_target_length
        if longest > limit:
            raise DataError(
                f"{raw.origin} has a target text of {longest} tokens, but the model takes at most {limit}",
                "shorten it",
            )

    def _encode(self, raw: RawData) -> None:
        """Encode the texts of every split."""
        self.sequences = {}
        tokenizer, unknown = self.preprocessing.tokenizer, {}
        limit, num_cut = self.preprocessing.max_length, 0
        for name, split in self.splits.items():
            texts = (self.preprocessing.divided(raw.texts.inputs[row]) for row in split.inputs.tolist())
            encoded = tokenizer.encode_all(texts)
            unknown[name] = unknown_share(encoded.tokens, tokenizer)
            if not encoded.lengths.all():
                row = int(split.places[int(encoded.lengths.argmin())])
                raise DataError(f"{raw.origin}: text {row + 1} has no word", "remove it, or add a word")
            samples = self._as_sequences(encoded, split, raw)
            if limit and (longer := int((samples.inputs.lengths > limit).sum())):
                if not self.preprocessing.cut:
                    raise DataError(
                        f"{raw.origin} has a text of {samples.inputs.longest} tokens, but the model takes at most "
                        f"{limit}",
                        "shorten it",
                    )
                num_cut += longer
                samples = cut(samples, limit, with_targets=raw.target in ("tags", "next_token"))
            self.sequences[name] = samples
        self.notes += unknown_notes(unknown, tokenizer, "data.tokenizer", of_words=raw.target == "tags")
        self.notes += self._unknown_targets(raw)
        if num_cut:
            self.notes.append(f"{num_cut:,} texts are longer than data.max_length={limit} and are truncated")

    def _unknown_targets(self, raw: RawData) -> list[str]:
        """Notes on the tokens of target texts that have a vocabulary of their own."""
        if raw.target != "sequence":
            return []
        tokenizer = load_tokenizer(self.target_tokenizer)
        targets = {name: samples.targets for name, samples in self.sequences.items()}
        shares = {n: unknown_share(t.tokens.numpy(), tokenizer) for n, t in targets.items() if isinstance(t, Sequences)}
        return unknown_notes(shares, tokenizer, "data.target_tokenizer")

    def _as_sequences(self, encoded: Encoded, split: Split, raw: RawData) -> SequenceSplit:
        """Inputs and targets of a split."""
        if raw.target == "next_token":
            inputs, targets = Sequences.encoded(encoded, begin=BEGIN), Sequences.encoded(encoded, end=END, fill=IGNORED)
            return SequenceSplit(inputs, targets)
        inputs = Sequences.encoded(encoded)
        if raw.target not in ("tags", "sequence"):
            return SequenceSplit(inputs, split.targets)
        found = [raw.texts.targets[row] for row in split.targets.tolist()]
        if raw.target == "tags":
            return SequenceSplit(inputs, Sequences.of(found, IGNORED))
        tokenizer = load_tokenizer(self.target_tokenizer)
        return SequenceSplit(inputs, Sequences.encoded(tokenizer.encode_all(found), BEGIN, END))

    def _describe(self, raw: RawData, input_range: tuple[float, float] | None) -> DataSpec:
        return replace(
            super()._describe(raw, input_range),
            input_shape=(self.preprocessing.max_length,),
            num_tokens=len(self.preprocessing.tokenizer),
            padded=True,
            num_target_tokens=len(load_tokenizer(self.target_tokenizer)) if self.target_tokenizer else 0,
            max_target_length=self._longest_target(raw),
            target_tokenizer=self.target_tokenizer,
        )

    def _longest_target(self, raw: RawData) -> int:
        """The number of tokens of the longest target text; 0 without target texts."""
        if raw.target != "sequence":
            return 0
        return max(samples.targets.longest for samples in self.sequences.values())  # type: ignore[union-attr]

    def drop_held_out(self) -> None:
        super().drop_held_out()
        self.sequences = {"train": self.sequences["train"]}

    def _place(self) -> None:
        residency = self._chosen_residency(sum(samples.inputs.nbytes for samples in self.sequences.values()))
        for name, samples in self.sequences.items():
            inputs = samples.inputs.to(self.device) if residency == "device" else samples.inputs
            self.sequences[name] = SequenceSplit(inputs, samples.targets.to(self.device))

    def hash_samples(self, names: Sequence[str], update: Callable[[bytes], None]) -> None:
        for name in names:
            samples = self.sequences[name]
            for part in (samples.inputs, samples.targets):
                tensors = (part,) if isinstance(part, Tensor) else (part.lengths, part.tokens)
                for tensor in tensors:
                    update(as_bytes(tensor))

    def _make_source(self, **settings: Any) -> TrainSource:
        del settings["resize"], settings["scaling"], settings["augment"]
        return SequenceSource(
            self.splits["train"],
            samples=self.sequences["train"],
            batch_tokens=self.batch_tokens,
            grouped=self.group_by_length,
            **settings,
        )

    def _own_batches(self, split: str, is_own: IsOwn) -> Iterator[Batch | None]:
        return evaluation_batches(
            self.sequences[split], device=self.device, batch_size=self.eval_batch_size, is_own=is_own
        )


def cut(samples: SequenceSplit, length: int, *, with_targets: bool) -> SequenceSplit:
    """The first `length` tokens of each input, and of each target if these belong together."""
    targets = samples.targets
    if with_targets and not isinstance(targets, Tensor):
        targets = targets.cut(length)
    return SequenceSplit(samples.inputs.cut(length), targets)


class PairData(SequenceData):
    """Texts with other texts as targets.

    Args:
        load: Loads the data.
        target_tokenizer: How the target texts become tokens; they have their own vocabulary.
        shared: See SequenceData.
    """

    def __init__(
        self,
        load: LoadFunction,
        *,
        target_tokenizer: Handling[TokenizerSettings] = TokenizerSettings(),  # noqa: B008 (frozen)
        **shared: Any,
    ) -> None:
        super().__init__(load, **shared)
        self.target_tokenizer_settings = target_tokenizer
