"""Recurrent networks: the plain RNN, the LSTM and the GRU, in the form that the task needs."""

from typing import Any, Literal

from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, Positive, register, requires
from dltool.layers.recurrent import Cells
from dltool.models.recurrent_networks import (
    RecurrentClassifier,
    RecurrentLanguageModel,
    RecurrentSettings,
    RecurrentTagger,
)
from dltool.models.recurrent_translator import RecurrentTranslator

language_model_reads_forward = requires(
    lambda config: config.task.name != "language_model" or not config.model.bidirectional,
    "model.bidirectional=true reads the tokens that a language model must predict",
    hint="model.bidirectional=false",
)


class RecurrentModel:
    """The common keys of rnn, lstm and gru, and the choice of the network by the data's target.

    Constructing one returns that network, as pathlib.Path() returns a PosixPath:

        classes, binary, numbers    RecurrentClassifier: many to one
        tags                        RecurrentTagger: aligned many to many
        next_token                  RecurrentLanguageModel; if bidirectional, a tagger for masked words
        sequence                    RecurrentTranslator: many to many of another length, and from an image to words

    Args:
        embedding_dim: Width of a token's vector; inputs that are not tokens have none.
        hidden_dim: Width of a layer, per direction if bidirectional.
        num_layers: Number of stacked layers.
        bidirectional: Read the sequence backwards too; only the encoder, if there is a decoder.
        dropout: Share set to zero in training of the tokens' vectors, between layers and after the last one.
        embedding_std: Standard deviation of the input tokens' initial vectors, which are normal. "auto" is 0.02 (as in
            BERT, arXiv:1810.04805) for texts with one target each, so that the vectors of their words are learned, and
            few texts are not memorized by random ones; 1, as in torch, for everything else. With tie_weights or
            init_range those decide.
        word_dropout: Probability that a token is replaced by <unk> in training. "auto" is 0.3 for texts with one target
            each (Iyyer et al. 2015, "Deep unordered composition", section 3.2), 0 for everything else.
        tie_weights: The output layer shares the weight of the tokens' vectors; embedding_dim is then hidden_dim.
        pooling: The representation of a whole sequence: the "last" state (of each direction), the "mean" or the "max"
            over its positions, or their average with learned weights, "attention". "auto" is the "max" for texts,
            whose class depends on a few words anywhere, and the "last" state for everything else.
        attention: How a decoder's state is compared with the encoder's positions; null for no attention; see
            dltool.layers.sequence_attention.
        init_range: Every initial weight is U(±init_range); null keeps torch's, U(±1/√hidden_dim).
    """

    def __new__(
        cls,
        spec: DataSpec,
        cells: Cells,
        *,
        embedding_dim: Positive[int] = 128,
        hidden_dim: Positive[int] = 128,
        num_layers: Positive[int] = 1,
        bidirectional: bool = False,
        dropout: Fraction[float] = 0.0,
        embedding_std: Literal["auto"] | Positive[float] = "auto",
        word_dropout: Literal["auto"] | Fraction[float] = "auto",
        tie_weights: bool = False,
        pooling: Literal["auto", "last", "mean", "max", "attention"] = "auto",
        attention: Literal["additive", "dot"] | None = "additive",
        init_range: Positive[float] | None = None,
    ) -> Any:
        settings = RecurrentSettings(
            embedding_dim=embedding_dim,
            hidden_dim=hidden_dim,
            num_layers=num_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            embedding_std=(0.02 if spec.whole_texts else 1.0) if embedding_std == "auto" else embedding_std,
            word_dropout=(0.3 if spec.whole_texts else 0.0) if word_dropout == "auto" else word_dropout,
            tie_weights=tie_weights,
            pooling=("max" if spec.whole_texts else "last") if pooling == "auto" else pooling,
            attention=attention,
            init_range=init_range,
        )
        if spec.target == "sequence":
            return RecurrentTranslator(spec, cells, settings)
        if spec.target == "next_token" and not bidirectional:
            return RecurrentLanguageModel(spec, cells, settings)
        if spec.target in ("tags", "next_token"):
            return RecurrentTagger(spec, cells, settings)
        return RecurrentClassifier(spec, cells, settings)


@register(
    "model",
    "rnn",
    inputs=("sequence", "image"),
    tasks=("supervised", "tagging", "language_model", "cloze", "translation"),
    batching="columns",
)
@language_model_reads_forward
class RNN(RecurrentModel):
    """Elman 1990: h_t = φ(W x_t + b + U h_{t-1} + b').

    Args:
        nonlinearity: φ, of the layers.
    """

    def __new__(
        cls, spec: DataSpec, *, nonlinearity: Literal["tanh", "relu", "sigmoid"] = "tanh", **shared: Any
    ) -> Any:
        return super().__new__(cls, spec, Cells(nonlinearity), **shared)


@register(
    "model",
    "lstm",
    inputs=("sequence", "image"),
    tasks=("supervised", "tagging", "language_model", "cloze", "translation"),
    batching="columns",
)
@language_model_reads_forward
class LSTM(RecurrentModel):
    """Hochreiter and Schmidhuber 1997, with forget gates (Gers et al. 2000); see dltool.layers.recurrent.Cells.

    Args:
        forget_bias: Initial bias of the forget gates; null keeps torch's.
    """

    def __new__(cls, spec: DataSpec, *, forget_bias: float | None = 1.0, **shared: Any) -> Any:
        return super().__new__(cls, spec, Cells("lstm", forget_bias), **shared)


@register(
    "model",
    "gru",
    inputs=("sequence", "image"),
    tasks=("supervised", "tagging", "language_model", "cloze", "translation"),
    batching="columns",
)
@language_model_reads_forward
class GRU(RecurrentModel):
    """Cho et al. 2014, with the reset gate after the matrix product; see dltool.layers.recurrent.Cells."""

    def __new__(cls, spec: DataSpec, **shared: Any) -> Any:
        return super().__new__(cls, spec, Cells("gru"), **shared)
