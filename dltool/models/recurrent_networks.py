"""Recurrent networks that read a sequence once: the classifier, the tagger, the language model."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.core.shell import setting
from dltool.core.spec import DataSpec
from dltool.layers.pooling import Pooling, SequencePooling
from dltool.layers.recurrent import (
    Cells,
    Encoded,
    RecurrentLayers,
    State,
    initialize_recurrent,
    recurrent_layers,
    select_state,
)
from dltool.layers.sequence_inputs import SequenceInputs


@dataclass(frozen=True, kw_only=True)
class RecurrentSettings:
    """The keys that rnn, lstm and gru share; see dltool.models.recurrent."""

    embedding_dim: int = 128
    hidden_dim: int = 128
    num_layers: int = 1
    bidirectional: bool = False
    dropout: float = 0.0
    embedding_std: float = 1.0
    word_dropout: float = 0.0
    tie_weights: bool = False
    pooling: Pooling = "last"
    attention: Literal["additive", "dot"] | None = "additive"
    init_range: float | None = None


class RecurrentNetwork(nn.Module):
    """Base of the networks below: vectors of the inputs, recurrent layers over them, dropout.

    Dropout is on the same connections as in Zaremba et al. 2014 (arXiv:1409.2329, section 3.1), all except those over
    time: on the tokens' vectors, between two layers and after the last one. (Inputs that are not tokens get none.)
    """

    max_length = None  # Sequences may have any length, also longer than in training.

    def __init__(self, spec: DataSpec, cells: Cells, settings: RecurrentSettings) -> None:
        super().__init__()
        self.inputs = SequenceInputs(
            spec,
            settings.embedding_dim,
            std=settings.embedding_std,
            dropout=settings.dropout,
            word_dropout=settings.word_dropout,
        )
        self.layers = recurrent_layers(
            cells,
            self.inputs.output_dim,
            settings.hidden_dim,
            num_layers=settings.num_layers,
            bidirectional=settings.bidirectional,
            dropout=settings.dropout,
        )
        self.dropout = nn.Dropout(settings.dropout)

    def encode(self, inputs: Tensor) -> tuple[Encoded, Tensor | None]:
        """The layers' outputs for the data's inputs, and the mask `(B, T)` of the padding."""
        vectors, mask = self.inputs(inputs)
        return self.layers(vectors, mask), mask


class RecurrentClassifier(RecurrentNetwork):
    """Many to one: a linear map of one vector per sequence, see SequencePooling."""

    def __init__(self, spec: DataSpec, cells: Cells, settings: RecurrentSettings) -> None:
        super().__init__(spec, cells, settings)
        if settings.tie_weights:
            raise ConfigError(
                "model.tie_weights=true shares the tokens' vectors with the outputs, which are not tokens here",
                "model.tie_weights=false",
            )
        self.pooling = SequencePooling(settings.pooling, self.layers.output_dim)
        self.head = nn.Linear(self.layers.output_dim, spec.output_dim)
        initialize_recurrent(self, settings.init_range, cells.forget_bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs `(B, output_dim)` for tokens `(B, T)`, rows `(B, T, D)` or images `(B, C, H, W)`."""
        encoded, mask = self.encode(inputs)
        return self.head(self.dropout(self.pooling(encoded.features, mask, encoded.last)))


class RecurrentTagger(RecurrentNetwork):
    """Aligned many to many: the same linear map of the layers' features at each position.

    For tagging, and for predicting words that are masked in the inputs (the cloze of a bidirectional network).
    """

    def __init__(self, spec: DataSpec, cells: Cells, settings: RecurrentSettings) -> None:
        super().__init__(spec, cells, settings)
        self.head = nn.Linear(self.layers.output_dim, spec.output_dim)
        if settings.tie_weights:
            tie(self.head, self.inputs.embedding)
        initialize_recurrent(self, settings.init_range, cells.forget_bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs `(B, T, output_dim)` for tokens `(B, T)` or rows `(B, T, D)`; those at padding are meaningless."""
        encoded, _ = self.encode(inputs)
        return self.head(self.dropout(encoded.features))


class RecurrentLanguageModel(RecurrentTagger):
    """Scores of the next token at each position (Mikolov et al. 2010; with an LSTM Zaremba et al. 2014).

    Its state is carried over from one piece of a text to the next.
    """

    carries_state = True

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs `(B, T, V)` for tokens `(B, T)`, from the zero state."""
        return self.advance(inputs)[0]

    def advance(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Outputs `(B, T, V)` and the state after the tokens `(B, T)`, from a given state; None means zero."""
        assert isinstance(self.layers, RecurrentLayers)
        vectors, mask = self.inputs(tokens)
        encoded = self.layers(vectors, mask, state)
        return self.head(self.dropout(encoded.features)), encoded.state

    def select(self, state: State, rows: Tensor) -> State:
        """The state of the given rows, int64 `(R,)`, each as often as it is listed: for beam search."""
        return select_state(state, rows)


def tie(head: nn.Linear, embedding: nn.Embedding | None) -> None:
    """Share the output layer's weight with the embedding (Press and Wolf 2017, arXiv:1608.05859).

    It is initialized as the output layer's, U(±1/√D): vectors from N(0, 1), as in an embedding, would saturate the
    softmax.

    Raises:
        ConfigError: If the two have different shapes.
    """
    if embedding is None or embedding.num_embeddings != head.out_features:
        raise ConfigError(
            "model.tie_weights=true shares the inputs' vectors with the outputs, but the outputs are other tokens here",
            "model.tie_weights=false",
        )
    if embedding.embedding_dim != head.in_features:
        raise ConfigError(
            f"model.tie_weights=true needs tokens' vectors as wide as the output layer's input, "
            f"{head.in_features} numbers, but model.embedding_dim={embedding.embedding_dim}",
            setting("model.embedding_dim", head.in_features),
        )
    embedding.weight = head.weight
    if embedding.padding_idx is not None:
        with torch.no_grad():
            embedding.weight[embedding.padding_idx] = 0
