"""What a run's language model writes, token by token."""

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor

from dltool.core.errors import ConfigError
from dltool.core.randomness import generator
from dltool.core.shell import quoted
from dltool.core.spec import BEGIN, END, PAD, UNKNOWN
from dltool.decoding.sampling import Sampling, sample
from dltool.inference.loaded_run import LoadedRun
from dltool.tasks.uses import continues_text
from dltool.text.fitting import load_tokenizer
from dltool.text.tokenizer import Tokenizer

LENGTH = 500  # Tokens of a text that has no end of its own, where nothing else is asked for.
BATCH_SIZE = 512  # Texts that are drawn side by side.
CONTEXT = 16  # Tokens before a new one, on which its text may depend: a space, a line's end.
BROKEN = "\N{REPLACEMENT CHARACTER}"  # How half a character decodes.


class TextSampler:
    """Draws texts from the language model of a run.

    Each text follows from (seed, its number) where the training's text was one long stream; where it was many short
    ones, which are drawn side by side until they end, from (seed, count).

    Args:
        run: Of a language model.
        temperature, top_k, top_p: See dltool.decoding.sampling.Sampling.
        seed: Of all that is drawn.
        unknown: Of parts of a prompt that the training never saw: "refuse" or "skip".

    Attributes:
        ends: Whether a text has an end of its own, as a name has.

    Raises:
        ConfigError: The run is no language model, or a number is out of its range.
    """

    def __init__(
        self,
        run: LoadedRun,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        seed: int = 0,
        unknown: Literal["refuse", "skip"] = "refuse",
    ) -> None:
        if not continues_text(run.task):
            raise ConfigError(f"{run.title} makes no texts", f"dltool predict {quoted(run.path)} --input FILE")
        self.run = run
        self.language_model = run.task.language_model
        self.tokenizer: Tokenizer = load_tokenizer(run.spec.target_tokenizer)
        self.ends = run.spec.padded
        # What no text has inside.
        forbidden = (PAD, UNKNOWN, BEGIN) if self.ends else (self.tokenizer.unknown,)
        self.sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, forbidden=forbidden)
        self.seed = seed
        self.unknown = unknown

    def texts(self, prompt: str = "", *, count: int = 1, length: int | None = None) -> list[str]:
        """So many continuations of a prompt, the prompt before each; see `stream`."""
        if not self.ends:
            return ["".join(self.stream(prompt, number, length=length)) for number in range(count)]
        texts: list[str] = []
        for start in range(0, count, BATCH_SIZE):
            size = min(BATCH_SIZE, count - start)
            first, beginning, length = self._begin(prompt, start, length)
            rows = list(self._drawn(beginning.expand(size, -1), start, length))
            columns = torch.stack(rows, dim=1).tolist() if rows else [[]] * size
            texts += [self.tokenizer.decode([*first, *until(row, END)]) for row in columns]
        return texts

    def stream(self, prompt: str = "", number: int = 0, *, length: int | None = None) -> Iterator[str]:
        """One text piece by piece as it is drawn, the prompt first.

        Args:
            prompt: How it begins. Without one, a stream begins after a line's end where the training's text has lines,
                else with a token drawn evenly.
            number: Which of the texts that a seed gives.
            length: Tokens at most behind the prompt; None is 500 for a stream, and as many as the longest of the
                training's texts had for those with an end.

        Raises:
            DataError: The prompt has parts that the training never saw.
            ConfigError: The prompt leaves no room for a token.
        """
        first, beginning, length = self._begin(prompt, number, length)
        written = Written(self.tokenizer, first)
        yield self.tokenizer.decode(first)
        for (token,) in self._drawn(beginning, number, length):
            if self.ends and token == END:
                break
            if piece := written.add(int(token)):
                yield piece

    def _begin(self, prompt: str, number: int, length: int | None) -> tuple[list[int], Tensor, int]:
        """The prompt's tokens that are shown, what the model reads first, `(1, T)`, and how many tokens may follow."""
        tokenizer = self.tokenizer
        known = tokenizer.encode_known(prompt, unknown=self.unknown)
        if self.ends:
            most = self.run.spec.input_shape[0]
            room = most - len(known)
            if length is None and room < 1:
                raise ConfigError(
                    f"the prompt has {len(known)} tokens, and the training's longest text has {most - 1}",
                    "a shorter prompt, or --length N",
                )
            return known, self._tensor([BEGIN, *known]), room if length is None else length
        shown, read = known, known
        if not known:
            line_end = tokenizer.encode("\n")
            if len(line_end) == 1 and line_end[0] != tokenizer.unknown:
                shown, read = [], line_end
            else:
                evenly = generator(self.seed, "first token", number)
                drawn = torch.randint(len(tokenizer.specials), len(tokenizer), (1,), generator=evenly)
                shown = read = drawn.tolist()
        return shown, self._tensor(read), LENGTH if length is None else length

    def _tensor(self, tokens: Sequence[int]) -> Tensor:
        return torch.tensor([tokens], device=self.run.device)

    def _drawn(self, beginning: Tensor, number: int, length: int) -> Iterator[Tensor]:
        with self.run.autocast:
            yield from sample(
                self.language_model,
                beginning,
                length,
                sampling=self.sampling,
                stop=END if self.ends else None,
                generator=generator(self.seed, "sample", number),
            )


class Written:
    """The text of a growing row of tokens.

    Args:
        tokenizer: Of the tokens.
        tokens: Those whose text is out already.
    """

    def __init__(self, tokenizer: Tokenizer, tokens: Sequence[int]) -> None:
        self.tokenizer = tokenizer
        self.tokens = list(tokens)
        self.num_shown = len(tokens)

    def add(self, token: int) -> str:
        """What the token adds to the text; nothing while a character that several tokens make is not whole."""
        self.tokens.append(token)
        start = max(0, self.num_shown - CONTEXT)
        before = self.tokenizer.decode(self.tokens[start : self.num_shown])
        text = self.tokenizer.decode(self.tokens[start:])
        if text.endswith(BROKEN):
            return ""
        self.num_shown = len(self.tokens)
        return text[len(before) :]


def until(row: Sequence[int], stop: int) -> Sequence[int]:
    return row[: row.index(stop)] if stop in row else row
