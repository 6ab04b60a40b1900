"""The corpus BLEU of generated texts."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from dltool.core.distribution import install
from dltool.core.errors import ConfigError
from dltool.core.spec import END, DataSpec
from dltool.declarations.component import register
from dltool.metrics.metric import Metric, State
from dltool.text.fitting import load_tokenizer

UNKNOWN_WORD = "\N{REPLACEMENT CHARACTER}"  # What a tokeniser decodes <unk> to.


@register("metric", "bleu", of="outputs", targets=("sequence",), direction="max")
class Bleu(Metric):
    """The corpus BLEU of sacrebleu (Post 2018, arXiv:1804.08771; the extra text), from 0 to 100.

    The decoded texts are compared; an unknown word never counts as correct.

    Attributes:
        counts: int64 `(2 + 2 N,)`: the lengths of the generated texts and of the references, in tokens of sacrebleu,
            then the matching n-grams, then all generated n-grams, for n from 1 to N.

    Raises:
        ConfigError: If sacrebleu is not installed.
    """

    def __init__(self, spec: DataSpec) -> None:
        self.tokenizer = load_tokenizer(spec.target_tokenizer)
        self.library = sacrebleu().metrics.BLEU(force=True)  # Without it sacrebleu warns of tokenized texts.
        self.library.num_refs = 1  # For the signature, also if the metric was only merged.
        super().__init__(spec)

    def reset(self) -> None:
        self.counts = torch.zeros(2 + 2 * self.library.max_ngram_order, dtype=torch.int64)

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        if len(outputs) == 0:
            return
        written = [text.replace(UNKNOWN_WORD, "?") for text in self.texts(outputs)]
        score = self.library.corpus_score(written, [self.texts(targets)])
        self.counts += torch.tensor([score.sys_len, score.ref_len, *score.counts, *score.totals])

    def state(self) -> State:
        return {"counts": self.counts.clone()}

    def merge_state(self, state: State) -> None:
        self.counts += state["counts"].cpu()

    def compute(self) -> float:
        num, (written, reference, *grams) = self.library.max_ngram_order, self.counts.tolist()
        score = self.library.compute_bleu(
            grams[:num],
            grams[num:],
            written,
            reference,
            smooth_method=self.library.smooth_method,
            smooth_value=self.library.smooth_value,
            effective_order=self.library.effective_order,
            max_ngram_order=num,
        )
        return float(score.score)

    @property
    def remark(self) -> str:
        """The exact variant, once a batch was added."""
        return f"bleu: sacrebleu {self.library.get_signature()}" if self.counts.any() else ""

    def texts(self, tokens: Tensor) -> list[str]:
        """Rows of tokens as text, up to END."""
        return [self.tokenizer.decode(until_end(row)) for row in tokens.tolist()]


def until_end(tokens: Sequence[int]) -> Sequence[int]:
    return tokens[: tokens.index(END)] if END in tokens else tokens


def sacrebleu() -> Any:
    """The library, imported when it is used."""
    try:
        import sacrebleu as library
        import sacrebleu.metrics
    except ImportError as error:
        raise ConfigError("task.metrics: bleu needs sacrebleu", install("text")) from error
    return library
