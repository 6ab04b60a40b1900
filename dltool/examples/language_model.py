"""A language model: a recurrent network that learns Python's reference manual, character by character.

To run it, then to use the run:

    dltool train --trust language_model.py model=char_gru data=pydoc trainer.steps=150 optim.lr=0.01
    dltool sample --trust language_model.py RUN --prompt "The "
"""

from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, Positive, register


# `batching="columns"` asks for batches whose rows continue those of the batch before, since this model keeps its state.
# The default, "crops", takes each row from anywhere in the text: right for a transformer.
@register("model", "char_gru", inputs="sequence", tasks=("language_model",), batching="columns")
class CharGru(nn.Module):
    """Scores of the next token, from a GRU over the tokens so far.

    Args:
        spec: Describes the data: `spec.num_tokens` in the vocabulary, and `spec.output_dim` scores to predict.
        dim: Width of a token's vector and of the state.
        num_layers: Stacked layers.
        dropout: Share of the vectors' numbers set to zero in training.
    """

    # Training continues from the state after the previous batch. Without this line, each batch starts with a new state.
    carries_state = True
    # A text may have any length. A model with learned positions sets the number of positions in its constructor.
    max_length = None

    def __init__(
        self, spec: DataSpec, *, dim: Positive[int] = 64, num_layers: Positive[int] = 1, dropout: Fraction[float] = 0.0
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(spec.num_tokens, dim)
        self.layers = nn.GRU(dim, dim, num_layers, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(dim, spec.output_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores of the next token at each position, `(B, T, V)`, for tokens int64 `(B, T)`."""
        return self.advance(tokens)[0]

    # `dltool sample` calls this with one new token at a time. A model without it is sampled too, but then reads the
    # whole text again for each token.
    def advance(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Scores `(B, T, V)` after each of the tokens, and the new state.

        Args:
            tokens: int64 `(B, T)`; they continue the tokens that the state is of.
            state: Returned for the tokens before; None at the beginning of a text.
        """
        features, state = self.layers(self.dropout(self.embedding(tokens)), state)
        return self.head(self.dropout(features)), state
