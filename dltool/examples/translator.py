"""A translator: a recurrent encoder and decoder that learn to write numbers in words.

To run it, then to use the run:

    dltool train --trust translator.py model=seq2seq data=numbers data.max_number=999 data.num_samples=900 optim.lr=0.01
    dltool predict --trust translator.py RUN --text 205 --beam 3
"""

from typing import NamedTuple

from torch import Tensor, nn

from dltool.core.spec import PAD, DataSpec
from dltool.declarations.component import Positive, register


class Memory(NamedTuple):
    """What the encoder gives to the decoder: anything; here one vector per source text."""

    summary: Tensor  # (B, D)


@register("model", "seq2seq", inputs="sequence", tasks=("translation",))
class SequenceToSequence(nn.Module):
    """An encoder and a decoder without attention (Cho et al. 2014, arXiv:1406.1078).

    Args:
        spec: Describes the data: `spec.num_tokens` of the source, `spec.num_target_tokens` of the target.
        dim: Width of the vectors and states.
    """

    def __init__(self, spec: DataSpec, *, dim: Positive[int] = 64) -> None:
        super().__init__()
        self.source_embedding = nn.Embedding(spec.num_tokens, dim, padding_idx=PAD)
        self.encoder = nn.GRU(dim, dim, batch_first=True)
        self.target_embedding = nn.Embedding(spec.num_target_tokens, dim, padding_idx=PAD)
        self.decoder = nn.GRU(dim, dim, batch_first=True)
        self.head = nn.Linear(dim, spec.output_dim)

    def forward(self, source: Tensor, target_inputs: Tensor) -> Tensor:
        """Scores of the next token after each of the target's, `(B, U, V)`; training gives it the true ones."""
        return self.decode(target_inputs, self.encode(source))[0]

    # The other methods are for writing a text token by token: greedily, or by beam search.

    def encode(self, source: Tensor) -> Memory:
        """Read sources, int64 `(B, S)`, right-padded with PAD."""
        lengths = (source != PAD).sum(1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(
            self.source_embedding(source), lengths, batch_first=True, enforce_sorted=False
        )
        return Memory(self.encoder(packed)[1][0])  # The last layer's state at the last token of each text.

    def decode(self, target_tokens: Tensor, memory: Memory, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Scores `(B, U, V)` after each of the target tokens, int64 `(B, U)`, and the new state.

        Args:
            target_tokens: They continue the tokens that the state is of.
            memory: Returned by encode().
            state: Returned for the tokens before; None at the beginning.
        """
        initial = memory.summary[None] if state is None else state  # (1, B, D)
        features, state = self.decoder(self.target_embedding(target_tokens), initial)
        return self.head(features), state

    # Beam search keeps several texts per source, drops some and continues others twice.

    def select(self, state: Tensor, rows: Tensor) -> Tensor:
        """The state of some rows of the batch."""
        return state[:, rows]

    def select_memory(self, memory: Memory, rows: Tensor) -> Memory:
        """The memory of some rows of the batch."""
        return Memory(memory.summary[rows])
